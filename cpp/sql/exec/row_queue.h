// RowQueue: rows that come in any order and leave in that of their sort keys, first in first out among equal ones, while
// others still come; what a recursive CTE with ORDER BY waits in.
//
// A heap of rows in memory. When memory is used up they go to disk as a sorted run, of which a block is in memory; the next row is
// the first of the heap's and the runs' first ones. Not thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "sql/exec/memory_budget.h"
#include "sql/exec/row_order.h"
#include "sql/exec/row_spill.h"

namespace turdb::sql {

class RowQueue {
 public:
  // The sort keys are columns of the rows, which have `width`.
  RowQueue(ExecContext* context, int node_id, size_t width, std::vector<OrderColumn> order);
  void Reset();
  bool empty() const { return heap_.empty() && runs_.empty(); }
  // Errors as of RowSpill::Write.
  absl::Status Add(const ColumnVector* columns, const uint32_t* selected, uint32_t rows);
  // The first row leaves; its bytes are good until the next call. REQUIRES: !empty().
  absl::Status Pop(Cell* row);
  // Empty; gives disk and large memory back.
  void Close();

 private:
  struct Run {
    std::unique_ptr<RowSpill> spill;
    std::unique_ptr<RowRun> rows;
    RunReader reader;
    ColumnBatch block;
    uint32_t at = 0;
  };
  static std::vector<OrderColumn> WithArrival(std::vector<OrderColumn> order, size_t width);

  bool After(uint64_t a, uint64_t b) const { return order_.Compare(store_, a, b) > 0; }
  void Compact();
  absl::Status Spill();
  absl::Status AddRun(std::unique_ptr<RowSpill> spill, std::unique_ptr<RowRun> rows);
  absl::Status MergeRuns();
  absl::Status LookAtMemory();
  absl::Status Advance();
  bool IsBefore(const Run& a, const Run& b) const;
  bool IsBeforeHeap(const Run& run) const;
  void SiftDown(size_t at);

  ExecContext* context_;
  int node_id_;
  size_t width_;
  RowOrder order_;  // with the number of arrival last: no two rows are equal
  MemoryShare share_;
  RowStore store_;              // rows, with the number of arrival behind them
  LargeVector<uint64_t> heap_;  // of store_
  std::vector<Run> runs_;       // a heap, too, by the first row
  ColumnBatch last_;            // keeps the bytes of a row that was the last of its block
  int64_t arrivals_ = 0;
};

}  // namespace turdb::sql
