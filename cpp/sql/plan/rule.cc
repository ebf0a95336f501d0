#include "sql/plan/rule.h"

#include <algorithm>
#include <chrono>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/plan/column_set.h"

namespace turdb::sql {
namespace {

void VisitRowExpressions(RowExpressions* rows, const std::function<void(ExprPtr*)>& visit) {
  for (auto& [name, expr] : rows->checks) visit(&expr);
  for (auto& [column, expr] : rows->generated) visit(&expr);
  for (auto& index : rows->indexes) {
    for (ExprPtr& expr : index.columns) visit(&expr);
    visit(&index.where);
  }
}

void VisitCall(AggregateCall* call, const std::function<void(ExprPtr*)>& visit) {
  for (ExprPtr& arg : call->args) visit(&arg);
  visit(&call->filter);
  for (SortKey& key : call->order_by) visit(&key.expr);
}

void VisitInsert(LogicalInsert* node, const std::function<void(ExprPtr*)>& visit) {
  for (ExprPtr& expr : node->defaults) visit(&expr);
  VisitRowExpressions(&node->row_expressions, visit);
  for (UpsertClause& upsert : node->upserts) {
    for (auto& [column, expr] : upsert.assignments) visit(&expr);
    visit(&upsert.where);
  }
  for (ExprPtr& expr : node->returning.exprs) visit(&expr);
}

void VisitWindow(LogicalWindow* node, const std::function<void(ExprPtr*)>& visit) {
  for (WindowCall& call : node->calls) {
    VisitCall(&call.call, visit);
    for (ExprPtr& expr : call.partition_by) visit(&expr);
    for (SortKey& key : call.order_by) visit(&key.expr);
    visit(&call.start_offset);
    visit(&call.end_offset);
  }
}

void VisitRaw(LogicalNode* node, const std::function<void(ExprPtr*)>& visit) {
  switch (node->kind) {
    case LogicalKind::kValues:
      for (auto& row : node->As<LogicalValues>().rows) {
        for (ExprPtr& expr : row) visit(&expr);
      }
      return;
    case LogicalKind::kTableFunction:
      for (ExprPtr& expr : node->As<LogicalTableFunction>().arguments) visit(&expr);
      return;
    case LogicalKind::kFilter: visit(&node->As<LogicalFilter>().predicate); return;
    case LogicalKind::kProject:
      for (ExprPtr& expr : node->As<LogicalProject>().exprs) visit(&expr);
      return;
    case LogicalKind::kJoin: visit(&node->As<LogicalJoin>().condition); return;
    case LogicalKind::kAggregate:
      for (ExprPtr& expr : node->As<LogicalAggregate>().groups) visit(&expr);
      for (AggregateCall& call : node->As<LogicalAggregate>().aggregates) VisitCall(&call, visit);
      return;
    case LogicalKind::kWindow: VisitWindow(&node->As<LogicalWindow>(), visit); return;
    case LogicalKind::kSort:
      for (SortKey& key : node->As<LogicalSort>().keys) visit(&key.expr);
      return;
    case LogicalKind::kLockRows:
      for (RowLock& lock : node->As<LogicalLockRows>().locks) {
        for (ExprPtr& expr : lock.key) visit(&expr);
      }
      return;
    case LogicalKind::kLimit:
      visit(&node->As<LogicalLimit>().limit);
      visit(&node->As<LogicalLimit>().offset);
      return;
    case LogicalKind::kRecursiveCte:
      for (SortKey& key : node->As<LogicalRecursiveCte>().order_by) visit(&key.expr);
      visit(&node->As<LogicalRecursiveCte>().limit);
      visit(&node->As<LogicalRecursiveCte>().offset);
      return;
    case LogicalKind::kInsert: VisitInsert(&node->As<LogicalInsert>(), visit); return;
    case LogicalKind::kUpdate:
      VisitRowExpressions(&node->As<LogicalUpdate>().row_expressions, visit);
      for (ExprPtr& expr : node->As<LogicalUpdate>().returning.exprs) visit(&expr);
      return;
    case LogicalKind::kDelete:
      for (ExprPtr& expr : node->As<LogicalDelete>().returning.exprs) visit(&expr);
      return;
    case LogicalKind::kGet:
    case LogicalKind::kDistinct:
    case LogicalKind::kSetOp:
    case LogicalKind::kCte:
    case LogicalKind::kCteRef: return;
  }
}

bool IsDisabled(const PlannerOptions& options, const char* name) {
  return std::find(options.disabled_rules.begin(), options.disabled_rules.end(), name) != options.disabled_rules.end();
}

uint64_t NowNanos() {
  return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

// Nested selects anywhere below are rewritten on their own, innermost last.
absl::Status ApplyToNested(LogicalNode* node, RuleContext* context, const PlannerOptions& options,
                           std::vector<RuleTrace>* trace) {
  absl::Status status;
  VisitNodeExprs(node, [&](ExprPtr* expr) {
    VisitSubqueries(expr->get(), [&](BoundSubquery* subquery) {
      if (!status.ok() || subquery->logical == nullptr) return;
      auto rewritten = ApplyRules(std::move(subquery->logical), context, options, trace);
      if (rewritten.ok()) {
        subquery->logical = *std::move(rewritten);
      } else {
        status = rewritten.status();
      }
    });
  });
  TURDB_RETURN_IF_ERROR(status);
  for (LogicalPtr& child : node->children) {
    TURDB_RETURN_IF_ERROR(ApplyToNested(child.get(), context, options, trace));
  }
  return absl::OkStatus();
}

}  // namespace

const Rule kRules[] = {
    {"fold_constants", FoldConstants},
    {"simplify_outer_joins", SimplifyOuterJoins},
    {"push_filters", PushFilters},
    {"order_joins", OrderJoins},
};
const int kRuleCount = static_cast<int>(std::size(kRules));

std::vector<std::string> PlannerRuleNames() {
  std::vector<std::string> names;
  for (const Rule& rule : kRules) names.push_back(rule.name);
  return names;
}

void VisitNodeExprs(LogicalNode* node, const std::function<void(ExprPtr*)>& visit) {
  VisitRaw(node, [&](ExprPtr* expr) {
    if (*expr != nullptr) visit(expr);
  });
}

bool ReadsAnyOf(LogicalNode* node, const ColumnSet& columns) {
  bool reads = false;
  VisitNodeExprs(node, [&](ExprPtr* expr) { reads = reads || ColumnSet::Of(**expr).Intersects(columns); });
  for (LogicalPtr& child : node->children) reads = reads || ReadsAnyOf(child.get(), columns);
  return reads;
}

void VisitSubqueries(BoundExpr* expr, const std::function<void(BoundSubquery*)>& visit) {
  if (expr->subquery != nullptr) visit(expr->subquery.get());
  for (ExprPtr& arg : expr->args) VisitSubqueries(arg.get(), visit);
}

absl::StatusOr<LogicalPtr> ApplyRules(LogicalPtr root, RuleContext* context, const PlannerOptions& options,
                                      std::vector<RuleTrace>* trace) {
  for (int i = 0; i < kRuleCount; ++i) {
    if (IsDisabled(options, kRules[i].name)) continue;
    const uint64_t start = trace != nullptr ? NowNanos() : 0;
    const std::vector<ColumnId> before = root->output;
    root = kRules[i].apply(std::move(root), context);
    if (root == nullptr || !ColumnSet::Of(root->output).ContainsAll(ColumnSet::Of(before))) {
      return InternalError("planner rule ", kRules[i].name, " lost columns of its input");
    }
    if (trace != nullptr) trace->push_back({kRules[i].name, NowNanos() - start});
  }
  TURDB_RETURN_IF_ERROR(ApplyToNested(root.get(), context, options, trace));
  return root;
}

}  // namespace turdb::sql
