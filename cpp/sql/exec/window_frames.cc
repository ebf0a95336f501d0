#include "sql/exec/window_frames.h"

#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/exec/cell_ops.h"
#include "types/number_text.h"

namespace turdb::sql {
namespace {

bool HasOffset(const FrameBound& bound) {
  return bound.kind == FrameBoundKind::kPreceding || bound.kind == FrameBoundKind::kFollowing;
}

absl::StatusOr<Cell> CheckOffset(const Cell& given, bool is_start, bool is_range) {
  const Cell value = TextToNumberIfWhole(given);
  int64_t integer = value.integer;
  const bool is_whole = value.is_integer() || (value.is_real() && RealIsInteger(value.real, &integer));
  const std::string_view which = is_start ? "starting" : "ending";
  if (is_range) {
    if (!value.is_numeric() || ToReal(value) < 0) return BadValueError("frame ", which, " offset must be a non-negative number");
    return value;
  }
  if (!is_whole || integer < 0) return BadValueError("frame ", which, " offset must be a non-negative integer");
  return Cell::Integer(integer);
}

class FrameMaker {
 public:
  FrameMaker(const WindowOrder& order, const WindowSpec& spec, const RowStore& keys, size_t order_column, bool is_descending)
      : order_(order), spec_(spec), keys_(keys), column_(order_column), is_descending_(is_descending) {}

  // Position of a bound: the first of the frame, or one past its last.
  uint64_t Place(uint64_t at, const FrameBound& bound, const Cell& offset, bool is_start) const {
    switch (bound.kind) {
      case FrameBoundKind::kUnboundedPreceding: return order_.partition_start[at];
      case FrameBoundKind::kUnboundedFollowing: return order_.partition_end[at];
      case FrameBoundKind::kCurrentRow:
        if (spec_.mode == FrameMode::kRows) return is_start ? at : at + 1;
        return is_start ? order_.peers_start[at] : order_.peers_end[at];
      default: break;
    }
    const bool is_back = bound.kind == FrameBoundKind::kPreceding;
    switch (spec_.mode) {
      case FrameMode::kRows: return Rows(at, static_cast<uint64_t>(offset.integer), is_back, is_start);
      case FrameMode::kGroups: return Groups(at, static_cast<uint64_t>(offset.integer), is_back, is_start);
      case FrameMode::kRange: return Range(at, offset, is_back, is_start);
    }
    return at;
  }

 private:
  uint64_t Rows(uint64_t at, uint64_t n, bool is_back, bool is_start) const {
    const uint64_t first = order_.partition_start[at], last = order_.partition_end[at];
    if (is_back) {
      const uint64_t back = at - first;
      if (n > back) return first;  // one past the last of an empty frame, too
      return is_start ? at - n : at - n + 1;
    }
    const uint64_t ahead = last - 1 - at;
    if (n > ahead) return last;
    return is_start ? at + n : at + n + 1;
  }

  uint64_t Groups(uint64_t at, uint64_t n, bool is_back, bool is_start) const {
    const uint64_t first = order_.group[order_.partition_start[at]], last = order_.group[order_.partition_end[at] - 1];
    const uint64_t group = order_.group[at];
    if (is_back) {
      if (n > group - first) return order_.partition_start[at];
      return is_start ? order_.group_start[group - n] : order_.group_start[group - n + 1];
    }
    if (n > last - group) return order_.partition_end[at];
    return is_start ? order_.group_start[group + n] : order_.group_start[group + n + 1];
  }

