// WindowOrder and FrameBounds: rows in the order of a window, its partitions and peers, and the frame of each row.
//
// Positions are places in the sorted order; partitions and peer groups are runs of positions.
#pragma once

#include <vector>

#include "sql/bind/logical_plan.h"
#include "sql/exec/row_order.h"
#include "sql/exec/row_store.h"

namespace turdb::sql {

struct WindowOrder {
  std::vector<uint64_t> rows;                        // position -> row
  std::vector<uint64_t> partition_start, partition_end;  // by position
  std::vector<uint64_t> peers_start, peers_end;
  std::vector<uint64_t> group;                       // number of the peer group, growing through all partitions
  std::vector<uint64_t> group_start;                 // by group; one more at the end
};

// `keys` has the partition columns, then the order columns, a row each input row.
WindowOrder MakeWindowOrder(const RowStore& keys, size_t partition_columns, const std::vector<SortKey>& order_by,
                            const CollationRegistry* registry);

struct FrameBounds {
  std::vector<uint64_t> start, end;  // by position; start >= end: empty
};
// `start` and `end` are the offsets' values (NULL where the bound has none). kBadValue for bad offsets.
absl::StatusOr<FrameBounds> MakeFrames(const WindowOrder& order, const WindowSpec& spec, const Cell& start, const Cell& end,
                                       const RowStore& keys, size_t order_column, const std::vector<SortKey>& order_by);

}  // namespace turdb::sql
