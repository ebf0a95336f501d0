// Walks over bound expressions: copying, comparing, looking for things in them.
#include "sql/bind/bound_expr.h"

#include <cassert>

#include "sql/bind/logical_plan.h"

namespace turdb::sql {
namespace {

bool SameCell(const Cell& a, const Cell& b) {
  if (a.type != b.type) return false;  // 1 and 1.0 are different constants
  return CompareCells(a, b) == 0;
}

bool SameScalars(const BoundExpr& a, const BoundExpr& b) {
  return a.kind == b.kind && a.is_negated == b.is_negated && a.arithmetic == b.arithmetic && a.compare == b.compare &&
         a.compare_affinity == b.compare_affinity && a.compare_collation == b.compare_collation &&
         a.parameter == b.parameter && a.column == b.column && a.slot == b.slot &&
         a.register_index == b.register_index && a.function == b.function && a.collation == b.collation &&
         a.args.size() == b.args.size();
}

}  // namespace

BoundSubquery::BoundSubquery() = default;
BoundSubquery::~BoundSubquery() = default;

ExprPtr CloneExpr(const BoundExpr& expr) {
  assert(expr.subquery == nullptr);
  auto copy = std::make_unique<BoundExpr>(expr.kind);
  copy->is_negated = expr.is_negated;
  copy->affinity = expr.affinity;
  copy->collation = expr.collation;
  copy->has_collation = expr.has_collation;
  copy->has_explicit_collation = expr.has_explicit_collation;
  copy->arithmetic = expr.arithmetic;
  copy->compare = expr.compare;
  copy->compare_affinity = expr.compare_affinity;
  copy->compare_collation = expr.compare_collation;
  copy->pos = expr.pos;
  copy->parameter = expr.parameter;
  copy->column = expr.column;
  copy->slot = expr.slot;
  copy->register_index = expr.register_index;
  copy->shared_index = expr.shared_index;
  copy->subquery_column = expr.subquery_column;
  copy->type = expr.type;
  copy->constant = expr.constant;
  copy->function = expr.function;
  copy->args.reserve(expr.args.size());
  for (const ExprPtr& arg : expr.args) copy->args.push_back(CloneExpr(*arg));
  return copy;
}

bool HasSubquery(const BoundExpr& expr) {
  if (expr.subquery != nullptr) return true;
  for (const ExprPtr& arg : expr.args) {
    if (HasSubquery(*arg)) return true;
  }
  return false;
}

bool ExprEquals(const BoundExpr& a, const BoundExpr& b) {
  if (a.subquery != nullptr || b.subquery != nullptr) return false;
  if (a.kind == BoundKind::kOnce && b.kind == BoundKind::kOnce) {
    // Two bindings of one text have shared indexes of their own; a later place has nothing else to tell it by.
    if (a.args.size() != b.args.size()) return false;
    return a.args.empty() || ExprEquals(*a.args[0], *b.args[0]);
  }
  if (!SameScalars(a, b)) return false;
  if (a.kind == BoundKind::kConstant && !SameCell(a.constant.cell(), b.constant.cell())) return false;
  if (a.kind == BoundKind::kCast && a.type.declared != b.type.declared) return false;
  if (a.function != nullptr && !a.function->is_deterministic) return false;
  for (size_t i = 0; i < a.args.size(); ++i) {
    if (!ExprEquals(*a.args[i], *b.args[i])) return false;
  }
  return true;
}

bool IsDeterministic(const BoundExpr& expr) {
  if (expr.function != nullptr && !expr.function->is_deterministic) return false;
  if (expr.kind == BoundKind::kRaise || expr.subquery != nullptr) return false;
  for (const ExprPtr& arg : expr.args) {
    if (!IsDeterministic(*arg)) return false;
  }
  return true;
}

void CollectColumns(const BoundExpr& expr, std::vector<ColumnId>* columns) {
  if (expr.kind == BoundKind::kColumn) columns->push_back(expr.column);
  if (expr.subquery != nullptr) {
    columns->insert(columns->end(), expr.subquery->outer_columns.begin(), expr.subquery->outer_columns.end());
  }
  for (const ExprPtr& arg : expr.args) CollectColumns(*arg, columns);
}

}  // namespace turdb::sql
