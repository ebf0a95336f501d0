// ORDER BY distance(column, query) LIMIT k over one table becomes a vector search.
//
// The shape: LIMIT over SORT over any PROJECTs over an optional FILTER over a table, the first sort key being a distance
// between a vector column of the table and a value that does not read the table, ascending. The filter becomes a plan of
// its own that gives the slots of the rows that match. Rows without a vector are nobody's neighbour and do not appear.
#include <algorithm>

#include "base/status_macros.h"
#include "sql/plan/access_path.h"
#include "sql/plan/lower.h"
#include "sql/plan/rule.h"
#include "table/table_reader.h"

namespace turdb::sql {
namespace {

bool MetricOf(const ScalarFunction& function, catalog::Metric* metric) {
  static constexpr struct {
    std::string_view name;
    catalog::Metric metric;
  } kDistances[] = {
      {"vector_distance_l2", catalog::Metric::kL2},          {"l2_distance", catalog::Metric::kL2},
      {"vec_distance_l2", catalog::Metric::kL2},             {"vector_distance_cosine", catalog::Metric::kCosine},
      {"cosine_distance", catalog::Metric::kCosine},         {"vec_distance_cosine", catalog::Metric::kCosine},
      {"vector_distance_inner_product", catalog::Metric::kInnerProduct},
      {"vector_distance_l1", catalog::Metric::kL1},          {"l1_distance", catalog::Metric::kL1},
      {"vec_distance_l1", catalog::Metric::kL1},
  };
  for (const auto& entry : kDistances) {
    if (function.name != entry.name) continue;
    *metric = entry.metric;
    return true;
  }
  return false;
}

struct Match {
  LogicalGet* get = nullptr;
  LogicalFilter* filter = nullptr;
  std::vector<LogicalProject*> projects;  // from the sort down
  const BoundExpr* distance = nullptr;
  catalog::Metric metric = catalog::Metric::kCosine;
  int column = 0;
  int vector_arg = 0;
};

bool FindTable(LogicalSort* sort, Match* match) {
  LogicalNode* node = sort->children[0].get();
  while (node->kind == LogicalKind::kProject) {
    match->projects.push_back(&node->As<LogicalProject>());
    node = node->children[0].get();
  }
  if (node->kind == LogicalKind::kFilter) {
    match->filter = &node->As<LogicalFilter>();
    node = node->children[0].get();
  }
  if (node->kind != LogicalKind::kGet) return false;
  match->get = &node->As<LogicalGet>();
  return match->get->table->kind == catalog::TableKind::kTable && !match->get->table->is_without_rowid;
}

// The expression that a column of the sort's input stands for, followed down through the projections.
const BoundExpr* Origin(const BoundExpr* expr, const Match& match) {
  for (LogicalProject* project : match.projects) {
    if (expr->kind != BoundKind::kColumn) return nullptr;
    const auto at = std::find(project->output.begin(), project->output.end(), expr->column);
    if (at == project->output.end()) return nullptr;
    expr = project->exprs[at - project->output.begin()].get();
    if (expr->kind == BoundKind::kFunction) return project == match.projects.back() ? expr : nullptr;
  }
  return expr;
}

bool FindDistance(const LogicalSort& sort, Match* match) {
  const SortKey& key = sort.keys[0];
  if (key.is_descending) return false;
  const BoundExpr* expr = Origin(key.expr.get(), *match);
  if (expr == nullptr || expr->kind != BoundKind::kFunction || expr->args.size() != 2 || !MetricOf(*expr->function, &match->metric)) {
    return false;
  }
  const ColumnSet own = ColumnSet::Of(match->get->output);
  for (int side = 0; side < 2; ++side) {
    const BoundExpr& column = *expr->args[side];
    const BoundExpr& query = *expr->args[1 - side];
    if (column.kind != BoundKind::kColumn || ColumnSet::Of(query).Intersects(own) || HasSubquery(query) || !IsDeterministic(query)) continue;
    const auto at = std::find(match->get->output.begin(), match->get->output.end(), column.column);
    if (at == match->get->output.end()) continue;
    match->column = match->get->columns[at - match->get->output.begin()];
    if (match->column < 0 || !match->get->table->columns[match->column].type.is_vector()) continue;
    match->distance = expr;
    match->vector_arg = side;
    return true;
  }
  return false;
}

const catalog::IndexDef* FindIndex(const Match& match) {
  if (match.get->is_not_indexed) return nullptr;
  for (const catalog::IndexDef& index : match.get->table->indexes) {
    if (index.kind != catalog::IndexKind::kHnsw || index.columns.empty() || index.columns[0].column != match.column) continue;
    if (match.get->indexed_by != nullptr && match.get->indexed_by->id != index.id) continue;
    if (index.hnsw.metric == match.metric) return &index;
  }
  return nullptr;
}

void ReplaceDistance(ExprPtr* expr, const BoundExpr& distance, ColumnId id) {
  if (ExprEquals(**expr, distance)) {
    auto column = std::make_unique<BoundExpr>(BoundKind::kColumn);
    column->column = id;
    *expr = std::move(column);
    return;
  }
  for (ExprPtr& arg : (*expr)->args) ReplaceDistance(&arg, distance, id);
}

// The plan that gives the slots of the rows that pass the filter.
PhysicalPtr LowerSlotFilter(const Match& match, LowerContext* context, ColumnId slot) {
  Conjuncts conjuncts;
  SplitConjuncts(std::move(match.filter->predicate), &conjuncts);
  ColumnSet used;
  for (const ExprPtr& conjunct : conjuncts) used.AddAll(ColumnSet::Of(*conjunct));
  LogicalGet get;
  get.table = match.get->table;
  get.alias = match.get->alias;
  for (size_t i = 0; i < match.get->output.size(); ++i) {
    if (!used.Contains(match.get->output[i])) continue;
    get.output.push_back(match.get->output[i]);
    get.columns.push_back(match.get->columns[i]);
  }
  get.output.push_back(slot);
  get.columns.push_back(table::VectorSlotColumn(match.column));
  std::vector<const BoundExpr*> views;
  for (const ExprPtr& conjunct : conjuncts) views.push_back(conjunct.get());
  const AccessPath path = ChooseAccessPath(get, views, context->statistics);
  auto project = std::make_unique<PhysicalProject>();
  auto column = std::make_unique<BoundExpr>(BoundKind::kColumn);
  column->column = slot;
  project->exprs.push_back(std::move(column));
  project->output = {slot};
  project->children.push_back(MakeScan(get, path, std::move(conjuncts)));
  project->estimated_rows = project->children[0]->estimated_rows;
  return project;
}

// What the nodes above the table read of it, once the distance has a column of its own.
std::vector<ColumnId> NeededColumns(const LogicalSort& sort, const Match& match) {
  ColumnSet used;
  if (match.projects.empty()) {
    used = ColumnSet::Of(match.get->output);
  } else {
    for (const ExprPtr& expr : match.projects.back()->exprs) used.AddAll(ColumnSet::Of(*expr));
  }
  for (const SortKey& key : sort.keys) used.AddAll(ColumnSet::Of(*key.expr));
  std::vector<ColumnId> needed;
  for (ColumnId id : match.get->output) {
    if (used.Contains(id)) needed.push_back(id);
  }
  return needed;
}

}  // namespace

absl::StatusOr<bool> LowerVectorSearch(LogicalSort* sort, const LogicalLimit& limit, LowerContext* context, PhysicalPtr* lowered) {
  Match match;
  if (limit.limit == nullptr || sort->keys.empty() || !FindTable(sort, &match) || !FindDistance(*sort, &match)) return false;
  if (HasSubquery(*limit.limit) || (limit.offset != nullptr && HasSubquery(*limit.offset))) return false;
  TURDB_RETURN_IF_ERROR(LowerSubqueries(sort, context));
  for (LogicalProject* project : match.projects) TURDB_RETURN_IF_ERROR(LowerSubqueries(project, context));
  if (match.filter != nullptr) TURDB_RETURN_IF_ERROR(LowerSubqueries(match.filter, context));

  RuleContext ids{context->statement, context->statistics};
  const ColumnId distance_id = ids.NewColumn("distance");
  auto search = std::make_unique<PhysicalVectorSearch>();
  search->table = match.get->table;
  search->alias = match.get->alias;
  search->index = FindIndex(match);
  search->column = match.column;
  search->metric = match.metric;
  search->query = CloneExpr(*match.distance->args[1 - match.vector_arg]);
  search->limit = CloneExpr(*limit.limit);
  if (limit.offset != nullptr) search->offset = CloneExpr(*limit.offset);
  const ExprPtr distance = CloneExpr(*match.distance);
  for (LogicalProject* project : match.projects) {
    for (ExprPtr& expr : project->exprs) ReplaceDistance(&expr, *distance, distance_id);
  }
  for (SortKey& key : sort->keys) ReplaceDistance(&key.expr, *distance, distance_id);
  for (ColumnId id : NeededColumns(*sort, match)) {
    const auto at = std::find(match.get->output.begin(), match.get->output.end(), id);
    search->columns.push_back(match.get->columns[at - match.get->output.begin()]);
    search->output.push_back(id);
  }
  search->output.push_back(distance_id);
  search->estimated_rows = 10;
  if (match.filter != nullptr) search->children.push_back(LowerSlotFilter(match, context, ids.NewColumn("slot")));

  PhysicalPtr node = std::move(search);
  for (auto it = match.projects.rbegin(); it != match.projects.rend(); ++it) {
    auto project = std::make_unique<PhysicalProject>();
    project->exprs = std::move((*it)->exprs);
    project->output = (*it)->output;
    project->estimated_rows = node->estimated_rows;
    project->children.push_back(std::move(node));
    node = std::move(project);
  }
  if (sort->keys.size() > 1) {
    auto again = std::make_unique<PhysicalSort>();
    again->keys = std::move(sort->keys);
    again->output = node->output;
    again->children.push_back(std::move(node));
    node = std::move(again);
  }
  *lowered = std::move(node);
  return true;
}

}  // namespace turdb::sql
