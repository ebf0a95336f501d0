// See vector_column.h.

#include "table/vector_column.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "format/vec_page.h"

namespace turdb::table {

absl::StatusOr<std::unique_ptr<VectorColumn>> VectorColumn::Open(txn::Transaction* txn, const catalog::ColumnDef& column) {
  TURDB_ASSIGN_OR_RETURN(pager::FileView view, txn->View(column.vector_file));
  return Open(std::move(view), column);
}

absl::StatusOr<std::unique_ptr<VectorColumn>> VectorColumn::Open(pager::FileView view, const catalog::ColumnDef& column) {
  std::unique_ptr<VectorColumn> opened(new VectorColumn());
  opened->view_ = std::move(view);
  TURDB_ASSIGN_OR_RETURN(const uint8_t* const header,
                         opened->view_.PageOfKind(PageId(1), format::PageKind::kVectorHeader));
  const uint32_t dim = Load<uint32_t>(header + format::kVecKindDim);
  const uint8_t element = header[format::kVecKindElement];
  const uint32_t slots = Load<uint32_t>(header + format::kVecKindSlotCount);
  opened->live_count_ = Load<uint32_t>(header + format::kVecKindLiveCount);
  if (element == 0 || dim != column.type.dim) {
    return CorruptionError(opened->view_.path(), ", page 1: the header says ", dim, " dimensions, the catalog ", column.type.dim);
  }
  if (element != static_cast<uint8_t>(format::VecElement::kFloat32)) {
    return NewerFormatError(opened->view_.path(), ": element type ", element, " is of a newer version of turdb");
  }
  const format::VecLayout layout(dim);
  if (slots > layout.SlotCapacity(opened->view_.page_count()) || opened->live_count_ > slots) {
    return CorruptionError(opened->view_.path(), ", page 1: ", slots, " slots, ", opened->live_count_, " live, do not fit ",
                           opened->view_.page_count(), " pages");
  }
  opened->source_ = hnsw::VectorSource(&opened->view_, layout, slots);
  return opened;
}

absl::StatusOr<NodeId> SlotOfCell(const Cell& cell, uint32_t slot_count, std::string_view path) {
  if (!cell.is_integer() || cell.integer < 0 || cell.integer >= static_cast<int64_t>(slot_count)) {
    return CorruptionError(path, ": a row names a vector slot outside the file's ", slot_count);
  }
  return NodeId(static_cast<uint32_t>(cell.integer));
}

absl::StatusOr<Cell> VectorColumn::Resolve(const Cell& slot_cell, Arena* arena) const {
  if (slot_cell.is_null()) return Cell();
  TURDB_ASSIGN_OR_RETURN(const NodeId slot, SlotOfCell(slot_cell, slot_count(), view_.path()));
  float* scratch = source_.is_dense() ? nullptr : arena->AllocateArray<float>(dim());
  const float* vector = source_.Read(slot, scratch);
  if (vector == nullptr) return source_.Damage(slot);
  return Cell::Vector(vector, dim());
}

absl::StatusOr<int64_t> VectorColumn::RowIdOf(NodeId slot) const {
  const PageId page_id = layout().PageOf(slot);
  const uint8_t* page = view_.Page(page_id);
  if (page == nullptr) return view_.PageError(page_id);
  return Load<int64_t>(page + layout().RowIdOffset(slot));
}

}  // namespace turdb::table
