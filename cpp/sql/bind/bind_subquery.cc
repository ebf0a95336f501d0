// Selects inside expressions: scalar subqueries and EXISTS. Their outer columns are found when the plan is finished.
#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/bind/binding.h"

namespace turdb::sql {

absl::StatusOr<std::unique_ptr<BoundSubquery>> Binding::BindSubquery(const Select& select, size_t* width) {
  if (!prohibited_in_.empty()) return Prohibited("subqueries", select.pos);
  Restore<int> deeper(&subquery_level_, subquery_level_ + 1);
  TURDB_ASSIGN_OR_RETURN(BoundSelect bound, BindSelect(select, scope_));
  auto subquery = std::make_unique<BoundSubquery>();
  subquery->logical = std::move(bound.root);
  for (const OutColumn& column : bound.columns) {
    subquery->affinities.push_back(column.affinity);
    subquery->collations.push_back(column.collation);
  }
  *width = bound.columns.size();
  return subquery;
}

ExprResult Binding::BindScalarSubquery(const SubqueryExpr& expr, size_t column, size_t width) {
  size_t columns = 0;
  ExprPtr result = NewExpr(BoundKind::kScalarSubquery, expr.pos);
  TURDB_ASSIGN_OR_RETURN(result->subquery, BindSubquery(*expr.select, &columns));
  if (columns != width) {
    return Misuse(Cat("sub-select returns ", columns, " columns - expected ", width), expr.pos);
  }
  result->subquery_column = static_cast<int>(column);
  result->affinity = result->subquery->affinities[column];
  return result;
}

ExprResult Binding::BindExists(const ExistsExpr& expr) {
  size_t columns = 0;
  ExprPtr result = NewExpr(BoundKind::kExists, expr.pos);
  TURDB_ASSIGN_OR_RETURN(result->subquery, BindSubquery(*expr.select, &columns));
  return result;
}

}  // namespace turdb::sql
