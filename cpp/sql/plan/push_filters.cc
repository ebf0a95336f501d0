// push_filters: every conjunct of WHERE, HAVING and inner ON conditions goes down to the lowest node that gives all
// the columns it reads; conjuncts without columns go to the leftmost leaf, where a false one stops the whole branch.
// Source: the classical rewriting, e.g. Garcia-Molina, Ullman & Widom, "Database Systems: The Complete Book", 16.2.
#include <algorithm>

#include "sql/plan/conjuncts.h"
#include "sql/plan/rule.h"

namespace turdb::sql {
namespace {

LogicalPtr Push(LogicalPtr node, Conjuncts filters);

LogicalPtr Above(LogicalPtr node, Conjuncts filters) {
  if (filters.empty()) return node;
  auto filter = std::make_unique<LogicalFilter>();
  filter->output = node->output;
  filter->predicate = MergeConjuncts(std::move(filters));
  filter->children.push_back(std::move(node));
  return filter;
}

// Children that take no filter from above are still rewritten inside.
LogicalPtr PushNothing(LogicalPtr node) {
  for (LogicalPtr& child : node->children) child = Push(std::move(child), {});
  return node;
}

bool IsVolatileOrNested(const BoundExpr& expr) { return HasSubquery(expr) || !IsDeterministic(expr); }

LogicalPtr PushThroughProject(LogicalPtr node, Conjuncts filters) {
  auto& project = node->As<LogicalProject>();
  const bool is_movable = std::none_of(project.exprs.begin(), project.exprs.end(),
                                       [](const ExprPtr& expr) { return IsVolatileOrNested(*expr); });
  Conjuncts below, stay;
  for (ExprPtr& filter : filters) {
    if (!is_movable || IsVolatileOrNested(*filter)) {
      stay.push_back(std::move(filter));
      continue;
    }
    SubstituteColumns(&filter, {&project.output, &project.exprs});
    SplitConjuncts(std::move(filter), &below);
  }
  node->children[0] = Push(std::move(node->children[0]), std::move(below));
  return Above(std::move(node), std::move(stay));
}

LogicalPtr PushThroughAggregate(LogicalPtr node, Conjuncts filters) {
  auto& aggregate = node->As<LogicalAggregate>();
  const size_t group_count = aggregate.groups.size();
  const std::vector<ColumnId> group_columns(aggregate.output.begin(), aggregate.output.begin() + group_count);
  const ColumnSet groups = ColumnSet::Of(group_columns);
  const bool is_movable = group_count > 0 && std::none_of(aggregate.groups.begin(), aggregate.groups.end(),
      [](const ExprPtr& expr) { return IsVolatileOrNested(*expr); });
  Conjuncts below, stay;
  for (ExprPtr& filter : filters) {
    const ColumnSet used = ColumnSet::Of(*filter);
    // A text group under NOCASE keeps one of several spellings: a filter on it must see the one that was kept.
    const bool is_exact = std::all_of(aggregate.group_collations.begin(), aggregate.group_collations.end(),
                                      [](Collation c) { return c == Collation::kBinary; });
    if (!is_movable || !is_exact || used.empty() || !groups.ContainsAll(used) || IsVolatileOrNested(*filter)) {
      stay.push_back(std::move(filter));
      continue;
    }
    SubstituteColumns(&filter, {&group_columns, &aggregate.groups});
    below.push_back(std::move(filter));
  }
  node->children[0] = Push(std::move(node->children[0]), std::move(below));
  return Above(std::move(node), std::move(stay));
}

LogicalPtr PushThroughJoin(LogicalPtr node, Conjuncts filters) {
  auto& join = node->As<LogicalJoin>();
  const bool is_inner = join.type == JoinType::kInner || join.type == JoinType::kCross;
  const bool keeps_left = is_inner || join.type == JoinType::kLeft || join.type == JoinType::kSemi || join.type == JoinType::kAnti;
  if (is_inner) SplitConjuncts(std::move(join.condition), &filters);
  const ColumnSet left = ColumnSet::Of(join.children[0]->output);
  const ColumnSet right = ColumnSet::Of(join.children[1]->output);
  Conjuncts to_left, to_right, on, stay;
  for (ExprPtr& filter : filters) {
    const ColumnSet used = ColumnSet::Of(*filter);
    const bool reads_left = used.Intersects(left);
    const bool reads_right = used.Intersects(right);
    if (keeps_left && !reads_right) {
      to_left.push_back(std::move(filter));
    } else if (is_inner && !reads_left) {
      to_right.push_back(std::move(filter));
    } else if (is_inner) {
      on.push_back(std::move(filter));
    } else {
      stay.push_back(std::move(filter));
    }
  }
  if (join.type == JoinType::kLeft || join.type == JoinType::kSemi || join.type == JoinType::kAnti) {
    Conjuncts condition;
    SplitConjuncts(std::move(join.condition), &condition);
    for (ExprPtr& part : condition) {
      const ColumnSet used = ColumnSet::Of(*part);
      (!used.Intersects(left) && used.Intersects(right) ? to_right : on).push_back(std::move(part));
    }
  }
  if (join.type != JoinType::kRight && join.type != JoinType::kFull) join.condition = MergeConjuncts(std::move(on));
  join.children[0] = Push(std::move(join.children[0]), std::move(to_left));
  join.children[1] = Push(std::move(join.children[1]), std::move(to_right));
  return Above(std::move(node), std::move(stay));
}

LogicalPtr PushThroughUnionAll(LogicalPtr node, Conjuncts filters) {
  auto& set = node->As<LogicalSetOp>();
  Conjuncts below[2], stay;
  std::vector<ExprPtr> columns[2];
  for (int side = 0; side < 2; ++side) {
    for (ColumnId id : set.children[side]->output) {
      auto column = std::make_unique<BoundExpr>(BoundKind::kColumn);
      column->column = id;
      columns[side].push_back(std::move(column));
    }
  }
  for (ExprPtr& filter : filters) {
    if (IsVolatileOrNested(*filter)) {
      stay.push_back(std::move(filter));
      continue;
    }
    ExprPtr copy = CloneExpr(*filter);
    SubstituteColumns(&filter, {&set.output, &columns[0]});
    SubstituteColumns(&copy, {&set.output, &columns[1]});
    below[0].push_back(std::move(filter));
    below[1].push_back(std::move(copy));
  }
  for (int side = 0; side < 2; ++side) {
    set.children[side] = Push(std::move(set.children[side]), std::move(below[side]));
  }
  return Above(std::move(node), std::move(stay));
}

LogicalPtr Push(LogicalPtr node, Conjuncts filters) {
  switch (node->kind) {
    case LogicalKind::kFilter: {
      SplitConjuncts(std::move(node->As<LogicalFilter>().predicate), &filters);
      return Push(std::move(node->children[0]), std::move(filters));
    }
    case LogicalKind::kProject: return PushThroughProject(std::move(node), std::move(filters));
    case LogicalKind::kJoin: return PushThroughJoin(std::move(node), std::move(filters));
    case LogicalKind::kAggregate: return PushThroughAggregate(std::move(node), std::move(filters));
    case LogicalKind::kSetOp:
      if (node->As<LogicalSetOp>().op == SetOp::kUnionAll) return PushThroughUnionAll(std::move(node), std::move(filters));
      break;
    case LogicalKind::kSort:
      node->children[0] = Push(std::move(node->children[0]), std::move(filters));
      return node;
    case LogicalKind::kCte:
      node->children[0] = Push(std::move(node->children[0]), {});
      node->children[1] = Push(std::move(node->children[1]), std::move(filters));
      return node;
    default: break;
  }
  return Above(PushNothing(std::move(node)), std::move(filters));
}

}  // namespace

LogicalPtr PushFilters(LogicalPtr root, RuleContext*) { return Push(std::move(root), {}); }

}  // namespace turdb::sql
