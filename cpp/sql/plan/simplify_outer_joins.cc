// simplify_outer_joins: an outer join becomes an inner one when a filter above rejects the rows it would add, and a
// RIGHT JOIN becomes a LEFT JOIN with its sides exchanged (output is by ColumnId, so order does not matter).
// Source: Galindo-Legaria & Rosenthal, "Outerjoin simplification and reordering", TODS 1997.
#include "sql/plan/conjuncts.h"
#include "sql/plan/rule.h"

namespace turdb::sql {
namespace {

// `above`: predicates that every row which leaves `node` must still pass. Only looked at, never moved.
using Filters = std::vector<const BoundExpr*>;

bool AnyRejects(const Filters& filters, const LogicalNode& side) {
  const ColumnSet columns = ColumnSet::Of(side.output);
  for (const BoundExpr* filter : filters) {
    if (RejectsNulls(*filter, columns)) return true;
  }
  return false;
}

void ExchangeSides(LogicalJoin* join) {
  std::swap(join->children[0], join->children[1]);
  join->output = join->children[0]->output;
  join->output.insert(join->output.end(), join->children[1]->output.begin(), join->children[1]->output.end());
}

void SimplifyJoin(LogicalJoin* join, const Filters& above) {
  if (join->type == JoinType::kRight) {
    ExchangeSides(join);
    join->type = JoinType::kLeft;
  }
  if (join->type == JoinType::kFull) {
    const bool needs_left_match = AnyRejects(above, *join->children[0]);   // rows without a left partner fall away
    const bool needs_right_match = AnyRejects(above, *join->children[1]);
    if (needs_left_match) {
      join->type = JoinType::kLeft;
    } else if (needs_right_match) {
      ExchangeSides(join);
      join->type = JoinType::kLeft;
    }
  }
  if (join->type == JoinType::kLeft && AnyRejects(above, *join->children[1])) join->type = JoinType::kInner;
}

void Simplify(LogicalNode* node, Filters above) {
  switch (node->kind) {
    case LogicalKind::kFilter:
      above.push_back(node->As<LogicalFilter>().predicate.get());
      Simplify(node->children[0].get(), above);
      return;
    case LogicalKind::kJoin: {
      auto& join = node->As<LogicalJoin>();
      SimplifyJoin(&join, above);
      Filters left = above;
      Filters right = above;
      const bool is_inner = join.type == JoinType::kInner || join.type == JoinType::kCross;
      if (join.condition != nullptr && (is_inner || join.type == JoinType::kLeft)) {
        if (is_inner) left.push_back(join.condition.get());
        right.push_back(join.condition.get());
      }
      if (join.type == JoinType::kFull) left.clear();
      if (!is_inner && join.type != JoinType::kLeft) right.clear();
      if (join.type == JoinType::kLeft) {
        right.clear();
        right.push_back(join.condition.get());
        if (join.condition == nullptr) right.clear();
      }
      Simplify(join.children[0].get(), left);
      Simplify(join.children[1].get(), right);
      return;
    }
    default:
      for (LogicalPtr& child : node->children) Simplify(child.get(), {});
  }
}

}  // namespace

LogicalPtr SimplifyOuterJoins(LogicalPtr root, RuleContext*) {
  Simplify(root.get(), {});
  return root;
}

}  // namespace turdb::sql
