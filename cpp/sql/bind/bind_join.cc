// Joins: ON, USING, NATURAL, parenthesised joins.
//
// ON sees every table of its FROM clause, as in SQLite: it is bound when all are known. Columns that USING or NATURAL
// merges are marked on the right side's source (Source::usings); looking up a bare name minds the marks.
#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/bind/binding.h"

namespace turdb::sql {
namespace {

JoinType TypeOf(JoinKind kind) {
  switch (kind) {
    case JoinKind::kComma:
    case JoinKind::kInner: return JoinType::kInner;
    case JoinKind::kCross: return JoinType::kCross;
    case JoinKind::kLeft: return JoinType::kLeft;
    case JoinKind::kRight: return JoinType::kRight;
    case JoinKind::kFull: return JoinType::kFull;
  }
  return JoinType::kInner;
}

bool HasRightJoin(const TableRef& ref) {
  if (ref.kind != TableRefKind::kJoin) return false;
  const JoinTableRef& join = ref.As<JoinTableRef>();
  return join.join == JoinKind::kRight || join.join == JoinKind::kFull || HasRightJoin(*join.left) ||
         HasRightJoin(*join.right);
}

bool IsOuter(JoinType type) {
  return type == JoinType::kLeft || type == JoinType::kRight || type == JoinType::kFull;
}

}  // namespace

PlanResult Binding::BindFromClause(Scope* scope, const TableRef& from, std::vector<ExprPtr>* moved_conditions) {
  scope->has_right_join = HasRightJoin(from);
  std::vector<PendingOn> pending;
  TURDB_ASSIGN_OR_RETURN(LogicalPtr root, BindTableRef(scope, from, &pending));
  TURDB_RETURN_IF_ERROR(BindOns(scope, pending, moved_conditions));
  return root;
}

PlanResult Binding::BindJoin(Scope* scope, const JoinTableRef& join, std::vector<PendingOn>* pending) {
  const size_t begin = scope->sources.size();
  TURDB_ASSIGN_OR_RETURN(LogicalPtr left, BindTableRef(scope, *join.left, pending));
  const size_t middle = scope->sources.size();
  TURDB_ASSIGN_OR_RETURN(LogicalPtr right, BindTableRef(scope, *join.right, pending));
  auto node = std::make_unique<LogicalJoin>();
  node->type = TypeOf(join.join);
  if (join.is_natural && (join.on != nullptr || !join.using_columns.empty())) {
    return Misuse("a NATURAL join may not have an ON or USING clause", join.pos);
  }
  if (join.is_natural || !join.using_columns.empty()) {
    TURDB_ASSIGN_OR_RETURN(node->condition, UsingCondition(scope, join, begin, middle));
  }
  if (join.on != nullptr) pending->push_back({node.get(), join.on, scope->sources.size()});
  scope->has_outer_join = scope->has_outer_join || IsOuter(node->type);
  node->children.push_back(std::move(left));
  node->children.push_back(std::move(right));
  return node;
}

// The column `name` of the sources in [begin, end), as one side of USING.
ExprResult Binding::UsingColumn(Scope* scope, Name name, size_t begin, size_t end) {
  ColumnExpr column;
  column.pos = name.pos;
  column.column = name;
  Match match;
  FindColumn(*scope, column, begin, end, &match);
  if (match.count > 1 && !scope->has_right_join) match.count = 1;  // the leftmost, as in SQLite
  const bool is_rowid = match.count == 1 && match.column == catalog::kRowIdColumn;
  if (match.count == 0 || is_rowid) {
    return NameProblem(Cat("cannot join using column ", name.text, " - column not present in both tables"), name.pos);
  }
  if (match.count > 1) return NameProblem(Cat("ambiguous reference to ", name.text, " in USING()"), name.pos);
  return MatchExpr(scope, match, name.pos);
}

ExprResult Binding::UsingCondition(Scope* scope, const JoinTableRef& join, size_t begin, size_t middle) {
  const size_t end = scope->sources.size();
  std::vector<Name> names(join.using_columns.begin(), join.using_columns.end());
  if (join.is_natural) {  // columns of the right side that the left side has too
    for (size_t r = middle; r < end; ++r) {
      const Source& right = scope->sources[r];
      for (size_t c = 0; c < right.column_count(); ++c) {
        const std::string_view name = right.ColumnName(c);
        const bool is_hidden = right.table == nullptr && right.columns[c].is_hidden;
        const bool is_repeated = right.FindUsing(name) != nullptr;  // inside a parenthesised right side
        const bool is_common = std::any_of(scope->sources.begin() + static_cast<ptrdiff_t>(begin),
                                           scope->sources.begin() + static_cast<ptrdiff_t>(middle),
                                           [&](const Source& left) { return left.Find(name) >= 0; });
        if (is_common && !is_hidden && !is_repeated) names.push_back({name, join.pos, 0});
      }
    }
  }
  ExprPtr condition;
  for (const Name& name : names) {
    TURDB_ASSIGN_OR_RETURN(ExprPtr left, UsingColumn(scope, name, begin, middle));
    TURDB_ASSIGN_OR_RETURN(ExprPtr right, UsingColumn(scope, name, middle, end));
    condition = NewAnd(std::move(condition), NewCompare(CompareOp::kEqual, std::move(left), std::move(right), name.pos));
  }
  for (const Name& name : names) {
    for (size_t r = middle; r < end; ++r) {
      if (scope->sources[r].Find(name.text) < 0) continue;
      scope->sources[r].usings.push_back({name.text, join.join});
      break;
    }
  }
  return condition;
}

// A condition of an inner join may mention tables further right; it then is one of WHERE.
absl::Status Binding::BindOns(Scope* scope, const std::vector<PendingOn>& pending, std::vector<ExprPtr>* moved) {
  Restore<Scope*> inside(&scope_, scope);
  for (const PendingOn& on : pending) {
    ReferenceTracker tracker{scope->depth, -1, -1, trackers_};
    Restore<ReferenceTracker*> tracking(&trackers_, &tracker);
    TURDB_ASSIGN_OR_RETURN(ExprPtr condition, BindExpr(*on.on));
    if (tracker.last_source < static_cast<int>(on.sources_end)) {
      on.join->condition = NewAnd(std::move(on.join->condition), std::move(condition));
      continue;
    }
    if (scope->has_outer_join) return Misuse("ON clause references tables to its right", on.on->pos);
    moved->push_back(std::move(condition));
  }
  return absl::OkStatus();
}

// (a JOIN b) AS j: one item with the columns of SELECT *.
PlanResult Binding::BindAliasedJoin(Scope* scope, const JoinTableRef& join) {
  std::unique_ptr<Scope> inner = NewScope(scope->parent);
  std::vector<PendingOn> pending;
  std::vector<ExprPtr> moved;
  TURDB_ASSIGN_OR_RETURN(LogicalPtr root, BindJoin(inner.get(), join, &pending));
  TURDB_RETURN_IF_ERROR(BindOns(inner.get(), pending, &moved));
  for (ExprPtr& condition : moved) {
    auto filter = std::make_unique<LogicalFilter>();
    filter->predicate = std::move(condition);
    filter->children.push_back(std::move(root));
    root = std::move(filter);
  }
  StarExpr star;
  star.pos = join.pos;
  {
    Restore<Scope*> inside(&scope_, inner.get());
    TURDB_RETURN_IF_ERROR(ExpandStar(inner.get(), star));
  }
  auto project = std::make_unique<LogicalProject>();
  std::vector<OutColumn> columns;
  for (ResultItem& item : inner->items) {
    OutColumn column = ColumnOf(*item.expr, NewColumn(item.name), item.name);
    column.origin = item.origin;
    column.origin_column = item.origin_column;
    project->output.push_back(column.id);
    project->exprs.push_back(std::move(item.expr));
    columns.push_back(column);
  }
  NameColumnsOnce(&columns);
  project->children.push_back(std::move(root));
  return AddDerivedSource(scope, join.alias.text, std::move(project), std::move(columns));
}

}  // namespace turdb::sql
