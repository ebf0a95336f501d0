// See vector_set.h.

#include "table/vector_set.h"

#include "base/status_macros.h"
#include "table/graph_index.h"
#include "table/vector_column.h"

namespace turdb::table {

absl::StatusOr<VectorSet> VectorSet::Open(txn::Transaction* txn, const catalog::TableDef& table) {
  VectorSet set;
  set.txn_ = txn;
  set.table_ = &table;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    if (!table.columns[i].type.is_vector()) continue;
    Column column{static_cast<int>(i), nullptr, GraphsOf(table, static_cast<int>(i))};
    TURDB_ASSIGN_OR_RETURN(column.writer, VectorColumnWriter::Open(txn, table.columns[i]));
    set.columns_.push_back(std::move(column));
  }
  return set;
}

absl::Status VectorSet::Check(absl::Span<const Cell> row) const {
  for (const Column& column : columns_) {
    TURDB_RETURN_IF_ERROR(CheckVector(table_->columns[column.number], row[column.number]));
  }
  return absl::OkStatus();
}

absl::Status VectorSet::Resolve(Arena* arena, Cell* row) const {
  for (const Column& column : columns_) {
    if (row[column.number].is_null()) continue;
    TURDB_ASSIGN_OR_RETURN(const auto reader,
                           VectorColumn::Open(column.writer->file()->view(), table_->columns[column.number]));
    TURDB_ASSIGN_OR_RETURN(row[column.number], reader->Resolve(row[column.number], arena));
  }
  return absl::OkStatus();
}

absl::StatusOr<Cell> VectorSet::NextSlotCell(size_t i, const Cell& vector) const {
  if (vector.is_null()) return Cell();
  TURDB_ASSIGN_OR_RETURN(const NodeId slot, columns_[i].writer->NextSlot());
  return Cell::Integer(slot.value());
}

absl::Status VectorSet::Add(size_t i, RowId row, const Cell& vector) {
  if (vector.is_null()) return absl::OkStatus();
  return columns_[i].writer->Add(row, reinterpret_cast<const float*>(vector.bytes)).status();
}

absl::StatusOr<NodeId> VectorSet::SlotOf(const Column& column, const Cell& slot) const {
  TURDB_ASSIGN_OR_RETURN(const uint32_t slots, column.writer->SlotCount());
  return SlotOfCell(slot, slots, column.writer->column().vector_path);
}

absl::Status VectorSet::Remove(size_t i, const Cell& slot_cell) {
  if (slot_cell.is_null()) return absl::OkStatus();
  TURDB_ASSIGN_OR_RETURN(const NodeId slot, SlotOf(columns_[i], slot_cell));
  for (const catalog::IndexDef* graph : columns_[i].graphs) {
    TURDB_RETURN_IF_ERROR(RemoveFromGraph(txn_, *graph, slot));
  }
  return columns_[i].writer->Remove(slot);
}

absl::Status VectorSet::SetRowId(size_t i, const Cell& slot_cell, RowId row) {
  if (slot_cell.is_null()) return absl::OkStatus();
  TURDB_ASSIGN_OR_RETURN(const NodeId slot, SlotOf(columns_[i], slot_cell));
  return columns_[i].writer->SetRowId(slot, row);
}

absl::Status VectorSet::RemoveAll() {
  for (Column& column : columns_) {
    for (const catalog::IndexDef* graph : column.graphs) {
      TURDB_RETURN_IF_ERROR(ClearGraph(txn_, *graph));
    }
    TURDB_RETURN_IF_ERROR(column.writer->RemoveAll());
  }
  return absl::OkStatus();
}

}  // namespace turdb::table
