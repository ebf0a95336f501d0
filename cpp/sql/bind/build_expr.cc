// Making bound expressions and deciding what they are compared under.
#include "base/errors.h"
#include "sql/bind/binding.h"

namespace turdb::sql {
namespace {

bool IsNumeric(Affinity a) {
  return a == Affinity::kNumeric || a == Affinity::kInteger || a == Affinity::kReal;
}

}  // namespace

ExprPtr NewExpr(BoundKind kind, SourcePos pos) {
  auto expr = std::make_unique<BoundExpr>(kind);
  expr->pos = pos;
  return expr;
}

ExprPtr NewConstant(Value value, SourcePos pos) {
  ExprPtr expr = NewExpr(BoundKind::kConstant, pos);
  expr->constant = std::move(value);
  return expr;
}

ExprPtr NewColumnExpr(const OutColumn& column, SourcePos pos) {
  ExprPtr expr = NewExpr(BoundKind::kColumn, pos);
  expr->column = column.id;
  expr->affinity = column.affinity;
  expr->collation = column.collation;
  expr->has_collation = column.has_collation;
  if (column.origin != nullptr && column.origin_column >= 0) {
    expr->type = column.origin->columns[column.origin_column].type;
  }
  return expr;
}

ExprPtr NewCompare(CompareOp op, ExprPtr left, ExprPtr right, SourcePos pos) {
  ExprPtr expr = NewExpr(BoundKind::kCompare, pos);
  expr->compare = op;
  expr->compare_affinity = CompareAffinity(left->affinity, right->affinity);
  expr->compare_collation = CompareCollation(*left, *right);
  expr->args.reserve(2);
  expr->args.push_back(std::move(left));
  expr->args.push_back(std::move(right));
  InheritCollation(expr.get());
  return expr;
}

ExprPtr NewAnd(ExprPtr left, ExprPtr right) {
  if (left == nullptr) return right;
  if (right == nullptr) return left;
  ExprPtr expr = NewExpr(BoundKind::kAnd, left->pos);
  for (ExprPtr* side : {&left, &right}) {
    if ((*side)->kind != BoundKind::kAnd) {
      expr->args.push_back(std::move(*side));
      continue;
    }
    for (ExprPtr& arg : (*side)->args) expr->args.push_back(std::move(arg));
  }
  return expr;
}

ExprPtr NewCase(std::vector<ExprPtr> args, SourcePos pos) {
  ExprPtr expr = NewExpr(BoundKind::kCase, pos);
  expr->args = std::move(args);
  InheritCollation(expr.get());
  return expr;
}

ExprPtr NewNot(ExprPtr operand, SourcePos pos) {
  ExprPtr expr = NewExpr(BoundKind::kNot, pos);
  expr->args.push_back(std::move(operand));
  InheritCollation(expr.get());
  return expr;
}

ExprPtr NewIsNull(ExprPtr operand, bool is_negated, SourcePos pos) {
  ExprPtr expr = NewExpr(BoundKind::kIsNull, pos);
  expr->is_negated = is_negated;
  expr->args.push_back(std::move(operand));
  return expr;
}

Affinity CompareAffinityOfOne(Affinity operand) {
  if (IsNumeric(operand)) return Affinity::kNumeric;
  return operand == Affinity::kText ? Affinity::kText : Affinity::kNone;
}

Affinity CompareAffinity(Affinity left, Affinity right) {
  if (left == Affinity::kNone) return CompareAffinityOfOne(right);
  if (right == Affinity::kNone) return CompareAffinityOfOne(left);
  return IsNumeric(left) || IsNumeric(right) ? Affinity::kNumeric : Affinity::kNone;
}

Collation CompareCollation(const BoundExpr& left, const BoundExpr& right) {
  if (left.has_explicit_collation) return left.collation;
  if (right.has_explicit_collation) return right.collation;
  if (left.has_collation) return left.collation;
  return right.has_collation ? right.collation : Collation::kBinary;
}

void SetOrder(const OrderingTerm& term, SortKey* key) {
  key->is_descending = term.order == SortOrder::kDescending;
  key->nulls_first = term.nulls == NullsOrder::kUnspecified ? !key->is_descending : term.nulls == NullsOrder::kFirst;
  key->collation = key->expr->has_collation ? key->expr->collation : Collation::kBinary;
}

void InheritCollation(BoundExpr* expr) {
  for (const ExprPtr& arg : expr->args) {
    if (!arg->has_explicit_collation) continue;
    expr->collation = arg->collation;
    expr->has_collation = expr->has_explicit_collation = true;
    return;
  }
}

bool IsCheap(const BoundExpr& expr) {
  if (expr.kind == BoundKind::kCollate) return IsCheap(*expr.args[0]);
  return expr.kind == BoundKind::kColumn || expr.kind == BoundKind::kConstant || expr.kind == BoundKind::kParameter;
}

OutColumn ColumnOf(const BoundExpr& expr, ColumnId id, std::string_view name) {
  OutColumn column;
  column.name = name;
  column.id = id;
  column.affinity = expr.affinity;
  column.collation = expr.collation;
  column.has_collation = expr.has_collation;
  return column;
}

}  // namespace turdb::sql
