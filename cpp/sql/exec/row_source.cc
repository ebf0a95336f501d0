#include "sql/exec/row_source.h"

#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/exec/cell_ops.h"
#include "sql/exec/row_shaper.h"
#include "types/number_text.h"

namespace turdb::sql {
namespace {

bool HasVectors(const catalog::TableDef& table) {
  return std::any_of(table.columns.begin(), table.columns.end(), [](const auto& column) { return column.type.is_vector(); });
}

bool IsPlainColumn(int column, const catalog::TableDef& table) {
  return column == catalog::kRowIdColumn || (column >= 0 && column < static_cast<int>(table.columns.size()));
}

}  // namespace

bool RowIdOf(const Cell& cell, int64_t* rowid) {
  const Cell number = TextToNumberIfWhole(cell);
  if (number.is_integer()) {
    *rowid = number.integer;
    return true;
  }
  return number.is_real() && RealIsInteger(number.real, rowid);
}

bool RowSource::Takes(const PhysicalNode& scan) {
  const catalog::TableDef* table = nullptr;
  if (scan.kind == PhysicalKind::kRowIdLookup) {
    const auto& lookup = scan.As<PhysicalRowIdLookup>();
    if (lookup.values.size() != 1) return false;
    table = lookup.table;
    values_ = &lookup.values;
    read_columns_ = &lookup.columns;
    predicate_ = &lookup.filter;
  } else if (scan.kind == PhysicalKind::kIndexScan) {
    const auto& index = scan.As<PhysicalIndexScan>();
    const auto& null_safe = index.prefix_is_null_safe;
    const bool is_equal = !index.prefix.empty() && index.in_list.empty() && index.lower.value == nullptr &&
                          index.upper.value == nullptr && std::find(null_safe.begin(), null_safe.end(), true) == null_safe.end();
    if (!is_equal || index.index == nullptr) return false;
    table = index.table;
    index_ = index.index;
    values_ = &index.prefix;
    read_columns_ = &index.columns;
    predicate_ = &index.filter;
  } else {
    return false;
  }
  return table == &table_ && !table_.is_without_rowid && !HasVectors(table_) &&
         std::all_of(read_columns_->begin(), read_columns_->end(), [this](int column) { return IsPlainColumn(column, table_); });
}

absl::StatusOr<std::unique_ptr<RowSource>> RowSource::Make(const PhysicalNode& source, const catalog::TableDef& table,
                                                           std::vector<bool> wanted, Builder* builder) {
  if (builder->context->is_timed || source.kind != PhysicalKind::kProject) return nullptr;
  std::unique_ptr<RowSource> made(new RowSource(table));
  if (!made->Takes(*source.children[0])) return nullptr;
  TURDB_RETURN_IF_ERROR(made->Prepare(source.As<PhysicalProject>(), std::move(wanted), builder));
  return made;
}

absl::Status RowSource::Prepare(const PhysicalProject& project, std::vector<bool> wanted, Builder* builder) {
  TURDB_ASSIGN_OR_RETURN(keys_, CompileAll(*values_, builder));
  TURDB_ASSIGN_OR_RETURN(filter_, CompileOptional(*predicate_, builder));
  TURDB_ASSIGN_OR_RETURN(outputs_, CompileAll(project.exprs, builder));
  key_cells_.resize(keys_.size());
  row_.resize(table_.columns.size());
  columns_.resize(read_columns_->size());
  const size_t row_outputs = wanted.empty() ? outputs_.size() : table_.columns.size() + 1;  // taken from the row, if at all
  wanted_ = std::move(wanted);
  wanted_.resize(table_.columns.size(), false);
  if (table_.rowid_alias >= 0) wanted_[table_.rowid_alias] = false;  // it is the rowid
  if (filter_ != nullptr) Want(filter_->slots());
  for (size_t i = row_outputs; i < outputs_.size(); ++i) Want(outputs_[i]->slots());
  return absl::OkStatus();
}

void RowSource::Want(const std::vector<int>& slots) {
  for (const int slot : slots) {
    const int column = (*read_columns_)[slot];
    if (column >= 0 && column != table_.rowid_alias) wanted_[column] = true;
    if (std::find(used_slots_.begin(), used_slots_.end(), slot) == used_slots_.end()) used_slots_.push_back(slot);
  }
}

absl::StatusOr<RowSource::Found> RowSource::FindRowId(table::TableWriter* writer, Arena* arena) {
  for (size_t i = 0; i < keys_.size(); ++i) TURDB_RETURN_IF_ERROR(EvalScalar(keys_[i].get(), arena, &key_cells_[i]));
  if (index_ == nullptr) {
    int64_t rowid = 0;
    if (!RowIdOf(key_cells_[0], &rowid)) return Found::kNone;
    rowid_ = RowId(rowid);
    return Found::kOne;
  }
  for (const Cell& cell : key_cells_) {
    if (cell.is_null()) return Found::kNone;  // equal to nothing
  }
  TURDB_ASSIGN_OR_RETURN(const uint32_t rows, writer->FindByIndex(*index_, key_cells_, &rowid_));
  return rows == 0 ? Found::kNone : rows == 1 ? Found::kOne : Found::kSeveral;
}

absl::StatusOr<RowSource::Found> RowSource::Find(table::TableWriter* writer, Arena* arena) {
  TURDB_ASSIGN_OR_RETURN(const Found named, FindRowId(writer, arena));
  if (named != Found::kOne) return named;
  TURDB_ASSIGN_OR_RETURN(const bool is_there, writer->Read(rowid_, wanted_, arena, row_.data()));
  if (!is_there) {
    if (index_ == nullptr) return Found::kNone;
    return CorruptionError("index '", index_->name, "' has an entry for a row that table '", table_.name, "' does not have");
  }
  for (size_t i = 0; i < row_.size(); ++i) {
    if (wanted_[i]) row_[i] = KeepCell(row_[i], arena);  // pages change before the statement is over
  }
  for (const int slot : used_slots_) {
    const int column = (*read_columns_)[slot];
    columns_[slot].SetConstant(column < 0 ? Cell::Integer(rowid_.value()) : row_[column]);
  }
  frame_.serial = Frame::NextSerial();
  frame_.columns = columns_.data();
  frame_.rows = 1;
  frame_.arena = arena;
  if (filter_ == nullptr) return Found::kOne;
  uint32_t row = 0;
  uint32_t count = 0;
  TURDB_RETURN_IF_ERROR(filter_->EvalRows(frame_, &row, &count));
  return count == 1 ? Found::kOne : Found::kNone;
}

absl::Status RowSource::Eval(size_t i, Cell* value) {
  if (outputs_[i]->GetAtOnce(frame_.arena, value)) return absl::OkStatus();
  const ColumnVector* result = nullptr;
  TURDB_RETURN_IF_ERROR(outputs_[i]->Eval(frame_, &result));
  *value = result->Get(0);
  return absl::OkStatus();
}

}  // namespace turdb::sql
