// LargeWindow: sorted rows on disk as window functions see them, for partitions that do not fit in memory.
//
// It has the members of MemoryWindow (sql/exec/window_rows.h), for one call at a time. The keys and arguments of all rows are a
// KeptRows, where each group of peers begins is another, and the results of each call are one more; functions read them through
// a few blocks that are in memory. Partitions before the last one fit in memory, so where they begin is kept there.
// Not thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "sql/exec/position_deque.h"
#include "sql/exec/row_cursor.h"
#include "sql/exec/window_pass.h"

namespace turdb::sql {

class LargeWindow {
 public:
  using Deque = PositionDeque;

  // The input outlives it.
  explicit LargeWindow(const WindowPassInput* input);

  // Life: Append..., RunCalls, Results. Keys, arguments and filters of the next rows, as sorted columns have them behind what
  // goes on; row i begins a partition or a group of peers when [first + i] is set. Errors as of RowSpill::Write.
  absl::Status Append(std::vector<ColumnVector> columns, uint32_t rows, const std::vector<bool>& starts_partition,
                      const std::vector<bool>& starts_peers, uint64_t first = 0);
  absl::Status RunCalls();
  // The results of a call for rows [first, first + count); bytes are those of arenas that `arena` holds from then on.
  absl::Status Results(size_t call, uint64_t first, uint32_t count, Arena* arena, ColumnVector* to);

  // As of MemoryWindow.
  uint64_t size() const { return rows_.size(); }
  uint64_t partition_start(uint64_t at) const;
  uint64_t partition_end(uint64_t at) const;
  uint64_t peers_start(uint64_t at) const { return group_start(group(at)); }
  uint64_t peers_end(uint64_t at) const { return group_start(group(at) + 1); }
  uint64_t group(uint64_t at) const { return static_cast<uint64_t>(cursor_->Get(group_column_, at).integer); }
  uint64_t group_start(uint64_t group) const { return static_cast<uint64_t>(group_cursor_->Get(0, group).integer); }
  Cell order_key(uint64_t at) const { return cursor_->Get(order_column_, at); }
  size_t args() const { return args_; }
  Cell arg(size_t arg, uint64_t at) const { return cursor_->Get(first_arg_ + arg, at); }
  bool passes(uint64_t at) const { return filter_ == 0 || cursor_->Get(filter_, at).integer != 0; }
  void Put(uint64_t at, const Cell& value);
  void PutMade(uint64_t at, const Cell& value) { Put(at, value); }
  Deque NewDeque() { return Deque(in_.context->temp_place, &put_status_); }
  absl::Status status() const;

 private:
  absl::Status RunCall(size_t call);

  const WindowPassInput& in_;
  const size_t group_column_;
  KeptRows rows_, groups_;             // keys, arguments, filters and the group's number; first positions of groups
  std::vector<uint64_t> partitions_;   // where they begin
  std::vector<std::unique_ptr<KeptRows>> results_;
  std::vector<std::unique_ptr<RowCursor>> result_cursors_;
  std::unique_ptr<RowCursor> cursor_, group_cursor_;
  // Of the call that runs.
  size_t order_column_ = 0, first_arg_ = 0, args_ = 0, filter_ = 0;
  KeptRows* to_ = nullptr;  // its results
  absl::Status put_status_;  // of results and deques
};

}  // namespace turdb::sql
