// Execution: a plan with its operators and context, ready to run; kept by a statement between runs.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/connection.h"
#include "engine/connection_state.h"
#include "sql/exec/operator.h"
#include "sql/plan/planner.h"
#include "sql/syntax/parser.h"

namespace turdb::engine {

struct Execution {
  std::shared_ptr<sql::PhysicalPlan> plan;
  uint64_t functions_version = 0;
  sql::ExecContext context;
  std::vector<Value> parameters;
  std::unique_ptr<sql::Operator> root;
  ColumnBatch written;  // of a write's run; kept for the next

  absl::Span<const Value> Keep(absl::Span<const Value> given) {
    parameters.assign(given.begin(), given.end());
    return parameters;
  }
};

// Binds and plans a statement in a transaction's view.
absl::StatusOr<std::shared_ptr<sql::PhysicalPlan>> MakePlan(const sql::ParsedStatement& parsed, ConnectionState* state,
                                                            txn::Transaction* txn,
                                                            std::shared_ptr<const catalog::CatalogSnapshot> catalog);
absl::StatusOr<std::unique_ptr<Execution>> MakeExecution(std::shared_ptr<sql::PhysicalPlan> plan, ConnectionState* state);

// The columns of its rows; they keep the plan.
inline std::shared_ptr<const ResultColumns> ColumnsOf(const std::shared_ptr<sql::PhysicalPlan>& plan) {
  return std::shared_ptr<const ResultColumns>(plan, &plan->bound.columns);
}

// Points the context at this run's transaction and parameters, which must stay there until it ends: a run that outlives its caller
// keeps them (Execution::Keep).
void StartExecution(Execution* execution, ConnectionState* state, txn::Transaction* txn, absl::Span<const Value> parameters);

}  // namespace turdb::engine
