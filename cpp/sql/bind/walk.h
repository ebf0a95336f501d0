// Visiting the expressions of plan nodes, in place. A null expression is not visited; children are the caller's.
#pragma once

#include "absl/functional/function_ref.h"
#include "sql/bind/logical_plan.h"

namespace turdb::sql {

using ExprVisitor = absl::FunctionRef<void(ExprPtr*)>;

void VisitExprs(LogicalNode* node, ExprVisitor visit);
void VisitAggregateExprs(AggregateCall* call, ExprVisitor visit);
void VisitWindowExprs(WindowCall* call, ExprVisitor visit);
void VisitRowExprs(RowExpressions* row, ExprVisitor visit);

}  // namespace turdb::sql
