// VectorSet: the vector columns of a table being written, each with its file and the graphs over it.
//
// A vector leaves its graphs (marked, not unlinked) whenever its slot is given up; new vectors are the graphs' tail
// until they are absorbed. REQUIRES: the transaction is writing. Not thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/arena.h"
#include "table/vector_column_writer.h"

namespace turdb::table {

class VectorSet {
 public:
  static absl::StatusOr<VectorSet> Open(txn::Transaction* txn, const catalog::TableDef& table);

  bool empty() const { return columns_.empty(); }
  size_t size() const { return columns_.size(); }
  int column(size_t i) const { return columns_[i].number; }
  VectorColumnWriter& writer(size_t i) { return *columns_[i].writer; }

  // Dimensions and values of a row's vectors.
  absl::Status Check(absl::Span<const Cell> row) const;
  // Replaces the slots of a stored row by the vectors.
  absl::Status Resolve(Arena* arena, Cell* row) const;
  // The slot cell of column i's next vector; NULL for NULL.
  absl::StatusOr<Cell> NextSlotCell(size_t i, const Cell& vector) const;
  // Stores a vector in that slot; nothing for NULL.
  absl::Status Add(size_t i, RowId row, const Cell& vector);
  absl::Status Remove(size_t i, const Cell& slot);              // nothing for NULL
  absl::Status SetRowId(size_t i, const Cell& slot, RowId row);  // nothing for NULL
  absl::Status RemoveAll();

 private:
  struct Column {
    int number;
    std::unique_ptr<VectorColumnWriter> writer;
    std::vector<const catalog::IndexDef*> graphs;
  };
  absl::StatusOr<NodeId> SlotOf(const Column& column, const Cell& slot) const;

  txn::Transaction* txn_ = nullptr;
  const catalog::TableDef* table_ = nullptr;
  std::vector<Column> columns_;
};

}  // namespace turdb::table
