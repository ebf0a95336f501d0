// Comparisons, BETWEEN and row values. A comparison of rows becomes comparisons of their columns.
#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/bind/binding.h"

namespace turdb::sql {
namespace {

CompareOp Strict(CompareOp op) {
  if (op == CompareOp::kLessEqual) return CompareOp::kLess;
  return op == CompareOp::kGreaterEqual ? CompareOp::kGreater : op;
}

bool IsOrdering(CompareOp op) {
  return op == CompareOp::kLess || op == CompareOp::kLessEqual || op == CompareOp::kGreater ||
         op == CompareOp::kGreaterEqual;
}

}  // namespace

ExprPtr Binding::ShareInCase(ExprPtr expr) {
  if (IsCheap(*expr)) return expr;
  ExprPtr once = NewExpr(BoundKind::kOnce, expr->pos);
  once->shared_index = bound_.shared_count++;
  once->affinity = expr->affinity;
  once->collation = expr->collation;
  once->has_collation = expr->has_collation;
  once->has_explicit_collation = expr->has_explicit_collation;
  once->type = expr->type;
  once->args.push_back(std::move(expr));
  return once;
}

ExprPtr Binding::ShareAgain(const BoundExpr& first) {
  if (first.kind != BoundKind::kOnce) return CloneExpr(first);
  ExprPtr again = NewExpr(BoundKind::kOnce, first.pos);
  again->shared_index = first.shared_index;
  again->affinity = first.affinity;
  again->collation = first.collation;
  again->has_collation = first.has_collation;
  again->has_explicit_collation = first.has_explicit_collation;
  again->type = first.type;
  return again;
}

// Both parts are whole, because the planner may use them apart from each other; the text is bound twice, so that a
// subquery in it has a plan in each. Only what could give two values is marked as one.
absl::StatusOr<std::pair<ExprPtr, ExprPtr>> Binding::ShareParts(const Expr& ast) {
  std::pair<ExprPtr, ExprPtr> parts;
  TURDB_ASSIGN_OR_RETURN(parts.first, BindExpr(ast));
  if (IsCheap(*parts.first)) {
    parts.second = CloneExpr(*parts.first);
    return parts;
  }
  if (++shared_copies_ > kMaxSharedCopies) return Misuse("expression is too complex", ast.pos);
  TURDB_ASSIGN_OR_RETURN(parts.second, BindExpr(ast));
  ShareWhole(&parts.first, &parts.second);
  return parts;
}

void Binding::ShareWhole(ExprPtr* first, ExprPtr* second) {
  if (IsDeterministic(**first)) return;
  *first = ShareInCase(std::move(*first));
  ExprPtr again = ShareAgain(**first);
  again->args.push_back(std::move(*second));
  *second = std::move(again);
}

size_t Binding::RowWidth(const Expr& expr) {
  if (expr.kind == ExprKind::kRow) return expr.As<RowExpr>().items.size();
  if (expr.kind != ExprKind::kSubquery) return 1;
  const SelectCore& core = *expr.As<SubqueryExpr>().select->cores[0];
  if (core.is_values) return core.rows[0].size();
  size_t width = 0;
  for (const ResultColumn& column : core.columns) {
    if (column.expr->kind == ExprKind::kStar) return 0;  // only binding tells
    ++width;
  }
  return width;
}

absl::StatusOr<std::vector<ExprPtr>> Binding::BindRow(const Expr& expr, size_t width) {
  std::vector<ExprPtr> columns;
  if (expr.kind == ExprKind::kRow) {
    if (expr.As<RowExpr>().items.size() != width) return Misuse("row value misused", expr.pos);
    TURDB_RETURN_IF_ERROR(BindList(expr.As<RowExpr>().items, &columns));
    return columns;
  }
  if (expr.kind != ExprKind::kSubquery && width != 1) return Misuse("row value misused", expr.pos);
  for (size_t i = 0; i < width; ++i) {
    if (expr.kind == ExprKind::kSubquery) {
      TURDB_ASSIGN_OR_RETURN(ExprPtr column, BindScalarSubquery(expr.As<SubqueryExpr>(), i, width));
      columns.push_back(std::move(column));
    } else {
      TURDB_ASSIGN_OR_RETURN(ExprPtr column, BindExpr(expr));
      columns.push_back(std::move(column));
    }
  }
  return columns;
}

// (a, b) = (c, d): a = c AND b = d. Its negation: a <> c OR b <> d.
ExprResult Binding::CompareRows(CompareOp op, const Expr& left, const Expr& right, SourcePos pos) {
  size_t width = RowWidth(left);
  const size_t right_width = RowWidth(right);
  if (width == 0) width = right_width;
  if (width != right_width && right_width != 0) return Misuse("row value misused", pos);
  if (width <= 1) {
    TURDB_ASSIGN_OR_RETURN(ExprPtr a, BindExpr(left));
    TURDB_ASSIGN_OR_RETURN(ExprPtr b, BindExpr(right));
    return NewCompare(op, std::move(a), std::move(b), pos);
  }
  TURDB_ASSIGN_OR_RETURN(std::vector<ExprPtr> a, BindRow(left, width));
  TURDB_ASSIGN_OR_RETURN(std::vector<ExprPtr> b, BindRow(right, width));
  if (IsOrdering(op)) {
    TURDB_ASSIGN_OR_RETURN(std::vector<ExprPtr> a2, BindRow(left, width));
    TURDB_ASSIGN_OR_RETURN(std::vector<ExprPtr> b2, BindRow(right, width));
    return CompareRowsInOrder(op, {std::move(a), std::move(b), std::move(a2), std::move(b2)}, pos);
  }
  const bool is_negative = op == CompareOp::kNotEqual || op == CompareOp::kIsNot;
  ExprPtr result = NewExpr(is_negative ? BoundKind::kOr : BoundKind::kAnd, pos);
  for (size_t i = 0; i < width; ++i) {
    result->args.push_back(NewCompare(op, std::move(a[i]), std::move(b[i]), pos));
  }
  return result;
}

// (a, b) < (c, d): a < c OR (a = c AND b < d), from the last column to the first. NULLs come out as SQL wants them.
ExprResult Binding::CompareRowsInOrder(CompareOp op, RowOperands rows, SourcePos pos) {
  const size_t width = rows.left.size();
  ExprPtr result = NewCompare(op, std::move(rows.left[width - 1]), std::move(rows.right[width - 1]), pos);
  for (size_t i = width - 1; i-- > 0;) {
    for (auto [first, second] : {std::pair(&rows.left[i], &rows.left_again[i]), {&rows.right[i], &rows.right_again[i]}}) {
      ShareWhole(first, second);
    }
    ExprPtr either = NewExpr(BoundKind::kOr, pos);
    either->args.push_back(NewCompare(Strict(op), std::move(rows.left[i]), std::move(rows.right[i]), pos));
    ExprPtr equal = NewCompare(CompareOp::kEqual, std::move(rows.left_again[i]), std::move(rows.right_again[i]), pos);
    either->args.push_back(NewAnd(std::move(equal), std::move(result)));
    result = std::move(either);
  }
  return result;
}

ExprResult Binding::BindComparison(const BinaryExpr& expr, CompareOp op) {
  if (op == CompareOp::kIs || op == CompareOp::kIsNot) {
    if (IsBoolLiteral(*expr.right)) {
      return BindTruth(expr, expr.right->As<LiteralExpr>().literal == LiteralKind::kTrue, op == CompareOp::kIsNot);
    }
    const bool is_null =
        expr.right->kind == ExprKind::kLiteral && expr.right->As<LiteralExpr>().literal == LiteralKind::kNull;
    if (is_null && RowWidth(*expr.left) == 1) {
      TURDB_ASSIGN_OR_RETURN(ExprPtr operand, BindExpr(*expr.left));
      return NewIsNull(std::move(operand), op == CompareOp::kIsNot, expr.pos);
    }
  }
  return CompareRows(op, *expr.left, *expr.right, expr.pos);
}

ExprResult Binding::BindBetween(const BetweenExpr& expr) {
  ExprPtr low, high;
  if (RowWidth(*expr.operand) != 1) {
    TURDB_ASSIGN_OR_RETURN(low, CompareRows(CompareOp::kGreaterEqual, *expr.operand, *expr.low, expr.pos));
    TURDB_ASSIGN_OR_RETURN(high, CompareRows(CompareOp::kLessEqual, *expr.operand, *expr.high, expr.pos));
  } else {
    TURDB_ASSIGN_OR_RETURN(auto operands, ShareParts(*expr.operand));
    TURDB_ASSIGN_OR_RETURN(ExprPtr low_value, BindExpr(*expr.low));
    TURDB_ASSIGN_OR_RETURN(ExprPtr high_value, BindExpr(*expr.high));
    low = NewCompare(CompareOp::kGreaterEqual, std::move(operands.first), std::move(low_value), expr.pos);
    high = NewCompare(CompareOp::kLessEqual, std::move(operands.second), std::move(high_value), expr.pos);
  }
  ExprPtr both = NewAnd(std::move(low), std::move(high));
  both->pos = expr.pos;
  InheritCollation(both.get());
  return expr.is_negated ? NewNot(std::move(both), expr.pos) : std::move(both);
}

}  // namespace turdb::sql
