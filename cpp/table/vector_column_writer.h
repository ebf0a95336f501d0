// VectorColumnWriter: changing the .vec file of one vector column inside a transaction.
//
// Slots are handed out in ascending order and never reused; a deleted or replaced vector's slot keeps its bytes and
// loses its row id. Vectors are checked (dimension, finite) before anything changes.
// REQUIRES: txn->is_writing(). Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "catalog/definitions.h"
#include "format/vec_page.h"
#include "pager/file_writer.h"
#include "txn/store.h"
#include "types/cell.h"

namespace turdb::table {

// kDimension, kBadValue for NaN or infinity, naming the column; NULL is fine.
absl::Status CheckVector(const catalog::ColumnDef& column, const Cell& cell);

class VectorColumnWriter {
 public:
  static absl::StatusOr<std::unique_ptr<VectorColumnWriter>> Open(txn::Transaction* txn, const catalog::ColumnDef& column);

  const catalog::ColumnDef& column() const { return column_; }
  const format::VecLayout& layout() const { return layout_; }
  pager::FileWriter* file() { return writer_; }

  absl::StatusOr<uint32_t> SlotCount() const;
  // The slot that Add will use.
  absl::StatusOr<NodeId> NextSlot() const;
  // Stores a vector (dim floats) for a row in the next slot.
  absl::StatusOr<NodeId> Add(RowId row, const float* vector);
  absl::Status SetRowId(NodeId slot, RowId row);  // the row's id changed
  absl::Status Remove(NodeId slot);
  absl::Status RemoveAll();  // slots begin at 0 again
  // Vectors of `rows` consecutive slots, `stride` floats apart; whole new pages go to the file directly, on several
  // threads where that helps. Row ids: rowids[i]. Returns the first slot.
  absl::StatusOr<NodeId> Append(const int64_t* rowids, const float* vectors, size_t stride, uint32_t rows);

 private:
  VectorColumnWriter(const catalog::ColumnDef& column, pager::FileWriter* writer)
      : column_(column), layout_(column.type.dim), writer_(writer) {}
  absl::Status Write(NodeId slot, RowId row, const float* vector);
  absl::Status AppendPages(PageId first_page, uint32_t pages, const int64_t* rowids, const float* vectors, size_t stride,
                           uint32_t rows);
  absl::Status AddToCounts(int64_t slots, int64_t live);

  const catalog::ColumnDef& column_;
  format::VecLayout layout_;
  pager::FileWriter* writer_;
};

}  // namespace turdb::table
