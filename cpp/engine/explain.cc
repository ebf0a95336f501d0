// EXPLAIN, EXPLAIN QUERY PLAN and EXPLAIN ANALYZE.
#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/statement_impl.h"

namespace turdb::engine {
namespace {

RowBuffer LineRows(const std::vector<std::string>& lines) {
  RowBuffer rows(1);
  for (const std::string& line : lines) rows.Add({Value::Text(line)});
  return rows;
}

RowBuffer QueryPlan(const sql::PhysicalPlan& plan) {
  RowBuffer rows(4);
  for (const sql::QueryPlanRow& row : sql::QueryPlanRows(plan)) {
    rows.Add({Value::Integer(row.id), Value::Integer(row.parent), Value::Integer(0), Value::Text(row.detail)});
  }
  return rows;
}

std::vector<sql::NodeReport> Reports(const sql::ExecContext& context) {
  std::vector<sql::NodeReport> reports;
  for (const sql::NodeCounters& c : context.counters) {
    reports.push_back({c.rows, c.opens, c.nanos, c.note});
    if (c.spilled_bytes == 0) continue;
    std::string& note = reports.back().note;
    note += Cat(note.empty() ? "" : " ", "spilled=", c.spilled_bytes, " bytes runs=", c.spill_runs);
  }
  return reports;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Result>> StatementImpl::ExecuteExplain(absl::Span<const Value> parameters) {
  const auto& explain = parsed_.statement->As<sql::Explain>();
  TURDB_ASSIGN_OR_RETURN(auto txn, state_->StatementTransaction());
  TURDB_ASSIGN_OR_RETURN(auto catalog, state_->Catalog(txn.get()));
  TURDB_ASSIGN_OR_RETURN(auto plan, MakePlan(parsed_, state_.get(), txn.get(), std::move(catalog)));
  if (explain.mode == sql::ExplainMode::kQueryPlan) {
    return Buffered(QueryPlan(*plan), {{"id", ""}, {"parent", ""}, {"notused", ""}, {"detail", ""}}, -1);
  }
  if (explain.mode == sql::ExplainMode::kPlan) return Buffered(LineRows(sql::ExplainLines(*plan, nullptr)), own_columns_, -1);
  if (!plan->bound.is_read_only) {
    return MisuseError("EXPLAIN ANALYZE runs the statement: it takes a SELECT; use EXPLAIN for statements that write");
  }
  TURDB_ASSIGN_OR_RETURN(auto execution, MakeExecution(plan, state_.get()));
  execution->context.is_timed = true;
  TURDB_ASSIGN_OR_RETURN(execution->root, sql::BuildOperators(*plan->root, &execution->context));
  StartExecution(execution.get(), state_.get(), txn.get(), parameters);
  TURDB_RETURN_IF_ERROR(execution->root->Open());
  ColumnBatch batch;
  do {
    TURDB_RETURN_IF_ERROR(execution->root->Next(&batch));
  } while (batch.size > 0);
  const std::vector<sql::NodeReport> reports = Reports(execution->context);
  execution->root->Close();
  return Buffered(LineRows(sql::ExplainLines(*plan, &reports)), own_columns_, -1);
}

}  // namespace turdb::engine
