// Expressions without names of their own: literals, operators, CASE, CAST, COLLATE, parameters.
#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/bind/binding.h"

namespace turdb::sql {

ExprResult Binding::BindExpr(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kLiteral: return BindLiteral(expr.As<LiteralExpr>());
    case ExprKind::kColumn: return BindColumn(expr.As<ColumnExpr>());
    case ExprKind::kStar: return Misuse("near \"*\": syntax error", expr.pos);
    case ExprKind::kParameter: return BindParameter(expr.As<ParameterExpr>());
    case ExprKind::kUnary: return BindUnary(expr.As<UnaryExpr>());
    case ExprKind::kBinary: return BindBinary(expr.As<BinaryExpr>());
    case ExprKind::kLike: return BindLike(expr.As<LikeExpr>());
    case ExprKind::kBetween: return BindBetween(expr.As<BetweenExpr>());
    case ExprKind::kIn: return BindIn(expr.As<InExpr>());
    case ExprKind::kIsNull: {
      const IsNullExpr& is_null = expr.As<IsNullExpr>();
      TURDB_ASSIGN_OR_RETURN(ExprPtr operand, BindExpr(*is_null.operand));
      return NewIsNull(std::move(operand), is_null.is_negated, expr.pos);
    }
    case ExprKind::kCase: return BindCase(expr.As<CaseExpr>());
    case ExprKind::kCast: return BindCast(expr.As<CastExpr>());
    case ExprKind::kCollate: return BindCollate(expr.As<CollateExpr>());
    case ExprKind::kFunction: return BindFunction(expr.As<FunctionExpr>());
    case ExprKind::kExists: return BindExists(expr.As<ExistsExpr>());
    case ExprKind::kSubquery: return BindScalarSubquery(expr.As<SubqueryExpr>(), 0, 1);
    case ExprKind::kRow: return Misuse("row value misused", expr.pos);
    case ExprKind::kRaise: return Misuse("RAISE() may only be used within a trigger-program", expr.pos);
  }
  return InternalError("expression of an unknown kind");
}

absl::Status Binding::Prohibited(std::string_view what, SourcePos pos) const {
  return Misuse(Cat(what, " prohibited in ", prohibited_in_), pos);
}

ExprResult Binding::BindParameter(const ParameterExpr& expr) {
  if (!prohibited_in_.empty()) return Prohibited("parameters", expr.pos);
  if (!open_views_.empty()) return Misuse("parameters are not allowed in views", expr.pos);
  ExprPtr parameter = NewExpr(BoundKind::kParameter, expr.pos);
  parameter->parameter = expr.number;
  return parameter;
}

ExprResult Binding::BindLiteral(const LiteralExpr& expr) {
  switch (expr.literal) {
    case LiteralKind::kNull: return NewConstant(Value(), expr.pos);
    case LiteralKind::kInteger: return NewConstant(Value::Integer(expr.integer), expr.pos);
    case LiteralKind::kReal: return NewConstant(Value::Real(expr.real), expr.pos);
    case LiteralKind::kText: return NewConstant(Value::Text(std::string(expr.text)), expr.pos);
    case LiteralKind::kBlob: return NewConstant(Value::Blob(std::string(expr.text)), expr.pos);
    case LiteralKind::kTrue:
    case LiteralKind::kFalse: break;
    case LiteralKind::kCurrentTime: return Call("current_time", {}, expr.pos);
    case LiteralKind::kCurrentDate: return Call("current_date", {}, expr.pos);
    case LiteralKind::kCurrentTimestamp: return Call("current_timestamp", {}, expr.pos);
  }
  // TRUE and FALSE are columns first.
  if (!IsBoolLiteral(expr)) {
    ColumnExpr column;
    column.pos = expr.pos;
    column.column = {text_.substr(expr.pos.offset, expr.pos.length), expr.pos, 0};
    return BindColumn(column);
  }
  return NewConstant(Value::Integer(expr.literal == LiteralKind::kTrue ? 1 : 0), expr.pos);
}

// Whether `expr` is TRUE or FALSE and no column of that name hides it.
bool Binding::IsBoolLiteral(const Expr& expr) {
  if (expr.kind != ExprKind::kLiteral) return false;
  const LiteralKind literal = expr.As<LiteralExpr>().literal;
  if (literal != LiteralKind::kTrue && literal != LiteralKind::kFalse) return false;
  const std::string_view word = literal == LiteralKind::kTrue ? "true" : "false";
  for (const Scope* scope = scope_; scope != nullptr; scope = scope->parent) {
    for (const Source& source : scope->sources) {
      if (!source.is_qualified_only && source.Find(word) >= 0) return false;
    }
  }
  return true;
}

