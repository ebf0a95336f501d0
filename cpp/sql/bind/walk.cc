// One switch over node kinds that knows where each keeps its expressions.
#include "sql/bind/walk.h"

namespace turdb::sql {
namespace {

void Visit(ExprPtr* expr, ExprVisitor visit) {
  if (*expr != nullptr) visit(expr);
}

void VisitAll(std::vector<ExprPtr>* exprs, ExprVisitor visit) {
  for (ExprPtr& expr : *exprs) Visit(&expr, visit);
}

void VisitKeys(std::vector<SortKey>* keys, ExprVisitor visit) {
  for (SortKey& key : *keys) Visit(&key.expr, visit);
}

void VisitInsert(LogicalInsert* insert, ExprVisitor visit) {
  VisitAll(&insert->defaults, visit);
  VisitRowExprs(&insert->row_expressions, visit);
  for (UpsertClause& upsert : insert->upserts) {
    for (auto& assignment : upsert.assignments) Visit(&assignment.second, visit);
    Visit(&upsert.where, visit);
  }
  VisitAll(&insert->returning.exprs, visit);
}

}  // namespace

void VisitAggregateExprs(AggregateCall* call, ExprVisitor visit) {
  VisitAll(&call->args, visit);
  Visit(&call->filter, visit);
  VisitKeys(&call->order_by, visit);
}

void VisitWindowExprs(WindowCall* window, ExprVisitor visit) {
  VisitAggregateExprs(&window->call, visit);
  VisitAll(&window->partition_by, visit);
  VisitKeys(&window->order_by, visit);
  Visit(&window->start_offset, visit);
  Visit(&window->end_offset, visit);
}

void VisitRowExprs(RowExpressions* row, ExprVisitor visit) {
  for (auto& check : row->checks) Visit(&check.second, visit);
  for (auto& generated : row->generated) Visit(&generated.second, visit);
  for (RowExpressions::IndexExprs& index : row->indexes) {
    VisitAll(&index.columns, visit);
    Visit(&index.where, visit);
  }
}

void VisitExprs(LogicalNode* node, ExprVisitor visit) {
  switch (node->kind) {
    case LogicalKind::kGet:
    case LogicalKind::kDistinct:
    case LogicalKind::kSetOp:
    case LogicalKind::kCte:
    case LogicalKind::kCteRef: return;
    case LogicalKind::kValues:
      for (auto& row : node->As<LogicalValues>().rows) VisitAll(&row, visit);
      return;
    case LogicalKind::kTableFunction: return VisitAll(&node->As<LogicalTableFunction>().arguments, visit);
    case LogicalKind::kFilter: return Visit(&node->As<LogicalFilter>().predicate, visit);
    case LogicalKind::kProject: return VisitAll(&node->As<LogicalProject>().exprs, visit);
    case LogicalKind::kJoin: return Visit(&node->As<LogicalJoin>().condition, visit);
    case LogicalKind::kAggregate: {
      LogicalAggregate& aggregate = node->As<LogicalAggregate>();
      VisitAll(&aggregate.groups, visit);
      for (AggregateCall& call : aggregate.aggregates) VisitAggregateExprs(&call, visit);
      return;
    }
    case LogicalKind::kWindow:
      for (WindowCall& call : node->As<LogicalWindow>().calls) VisitWindowExprs(&call, visit);
      return;
    case LogicalKind::kSort: return VisitKeys(&node->As<LogicalSort>().keys, visit);
    case LogicalKind::kLockRows:
      for (RowLock& lock : node->As<LogicalLockRows>().locks) VisitAll(&lock.key, visit);
      return;
    case LogicalKind::kLimit:
      Visit(&node->As<LogicalLimit>().limit, visit);
      return Visit(&node->As<LogicalLimit>().offset, visit);
    case LogicalKind::kRecursiveCte:
      VisitKeys(&node->As<LogicalRecursiveCte>().order_by, visit);
      Visit(&node->As<LogicalRecursiveCte>().limit, visit);
      return Visit(&node->As<LogicalRecursiveCte>().offset, visit);
    case LogicalKind::kInsert: return VisitInsert(&node->As<LogicalInsert>(), visit);
    case LogicalKind::kUpdate:
      VisitRowExprs(&node->As<LogicalUpdate>().row_expressions, visit);
      return VisitAll(&node->As<LogicalUpdate>().returning.exprs, visit);
    case LogicalKind::kDelete:
      VisitRowExprs(&node->As<LogicalDelete>().row_expressions, visit);
      return VisitAll(&node->As<LogicalDelete>().returning.exprs, visit);
  }
}

}  // namespace turdb::sql
