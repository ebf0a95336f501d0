// RowSorter: takes rows in any order and gives them back sorted, however many there are.
//
// Rows are kept in a RowStore and their numbers are sorted. When the statement's memory is used up they go to disk as a
// sorted run, and the runs are merged in as many passes as it takes to have few enough. The sort is stable: rows that
// compare equal come out as they went in. With a bound on the rows wanted, the store is cut back to it whenever it has
// grown to a multiple, and rows that come after the last one kept are not even stored.
// Life: Reset, Add..., Finish, Next... until a batch of size 0. Not thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "sql/exec/memory_budget.h"
#include "sql/exec/row_order.h"
#include "sql/exec/row_spill.h"
#include "sql/exec/run_merger.h"

namespace turdb::sql {

class RowSorter {
 public:
  static constexpr uint64_t kAll = ~uint64_t{0};

  // The sort keys are columns of the rows.
  RowSorter(ExecContext* context, int node_id, std::vector<OrderColumn> order);
  // Empty, for rows of `columns` columns, of which the first `most` are wanted.
  void Reset(size_t columns, uint64_t most = kAll);
  // `selected`: the rows meant, nullptr for all. Errors as of RowSpill::Write.
  absl::Status Add(const ColumnVector* columns, const uint32_t* selected, uint32_t rows);
  absl::Status Finish();
  // The first `columns` columns of the next rows.
  absl::Status Next(size_t columns, ColumnBatch* batch);
  bool has_spilled() const { return !runs_.empty(); }
  uint64_t size() const { return size_; }  // rows added and not cut off
  // Gives disk and large memory back; a little is kept for the next time.
  void Close();

 private:
  void SortRows();
  void CutBack();
  absl::Status WriteRun();
  absl::Status MergeRuns();
  std::vector<RunReader> Readers(size_t first, size_t count);
  void NextInMemory(size_t columns, ColumnBatch* batch);

  ExecContext* context_;
  int node_id_;
  RowOrder order_;
  MemoryShare share_;
  RowStore store_;
  LargeVector<uint64_t> rows_;  // of store_, sorted
  std::vector<ColumnVector> gathered_;
  std::vector<const ColumnVector*> keys_;
  std::vector<OrderColumn> order_columns_;
  std::vector<uint32_t> selected_;
  std::unique_ptr<RowSpill> spill_;
  std::vector<RowRun> runs_;
  std::unique_ptr<RunMerger> merger_;
  uint64_t most_ = kAll, size_ = 0, emitted_ = 0, bound_ = 0;
  bool has_bound_ = false;  // row bound_ of store_ is the last one that may be wanted
};

}  // namespace turdb::sql
