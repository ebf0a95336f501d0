#include "sql/exec/upsert.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/exec/cell_ops.h"
#include "table/table_reader.h"

namespace turdb::sql {

absl::StatusOr<std::unique_ptr<Upsert>> Upsert::Make(const UpsertClause& clause, const catalog::TableDef& table,
                                                     const RowExpressions& expressions, Builder* builder) {
  std::unique_ptr<Upsert> made(new Upsert(clause, table, builder));
  if (!clause.is_update) return made;
  TURDB_ASSIGN_OR_RETURN(made->shaper_, RowShaper::Make(table, expressions, builder));
  std::vector<int> assigned;
  for (const auto& [column, expr] : clause.assignments) {
    TURDB_ASSIGN_OR_RETURN(EvaluatorPtr compiled, Compile(*expr, builder));
    made->assignments_.push_back(std::move(compiled));
    assigned.push_back(column);
  }
  TURDB_ASSIGN_OR_RETURN(made->where_, CompileOptional(clause.where, builder));
  made->update_ = std::make_unique<RowUpdate>(table, assigned, expressions, catalog::ConflictAction::kAbort, builder->context);
  return made;
}

bool Upsert::Matches(const table::Conflict& conflict) const {
  if (clause_.is_any || (clause_.index == nullptr && !clause_.is_rowid)) return true;
  if (conflict.index == nullptr) return clause_.is_rowid;
  return clause_.index != nullptr && clause_.index->id == conflict.index->id;
}

// The row in the way, and the one that was to be inserted behind it.
absl::Status Upsert::ReadExisting(const table::Conflict& conflict, RowShaper& inserted, Arena* arena) {
  const size_t width = table_.columns.size();
  std::vector<int> columns(width);
  for (size_t i = 0; i < width; ++i) columns[i] = static_cast<int>(i);
  TURDB_ASSIGN_OR_RETURN(auto lookup, table::LookUpRows(context_->txn, table_, columns, arena));
  std::vector<Cell>& row = shaper_->row();
  TURDB_ASSIGN_OR_RETURN(const bool found, lookup->Find(conflict.row(), row.data()));
  if (!found) return InternalError("the row that is in the way of another one in table ", table_.name, " is not there");
  for (size_t i = 0; i < width; ++i) row[i] = KeepCell(row[i], arena);
  shaper_->rowid() = table_.is_without_rowid ? Cell() : Cell::Integer(conflict.rowid.value());
  for (size_t i = 0; i <= width; ++i) row[width + 1 + i] = inserted.row()[i];
  return absl::OkStatus();
}

absl::StatusOr<bool> Upsert::Run(const table::Conflict& conflict, RowShaper& inserted, table::TableWriter* writer, Arena* arena) {
  if (!clause_.is_update) return false;
  TURDB_RETURN_IF_ERROR(ReadExisting(conflict, inserted, arena));
  if (where_ != nullptr) {
    Cell truth;
    TURDB_RETURN_IF_ERROR(shaper_->Eval(where_.get(), arena, &truth));
    if (Truth(truth) != 1) return false;
  }
  std::vector<Cell> values(assignments_.size());
  for (size_t i = 0; i < values.size(); ++i) {
    TURDB_RETURN_IF_ERROR(shaper_->Eval(assignments_[i].get(), arena, &values[i]));
    values[i] = KeepCell(values[i], arena);
  }
  for (size_t i = 0; i < values.size(); ++i) {
    const int column = clause_.assignments[i].first;
    if (column == catalog::kRowIdColumn || column == table_.rowid_alias) {
      TURDB_RETURN_IF_ERROR(shaper_->StoreRowId(values[i]));
    } else {
      TURDB_RETURN_IF_ERROR(shaper_->Store(column, values[i], arena));
    }
  }
  if (shaper_->has_generated()) TURDB_RETURN_IF_ERROR(shaper_->Generate(arena));
  update_->Reset();
  return update_->Write(conflict.row(), shaper_.get(), writer, arena);
}

}  // namespace turdb::sql
