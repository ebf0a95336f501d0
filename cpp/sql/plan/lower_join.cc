// Join methods: index nested loop, hash join, nested loop over a kept right side; by estimated cost.
#include <algorithm>

#include "base/status_macros.h"
#include "sql/plan/access_path.h"
#include "sql/plan/lower.h"
#include "sql/plan/rule.h"

namespace turdb::sql {
namespace {

constexpr double kHashBuildCost = 2;  // a row put into the table, next to a row scanned

struct HashKeys {
  std::vector<size_t> conjuncts;
  std::vector<bool> left_is_first;
};

// Conjuncts of the form left expression = right expression.
HashKeys FindHashKeys(const Conjuncts& conjuncts, const ColumnSet& left, const ColumnSet& right) {
  HashKeys keys;
  for (size_t i = 0; i < conjuncts.size(); ++i) {
    const BoundExpr& expr = *conjuncts[i];
    if (expr.kind != BoundKind::kCompare || expr.compare != CompareOp::kEqual || HasSubquery(expr)) continue;
    const ColumnSet a = ColumnSet::Of(*expr.args[0]);
    const ColumnSet b = ColumnSet::Of(*expr.args[1]);
    const bool forward = a.Intersects(left) && !a.Intersects(right) && b.Intersects(right) && !b.Intersects(left);
    const bool backward = a.Intersects(right) && !a.Intersects(left) && b.Intersects(left) && !b.Intersects(right);
    if (!forward && !backward) continue;
    keys.conjuncts.push_back(i);
    keys.left_is_first.push_back(forward);
  }
  return keys;
}

PhysicalPtr MakeHashJoin(JoinType type, Conjuncts conjuncts, const HashKeys& keys) {
  auto join = std::make_unique<PhysicalHashJoin>();
  join->type = type == JoinType::kCross ? JoinType::kInner : type;
  for (size_t k = 0; k < keys.conjuncts.size(); ++k) {
    ExprPtr& expr = conjuncts[keys.conjuncts[k]];
    const size_t left = keys.left_is_first[k] ? 0 : 1;
    join->left_keys.push_back(std::move(expr->args[left]));
    join->right_keys.push_back(std::move(expr->args[1 - left]));
    join->key_affinities.push_back(expr->compare_affinity);
    join->key_collations.push_back(expr->compare_collation);
    expr = nullptr;
  }
  Conjuncts rest;
  for (ExprPtr& expr : conjuncts) {
    if (expr != nullptr) rest.push_back(std::move(expr));
  }
  join->condition = MergeConjuncts(std::move(rest));
  return join;
}

struct LoopPlan {
  AccessPath path;
  size_t local_count = 0;
  double cost = 0;
};

// The best parameterised path of the right side, when it uses a join conjunct as its key.
bool FindLoop(LogicalNode* right, const Conjuncts& conjuncts, double left_rows, LowerContext* context, LoopPlan* plan) {
  LogicalGet* get = AsFilteredGet(right);
  if (get == nullptr) return false;
  std::vector<const BoundExpr*> all;
  if (right->kind == LogicalKind::kFilter) {
    const BoundExpr& predicate = *right->As<LogicalFilter>().predicate;
    if (predicate.kind == BoundKind::kAnd) {
      for (const ExprPtr& arg : predicate.args) all.push_back(arg.get());
    } else {
      all.push_back(&predicate);
    }
  }
  plan->local_count = all.size();
  for (const ExprPtr& conjunct : conjuncts) all.push_back(conjunct.get());
  plan->path = ChooseAccessPath(*get, all, context->statistics);
  plan->cost = left_rows * plan->path.cost;
  auto is_join = [&](int i) { return i >= 0 && static_cast<size_t>(i) >= plan->local_count; };
  return std::any_of(plan->path.prefix.begin(), plan->path.prefix.end(), [&](size_t i) { return is_join(static_cast<int>(i)); }) ||
         is_join(plan->path.in_list) || is_join(plan->path.lower) || is_join(plan->path.upper);
}

// The right side as a scan whose keys come from registers. Conjuncts that are not keys stay in `conjuncts`.
PhysicalPtr MakeLoopSide(LogicalPtr right, const LoopPlan& plan, Conjuncts* conjuncts) {
  LogicalGet* get = AsFilteredGet(right.get());
  Conjuncts all;
  if (right->kind == LogicalKind::kFilter) {
    ExprPtr predicate = std::move(right->As<LogicalFilter>().predicate);
    if (predicate->kind == BoundKind::kAnd) {
      for (ExprPtr& arg : predicate->args) all.push_back(std::move(arg));
    } else {
      all.push_back(std::move(predicate));
    }
  }
  for (ExprPtr& conjunct : *conjuncts) all.push_back(std::move(conjunct));
  conjuncts->clear();
  return MakeScan(*get, plan.path, std::move(all));
}

void SetOutput(PhysicalNode* join, JoinType type) {
  join->output = join->children[0]->output;
  if (type == JoinType::kSemi || type == JoinType::kAnti) return;
  join->output.insert(join->output.end(), join->children[1]->output.begin(), join->children[1]->output.end());
}

double EstimateRows(JoinType type, double left, double right, bool has_key) {
  if (type == JoinType::kSemi || type == JoinType::kAnti) return std::max(1.0, left * 0.5);
  const double inner = has_key ? left * right / std::max(1.0, std::max(left, right)) : left * right * 0.3;
  return std::max(type == JoinType::kInner || type == JoinType::kCross ? 1.0 : left, inner);
}

}  // namespace

absl::StatusOr<PhysicalPtr> LowerJoin(LogicalPtr node, LowerContext* context) {
  auto& logical = node->As<LogicalJoin>();
  JoinType type = logical.type;
  Conjuncts conjuncts;
  SplitConjuncts(std::move(logical.condition), &conjuncts);
  TURDB_ASSIGN_OR_RETURN(PhysicalPtr left, Lower(std::move(node->children[0]), context));
  LogicalPtr right_logical = std::move(node->children[1]);
  const bool is_dependent = ReadsAnyOf(right_logical.get(), ColumnSet::Of(left->output));
  HashKeys keys = FindHashKeys(conjuncts, ColumnSet::Of(left->output), ColumnSet::Of(right_logical->output));

  const bool may_loop = type != JoinType::kRight && type != JoinType::kFull;
  LoopPlan loop;
  const bool has_loop = may_loop && FindLoop(right_logical.get(), conjuncts, left->estimated_rows, context, &loop);
  if (has_loop) {
    // What the other methods would read: the right side once. The same statistics, without the join's keys.
    LogicalGet* get = AsFilteredGet(right_logical.get());
    const double right_rows = std::max(1.0, context->statistics->RowCount(*get->table));
    const double other = keys.conjuncts.empty() ? left->estimated_rows * right_rows
                                                : right_rows * (1 + kHashBuildCost) + left->estimated_rows;
    if (loop.cost <= other) {
      auto join = std::make_unique<PhysicalNestedLoopJoin>();
      join->type = type == JoinType::kCross ? JoinType::kInner : type;
      join->estimated_rows = std::max(1.0, left->estimated_rows * loop.path.rows);
      // Every conjunct is a key or a filter of the right scan: it reads the left row through registers.
      join->children.push_back(std::move(left));
      join->children.push_back(MakeLoopSide(std::move(right_logical), loop, &conjuncts));
      SetOutput(join.get(), type);
      return PhysicalPtr(std::move(join));
    }
  }

  TURDB_ASSIGN_OR_RETURN(PhysicalPtr right, Lower(std::move(right_logical), context));
  const bool has_key = !keys.conjuncts.empty();
  const double rows = EstimateRows(type, left->estimated_rows, right->estimated_rows, has_key);
  PhysicalPtr join;
  if ((has_key && !is_dependent) || !may_loop) {
    const bool is_inner = type == JoinType::kInner;
    if (is_inner && left->estimated_rows < right->estimated_rows) {  // build on the smaller side
      std::swap(left, right);
      keys.left_is_first.flip();
    }
    join = MakeHashJoin(type, std::move(conjuncts), keys);
  } else {
    auto nested = std::make_unique<PhysicalNestedLoopJoin>();
    nested->type = type == JoinType::kCross ? JoinType::kInner : type;
    nested->condition = MergeConjuncts(std::move(conjuncts));
    join = std::move(nested);
  }
  join->estimated_rows = rows;
  join->children.push_back(std::move(left));
  join->children.push_back(std::move(right));
  SetOutput(join.get(), type);
  return join;
}

}  // namespace turdb::sql