ExprResult Binding::BindUnary(const UnaryExpr& expr) {
  TURDB_ASSIGN_OR_RETURN(ExprPtr operand, BindExpr(*expr.operand));
  if (expr.op == UnaryOp::kPlus) {  // keeps a column's collation, drops its affinity
    if (operand->affinity == Affinity::kNone) return operand;
    ExprPtr plain = NewExpr(BoundKind::kCollate, expr.pos);
    plain->collation = operand->collation;
    plain->has_collation = operand->has_collation;
    plain->has_explicit_collation = operand->has_explicit_collation;
    plain->args.push_back(std::move(operand));
    return plain;
  }
  if (expr.op == UnaryOp::kNot) return NewNot(std::move(operand), expr.pos);
  if (expr.op == UnaryOp::kMinus && operand->kind == BoundKind::kConstant) {
    const Cell value = operand->constant.cell();
    if (value.is_integer() && value.integer != INT64_MIN) return NewConstant(Value::Integer(-value.integer), expr.pos);
    if (value.is_real()) return NewConstant(Value::Real(-value.real), expr.pos);
  }
  ExprPtr result = NewExpr(BoundKind::kArithmetic, expr.pos);
  result->arithmetic = expr.op == UnaryOp::kMinus ? ArithmeticOp::kNegate : ArithmeticOp::kBitNot;
  result->args.push_back(std::move(operand));
  InheritCollation(result.get());
  return result;
}

ExprResult Binding::BindArithmetic(const BinaryExpr& expr, ArithmeticOp op) {
  TURDB_ASSIGN_OR_RETURN(ExprPtr left, BindExpr(*expr.left));
  TURDB_ASSIGN_OR_RETURN(ExprPtr right, BindExpr(*expr.right));
  ExprPtr result = NewExpr(BoundKind::kArithmetic, expr.pos);
  result->arithmetic = op;
  result->args.reserve(2);
  result->args.push_back(std::move(left));
  result->args.push_back(std::move(right));
  InheritCollation(result.get());
  return result;
}

// A chain of one connective is one node; the parser's chain leans to the left.
ExprResult Binding::BindAndOr(const BinaryExpr& expr) {
  std::vector<const Expr*> operands;
  const Expr* at = &expr;
  while (at->kind == ExprKind::kBinary && at->As<BinaryExpr>().op == expr.op) {
    operands.push_back(at->As<BinaryExpr>().right);
    at = at->As<BinaryExpr>().left;
  }
  operands.push_back(at);
  std::reverse(operands.begin(), operands.end());
  ExprPtr result = NewExpr(expr.op == BinaryOp::kAnd ? BoundKind::kAnd : BoundKind::kOr, expr.pos);
  result->args.reserve(operands.size());
  for (const Expr* operand : operands) {
    TURDB_ASSIGN_OR_RETURN(ExprPtr arg, BindExpr(*operand));
    if (arg->kind == result->kind) {  // BETWEEN and row comparisons, or parentheses on the right
      for (ExprPtr& inner : arg->args) result->args.push_back(std::move(inner));
    } else {
      result->args.push_back(std::move(arg));
    }
  }
  InheritCollation(result.get());
  return result;
}

ExprResult Binding::BindBinary(const BinaryExpr& expr) {
  auto call = [&](std::string_view name) -> ExprResult {
    std::vector<ExprPtr> args(2);
    TURDB_ASSIGN_OR_RETURN(args[0], BindExpr(*expr.left));
    TURDB_ASSIGN_OR_RETURN(args[1], BindExpr(*expr.right));
    return Call(name, std::move(args), expr.op_pos);
  };
  switch (expr.op) {
    case BinaryOp::kOr:
    case BinaryOp::kAnd: return BindAndOr(expr);
    case BinaryOp::kEqual: return BindComparison(expr, CompareOp::kEqual);
    case BinaryOp::kNotEqual: return BindComparison(expr, CompareOp::kNotEqual);
    case BinaryOp::kIs: return BindComparison(expr, CompareOp::kIs);
    case BinaryOp::kIsNot: return BindComparison(expr, CompareOp::kIsNot);
    case BinaryOp::kLess: return BindComparison(expr, CompareOp::kLess);
    case BinaryOp::kLessEqual: return BindComparison(expr, CompareOp::kLessEqual);
    case BinaryOp::kGreater: return BindComparison(expr, CompareOp::kGreater);
    case BinaryOp::kGreaterEqual: return BindComparison(expr, CompareOp::kGreaterEqual);
    case BinaryOp::kBitAnd: return BindArithmetic(expr, ArithmeticOp::kBitAnd);
    case BinaryOp::kBitOr: return BindArithmetic(expr, ArithmeticOp::kBitOr);
    case BinaryOp::kShiftLeft: return BindArithmetic(expr, ArithmeticOp::kShiftLeft);
    case BinaryOp::kShiftRight: return BindArithmetic(expr, ArithmeticOp::kShiftRight);
    case BinaryOp::kAdd: return BindArithmetic(expr, ArithmeticOp::kAdd);
    case BinaryOp::kSubtract: return BindArithmetic(expr, ArithmeticOp::kSubtract);
    case BinaryOp::kMultiply: return BindArithmetic(expr, ArithmeticOp::kMultiply);
    case BinaryOp::kDivide: return BindArithmetic(expr, ArithmeticOp::kDivide);
    case BinaryOp::kModulo: return BindArithmetic(expr, ArithmeticOp::kModulo);
    case BinaryOp::kConcat: return BindArithmetic(expr, ArithmeticOp::kConcat);
    case BinaryOp::kJsonGet: return call("->");
    case BinaryOp::kJsonGetText: return call("->>");
    case BinaryOp::kDistanceL2: return call("vector_distance_l2");
    case BinaryOp::kDistanceCosine: return call("vector_distance_cosine");
    case BinaryOp::kNegativeInnerProduct: return call("vector_distance_inner_product");
    case BinaryOp::kDistanceL1: return call("vector_distance_l1");
    case BinaryOp::kDistanceHamming: return call("vector_distance_hamming");
  }
  return InternalError("operator of an unknown kind");
}

