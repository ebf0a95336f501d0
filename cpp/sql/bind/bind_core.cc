// One SELECT core: FROM, result columns, WHERE, GROUP BY, HAVING and the ORDER BY that stands over it.
//
// Every expression is bound over the columns of FROM; when the core turns out to aggregate, they are rewritten over
// the aggregation's output (rewrite_aggregate.cc), and build_core.cc puts the nodes on top of each other.
#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/bind/binding.h"

namespace turdb::sql {
namespace {

const Expr& SkipCollate(const Expr& expr) {
  const Expr* at = &expr;
  while (at->kind == ExprKind::kCollate) at = at->As<CollateExpr>().operand;
  return *at;
}

// The column that an ORDER BY or GROUP BY term names by number, as SQLite sees integers: 3, -3, +3.
bool IsIntegerTerm(const Expr& expr, int64_t* value) {
  if (expr.kind == ExprKind::kUnary) {
    const UnaryExpr& unary = expr.As<UnaryExpr>();
    if (unary.op != UnaryOp::kMinus && unary.op != UnaryOp::kPlus) return false;
    if (!IsIntegerTerm(*unary.operand, value)) return false;
    if (unary.op == UnaryOp::kMinus) *value = -1;  // out of range whatever it is
    return true;
  }
  if (expr.kind != ExprKind::kLiteral || expr.As<LiteralExpr>().literal != LiteralKind::kInteger) return false;
  *value = expr.As<LiteralExpr>().integer;
  return true;
}

const ColumnExpr* BareName(const Expr& expr) {
  if (expr.kind != ExprKind::kColumn) return nullptr;
  const ColumnExpr& column = expr.As<ColumnExpr>();
  return column.table.empty() ? &column : nullptr;
}

}  // namespace

std::string Ordinal(size_t n) {
  const size_t tens = n % 100;
  const char* suffix = "th";
  if (tens < 11 || tens > 13) {
    if (n % 10 == 1) suffix = "st";
    if (n % 10 == 2) suffix = "nd";
    if (n % 10 == 3) suffix = "rd";
  }
  return Cat(n, suffix);
}

// From 0; -1 when the term is no integer.
absl::StatusOr<int> Binding::ItemNumber(const Expr& term, size_t width, size_t place, std::string_view clause) const {
  int64_t number = 0;
  if (!IsIntegerTerm(SkipCollate(term), &number)) return -1;
  if (number >= 1 && number <= static_cast<int64_t>(width)) return static_cast<int>(number - 1);
  return NameProblem(Cat(Ordinal(place + 1), " ", clause, " BY term out of range - should be between 1 and ", width),
                     term.pos);
}

absl::Status Binding::ExpandStar(Scope* scope, const StarExpr& star) {
  if (scope->sources.empty() && star.table.empty()) return NameProblem("no tables specified", star.pos);
  bool is_found = star.table.empty();
  for (size_t s = 0; s < scope->sources.size(); ++s) {
    if (scope->sources[s].is_qualified_only) continue;
    if (!star.table.empty() && !EqualsIgnoreCase(scope->sources[s].name, star.table.text)) continue;
    is_found = true;
    const size_t count = scope->sources[s].column_count();
    for (size_t c = 0; c < count; ++c) {
      const Source& source = scope->sources[s];
      const std::string_view name = source.ColumnName(c);
      if (source.table == nullptr && source.columns[c].is_hidden) continue;
      if (star.table.empty() && source.FindUsing(name) != nullptr) continue;  // shown by the left side
      if (IsNameRepeated(*scope, s, name)) {
        return NameProblem(Cat("ambiguous column name: ", source.name, ".", name), star.pos, "give the tables aliases");
      }
      ResultItem item;
      item.name = name;
      // A column that a join to the right merges may have to come from there.
      bool is_merged = false;
      for (size_t r = s + 1; r < scope->sources.size() && star.table.empty(); ++r) {
        const Source::Using* merged = scope->sources[r].FindUsing(name);
        is_merged = is_merged || (merged != nullptr && (merged->join == JoinKind::kRight || merged->join == JoinKind::kFull));
      }
      if (is_merged) {
        ColumnExpr column;
        column.pos = star.pos;
        column.column = {name, star.pos, 0};
        TURDB_ASSIGN_OR_RETURN(item.expr, BindColumn(column));
      } else {
        item.expr = SourceColumn(scope, s, static_cast<int>(c), star.pos);
        item.origin = source.table != nullptr ? source.table : source.columns[c].origin;
        item.origin_column = source.table != nullptr ? static_cast<int>(c) : source.columns[c].origin_column;
      }
      scope->items.push_back(std::move(item));
    }
  }
  return is_found ? absl::OkStatus() : NameProblem(Cat("no such table: ", star.table.text), star.pos);
}

// Whether another item of FROM goes by the same name and has that column too: t.* and t.column then mean either.
bool Binding::IsNameRepeated(const Scope& scope, size_t source, std::string_view column) const {
  const std::string_view name = scope.sources[source].name;
  for (size_t i = 0; i < scope.sources.size() && !name.empty(); ++i) {
    if (i == source || !EqualsIgnoreCase(scope.sources[i].name, name)) continue;
    if (scope.sources[i].Find(column) >= 0) return true;
  }
  return false;
}

absl::Status Binding::BindItems(Scope* scope, const List<ResultColumn>& columns) {
  scope->items.reserve(columns.size());
  for (const ResultColumn& column : columns) {
    if (column.expr->kind == ExprKind::kStar) {
      TURDB_RETURN_IF_ERROR(ExpandStar(scope, column.expr->As<StarExpr>()));
      continue;
    }
    ResultItem item;
    item.ast = &column;
    TURDB_ASSIGN_OR_RETURN(item.expr, BindExpr(*column.expr));
    item.name = column.text;
    if (column.expr->kind == ExprKind::kColumn && item.expr->kind == BoundKind::kColumn) {
      FindOrigin(*item.expr, &item);
    }
    if (item.HasAlias()) item.name = column.alias.text;
    scope->items.push_back(std::move(item));
  }
  return absl::OkStatus();
}

// Where a plain column comes from: names it as its table does, and gives its declared type.
void Binding::FindOrigin(const BoundExpr& expr, ResultItem* item) const {
  for (const Scope* scope = scope_; scope != nullptr; scope = scope->parent) {
    if (!IsOwnedBy(expr.column, *scope)) continue;
    for (const Source& source : scope->sources) {
      if (source.table != nullptr) {
        const auto found = std::find(source.ids.begin(), source.ids.end(), expr.column);
        if (found == source.ids.end()) continue;
        const size_t column = static_cast<size_t>(found - source.ids.begin());
        const bool is_rowid = column == source.table->columns.size();
        item->origin = source.table;
        item->origin_column = is_rowid ? catalog::kRowIdColumn : static_cast<int>(column);
        item->name = is_rowid ? std::string_view("rowid") : source.ColumnName(column);
        return;
      }
      for (const OutColumn& column : source.columns) {
        if (column.id != expr.column) continue;
        item->origin = column.origin;
        item->origin_column = column.origin_column;
        item->name = column.name;
        return;
      }
    }
  }
}

absl::Status Binding::BindGroupBy(Scope* scope) {
  const List<Expr*>& terms = scope->core->group_by;
  for (size_t i = 0; i < terms.size(); ++i) {
    TURDB_ASSIGN_OR_RETURN(int item, ItemNumber(*terms[i], scope->items.size(), i, "GROUP"));
    if (const ColumnExpr* column = BareName(SkipCollate(*terms[i])); item < 0 && column != nullptr) {
      Match match;
      FindColumn(*scope, *column, 0, scope->sources.size(), &match);
      if (match.count == 0) item = FindAlias(*scope, column->column.text);
    }
    const size_t aggregates = scope->aggregates.size();
    ExprPtr group;
    if (item >= 0 && scope->items[item].ast == nullptr) {
      group = CloneExpr(*scope->items[item].expr);
    } else {
      Restore<bool> aliases(&scope->are_aliases_visible, item < 0);
      Restore<bool> no_windows(&scope->are_windows_allowed, false);
      TURDB_ASSIGN_OR_RETURN(group, BindExpr(item >= 0 ? *scope->items[item].ast->expr : *terms[i]));
    }
    // An aggregate that was there already (GROUP BY 1 of count(*)) is found by its output.
    const bool has_aggregate = scope->aggregates.size() > aggregates || MentionsAggregate(*scope, *group);
    if (has_aggregate) return Misuse("aggregate functions are not allowed in the GROUP BY clause", terms[i]->pos);
    if (item >= 0) scope->items[item].group = static_cast<int>(i);
    scope->group_ids.push_back(NewColumn(text_.substr(terms[i]->pos.offset, terms[i]->pos.length)));
    scope->groups.push_back(std::move(group));
  }
  return absl::OkStatus();
}

bool Binding::MentionsAggregate(const Scope& scope, const BoundExpr& expr) {
  if (expr.kind == BoundKind::kColumn) {
    for (const AggregateCall& call : scope.aggregates) {
      if (call.output == expr.column) return true;
    }
  }
  return std::any_of(expr.args.begin(), expr.args.end(),
                     [&](const ExprPtr& arg) { return MentionsAggregate(scope, *arg); });
}

// A term is a result column (by number, by alias, by being the same expression) or an expression of its own.
absl::Status Binding::BindOrderBy(Scope* scope, const List<OrderingTerm>& terms, std::vector<OrderKey>* keys) {
  for (size_t i = 0; i < terms.size(); ++i) {
    const Expr& term = *terms[i].expr;
    OrderKey& order = keys->emplace_back();
    const ColumnExpr* column = BareName(SkipCollate(term));
    if (column != nullptr) order.item = FindAlias(*scope, column->column.text);
    if (order.item < 0) {
      TURDB_ASSIGN_OR_RETURN(order.item, ItemNumber(term, scope->items.size(), i, "ORDER"));
    }
    if (order.item < 0) {
      TURDB_ASSIGN_OR_RETURN(order.key.expr, BindExpr(term));
      for (size_t k = 0; k < scope->items.size() && order.item < 0; ++k) {
        if (ExprEquals(*scope->items[k].expr, *order.key.expr)) order.item = static_cast<int>(k);
      }
      SetOrder(terms[i], &order.key);
      continue;
    }
    // Stands for the item until the core is built; it only lends its collation here.
    order.key.expr = NewExpr(BoundKind::kColumn, term.pos);
    const BoundExpr& item = *scope->items[order.item].expr;
    order.key.expr->collation = item.collation;
    order.key.expr->has_collation = item.has_collation;
    if (term.kind == ExprKind::kCollate) {
      TURDB_ASSIGN_OR_RETURN(order.key.expr->collation, CollationNamed(term.As<CollateExpr>().collation));
      order.key.expr->has_collation = true;
    }
    SetOrder(terms[i], &order.key);
  }
  return absl::OkStatus();
}

// For the ORDER BY of a compound select: terms that mean a result column of this core, found without complaint.
absl::Status Binding::MatchCompoundOrder(Scope* scope, CompoundOrder* order) {
  for (size_t i = 0; i < order->columns.size(); ++i) {
    if (order->columns[i] >= 0) continue;
    const Expr& term = SkipCollate(*(*order->terms)[i].expr);
    if (const ColumnExpr* column = BareName(term)) order->columns[i] = FindAlias(*scope, column->column.text);
    if (order->columns[i] >= 0) continue;
    const size_t aggregates = scope->aggregates.size(), windows = scope->windows.size();
    absl::StatusOr<ExprPtr> bound = BindExpr(term);
    scope->aggregates.resize(std::min(aggregates, scope->aggregates.size()));
    scope->windows.resize(std::min(windows, scope->windows.size()));
    scope->window_ids.resize(scope->windows.size());
    if (!bound.ok()) continue;
    for (size_t k = 0; k < scope->items.size() && order->columns[i] < 0; ++k) {
      if (ExprEquals(*scope->items[k].expr, **bound)) order->columns[i] = static_cast<int>(k);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<BoundSelect> Binding::BindCore(const SelectCore& core, const List<OrderingTerm>& order_by,
                                              Scope* parent, CompoundOrder* compound, List<LockingClause> locking) {
  if (core.is_values) return BindValuesCore(core, parent);
  std::unique_ptr<Scope> scope = NewScope(parent);
  scope->core = &core;
  scope->locking = locking;
  std::vector<ExprPtr> conditions;  // of joins, that only WHERE can see to
  LogicalPtr root;
  if (core.from != nullptr) {
    TURDB_ASSIGN_OR_RETURN(root, BindFromClause(scope.get(), *core.from, &conditions));
  } else {
    auto row = std::make_unique<LogicalValues>();
    row->rows.emplace_back();
    root = std::move(row);
  }
  Restore<Scope*> inside(&scope_, scope.get());
  scope->are_aggregates_allowed = scope->are_windows_allowed = true;
  TURDB_RETURN_IF_ERROR(BindItems(scope.get(), core.columns));
  scope->are_aliases_visible = true;
  scope->are_aggregates_allowed = scope->are_windows_allowed = false;
  TURDB_ASSIGN_OR_RETURN(root, BindWhere(std::move(root), core.where, std::move(conditions)));
  scope->are_aggregates_allowed = true;
  TURDB_RETURN_IF_ERROR(BindGroupBy(scope.get()));
  ExprPtr having;
  if (core.having != nullptr) {
    if (scope->groups.empty() && scope->aggregates.empty()) {
      return Misuse("HAVING clause on a non-aggregate query", core.having->pos);
    }
    TURDB_ASSIGN_OR_RETURN(having, BindExpr(*core.having));
  }
  scope->are_windows_allowed = true;
  // In a query that does not aggregate, ORDER BY may not be what makes it do so.
  scope->are_aggregates_allowed = !scope->groups.empty() || !scope->aggregates.empty();
  std::vector<OrderKey> keys;
  TURDB_RETURN_IF_ERROR(BindOrderBy(scope.get(), order_by, &keys));
  if (compound != nullptr) TURDB_RETURN_IF_ERROR(MatchCompoundOrder(scope.get(), compound));
  if (!locking.empty()) TURDB_RETURN_IF_ERROR(CheckMayLock(*scope, locking[0]));
  return BuildCore(scope.get(), std::move(root), std::move(having), std::move(keys));
}

}  // namespace turdb::sql
