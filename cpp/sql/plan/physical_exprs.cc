#include "sql/plan/physical_exprs.h"

namespace turdb::sql {
namespace {

using Visit = std::function<void(ExprPtr*, ExprScope)>;

void VisitAll(std::vector<ExprPtr>* exprs, ExprScope scope, const Visit& visit) {
  for (ExprPtr& expr : *exprs) visit(&expr, scope);
}

void VisitKeys(std::vector<SortKey>* keys, ExprScope scope, const Visit& visit) {
  for (SortKey& key : *keys) visit(&key.expr, scope);
}

void VisitCall(AggregateCall* call, const Visit& visit) {
  VisitAll(&call->args, ExprScope::kInput, visit);
  visit(&call->filter, ExprScope::kInput);
  VisitKeys(&call->order_by, ExprScope::kInput, visit);
}

void VisitRow(RowExpressions* rows, const Visit& visit) {
  for (auto& [name, expr] : rows->checks) visit(&expr, ExprScope::kRow);
  for (auto& [column, expr] : rows->generated) visit(&expr, ExprScope::kRow);
  for (auto& index : rows->indexes) {
    VisitAll(&index.columns, ExprScope::kRow, visit);
    visit(&index.where, ExprScope::kRow);
  }
}

template <typename Scan>
void VisitScan(Scan* scan, const Visit& visit) {
  visit(&scan->lower.value, ExprScope::kNone);
  visit(&scan->upper.value, ExprScope::kNone);
  visit(&scan->filter, ExprScope::kOutput);
}

void VisitSearch(PhysicalVectorSearch* search, const Visit& visit) {
  visit(&search->query, ExprScope::kNone);
  visit(&search->limit, ExprScope::kNone);
  visit(&search->offset, ExprScope::kNone);
  visit(&search->radius.value, ExprScope::kNone);
}

void VisitWindow(PhysicalWindow* window, const Visit& visit) {
  for (WindowCall& call : window->calls) {
    VisitCall(&call.call, visit);
    VisitAll(&call.partition_by, ExprScope::kInput, visit);
    VisitKeys(&call.order_by, ExprScope::kInput, visit);
    visit(&call.start_offset, ExprScope::kNone);
    visit(&call.end_offset, ExprScope::kNone);
  }
}

void VisitInsert(PhysicalInsert* insert, const Visit& visit) {
  VisitAll(&insert->defaults, ExprScope::kNone, visit);
  VisitRow(&insert->row_expressions, visit);
  for (UpsertClause& upsert : insert->upserts) {
    for (auto& [column, expr] : upsert.assignments) visit(&expr, ExprScope::kRow);
    visit(&upsert.where, ExprScope::kRow);
  }
  VisitAll(&insert->returning.exprs, ExprScope::kRow, visit);
}

void VisitRaw(PhysicalNode* node, const Visit& visit) {
  switch (node->kind) {
    case PhysicalKind::kTableScan: VisitScan(&node->As<PhysicalTableScan>(), visit); return;
    case PhysicalKind::kRowIdLookup:
      VisitAll(&node->As<PhysicalRowIdLookup>().values, ExprScope::kNone, visit);
      visit(&node->As<PhysicalRowIdLookup>().filter, ExprScope::kOutput);
      return;
    case PhysicalKind::kIndexScan:
      VisitAll(&node->As<PhysicalIndexScan>().prefix, ExprScope::kNone, visit);
      VisitAll(&node->As<PhysicalIndexScan>().in_list, ExprScope::kNone, visit);
      VisitScan(&node->As<PhysicalIndexScan>(), visit);
      return;
    case PhysicalKind::kVectorSearch: VisitSearch(&node->As<PhysicalVectorSearch>(), visit); return;
    case PhysicalKind::kValues:
      for (auto& row : node->As<PhysicalValues>().rows) VisitAll(&row, ExprScope::kNone, visit);
      return;
    case PhysicalKind::kTableFunction: VisitAll(&node->As<PhysicalTableFunction>().arguments, ExprScope::kNone, visit); return;
    case PhysicalKind::kFilter: visit(&node->As<PhysicalFilter>().predicate, ExprScope::kInput); return;
    case PhysicalKind::kProject: VisitAll(&node->As<PhysicalProject>().exprs, ExprScope::kInput, visit); return;
    case PhysicalKind::kNestedLoopJoin: visit(&node->As<PhysicalNestedLoopJoin>().condition, ExprScope::kBoth); return;
    case PhysicalKind::kHashJoin:
      VisitAll(&node->As<PhysicalHashJoin>().left_keys, ExprScope::kInput, visit);
      VisitAll(&node->As<PhysicalHashJoin>().right_keys, ExprScope::kRight, visit);
      visit(&node->As<PhysicalHashJoin>().condition, ExprScope::kBoth);
      return;
    case PhysicalKind::kAggregate:
      VisitAll(&node->As<PhysicalAggregate>().groups, ExprScope::kInput, visit);
      for (AggregateCall& call : node->As<PhysicalAggregate>().aggregates) VisitCall(&call, visit);
      return;
    case PhysicalKind::kWindow: VisitWindow(&node->As<PhysicalWindow>(), visit); return;
    case PhysicalKind::kSort:
      VisitKeys(&node->As<PhysicalSort>().keys, ExprScope::kInput, visit);
      visit(&node->As<PhysicalSort>().limit, ExprScope::kNone);
      visit(&node->As<PhysicalSort>().offset, ExprScope::kNone);
      return;
    case PhysicalKind::kLockRows:
      for (RowLock& lock : node->As<PhysicalLockRows>().locks) VisitAll(&lock.key, ExprScope::kInput, visit);
      return;
    case PhysicalKind::kLimit:
      visit(&node->As<PhysicalLimit>().limit, ExprScope::kNone);
      visit(&node->As<PhysicalLimit>().offset, ExprScope::kNone);
      return;
    case PhysicalKind::kRecursiveCte:
      VisitKeys(&node->As<PhysicalRecursiveCte>().order_by, ExprScope::kOutput, visit);
      visit(&node->As<PhysicalRecursiveCte>().limit, ExprScope::kNone);
      visit(&node->As<PhysicalRecursiveCte>().offset, ExprScope::kNone);
      return;
    case PhysicalKind::kInsert: VisitInsert(&node->As<PhysicalInsert>(), visit); return;
    case PhysicalKind::kUpdate:
      VisitRow(&node->As<PhysicalUpdate>().row_expressions, visit);
      VisitAll(&node->As<PhysicalUpdate>().returning.exprs, ExprScope::kRow, visit);
      return;
    case PhysicalKind::kDelete:
      VisitRow(&node->As<PhysicalDelete>().row_expressions, visit);
      VisitAll(&node->As<PhysicalDelete>().returning.exprs, ExprScope::kRow, visit);
      return;
    case PhysicalKind::kDistinct:
    case PhysicalKind::kSetOp:
    case PhysicalKind::kMaterialize:
    case PhysicalKind::kCteScan: return;
  }
}

}  // namespace

void VisitPhysicalExprs(PhysicalNode* node, const std::function<void(ExprPtr*, ExprScope)>& visit) {
  VisitRaw(node, [&](ExprPtr* expr, ExprScope scope) {
    if (*expr != nullptr) visit(expr, scope);
  });
}

}  // namespace turdb::sql
