// KeptRows: rows kept in the order in which they came, to be read again: what a write has still to do, RETURNING, common
// table expressions, results that outlive their transaction.
//
// They are in memory until the statement's budget is used up; then all that are there go to a temporary file, and later
// ones after them. Reading from the front to the end costs one read a block; other orders work and cost more.
// Not thread-safe.
#pragma once

#include <memory>

#include "sql/exec/memory_budget.h"
#include "sql/exec/row_spill.h"
#include "sql/exec/row_store.h"

namespace turdb::sql {

class KeptRows {
 public:
  KeptRows(ExecContext* context, int node_id) : context_(context), node_id_(node_id), share_(&context->memory) {}
  void Reset(size_t columns);
  uint64_t size() const { return run_.rows + store_.size(); }
  size_t columns() const { return store_.columns(); }
  bool has_spilled() const { return run_.rows > 0; }

  // `selected`: the rows meant, nullptr for all. Errors as of RowSpill::Write.
  absl::Status Append(const ColumnVector* columns, const uint32_t* selected, uint32_t rows);
  absl::Status Append(const ColumnBatch& batch) { return Append(batch.columns.data(), nullptr, batch.size); }
  absl::Status AppendRow(const Cell* cells);
  // Rows from number `first` on, at most `most`; as many as lie together. size 0: the end. The batch's arena holds their
  // bytes.
  absl::Status Read(uint64_t first, ColumnBatch* batch, uint32_t most = kBatchRows);
  // The rows that lie together with this one, `*first` the first of them. REQUIRES: it is there.
  absl::Status ReadAround(uint64_t row, ColumnBatch* batch, uint64_t* first) const;
  // Empty; gives disk and large memory back.
  void Close();

 private:
  absl::Status Spill();
  size_t BlockOf(uint64_t row) const;
  absl::Status ReadBlock(uint64_t first, uint32_t most, ColumnBatch* batch);
  bool IsDue();

  ExecContext* context_;
  int node_id_;
  MemoryShare share_;
  RowStore store_;  // the rows after those of run_
  std::unique_ptr<RowSpill> spill_;
  RowRun run_;
};

}  // namespace turdb::sql