// CASE x WHEN y compares x = y by the rules of comparisons; x is computed once.
ExprResult Binding::BindCase(const CaseExpr& expr) {
  std::vector<ExprPtr> args;
  args.reserve(expr.branches.size() * 2 + 1);
  const size_t width = expr.operand == nullptr ? 1 : RowWidth(*expr.operand);
  ExprPtr operand;
  if (expr.operand != nullptr && width == 1) {
    TURDB_ASSIGN_OR_RETURN(operand, BindExpr(*expr.operand));
    operand = ShareInCase(std::move(operand));
  }
  for (const CaseBranch& branch : expr.branches) {
    ExprPtr when;
    if (expr.operand == nullptr) {
      TURDB_ASSIGN_OR_RETURN(when, BindExpr(*branch.when));
    } else if (width > 1) {
      TURDB_ASSIGN_OR_RETURN(when, CompareRows(CompareOp::kEqual, *expr.operand, *branch.when, branch.when->pos));
    } else {
      TURDB_ASSIGN_OR_RETURN(ExprPtr value, BindExpr(*branch.when));
      ExprPtr left = args.empty() ? std::move(operand) : ShareAgain(*args[0]->args[0]);
      when = NewCompare(CompareOp::kEqual, std::move(left), std::move(value), branch.when->pos);
    }
    args.push_back(std::move(when));
    TURDB_ASSIGN_OR_RETURN(ExprPtr then, BindExpr(*branch.then));
    args.push_back(std::move(then));
  }
  if (expr.otherwise == nullptr) {
    args.push_back(NewConstant(Value(), expr.pos));
  } else {
    TURDB_ASSIGN_OR_RETURN(ExprPtr otherwise, BindExpr(*expr.otherwise));
    args.push_back(std::move(otherwise));
  }
  return NewCase(std::move(args), expr.pos);
}

ExprResult Binding::BindCast(const CastExpr& expr) {
  TURDB_ASSIGN_OR_RETURN(ExprPtr operand, BindExpr(*expr.operand));
  ExprPtr result = NewExpr(BoundKind::kCast, expr.pos);
  absl::StatusOr<LogicalType> type = ParseLogicalType(expr.type.text);
  if (!type.ok()) return type.status();
  result->type = *std::move(type);
  result->affinity = result->type.affinity;
  result->collation = operand->collation;
  result->has_collation = operand->has_collation;
  result->has_explicit_collation = operand->has_explicit_collation;
  result->args.push_back(std::move(operand));
  return result;
}

absl::StatusOr<Collation> Binding::CollationNamed(const Name& name) const {
  const int collation = functions_.FindCollation(name.text);
  if (collation >= 0) return static_cast<Collation>(collation);
  return NameProblem(Cat("no such collation sequence: ", name.text), name.pos);
}

ExprResult Binding::BindCollate(const CollateExpr& expr) {
  TURDB_ASSIGN_OR_RETURN(ExprPtr operand, BindExpr(*expr.operand));
  TURDB_ASSIGN_OR_RETURN(const Collation collation, CollationNamed(expr.collation));
  ExprPtr result = NewExpr(BoundKind::kCollate, expr.pos);
  result->affinity = operand->affinity;
  result->collation = collation;
  result->has_collation = result->has_explicit_collation = true;
  result->type = operand->type;
  result->args.push_back(std::move(operand));
  return result;
}

absl::Status Binding::BindList(const List<Expr*>& list, std::vector<ExprPtr>* out) {
  out->reserve(out->size() + list.size());
  for (const Expr* item : list) {
    TURDB_ASSIGN_OR_RETURN(ExprPtr expr, BindExpr(*item));
    out->push_back(std::move(expr));
  }
  return absl::OkStatus();
}

// x IS [NOT] TRUE, x IS [NOT] FALSE: of x's truth, never NULL.
ExprResult Binding::BindTruth(const BinaryExpr& expr, bool is_true, bool is_negated) {
  TURDB_ASSIGN_OR_RETURN(ExprPtr operand, BindExpr(*expr.left));
  if (!is_true) operand = NewNot(std::move(operand), expr.pos);
  std::vector<ExprPtr> args;
  args.push_back(std::move(operand));
  args.push_back(NewConstant(Value::Integer(is_negated ? 0 : 1), expr.pos));
  args.push_back(NewConstant(Value::Integer(is_negated ? 1 : 0), expr.pos));
  return NewCase(std::move(args), expr.pos);
}

}  // namespace turdb::sql
