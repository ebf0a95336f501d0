// The planner: a bound statement in, a physical plan out.
//
// Stages, each in a file of its own:
//   1. rules over the logical tree (rule.h): fold_constants, simplify_outer_joins, push_filters, order_joins
//   2. lowering to physical nodes (lower.h): access paths, join methods, vector search, sort elimination
//   3. resolution (resolve.h): ColumnIds become slots and registers
// Nested selects are planned the same way where they stand. Nothing here reads data: row counts come from Statistics.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sql/plan/physical_plan.h"

namespace turdb::sql {

// What the planner may ask about data. Thread-safety is the caller's.
class Statistics {
 public:
  virtual ~Statistics() = default;
  virtual double RowCount(const catalog::TableDef& table) = 0;
  // Rows that share one value of the first `columns` columns of an index, on average; 0 when unknown.
  virtual double RowsPerKey(const catalog::TableDef& table, const catalog::IndexDef& index, size_t columns) = 0;
};

struct PlannerOptions {
  Statistics* statistics = nullptr;
  std::vector<std::string> disabled_rules;  // PRAGMA disabled_optimizer_rules: by name, for testing and diagnosis
};

// What a rule did, for EXPLAIN and the tests that switch rules.
struct RuleTrace {
  std::string name;
  uint64_t nanos = 0;
};

absl::StatusOr<std::unique_ptr<PhysicalPlan>> PlanStatement(BoundStatement statement, const PlannerOptions& options,
                                                            std::vector<RuleTrace>* trace = nullptr);

// Names of the rules that may be disabled.
std::vector<std::string> PlannerRuleNames();

// The plan as an indented tree, a line a node, for EXPLAIN; with counters when given (EXPLAIN ANALYZE).
struct NodeReport {
  uint64_t rows = 0, opens = 0, nanos = 0;
  std::string note;
};
std::vector<std::string> ExplainLines(const PhysicalPlan& plan, const std::vector<NodeReport>* reports);
// Rows (id, parent, detail) in the shape of SQLite's EXPLAIN QUERY PLAN.
struct QueryPlanRow {
  int id, parent;
  std::string detail;
};
std::vector<QueryPlanRow> QueryPlanRows(const PhysicalPlan& plan);

}  // namespace turdb::sql
