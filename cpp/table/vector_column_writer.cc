// See vector_column_writer.h; Append is in append_vectors.cc.

#include "table/vector_column_writer.h"

#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "table/vector_column.h"
#include "vec/kernels.h"

namespace turdb::table {

absl::Status CheckVector(const catalog::ColumnDef& column, const Cell& cell) {
  if (cell.is_null()) return absl::OkStatus();
  if (!cell.is_vector() || cell.length != column.type.dim * sizeof(float)) {
    return DimensionError("column ", column.name, " takes vectors of ", column.type.dim, " dimensions, not ",
                          cell.is_vector() ? cell.dim() : 0);
  }
  if (!vec::ActiveKernels().is_all_finite(reinterpret_cast<const float*>(cell.bytes), column.type.dim)) {
    return BadValueError("column ", column.name, ": a vector may not contain NaN or infinity");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<VectorColumnWriter>> VectorColumnWriter::Open(txn::Transaction* txn,
                                                                             const catalog::ColumnDef& column) {
  TURDB_ASSIGN_OR_RETURN(pager::FileWriter* const writer, txn->Writer(column.vector_file));
  TURDB_RETURN_IF_ERROR(VectorColumn::Open(writer->view(), column).status());
  return std::unique_ptr<VectorColumnWriter>(new VectorColumnWriter(column, writer));
}

absl::StatusOr<uint32_t> VectorColumnWriter::SlotCount() const {
  const uint8_t* header = writer_->view().Page(PageId(1));
  if (header == nullptr) return writer_->view().PageError(PageId(1));
  return Load<uint32_t>(header + format::kVecKindSlotCount);
}

absl::StatusOr<NodeId> VectorColumnWriter::NextSlot() const {
  TURDB_ASSIGN_OR_RETURN(const uint32_t slots, SlotCount());
  if (slots >= UINT32_MAX - 1) return TooBigError("column ", column_.name, ": no vector slots are left");
  return NodeId(slots);
}

absl::Status VectorColumnWriter::AddToCounts(int64_t slots, int64_t live) {
  TURDB_ASSIGN_OR_RETURN(uint8_t* const header, writer_->MutablePage(PageId(1)));
  const auto add = [header](uint32_t offset, int64_t n) {
    Store<uint32_t>(header + offset, static_cast<uint32_t>(Load<uint32_t>(header + offset) + n));
  };
  add(format::kVecKindSlotCount, slots);
  add(format::kVecKindLiveCount, live);
  return absl::OkStatus();
}

absl::StatusOr<NodeId> VectorColumnWriter::Add(RowId row, const float* vector) {
  TURDB_ASSIGN_OR_RETURN(const NodeId slot, NextSlot());
  const uint32_t pages = layout_.PageOf(slot).value() + layout_.pages_per_vector();
  if (pages > writer_->view().page_count()) {
    TURDB_RETURN_IF_ERROR(
        writer_->ExtendZeroed(pages - writer_->view().page_count(), format::PageKind::kVectorData).status());
  }
  TURDB_RETURN_IF_ERROR(Write(slot, row, vector));
  TURDB_RETURN_IF_ERROR(AddToCounts(1, 1));
  return slot;
}

absl::Status VectorColumnWriter::Write(NodeId slot, RowId row, const float* vector) {
  const PageId first = layout_.PageOf(slot);
  TURDB_ASSIGN_OR_RETURN(uint8_t* page, writer_->MutablePage(first));
  Store<int64_t>(page + layout_.RowIdOffset(slot), row.value());
  if (!layout_.spans_pages()) {
    std::memcpy(page + layout_.VectorOffset(slot), vector, layout_.vector_bytes());
    return absl::OkStatus();
  }
  const auto* bytes = reinterpret_cast<const uint8_t*>(vector);
  for (uint32_t i = 0; i < layout_.pages_per_vector(); ++i) {
    if (i > 0) {
      TURDB_ASSIGN_OR_RETURN(page, writer_->MutablePage(first + i));
    }
    const uint32_t done = i * format::kSpanPayloadBytes;
    std::memcpy(page + format::kSpanDataOffset, bytes + done, std::min(format::kSpanPayloadBytes, layout_.vector_bytes() - done));
  }
  return absl::OkStatus();
}

absl::Status VectorColumnWriter::SetRowId(NodeId slot, RowId row) {
  TURDB_ASSIGN_OR_RETURN(uint8_t* const page, writer_->MutablePage(layout_.PageOf(slot)));
  Store<int64_t>(page + layout_.RowIdOffset(slot), row.value());
  return absl::OkStatus();
}

absl::Status VectorColumnWriter::Remove(NodeId slot) {
  TURDB_RETURN_IF_ERROR(SetRowId(slot, RowId(format::kFreeSlotRowId)));
  return AddToCounts(0, -1);
}

absl::Status VectorColumnWriter::RemoveAll() {
  TURDB_ASSIGN_OR_RETURN(uint8_t* const header, writer_->MutablePage(PageId(1)));
  Store<uint32_t>(header + format::kVecKindSlotCount, 0);
  Store<uint32_t>(header + format::kVecKindLiveCount, 0);
  return absl::OkStatus();
}

}  // namespace turdb::table
