#include "sql/plan/planner.h"

#include "base/status_macros.h"
#include "sql/plan/lower.h"
#include "sql/plan/resolve.h"
#include "sql/plan/rule.h"

namespace turdb::sql {

absl::StatusOr<std::unique_ptr<PhysicalPlan>> PlanStatement(BoundStatement statement, const PlannerOptions& options,
                                                            std::vector<RuleTrace>* trace) {
  auto plan = std::make_unique<PhysicalPlan>();
  plan->bound = std::move(statement);
  RuleContext rules{&plan->bound, options.statistics};
  TURDB_ASSIGN_OR_RETURN(LogicalPtr root, ApplyRules(std::move(plan->bound.root), &rules, options, trace));
  LowerContext lowering{&plan->bound, options.statistics};
  TURDB_ASSIGN_OR_RETURN(plan->root, Lower(std::move(root), &lowering));
  TURDB_RETURN_IF_ERROR(ResolvePlan(plan.get()));
  return plan;
}

}  // namespace turdb::sql
