// From expressions over the rows of FROM to expressions over groups: what equals a GROUP BY term becomes that group's
// column; any other column of FROM is a bare column, which the aggregation hands on from one row of the group.
// Correlated subqueries are rewritten inside: their columns of this query change in the same way.
#include "sql/bind/binding.h"
#include "sql/bind/walk.h"

namespace turdb::sql {

ExprPtr Binding::GroupColumn(const Scope& scope, int group) const {
  const BoundExpr& from = *scope.groups[group];
  ExprPtr column = NewExpr(BoundKind::kColumn, from.pos);
  column->column = scope.group_ids[group];
  column->affinity = from.affinity;
  column->collation = from.collation;
  column->has_collation = from.has_collation;
  column->has_explicit_collation = from.has_explicit_collation;
  column->type = from.type;
  return column;
}

ColumnId Binding::BareColumn(Scope* scope, const BoundExpr& column) {
  for (const AggregateCall& call : scope->aggregates) {
    if (call.function == nullptr && call.args[0]->column == column.column) return call.output;
  }
  AggregateCall bare;
  bare.args.push_back(CloneExpr(column));
  bare.output = NewColumn(bound_.column_names[column.column.value()]);
  scope->aggregates.push_back(std::move(bare));
  return scope->aggregates.back().output;
}

void Binding::RewriteOverGroups(Scope* scope, ExprPtr* expr) {
  for (size_t i = 0; i < scope->groups.size(); ++i) {
    if (!ExprEquals(**expr, *scope->groups[i])) continue;
    *expr = GroupColumn(*scope, static_cast<int>(i));
    return;
  }
  BoundExpr& node = **expr;
  if (node.kind == BoundKind::kColumn && IsOwnedBy(node.column, *scope)) {
    node.column = BareColumn(scope, node);
    return;
  }
  for (ExprPtr& arg : node.args) RewriteOverGroups(scope, &arg);
  if (node.subquery != nullptr) RewriteTreeOverGroups(scope, node.subquery->logical.get());
}

void Binding::RewriteTreeOverGroups(Scope* scope, LogicalNode* node) {
  VisitExprs(node, [&](ExprPtr* expr) { RewriteOverGroups(scope, expr); });
  for (LogicalPtr& child : node->children) RewriteTreeOverGroups(scope, child.get());
  if (node->kind != LogicalKind::kCteRef) return;
  // A common table that will be put in this place, and is nowhere else in the tree.
  CteEntry* entry = ctes_[node->As<LogicalCteRef>().cte_id];
  if (entry != nullptr && entry->is_inlined && entry->definition != nullptr) {
    RewriteTreeOverGroups(scope, entry->definition.get());
  }
}

void Binding::RewriteWindowsOverGroups(Scope* scope) {
  for (WindowCall& window : scope->windows) {
    VisitWindowExprs(&window, [&](ExprPtr* expr) { RewriteOverGroups(scope, expr); });
  }
}

}  // namespace turdb::sql
