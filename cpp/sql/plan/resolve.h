// Resolution: the last step of planning. Every kColumn becomes a slot of the input batch of the operator that evaluates
// it, or a register that an operator further out sets; nested loops and subqueries learn which registers to set.
#pragma once

#include "absl/status/status.h"
#include "sql/plan/physical_plan.h"

namespace turdb::sql {

absl::Status ResolvePlan(PhysicalPlan* plan);

}  // namespace turdb::sql
