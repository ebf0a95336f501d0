#include "sql/exec/window_frames.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "types/number_text.h"

namespace turdb::sql {
namespace {

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

// Rows are in place; is_partition(i), is_group(i) tell where a partition and a group of peers begin.
template <typename Partition, typename Group>
void FindRuns(WindowOrder* order, Partition is_partition, Group is_group) {
  WindowOrder& made = *order;
  const uint64_t n = made.rows.size();
  for (auto* list : {&made.partition_start, &made.partition_end, &made.peers_start, &made.peers_end, &made.group}) list->resize(n);
  for (uint64_t i = 0; i < n; ++i) {
    const bool is_new_partition = i == 0 || is_partition(i);
    if (is_new_partition || is_group(i)) made.group_start.push_back(i);
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
}

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
  FindRuns(
      &made, [&](uint64_t i) { return by_partition.Compare(keys, made.rows[i - 1], made.rows[i]) != 0; },
      [&](uint64_t i) { return by_order.Compare(keys, made.rows[i - 1], made.rows[i]) != 0; });
  return made;
}

WindowOrder MakeSortedOrder(const std::vector<bool>& starts_partition, const std::vector<bool>& starts_peers) {
  WindowOrder made;
  made.rows.resize(starts_partition.size());
  for (uint64_t i = 0; i < made.rows.size(); ++i) made.rows[i] = i;
  FindRuns(&made, [&](uint64_t i) { return starts_partition[i]; }, [&](uint64_t i) { return starts_peers[i]; });
  return made;
}

absl::Status CheckFrameOffsets(const WindowSpec& spec, Cell* start, Cell* end) {
  const bool is_range = spec.mode == FrameMode::kRange;
  if (HasOffset(spec.start)) {
    TURDB_ASSIGN_OR_RETURN(*start, CheckOffset(*start, true, is_range));
  }
  if (HasOffset(spec.end)) {
    TURDB_ASSIGN_OR_RETURN(*end, CheckOffset(*end, false, is_range));
  }
  return absl::OkStatus();
}

}  // namespace turdb::sql
