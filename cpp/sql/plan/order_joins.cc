// order_joins: clusters of inner joins are taken apart into relations and predicates and put together again in the
// order that the cost model likes best: exhaustively over left-deep trees for few relations, greedily for many.
// CROSS JOIN keeps its order, as in SQLite; outer joins stay where they are and count as one relation.
// Source: Selinger et al. 1979 (left-deep dynamic programming); Steinbrunn, Moerkotte & Kemper, VLDB J. 1997 (greedy).
#include <algorithm>
#include <cmath>
#include <limits>

#include "sql/plan/access_path.h"
#include "sql/plan/conjuncts.h"
#include "sql/plan/rule.h"

namespace turdb::sql {
namespace {

constexpr size_t kExhaustiveRelations = 9;  // 2^9 sets of at most 9 extensions: well under a millisecond

struct Relation {
  LogicalPtr node;
  ColumnSet columns;
  const LogicalGet* get = nullptr;  // when it is a table, perhaps under a filter
  std::vector<const BoundExpr*> local;  // its own filter's conjuncts
  double rows = 1;                  // after its own filter
  double scan_cost = 1;
};

struct JoinPredicate {
  ExprPtr expr;
  ColumnSet columns;
};

struct Cluster {
  std::vector<Relation> relations;
  std::vector<JoinPredicate> predicates;
  std::vector<uint64_t> masks;
  Statistics* statistics;
};

double RowsOf(const LogicalNode& node, Statistics* statistics) {
  switch (node.kind) {
    case LogicalKind::kGet: return std::max(1.0, statistics->RowCount(*node.As<LogicalGet>().table));
    case LogicalKind::kFilter:
      return std::max(1.0, RowsOf(*node.children[0], statistics) * GuessSelectivity(*node.As<LogicalFilter>().predicate));
    case LogicalKind::kValues: return static_cast<double>(node.As<LogicalValues>().rows.size());
    case LogicalKind::kAggregate:
      return node.As<LogicalAggregate>().groups.empty() ? 1 : std::max(1.0, RowsOf(*node.children[0], statistics) * 0.1);
    case LogicalKind::kJoin:
      return std::max(1.0, RowsOf(*node.children[0], statistics) * std::sqrt(RowsOf(*node.children[1], statistics)));
    case LogicalKind::kLimit: {
      const double rows = RowsOf(*node.children[0], statistics);
      const auto& limit = node.As<LogicalLimit>().limit;
      const bool is_known = limit != nullptr && limit->kind == BoundKind::kConstant && limit->constant.cell().is_integer();
      return is_known ? std::min(rows, std::max(0.0, static_cast<double>(limit->constant.cell().integer))) : rows;
    }
    default: return node.children.empty() ? 100 : RowsOf(*node.children.back(), statistics);
  }
}

void LookInside(Relation* relation, Statistics* statistics) {
  const LogicalNode* node = relation->node.get();
  if (node->kind == LogicalKind::kFilter) {
    const BoundExpr& predicate = *node->As<LogicalFilter>().predicate;
    if (predicate.kind == BoundKind::kAnd) {
      for (const ExprPtr& arg : predicate.args) relation->local.push_back(arg.get());
    } else {
      relation->local.push_back(&predicate);
    }
    node = node->children[0].get();
  }
  relation->rows = RowsOf(*relation->node, statistics);
  relation->scan_cost = relation->rows;
  if (node->kind != LogicalKind::kGet) return;
  relation->get = &node->As<LogicalGet>();
  const AccessPath path = ChooseAccessPath(*relation->get, relation->local, statistics);
  relation->scan_cost = path.cost;
  relation->rows = std::min(relation->rows, path.rows);
}

// A right side that reads columns of the left one (a table function over them) has to stay where it is.
bool IsReorderable(const LogicalNode& node) {
  return node.kind == LogicalKind::kJoin && node.As<LogicalJoin>().type == JoinType::kInner &&
         !ReadsAnyOf(node.children[1].get(), ColumnSet::Of(node.children[0]->output));
}

LogicalPtr Reorder(LogicalPtr node, RuleContext* context);

void TakeApart(LogicalPtr node, Cluster* cluster, Conjuncts* conjuncts, RuleContext* context) {
  if (!IsReorderable(*node)) {
    Relation relation;
    relation.node = Reorder(std::move(node), context);
    relation.columns = ColumnSet::Of(relation.node->output);
    LookInside(&relation, cluster->statistics);
    cluster->relations.push_back(std::move(relation));
    return;
  }
  SplitConjuncts(std::move(node->As<LogicalJoin>().condition), conjuncts);
  TakeApart(std::move(node->children[0]), cluster, conjuncts, context);
  TakeApart(std::move(node->children[1]), cluster, conjuncts, context);
}

struct Step {
  double rows, cost;
};

// Joining relation `next` to a set that has `rows` rows so far.
Step Extend(const Cluster& c, uint64_t joined, double rows, size_t next) {
  const Relation& relation = c.relations[next];
  const uint64_t bit = uint64_t{1} << next;
  std::vector<const BoundExpr*> keys = relation.local;
  double selectivity = 1;
  bool has_equality = false;
  for (size_t p = 0; p < c.predicates.size(); ++p) {
    if ((c.masks[p] & bit) == 0 || (c.masks[p] & ~(joined | bit)) != 0) continue;
    const BoundExpr& expr = *c.predicates[p].expr;
    keys.push_back(&expr);
    const bool is_equality = expr.kind == BoundKind::kCompare && expr.compare == CompareOp::kEqual;
    has_equality = has_equality || is_equality;
    selectivity *= is_equality ? 1 / std::max({2.0, std::min(rows, relation.rows)}) : GuessSelectivity(expr);
  }
  const bool is_connected = keys.size() > relation.local.size();
  double cost = relation.scan_cost + (has_equality ? rows + relation.rows : rows * relation.rows);
  double result = std::max(1.0, rows * relation.rows * selectivity);
  if (relation.get != nullptr && is_connected) {
    const AccessPath path = ChooseAccessPath(*relation.get, keys, c.statistics);
    const double looped = rows * path.cost;
    if (looped < cost) {
      cost = looped;
      result = std::max(1.0, std::min(result, rows * path.rows));
    }
  }
  return {result, cost + result * 0.5};
}

std::vector<size_t> GreedyOrder(const Cluster& c) {
  const size_t n = c.relations.size();
  size_t first = 0;
  for (size_t i = 1; i < n; ++i) {
    if (c.relations[i].rows < c.relations[first].rows) first = i;
  }
  std::vector<size_t> order{first};
  uint64_t joined = uint64_t{1} << first;
  double rows = c.relations[first].rows;
  while (order.size() < n) {
    size_t best = n;
    Step best_step{0, std::numeric_limits<double>::infinity()};
    for (size_t i = 0; i < n; ++i) {
      if ((joined >> i) & 1) continue;
      const Step step = Extend(c, joined, rows, i);
      if (step.cost < best_step.cost) {
        best = i;
        best_step = step;
      }
    }
    order.push_back(best);
    joined |= uint64_t{1} << best;
    rows = best_step.rows;
  }
  return order;
}

std::vector<size_t> ExhaustiveOrder(const Cluster& c) {
  const size_t n = c.relations.size();
  const uint64_t all = (uint64_t{1} << n) - 1;
  struct State {
    double rows = 0, cost = std::numeric_limits<double>::infinity();
    size_t last = 0;
  };
  std::vector<State> states(all + 1);
  for (size_t i = 0; i < n; ++i) states[uint64_t{1} << i] = {c.relations[i].rows, c.relations[i].scan_cost, i};
  for (uint64_t set = 1; set <= all; ++set) {
    if (std::isinf(states[set].cost)) continue;
    for (size_t i = 0; i < n; ++i) {
      if ((set >> i) & 1) continue;
      const Step step = Extend(c, set, states[set].rows, i);
      State& state = states[set | (uint64_t{1} << i)];
      const double cost = states[set].cost + step.cost;
      if (cost < state.cost) state = {step.rows, cost, i};
    }
  }
  std::vector<size_t> order;
  for (uint64_t set = all; set != 0; set &= ~(uint64_t{1} << states[set].last)) order.push_back(states[set].last);
  std::reverse(order.begin(), order.end());
  return order;
}

LogicalPtr PutTogether(Cluster* c, const std::vector<size_t>& order) {
  LogicalPtr tree = std::move(c->relations[order[0]].node);
  ColumnSet columns = c->relations[order[0]].columns;
  ColumnSet all;
  for (const Relation& relation : c->relations) all.AddAll(relation.columns);
  for (size_t i = 1; i < order.size(); ++i) {
    Relation& relation = c->relations[order[i]];
    columns.AddAll(relation.columns);
    auto join = std::make_unique<LogicalJoin>();
    join->output = tree->output;
    join->output.insert(join->output.end(), relation.node->output.begin(), relation.node->output.end());
    Conjuncts condition;
    for (JoinPredicate& predicate : c->predicates) {
      if (predicate.expr == nullptr) continue;
      bool is_complete = true;
      for (size_t r = 0; r < c->relations.size(); ++r) {
        if (predicate.columns.Intersects(c->relations[r].columns) && !columns.ContainsAll(c->relations[r].columns)) is_complete = false;
      }
      if (is_complete) condition.push_back(std::move(predicate.expr));
    }
    join->condition = MergeConjuncts(std::move(condition));
    join->children.push_back(std::move(tree));
    join->children.push_back(std::move(relation.node));
    tree = std::move(join);
  }
  return tree;
}

LogicalPtr ReorderCluster(LogicalPtr node, RuleContext* context) {
  Cluster cluster;
  cluster.statistics = context->statistics;
  Conjuncts conjuncts;
  TakeApart(std::move(node), &cluster, &conjuncts, context);
  for (ExprPtr& expr : conjuncts) {
    ColumnSet columns = ColumnSet::Of(*expr);
    cluster.predicates.push_back({std::move(expr), std::move(columns)});
  }
  const size_t n = cluster.relations.size();
  std::vector<size_t> order;
  if (n > 64) {
    for (size_t i = 0; i < n; ++i) order.push_back(i);
    return PutTogether(&cluster, order);
  }
  for (const JoinPredicate& predicate : cluster.predicates) {
    uint64_t mask = 0;
    for (size_t i = 0; i < n; ++i) {
      if (predicate.columns.Intersects(cluster.relations[i].columns)) mask |= uint64_t{1} << i;
    }
    cluster.masks.push_back(mask);
  }
  order = n <= kExhaustiveRelations ? ExhaustiveOrder(cluster) : GreedyOrder(cluster);
  return PutTogether(&cluster, order);
}

// The output of nodes that pass their children's columns on, after a child's columns changed places.
void RefreshOutput(LogicalNode* node) {
  switch (node->kind) {
    case LogicalKind::kFilter:
    case LogicalKind::kSort:
    case LogicalKind::kLockRows:
    case LogicalKind::kLimit: node->output = node->children[0]->output; return;
    case LogicalKind::kJoin: {
      const JoinType type = node->As<LogicalJoin>().type;
      node->output = node->children[0]->output;
      if (type == JoinType::kSemi || type == JoinType::kAnti) return;
      node->output.insert(node->output.end(), node->children[1]->output.begin(), node->children[1]->output.end());
      return;
    }
    case LogicalKind::kWindow: {
      const size_t calls = node->As<LogicalWindow>().calls.size();
      std::vector<ColumnId> output = node->children[0]->output;
      output.insert(output.end(), node->output.end() - static_cast<ptrdiff_t>(calls), node->output.end());
      node->output = std::move(output);
      return;
    }
    default: return;
  }
}

LogicalPtr Reorder(LogicalPtr node, RuleContext* context) {
  if (IsReorderable(*node)) return ReorderCluster(std::move(node), context);
  for (LogicalPtr& child : node->children) child = Reorder(std::move(child), context);
  RefreshOutput(node.get());
  return node;
}

}  // namespace

LogicalPtr OrderJoins(LogicalPtr root, RuleContext* context) { return Reorder(std::move(root), context); }

}  // namespace turdb::sql
