#include "sql/exec/row_update.h"

#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"

namespace turdb::sql {

using Action = catalog::ConflictAction;

RowUpdate::RowUpdate(const catalog::TableDef& table, const std::vector<int>& assigned, const RowExpressions& expressions,
                     Action action, ExecContext* context)
    : table_(table), action_(action), context_(context), changed_(table.columns.size(), false) {
  for (int column : assigned) {
    if (column == catalog::kRowIdColumn || column == table.rowid_alias) can_conflict_ = true;
    if (column >= 0) changed_[column] = true;
  }
  for (const auto& generated : expressions.generated) changed_[generated.first] = true;
  if (table.is_without_rowid) {
    for (int column : table.primary_key) can_conflict_ = can_conflict_ || changed_[column];
  }
  for (const catalog::IndexDef& index : table.indexes) {
    if (!index.is_unique) continue;
    if (!index.where_sql.empty()) can_conflict_ = true;
    for (const catalog::IndexColumn& column : index.columns) {
      if (column.column < 0 || changed_[column.column]) can_conflict_ = true;
    }
  }
}

bool MayReplace(const catalog::TableDef& table, Action action) {
  if (action == Action::kReplace || table.primary_key_action == Action::kReplace) return true;
  return std::any_of(table.indexes.begin(), table.indexes.end(),
                     [](const catalog::IndexDef& index) { return index.conflict_action == Action::kReplace; });
}

std::string RowUpdate::NameOf(table::RowRef row) {
  if (!row.key.empty()) return std::string(row.key);
  const int64_t rowid = row.rowid.value();
  return std::string(reinterpret_cast<const char*>(&rowid), sizeof(rowid));
}

absl::StatusOr<bool> RowUpdate::Write(table::RowRef old_row, RowShaper* shaper, table::TableWriter* writer, Arena* arena) {
  if (!deleted_.empty() && deleted_.contains(NameOf(old_row))) return false;
  TURDB_ASSIGN_OR_RETURN(const bool is_kept, shaper->Check(action_, no_defaults_, arena, &changed_));
  if (!is_kept) return false;
  const RowId rowid(table_.is_without_rowid ? 0 : shaper->rowid().integer);
  const absl::Span<const Cell> row(shaper->row().data(), table_.columns.size());
  while (can_conflict_) {
    TURDB_ASSIGN_OR_RETURN(const auto conflict, writer->FindConflict(rowid, row, old_row));
    if (!conflict.has_value()) break;
    const Action action = ActionOfConflict(table_, *conflict, action_);
    if (action == Action::kIgnore) return false;
    if (action != Action::kReplace) return Fail(context_, action, table::ConflictError(table_, conflict->index));
    context_->BeginWriting(false);
    TURDB_ASSIGN_OR_RETURN(const bool is_gone, writer->Delete(conflict->row()));
    if (!is_gone) return InternalError("the row that is in the way of another one in table ", table_.name, " is not there");
    deleted_.insert(NameOf(conflict->row()));
  }
  context_->BeginWriting(true);
  TURDB_RETURN_IF_ERROR(writer->Update(old_row, rowid, row, changed_));
  return true;
}

}  // namespace turdb::sql
