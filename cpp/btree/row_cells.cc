#include "btree/row_cells.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/overflow.h"
#include "btree/row_path.h"
#include "record/row_record.h"

namespace turdb::btree {
namespace {

bool IsLong(const Cell& cell) {
  return cell.has_bytes() && cell.length > format::kMaxInlineBytes && !record::IsOverflowCell(cell);
}

absl::StatusOr<Cell> Spill(pager::FileWriter* writer, const Cell& cell, const Cell* old) {
  if (old != nullptr && record::IsOverflowCell(*old) && old->length == cell.length) {
    TURDB_ASSIGN_OR_RETURN(const bool is_same,
                           OverflowEquals(writer->view(), record::FirstLink(*old), cell.view()));
    if (is_same) return record::OverflowCell(cell, record::FirstLink(*old));
  }
  TURDB_ASSIGN_OR_RETURN(const OverflowRef first, WriteOverflow(writer, cell.view()));
  return record::OverflowCell(cell, first);
}

}  // namespace

absl::Status StoredRow::Prepare(pager::FileWriter* writer, absl::Span<const Cell> row, absl::Span<const Cell> old) {
  cells_ = row;
  bool has_long = false;
  for (const Cell& cell : row) has_long |= IsLong(cell);
  if (!has_long) return absl::OkStatus();
  spilled_.assign(row.begin(), row.end());
  for (size_t i = 0; i < spilled_.size(); ++i) {
    if (!IsLong(spilled_[i])) continue;
    TURDB_ASSIGN_OR_RETURN(spilled_[i], Spill(writer, spilled_[i], i < old.size() ? &old[i] : nullptr));
  }
  cells_ = spilled_;
  return absl::OkStatus();
}

absl::Status ReadStoredRow(const pager::FileView& view, PageId leaf_id, const record::RowLeaf& leaf, uint32_t row,
                           Arena* arena, std::vector<Cell>* cells, Cell* record) {
  cells->clear();
  if (!leaf.is_records()) {
    cells->resize(leaf.ColumnsOf(row));
    for (uint32_t c = 0; c < cells->size(); ++c) {
      if (!leaf.Get(c, row, &(*cells)[c])) return DamagedPage(view, leaf_id, "a value lies outside the page");
    }
    return absl::OkStatus();
  }
  if (!leaf.Get(0, row, record) || record->type != StorageClass::kBlob) {
    return DamagedPage(view, leaf_id, "a row is not a record");
  }
  Cell bytes = *record;
  TURDB_RETURN_IF_ERROR(Resolve(view, arena, &bytes));
  if (!record::DecodeRecord(bytes.view(), cells)) return DamagedPage(view, leaf_id, "a record is cut short");
  return absl::OkStatus();
}

absl::Status Resolve(const pager::FileView& view, Arena* arena, Cell* cell) {
  if (!record::IsOverflowCell(*cell)) return absl::OkStatus();
  TURDB_ASSIGN_OR_RETURN(const std::string_view bytes,
                         ReadOverflow(view, record::FirstLink(*cell), cell->length, arena));
  cell->bytes = bytes.data();
  cell->reserved = 0;
  return absl::OkStatus();
}

bool MayOverflow(const record::RowLeaf& leaf) {
  if (leaf.is_records()) return true;
  for (uint32_t c = 0; c < leaf.columns(); ++c) {
    record::LeafColumn column;
    if (!leaf.Column(c, &column) || column.may_overflow) return true;
  }
  return false;
}

}  // namespace turdb::btree
