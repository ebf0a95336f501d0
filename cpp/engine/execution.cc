#include "engine/execution.h"

#include "base/status_macros.h"
#include "sql/bind/binder.h"
#include "sql/plan/tree_statistics.h"

namespace turdb::engine {
absl::StatusOr<std::shared_ptr<sql::PhysicalPlan>> MakePlan(const sql::ParsedStatement& parsed, ConnectionState* state,
                                                            txn::Transaction* txn,
                                                            std::shared_ptr<const catalog::CatalogSnapshot> catalog) {
  sql::BindOptions bind_options;
  bind_options.functions = &state->functions;
  TURDB_ASSIGN_OR_RETURN(sql::BoundStatement bound, sql::Bind(parsed, std::move(catalog), bind_options));
  sql::TreeStatistics statistics(txn);
  sql::PlannerOptions options{&statistics, state->disabled_rules};
  TURDB_ASSIGN_OR_RETURN(auto plan, sql::PlanStatement(std::move(bound), options));
  return std::shared_ptr<sql::PhysicalPlan>(std::move(plan));
}

absl::StatusOr<std::unique_ptr<Execution>> MakeExecution(std::shared_ptr<sql::PhysicalPlan> plan, ConnectionState* state) {
  auto execution = std::make_unique<Execution>();
  execution->plan = std::move(plan);
  execution->functions_version = state->functions.version();
  sql::ExecContext& context = execution->context;
  context.registers.resize(static_cast<size_t>(execution->plan->register_count));
  context.counters.resize(static_cast<size_t>(execution->plan->node_count));
  context.settings = &state->settings;
  context.owner = state;
  context.interrupted = &state->interrupted;
  context.collations = state->functions.collations();
  context.functions = &state->functions;
  context.catalog = execution->plan->bound.catalog;
  context.temp_place = state->TempPlace();
  TURDB_ASSIGN_OR_RETURN(execution->root, sql::BuildOperators(*execution->plan->root, &context));
  return execution;
}

void StartExecution(Execution* execution, ConnectionState* state, txn::Transaction* txn, absl::Span<const Value> parameters) {
  sql::ExecContext& context = execution->context;
  context.txn = txn;
  context.memory.set_limit(state->settings.statement_memory);
  context.parameters = parameters;
  context.changes = 0;
  context.last_insert_rowid = state->last_insert_rowid;
  context.connection_changes = state->changes;
  context.connection_total_changes = state->total_changes;
  context.now = {};
  context.rollback_transaction = false;
  context.keep_changes = false;
  context.has_begun_writing = false;
  context.wants_savepoint = false;
  context.savepoint.reset();
  ++context.execution;
  if (state->progress) {
    context.progress = [state] { return state->progress({"execute", 0, 0}); };
  } else {
    context.progress = nullptr;
  }
}

}  // namespace turdb::engine