  // By the value of the one ORDER BY column; a value that is no number has its peers as the frame.
  uint64_t Range(uint64_t at, const Cell& offset, bool is_back, bool is_start) const {
    const Cell value = keys_.Get(column_, order_.rows[at]);
    if (!value.is_numeric()) return is_start ? order_.peers_start[at] : order_.peers_end[at];
    const bool subtracts = is_back != is_descending_;
    const Cell bound = Arithmetic(subtracts ? ArithmeticOp::kSubtract : ArithmeticOp::kAdd, value, offset);
    // Numbers are one run of the partition: NULLs stand before or behind it, texts on the other side.
    uint64_t low = order_.partition_start[at], high = order_.partition_end[at];
    auto is_number = [&](uint64_t i) { return keys_.Get(column_, order_.rows[i]).is_numeric(); };
    uint64_t first = PartitionPoint(low, at, [&](uint64_t i) { return !is_number(i); });
    uint64_t last = PartitionPoint(at, high, [&](uint64_t i) { return is_number(i); });
    return PartitionPoint(first, last, [&](uint64_t i) {
      int order = CompareCells(keys_.Get(column_, order_.rows[i]), bound);
      if (is_descending_) order = -order;
      return is_start ? order < 0 : order <= 0;
    });
  }

  template <typename Predicate>
  static uint64_t PartitionPoint(uint64_t low, uint64_t high, Predicate is_before) {
    while (low < high) {
      const uint64_t middle = low + (high - low) / 2;
      if (is_before(middle)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  const WindowOrder& order_;
  const WindowSpec& spec_;
  const RowStore& keys_;
  size_t column_;
  bool is_descending_;
};

}  // namespace

WindowOrder MakeWindowOrder(const RowStore& keys, size_t partition_columns, const std::vector<SortKey>& order_by,
                            const CollationRegistry* registry) {
  std::vector<OrderColumn> partition, order;
  for (size_t i = 0; i < partition_columns; ++i) partition.push_back({i});
  order = OrderColumns(order_by, partition_columns);
  std::vector<OrderColumn> all = partition;
  all.insert(all.end(), order.begin(), order.end());
  const RowOrder by_all(all, registry), by_partition(partition, registry), by_order(order, registry);

  WindowOrder made;
  const uint64_t n = keys.size();
  made.rows.resize(n);
  for (uint64_t i = 0; i < n; ++i) made.rows[i] = i;
  if (!all.empty()) by_all.Sort(keys, &made.rows);
  for (auto* list : {&made.partition_start, &made.partition_end, &made.peers_start, &made.peers_end, &made.group}) list->resize(n);
  for (uint64_t i = 0; i < n; ++i) {
    const bool is_new_partition = i == 0 || by_partition.Compare(keys, made.rows[i - 1], made.rows[i]) != 0;
    const bool is_new_group = is_new_partition || by_order.Compare(keys, made.rows[i - 1], made.rows[i]) != 0;
    if (is_new_group) made.group_start.push_back(i);
    made.group[i] = made.group_start.size() - 1;
    made.partition_start[i] = is_new_partition ? i : made.partition_start[i - 1];
    made.peers_start[i] = made.group_start.back();
  }
  made.group_start.push_back(n);
  for (uint64_t i = n; i-- > 0;) {
    made.peers_end[i] = made.group_start[made.group[i] + 1];
    const bool is_last = i + 1 == n || made.partition_start[i + 1] == i + 1;
    made.partition_end[i] = is_last ? i + 1 : made.partition_end[i + 1];
  }
  return made;
}

absl::StatusOr<FrameBounds> MakeFrames(const WindowOrder& order, const WindowSpec& spec, const Cell& start, const Cell& end,
                                       const RowStore& keys, size_t order_column, const std::vector<SortKey>& order_by) {
  const bool is_range = spec.mode == FrameMode::kRange;
  Cell first = start, last = end;
  if (HasOffset(spec.start)) {
    TURDB_ASSIGN_OR_RETURN(first, CheckOffset(start, true, is_range));
  }
  if (HasOffset(spec.end)) {
    TURDB_ASSIGN_OR_RETURN(last, CheckOffset(end, false, is_range));
  }
  const FrameMaker maker(order, spec, keys, order_column, !order_by.empty() && order_by[0].is_descending);
  FrameBounds bounds;
  const uint64_t n = order.rows.size();
  bounds.start.resize(n);
  bounds.end.resize(n);
  for (uint64_t i = 0; i < n; ++i) {
    bounds.start[i] = maker.Place(i, spec.start, first, true);
    bounds.end[i] = maker.Place(i, spec.end, last, false);
  }
  return bounds;
}

}  // namespace turdb::sql
