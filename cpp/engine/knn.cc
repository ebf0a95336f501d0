// Connection::Knn: batches of nearest-neighbour queries from the program's own arrays, without SQL text per query.
//
// A WHERE is planned once as SELECT over the table; the plan is changed to give vector slots, which become one bitmap
// that all queries share. Queries are spread over threads, each with its own searcher on the same snapshot.
#include <algorithm>
#include <limits>
#include <thread>

#include "base/errors.h"
#include "base/out_of_memory.h"
#include "base/status_macros.h"
#include "engine/connection_impl.h"
#include "engine/execution.h"
#include "sql/bind/binder.h"
#include "table/table_reader.h"
#include "table/vector_search.h"

namespace turdb::engine {
namespace {

absl::StatusOr<int> FindVectorColumn(const catalog::TableDef& table, std::string_view name, uint32_t dim) {
  const int column = table.FindColumn(name);
  if (column < 0) return NameError("no such column: ", name, " in table ", table.name);
  const LogicalType& type = table.columns[static_cast<size_t>(column)].type;
  if (!type.is_vector()) return BadValueError("column ", name, " of table ", table.name, " is not a vector: it is ", type.declared);
  if (type.dim != dim) {
    return DimensionError("column ", name, " of table ", table.name, " is VECTOR(", type.dim, "): the queries have ", dim, " dimensions");
  }
  return column;
}

std::string Quoted(std::string_view name) {
  std::string quoted = "\"";
  for (char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

bool ReadsSlot(const sql::BoundExpr& expr, int slot) {
  if (expr.kind == sql::BoundKind::kSlot && expr.slot == slot) return true;
  return std::any_of(expr.args.begin(), expr.args.end(), [&](const sql::ExprPtr& arg) { return ReadsSlot(*arg, slot); });
}

// Makes a scan, whose projection gives a vector column, give that column's slot. A filter on the vector itself keeps it.
template <typename Scan>
void GiveSlots(Scan* scan, int column, sql::PhysicalPlan* plan) {
  const auto at = std::find(scan->columns.begin(), scan->columns.end(), column) - scan->columns.begin();
  if (scan->filter == nullptr || !ReadsSlot(*scan->filter, static_cast<int>(at))) {
    scan->columns[static_cast<size_t>(at)] = table::VectorSlotColumn(column);
    return;
  }
  scan->columns.push_back(table::VectorSlotColumn(column));
  scan->output.push_back(sql::ColumnId(plan->bound.column_id_count++));
  if (plan->root->kind == sql::PhysicalKind::kProject) {
    plan->root->As<sql::PhysicalProject>().exprs[0]->slot = static_cast<int>(scan->columns.size()) - 1;
  }
}

// SELECT "e" FROM "t" WHERE .. with the vector itself replaced by its slot.
absl::StatusOr<std::shared_ptr<sql::PhysicalPlan>> PlanSlots(const Connection::KnnRequest& request, int column, ConnectionState* state,
                                                             txn::Transaction* txn,
                                                             std::shared_ptr<const catalog::CatalogSnapshot> catalog) {
  TURDB_RETURN_IF_ERROR(sql::ParseExpression(request.where).status());  // one whole expression, not the end of another
  const std::string text = Cat("SELECT ", Quoted(request.column), " FROM ", Quoted(request.table), " WHERE (", request.where, ")");
  size_t consumed = 0;
  TURDB_ASSIGN_OR_RETURN(sql::ParsedStatement parsed, sql::ParseStatement(text, &consumed));
  TURDB_ASSIGN_OR_RETURN(auto plan, MakePlan(parsed, state, txn, std::move(catalog)));
  sql::PhysicalNode* scan = plan->root.get();
  while (scan->kind == sql::PhysicalKind::kProject || scan->kind == sql::PhysicalKind::kFilter) scan = scan->children[0].get();
  switch (scan->kind) {
    case sql::PhysicalKind::kTableScan: GiveSlots(&scan->As<sql::PhysicalTableScan>(), column, plan.get()); break;
    case sql::PhysicalKind::kIndexScan: GiveSlots(&scan->As<sql::PhysicalIndexScan>(), column, plan.get()); break;
    case sql::PhysicalKind::kRowIdLookup: GiveSlots(&scan->As<sql::PhysicalRowIdLookup>(), column, plan.get()); break;
    default: return InternalError("knn: the filter has no scan of its table");
  }
  return plan;
}

absl::StatusOr<table::SlotBitmap> EvaluateFilter(const Connection::KnnRequest& request, int column, ConnectionState* state,
                                                 txn::Transaction* txn, std::shared_ptr<const catalog::CatalogSnapshot> catalog) {
  TURDB_ASSIGN_OR_RETURN(auto plan, PlanSlots(request, column, state, txn, std::move(catalog)));
  if (plan->bound.parameter_count != request.parameters.size()) {
    return ParameterError("where uses ", plan->bound.parameter_count, " parameters, and there are ", request.parameters.size(), " supplied");
  }
  TURDB_ASSIGN_OR_RETURN(auto execution, MakeExecution(plan, state));
  StartExecution(execution.get(), state, txn, request.parameters);
  TURDB_RETURN_IF_ERROR(execution->root->Open());
  table::SlotBitmap slots;
  ColumnBatch batch;
  while (true) {
    TURDB_RETURN_IF_ERROR(execution->root->Next(&batch));
    if (batch.size == 0) break;
    for (uint32_t i = 0; i < batch.size; ++i) {
      const Cell slot = batch.columns[0].Get(i);
      if (slot.is_integer()) slots.Set(static_cast<uint32_t>(slot.integer));
    }
  }
  execution->root->Close();
  return slots;
}

const catalog::IndexDef* PickIndex(const catalog::TableDef& table, int column) {
  for (const catalog::IndexDef& index : table.indexes) {
    if (index.kind == catalog::IndexKind::kHnsw && !index.columns.empty() && index.columns[0].column == column) return &index;
  }
  return nullptr;
}

// Answers queries [first, last) with one searcher. `check` is asked before each.
template <typename Check>
absl::Status AnswerQueries(const Connection::KnnRequest& request, table::VectorSearcher* searcher, const Check& check,
                           uint64_t first, uint64_t last, int64_t* ids, float* distances) {
  std::vector<table::VectorHit> hits;
  table::SearchCounters counters;
  for (uint64_t q = first; q < last; ++q) {
    TURDB_RETURN_IF_ERROR(check(q - first, last - first));
    TURDB_RETURN_IF_ERROR(searcher->Search(absl::MakeConstSpan(request.queries + q * request.dim, request.dim), &hits, &counters));
    for (uint32_t i = 0; i < request.k; ++i) {
      ids[q * request.k + i] = i < hits.size() ? hits[i].rowid : -1;
      distances[q * request.k + i] = i < hits.size() ? hits[i].distance : std::numeric_limits<float>::infinity();
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ConnectionImpl::Knn(const KnnRequest& request, int64_t* ids, float* distances) {
  std::lock_guard lock(state_->mutex);
  TURDB_RETURN_IF_ERROR(state_->CheckUsable());
  if (IsMemoryLow()) KeepMemoryReserve();
  return state_->WithinMemory(/*may_change=*/false, [&] { return KnnLocked(request, ids, distances); });
}

absl::Status ConnectionImpl::KnnLocked(const KnnRequest& request, int64_t* ids, float* distances) {
  state_->interrupted.store(false);
  TURDB_ASSIGN_OR_RETURN(auto txn, state_->StatementTransaction());
  TURDB_ASSIGN_OR_RETURN(auto catalog, state_->Catalog(txn.get()));
  const catalog::TableDef* table = catalog->FindTable("", request.table);
  if (table == nullptr || table->kind != catalog::TableKind::kTable) return NameError("no such table: ", request.table);
  TURDB_ASSIGN_OR_RETURN(const int column, FindVectorColumn(*table, request.column, request.dim));
  if (request.k == 0) return absl::OkStatus();

  table::SlotBitmap filter;
  table::VectorQuery query;
  query.column = column;
  query.k = request.k;
  query.ef = request.ef != 0 ? request.ef : state_->settings.hnsw_ef_search;
  query.index = PickIndex(*table, column);
  query.metric = query.index != nullptr ? query.index->hnsw.metric : catalog::Metric::kL2;
  if (!request.where.empty()) {
    TURDB_ASSIGN_OR_RETURN(filter, EvaluateFilter(request, column, state_.get(), txn.get(), catalog));
    query.filter = &filter;
  }
  const uint64_t machine = std::max(1u, std::thread::hardware_concurrency());
  const uint64_t wanted = request.threads > 0 ? static_cast<uint64_t>(request.threads) : machine;
  const uint64_t threads = std::max<uint64_t>(1, std::min(wanted, request.query_count));
  std::vector<std::unique_ptr<table::VectorSearcher>> searchers(threads);
  for (auto& searcher : searchers) {
    TURDB_ASSIGN_OR_RETURN(searcher, table::NewVectorSearcher(txn.get(), *table, query));
  }
  std::vector<absl::Status> statuses(threads);
  std::atomic<bool> is_stopped{false};
  const auto check_others = [&](uint64_t, uint64_t) {
    return is_stopped.load(std::memory_order_relaxed) ? InterruptedError("interrupted") : absl::OkStatus();
  };
  const table::Progress check_own = state_->TableProgress("search");  // the caller's thread: it hears of signals
  auto run = [&](uint64_t t) {
    const uint64_t first = request.query_count * t / threads;
    const uint64_t last = request.query_count * (t + 1) / threads;
    statuses[t] = OrOutOfMemory([&] {
      return t == 0 ? AnswerQueries(request, searchers[t].get(), check_own, first, last, ids, distances)
                    : AnswerQueries(request, searchers[t].get(), check_others, first, last, ids, distances);
    });
    if (!statuses[t].ok()) is_stopped.store(true, std::memory_order_relaxed);
  };
  std::vector<std::thread> workers;
  std::vector<uint64_t> left;  // there is no thread for
  workers.reserve(threads);
  left.reserve(threads);
  for (uint64_t t = 1; t < threads; ++t) {
    if (!TryStartThread(&workers, run, t)) left.push_back(t);
  }
  run(0);
  for (const uint64_t t : left) run(t);
  for (std::thread& worker : workers) worker.join();
  const auto is_cause = [](const absl::Status& status) { return !status.ok() && KindOf(status) != ErrorKind::kInterrupted; };
  const auto cause = std::find_if(statuses.begin(), statuses.end(), is_cause);  // the others were told to stop
  return cause != statuses.end() ? *cause : statuses[0];
}

}  // namespace turdb::engine
