// Lowering: logical nodes become physical ones; access paths, join methods, vector search and sort elimination are
// chosen here, bottom-up, by estimated cost.
#pragma once

#include "sql/plan/planner.h"

namespace turdb::sql {

struct LowerContext {
  BoundStatement* statement = nullptr;
  Statistics* statistics = nullptr;
};

absl::StatusOr<PhysicalPtr> Lower(LogicalPtr node, LowerContext* context);
// The nested selects in a node's own expressions.
absl::Status LowerSubqueries(LogicalNode* node, LowerContext* context);
absl::StatusOr<PhysicalPtr> LowerJoin(LogicalPtr node, LowerContext* context);   // lower_join.cc
absl::StatusOr<PhysicalPtr> LowerWrite(LogicalPtr node, LowerContext* context);  // lower_write.cc

// A table perhaps under a filter; the filter's conjuncts are split off. Null when `node` is something else.
// lower_join.cc and lower_vector.cc look at tables through it.
LogicalGet* AsFilteredGet(LogicalNode* node);

// lower_order.cc: makes `node` deliver its rows in the order of `keys` (columns of its output), if some scan below can.
bool ProvideOrder(PhysicalPtr* node, const std::vector<SortKey>& keys, bool has_limit);

// lower_vector.cc: ORDER BY distance(column, query) LIMIT k over one table as a vector search. Returns true after it has
// replaced the input of `sort` (a table, perhaps under filters and projections); the sort itself is then unnecessary
// unless it has more keys.
absl::StatusOr<bool> LowerVectorSearch(LogicalSort* sort, const LogicalLimit& limit, LowerContext* context,
                                       PhysicalPtr* lowered);

}  // namespace turdb::sql
