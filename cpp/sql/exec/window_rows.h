// MemoryWindow: sorted rows as window functions see them. LargeWindow (sql/exec/window_large.h) has the same members for
// rows on disk; functions are compiled for both.
//
// Positions are places in the sorted order. Results are put from the first position to the last. Not thread-safe.
#pragma once

#include <deque>
#include <vector>

#include "sql/exec/row_shaper.h"
#include "sql/exec/window_frames.h"

namespace turdb::sql {

class MemoryWindow {
 public:
  using Deque = std::deque<uint64_t>;

  // Key columns from `order_column` on are those of ORDER BY. `passes`: by row; nullptr: all. results[row] are set; bytes
  // that are made go to `arena`, others are those of the arguments.
  MemoryWindow(const WindowOrder& order, const RowStore& keys, size_t order_column, const RowStore& args,
               const std::vector<bool>* passes, Arena* arena, LargeVector<Cell>* results)
      : order_(order), keys_(keys), order_column_(order_column), args_(args), passes_(passes), arena_(arena), results_(results) {}

  uint64_t size() const { return order_.rows.size(); }
  uint64_t partition_start(uint64_t at) const { return order_.partition_start[at]; }
  uint64_t partition_end(uint64_t at) const { return order_.partition_end[at]; }
  uint64_t peers_start(uint64_t at) const { return order_.peers_start[at]; }
  uint64_t peers_end(uint64_t at) const { return order_.peers_end[at]; }
  uint64_t group(uint64_t at) const { return order_.group[at]; }
  uint64_t group_start(uint64_t group) const { return order_.group_start[group]; }

  Cell order_key(uint64_t at) const { return keys_.Get(order_column_, order_.rows[at]); }
  size_t args() const { return args_.columns(); }
  // Bytes are good until two others have been asked for.
  Cell arg(size_t arg, uint64_t at) const { return args_.Get(arg, order_.rows[at]); }
  bool passes(uint64_t at) const { return passes_ == nullptr || (*passes_)[order_.rows[at]]; }

  void Put(uint64_t at, const Cell& value) { (*results_)[order_.rows[at]] = value; }  // an argument, or without bytes
  void PutMade(uint64_t at, const Cell& value) { (*results_)[order_.rows[at]] = KeepCell(value, arena_); }
  Deque NewDeque() const { return Deque(); }
  absl::Status status() const { return absl::OkStatus(); }  // of all that was read and put

 private:
  const WindowOrder& order_;
  const RowStore& keys_;
  size_t order_column_;
  const RowStore& args_;
  const std::vector<bool>* passes_;
  Arena* arena_;
  LargeVector<Cell>* results_;
};

}  // namespace turdb::sql
