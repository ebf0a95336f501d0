// The wrapper that every rewriting rule of the logical plan runs in: it names, times, switches and verifies it.
#pragma once

#include "absl/status/status.h"
#include "sql/bind/logical_plan.h"
#include "sql/plan/column_set.h"
#include "sql/plan/planner.h"

namespace turdb::sql {

struct RuleContext {
  BoundStatement* statement = nullptr;
  Statistics* statistics = nullptr;
  ColumnId NewColumn(std::string name) {
    statement->column_names.resize(statement->column_id_count);
    statement->column_names.push_back(std::move(name));
    return ColumnId(statement->column_id_count++);
  }
};

using RuleFunction = LogicalPtr (*)(LogicalPtr root, RuleContext* context);

struct Rule {
  const char* name;
  RuleFunction apply;
};

// In the order in which they run.
extern const Rule kRules[];
extern const int kRuleCount;

LogicalPtr FoldConstants(LogicalPtr root, RuleContext* context);
LogicalPtr SimplifyOuterJoins(LogicalPtr root, RuleContext* context);
LogicalPtr PushFilters(LogicalPtr root, RuleContext* context);
LogicalPtr OrderJoins(LogicalPtr root, RuleContext* context);

// Runs the enabled rules on a tree and on the nested selects in its expressions. After each rule, a debug build checks
// that the root still gives the same columns and that every column an expression reads is given below it.
absl::StatusOr<LogicalPtr> ApplyRules(LogicalPtr root, RuleContext* context, const PlannerOptions& options,
                                      std::vector<RuleTrace>* trace);

// Calls visit for every expression of a node itself (not of its children), so that it can be replaced.
void VisitNodeExprs(LogicalNode* node, const std::function<void(ExprPtr*)>& visit);
// Whether anything below `node` reads a column of `columns` (a table function's arguments, a correlated subquery).
bool ReadsAnyOf(LogicalNode* node, const ColumnSet& columns);
// Calls visit for every nested select in an expression.
void VisitSubqueries(BoundExpr* expr, const std::function<void(BoundSubquery*)>& visit);

}  // namespace turdb::sql
