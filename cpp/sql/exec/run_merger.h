// RunMerger: the rows of several sorted runs in one order, a block of each run in memory.
//
// Rows that compare equal come in the order of their runs, so a merge of runs that were cut from one input is stable. A
// heap of runs, compared by the number that RowOrder::Prefix gives, then in full. Not thread-safe.
#pragma once

#include <vector>

#include "sql/exec/row_order.h"
#include "sql/exec/row_spill.h"

namespace turdb::sql {

class RunMerger {
 public:
  // The order and what the readers read from outlive it.
  explicit RunMerger(const RowOrder* order) : order_(order) {}
  absl::Status Open(std::vector<RunReader> runs);
  // The first `columns` columns of the next rows, up to kBatchRows; fewer where a block of a run ends. size 0: the end.
  absl::Status Next(size_t columns, ColumnBatch* batch);

 private:
  struct Cursor {
    RunReader reader;
    ColumnBatch rows;
    uint32_t at = 0;
    uint64_t prefix = 0;
  };
  struct Pick {
    uint32_t cursor, row;
  };
  absl::Status Refill(size_t cursor);
  bool IsBefore(uint32_t a, uint32_t b) const;
  void SiftDown(size_t at);
  void Pull();
  void GatherColumn(size_t column, Arena* arena, ColumnVector* to) const;

  const RowOrder* order_;
  std::vector<Cursor> cursors_;
  std::vector<uint32_t> heap_;  // cursors with rows left
  std::vector<Pick> picks_;
  int ended_ = -1;              // a cursor at the end of its block
};

}  // namespace turdb::sql
