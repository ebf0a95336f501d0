#include "sql/plan/conjuncts.h"

#include <algorithm>

namespace turdb::sql {
namespace {

// True when the value of `expr` is NULL whenever all columns of `set` are.
bool IsNullOn(const BoundExpr& expr, const ColumnSet& set) {
  switch (expr.kind) {
    case BoundKind::kColumn: return set.Contains(expr.column);
    case BoundKind::kArithmetic:
    case BoundKind::kNot:
      return std::any_of(expr.args.begin(), expr.args.end(),
                         [&](const ExprPtr& arg) { return IsNullOn(*arg, set); });
    case BoundKind::kCompare:
      return expr.compare != CompareOp::kIs && expr.compare != CompareOp::kIsNot &&
             (IsNullOn(*expr.args[0], set) || IsNullOn(*expr.args[1], set));
    case BoundKind::kCast:
    case BoundKind::kAffinity:
    case BoundKind::kCollate:
    case BoundKind::kInList: return IsNullOn(*expr.args[0], set);
    default: return false;
  }
}

}  // namespace

ColumnSet ColumnSet::Of(const BoundExpr& expr) {
  std::vector<ColumnId> columns;
  CollectColumns(expr, &columns);
  return Of(columns);
}

void SplitConjuncts(ExprPtr predicate, Conjuncts* out) {
  if (predicate == nullptr) return;
  if (predicate->kind != BoundKind::kAnd) {
    out->push_back(std::move(predicate));
    return;
  }
  for (ExprPtr& arg : predicate->args) SplitConjuncts(std::move(arg), out);
}

ExprPtr MergeConjuncts(Conjuncts conjuncts) {
  if (conjuncts.empty()) return nullptr;
  if (conjuncts.size() == 1) return std::move(conjuncts[0]);
  auto all = std::make_unique<BoundExpr>(BoundKind::kAnd);
  all->args = std::move(conjuncts);
  return all;
}

bool RejectsNulls(const BoundExpr& expr, const ColumnSet& set) {
  switch (expr.kind) {
    case BoundKind::kAnd:
      return std::any_of(expr.args.begin(), expr.args.end(),
                         [&](const ExprPtr& arg) { return RejectsNulls(*arg, set); });
    case BoundKind::kOr:
      return std::all_of(expr.args.begin(), expr.args.end(),
                         [&](const ExprPtr& arg) { return RejectsNulls(*arg, set); });
    case BoundKind::kIsNull: return expr.is_negated && IsNullOn(*expr.args[0], set);
    default: return IsNullOn(expr, set);
  }
}

void SubstituteColumns(ExprPtr* expr, const Substitution& substitution) {
  if ((*expr)->kind == BoundKind::kColumn) {
    const auto& from = *substitution.from;
    const auto found = std::find(from.begin(), from.end(), (*expr)->column);
    if (found != from.end()) *expr = CloneExpr(*(*substitution.to)[found - from.begin()]);
    return;
  }
  for (ExprPtr& arg : (*expr)->args) SubstituteColumns(&arg, substitution);
}

CompareOp MirrorCompare(CompareOp op) {
  switch (op) {
    case CompareOp::kLess: return CompareOp::kGreater;
    case CompareOp::kLessEqual: return CompareOp::kGreaterEqual;
    case CompareOp::kGreater: return CompareOp::kLess;
    case CompareOp::kGreaterEqual: return CompareOp::kLessEqual;
    default: return op;
  }
}

}  // namespace turdb::sql
