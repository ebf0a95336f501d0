// x IN (list), x IN (select), x IN table.
#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/bind/binding.h"

namespace turdb::sql {

ExprResult Binding::BindIn(const InExpr& expr) {
  return expr.form == InExpr::Form::kList ? BindInList(expr) : BindInSubquery(expr);
}

// Only the left operand's affinity and collation count: x IN (a, b) is x = +a OR x = +b.
ExprResult Binding::BindInList(const InExpr& expr) {
  const size_t width = RowWidth(*expr.operand);
  if (width != 1) {
    ExprPtr any = NewExpr(BoundKind::kOr, expr.pos);
    for (const Expr* item : expr.list) {
      TURDB_ASSIGN_OR_RETURN(ExprPtr equal, CompareRows(CompareOp::kEqual, *expr.operand, *item, item->pos));
      any->args.push_back(std::move(equal));
    }
    ExprPtr result = any->args.empty() ? NewConstant(Value::Integer(0), expr.pos) : std::move(any);
    return expr.is_negated ? NewNot(std::move(result), expr.pos) : std::move(result);
  }
  ExprPtr result = NewExpr(BoundKind::kInList, expr.pos);
  result->is_negated = expr.is_negated;
  result->args.reserve(expr.list.size() + 1);
  TURDB_ASSIGN_OR_RETURN(ExprPtr operand, BindExpr(*expr.operand));
  result->compare_affinity = CompareAffinityOfOne(operand->affinity);
  result->compare_collation = operand->has_collation ? operand->collation : Collation::kBinary;
  result->args.push_back(std::move(operand));
  TURDB_RETURN_IF_ERROR(BindList(expr.list, &result->args));
  InheritCollation(result.get());
  return result;
}

ExprResult Binding::BindInSubquery(const InExpr& expr) {
  ExprPtr result = NewExpr(BoundKind::kInSubquery, expr.pos);
  result->is_negated = expr.is_negated;
  size_t width = 0;
  if (expr.form == InExpr::Form::kSelect) {
    TURDB_ASSIGN_OR_RETURN(result->subquery, BindSubquery(*expr.select, &width));
  } else {
    // IN table is IN (SELECT * FROM table).
    NamedTableRef named;
    named.name = expr.table;
    FunctionTableRef function;
    function.name = expr.table;
    function.arguments = expr.list;
    const bool is_function = expr.form == InExpr::Form::kTableFunction;
    StarExpr star;
    ResultColumn all;
    all.expr = &star;
    SelectCore core;
    core.columns = {&all, 1};
    core.from = is_function ? static_cast<TableRef*>(&function) : &named;
    core.from->pos = core.pos = expr.table.pos;
    SelectCore* cores = &core;
    Select select;
    select.cores = {&cores, 1};
    TURDB_ASSIGN_OR_RETURN(result->subquery, BindSubquery(select, &width));
  }
  size_t operands = RowWidth(*expr.operand);
  if (operands == 0) operands = width;
  if (operands != width) {
    return Misuse(Cat("sub-select returns ", width, " columns - expected ", operands), expr.pos);
  }
  if (operands == 1) {
    TURDB_ASSIGN_OR_RETURN(ExprPtr operand, BindExpr(*expr.operand));
    result->args.push_back(std::move(operand));
  } else {
    TURDB_ASSIGN_OR_RETURN(result->args, BindRow(*expr.operand, width));
  }
  BoundSubquery& subquery = *result->subquery;
  for (size_t i = 0; i < width; ++i) {
    const BoundExpr& operand = *result->args[i];
    subquery.compare_affinities.push_back(CompareAffinity(operand.affinity, subquery.affinities[i]));
    const bool left_decides = operand.has_explicit_collation || operand.has_collation;
    subquery.compare_collations.push_back(left_decides ? operand.collation : subquery.collations[i]);
  }
  result->compare_affinity = subquery.compare_affinities[0];
  result->compare_collation = subquery.compare_collations[0];
  return result;
}

}  // namespace turdb::sql
