// Taking predicates apart into conjuncts, and asking what an expression depends on.
#pragma once

#include <vector>

#include "sql/bind/bound_expr.h"
#include "sql/plan/column_set.h"

namespace turdb::sql {

using Conjuncts = std::vector<ExprPtr>;

// Appends the parts of an AND tree to `out`. (No kOnce value is shared between parts: bound_expr.h.)
void SplitConjuncts(ExprPtr predicate, Conjuncts* out);
// The AND of all; null when there are none.
ExprPtr MergeConjuncts(Conjuncts conjuncts);

// True when `expr` cannot be true if all columns of `set` are NULL: a filter on it undoes an outer join.
bool RejectsNulls(const BoundExpr& expr, const ColumnSet& set);

// Replaces every column that `from[i]` names by a copy of `to[i]`. REQUIRES: no subquery reads those columns.
struct Substitution {
  const std::vector<ColumnId>* from;
  const std::vector<ExprPtr>* to;
};
void SubstituteColumns(ExprPtr* expr, const Substitution& substitution);

// `value op column` as `column op' value`.
CompareOp MirrorCompare(CompareOp op);

}  // namespace turdb::sql
