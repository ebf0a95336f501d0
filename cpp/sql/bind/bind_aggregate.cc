// Aggregate calls. A call belongs to the innermost query whose columns its arguments mention (SQLite's rule), is
// collected there, and stands in its expression as a column of that query's aggregation.
#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/bind/binding.h"

namespace turdb::sql {
namespace {

bool SameKeys(const std::vector<SortKey>& a, const std::vector<SortKey>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    const bool same = a[i].is_descending == b[i].is_descending && a[i].nulls_first == b[i].nulls_first &&
                      a[i].collation == b[i].collation && ExprEquals(*a[i].expr, *b[i].expr);
    if (!same) return false;
  }
  return true;
}

bool SameCall(const AggregateCall& a, const AggregateCall& b) {
  if (a.function != b.function || a.is_distinct != b.is_distinct || a.collation != b.collation) return false;
  if (a.args.size() != b.args.size() || (a.filter == nullptr) != (b.filter == nullptr)) return false;
  for (size_t i = 0; i < a.args.size(); ++i) {
    if (!ExprEquals(*a.args[i], *b.args[i])) return false;
  }
  return (a.filter == nullptr || ExprEquals(*a.filter, *b.filter)) && SameKeys(a.order_by, b.order_by);
}

}  // namespace

absl::Status Binding::BindSortKeys(const List<OrderingTerm>& terms, std::vector<SortKey>* keys) {
  for (const OrderingTerm& term : terms) {
    SortKey& key = keys->emplace_back();
    TURDB_ASSIGN_OR_RETURN(key.expr, BindExpr(*term.expr));
    SetOrder(term, &key);
  }
  return absl::OkStatus();
}

// Arguments, DISTINCT, FILTER and ORDER BY, of aggregates and of windows.
absl::Status Binding::BindAggregateParts(const FunctionExpr& expr, AggregateCall* call) {
  TURDB_RETURN_IF_ERROR(BindList(expr.arguments, &call->args));
  call->is_distinct = expr.is_distinct;
  if (expr.is_distinct && expr.arguments.size() != 1) {
    return Misuse("DISTINCT aggregates must have exactly one argument", expr.pos);
  }
  if (expr.filter != nullptr) {
    TURDB_ASSIGN_OR_RETURN(call->filter, BindExpr(*expr.filter));
  }
  TURDB_RETURN_IF_ERROR(BindSortKeys(expr.order_by, &call->order_by));
  for (const ExprPtr& arg : call->args) {
    if (!arg->has_collation) continue;
    call->collation = arg->collation;
    break;
  }
  return absl::OkStatus();
}

// SQLite has two wordings: the shorter one where the query aggregates anyway, or the place is ORDER BY.
absl::Status Binding::MisusedAggregate(const FunctionExpr& expr, bool is_short) const {
  return Misuse(Cat("misuse of aggregate", is_short ? ": " : " function ", expr.name.text, "()"), expr.pos);
}

// In the WHERE of a query that aggregates, a call may still belong to a query further out.
bool Binding::MayAggregate() const {
  if (scope_ == nullptr) return false;
  if (scope_->are_aggregates_allowed) return true;
  const bool aggregates = !scope_->aggregates.empty() || (scope_->core != nullptr && !scope_->core->group_by.empty());
  return aggregates && !scope_->is_in_aggregate;
}

ExprResult Binding::BindAggregateCall(const FunctionExpr& expr, const AggregateFunction& function) {
  if (!MayAggregate()) return MisusedAggregate(expr, scope_ != nullptr && scope_->are_windows_allowed);
  AggregateCall call;
  call.function = &function;
  ReferenceTracker tracker{scope_->depth, -1, -1, trackers_};
  {
    Restore<ReferenceTracker*> tracking(&trackers_, &tracker);
    Restore<bool> no_aggregates(&scope_->are_aggregates_allowed, false);
    Restore<bool> no_windows(&scope_->are_windows_allowed, false);
    Restore<bool> in_aggregate(&scope_->is_in_aggregate, true);
    TURDB_RETURN_IF_ERROR(BindAggregateParts(expr, &call));
  }
  Scope* owner = scope_;
  while (tracker.deepest >= 0 && owner->depth > tracker.deepest) owner = owner->parent;
  if (!owner->are_aggregates_allowed) return MisusedAggregate(expr, !owner->is_in_aggregate);
  OutColumn out;
  for (const ExprPtr& arg : call.args) {
    if (!arg->has_explicit_collation) continue;
    out.collation = arg->collation;
    out.has_collation = true;
    break;
  }
  const auto same = std::find_if(owner->aggregates.begin(), owner->aggregates.end(),
                                 [&](const AggregateCall& other) { return SameCall(call, other); });
  if (same != owner->aggregates.end()) {
    out.id = same->output;
  } else {
    out.id = call.output = NewColumn(text_.substr(expr.pos.offset, expr.pos.length));
    owner->aggregates.push_back(std::move(call));
  }
  ExprPtr result = NewColumnExpr(out, expr.pos);
  result->has_explicit_collation = out.has_collation;
  return result;
}

}  // namespace turdb::sql
