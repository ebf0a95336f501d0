// WindowOrder: rows in memory in the order of a window, its partitions and peers. WindowFrames: the frame of each row.
//
// Positions are places in the sorted order; partitions and peer groups are runs of positions. Frames are asked for from the first
// position to the last and found from the one before; they are over any rows that have the members of MemoryWindow
// (sql/exec/window_rows.h).
#pragma once

#include <algorithm>
#include <vector>

#include "sql/bind/logical_plan.h"
#include "sql/exec/cell_ops.h"
#include "sql/exec/row_order.h"
#include "sql/exec/row_store.h"

namespace turdb::sql {

struct WindowOrder {
  LargeVector<uint64_t> rows;                        // position -> row
  LargeVector<uint64_t> partition_start, partition_end;  // by position
  LargeVector<uint64_t> peers_start, peers_end;
  LargeVector<uint64_t> group;                       // number of the peer group, growing through all partitions
  LargeVector<uint64_t> group_start;                 // by group; one more at the end
};

// `keys` has the partition columns, then the order columns, a row each input row.
WindowOrder MakeWindowOrder(const RowStore& keys, size_t partition_columns, const std::vector<SortKey>& order_by,
                            const CollationRegistry* registry);
// Of rows that are sorted: which ones begin a partition, and which a group of peers.
WindowOrder MakeSortedOrder(const std::vector<bool>& starts_partition, const std::vector<bool>& starts_peers);

inline bool HasOffset(const FrameBound& bound) {
  return bound.kind == FrameBoundKind::kPreceding || bound.kind == FrameBoundKind::kFollowing;
}
// The frame's offsets as the numbers that they stand for. kBadValue.
absl::Status CheckFrameOffsets(const WindowSpec& spec, Cell* start, Cell* end);

template <typename Rows>
class WindowFrames {
 public:
  struct Frame {
    uint64_t start, end;  // start >= end: empty
  };

  // The offsets as CheckFrameOffsets leaves them.
  WindowFrames(const Rows* rows, const WindowSpec& spec, const Cell& start, const Cell& end, bool is_descending)
      : rows_(*rows), spec_(spec), start_(start), end_(end), is_descending_(is_descending) {}

  Frame At(uint64_t at) {
    return {Place(at, spec_.start, start_, true, &last_start_), Place(at, spec_.end, end_, false, &last_end_)};
  }

 private:
  // Position of a bound: the first of the frame, or one past its last.
  uint64_t Place(uint64_t at, const FrameBound& bound, const Cell& offset, bool is_start, uint64_t* last) {
    switch (bound.kind) {
      case FrameBoundKind::kUnboundedPreceding: return rows_.partition_start(at);
      case FrameBoundKind::kUnboundedFollowing: return rows_.partition_end(at);
      case FrameBoundKind::kCurrentRow:
        if (spec_.mode == FrameMode::kRows) return is_start ? at : at + 1;
        return is_start ? rows_.peers_start(at) : rows_.peers_end(at);
      default: break;
    }
    const bool is_back = bound.kind == FrameBoundKind::kPreceding;
    switch (spec_.mode) {
      case FrameMode::kRows: return RowsAway(at, static_cast<uint64_t>(offset.integer), is_back, is_start);
      case FrameMode::kGroups: return GroupsAway(at, static_cast<uint64_t>(offset.integer), is_back, is_start);
      case FrameMode::kRange: return *last = ValueAway(at, offset, is_back, is_start, *last);
    }
    return at;
  }

  uint64_t RowsAway(uint64_t at, uint64_t n, bool is_back, bool is_start) const {
    const uint64_t first = rows_.partition_start(at), last = rows_.partition_end(at);
    if (is_back) {
      const uint64_t back = at - first;
      if (n > back) return first;  // one past the last of an empty frame, too
      return is_start ? at - n : at - n + 1;
    }
    const uint64_t ahead = last - 1 - at;
    if (n > ahead) return last;
    return is_start ? at + n : at + n + 1;
  }

  uint64_t GroupsAway(uint64_t at, uint64_t n, bool is_back, bool is_start) const {
    const uint64_t first = rows_.group(rows_.partition_start(at)), last = rows_.group(rows_.partition_end(at) - 1);
    const uint64_t group = rows_.group(at);
    if (is_back) {
      if (n > group - first) return rows_.partition_start(at);
      return rows_.group_start(is_start ? group - n : group - n + 1);
    }
    if (n > last - group) return rows_.partition_end(at);
    return rows_.group_start(is_start ? group + n : group + n + 1);
  }

  // By the value of the one ORDER BY column; a value that is no number has its peers as the frame.
  uint64_t ValueAway(uint64_t at, const Cell& offset, bool is_back, bool is_start, uint64_t last) {
    const Cell value = rows_.order_key(at);
    if (!value.is_numeric()) return is_start ? rows_.peers_start(at) : rows_.peers_end(at);
    const bool subtracts = is_back != is_descending_;
    const Cell bound = Arithmetic(subtracts ? ArithmeticOp::kSubtract : ArithmeticOp::kAdd, value, offset);
    FindNumbers(at);
    return Search(numbers_.start, numbers_.end, last, [&](uint64_t i) {
      int order = CompareCells(rows_.order_key(i), bound);
      if (is_descending_) order = -order;
      return is_start ? order < 0 : order <= 0;
    });
  }

  // Numbers are one run of the partition: NULLs stand before or behind it, texts on the other side. REQUIRES: one is at `at`.
  void FindNumbers(uint64_t at) {
    if (numbers_.start <= at && at < numbers_.end) return;
    const uint64_t low = rows_.partition_start(at), high = rows_.partition_end(at);
    numbers_.start = Search(low, at, at, [&](uint64_t i) { return !rows_.order_key(i).is_numeric(); });
    numbers_.end = Search(at, high, high, [&](uint64_t i) { return rows_.order_key(i).is_numeric(); });
  }

  // The first position of [low, high) that is_before does not hold for, else high; searched in growing steps from `from`.
  template <typename Predicate>
  static uint64_t Search(uint64_t low, uint64_t high, uint64_t from, Predicate is_before) {
    uint64_t at = std::clamp(from, low, high), step = 1;
    if (at < high && is_before(at)) {
      low = at + 1;
      for (at = low; at < high && is_before(at); step *= 2) {
        low = at + 1;
        at = std::min(high, low + step);
      }
      high = at;
    } else {
      high = at;
      while (high > low) {
        at = high - std::min(step, high - low);
        if (is_before(at)) {
          low = at + 1;
          break;
        }
        high = at;
        step *= 2;
      }
    }
    while (low < high) {
      const uint64_t middle = low + (high - low) / 2;
      if (is_before(middle)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  const Rows& rows_;
  const WindowSpec& spec_;
  const Cell start_, end_;
  const bool is_descending_;
  Frame numbers_{0, 0};
  uint64_t last_start_ = 0, last_end_ = 0;
};

}  // namespace turdb::sql
