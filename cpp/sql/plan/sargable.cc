#include "sql/plan/sargable.h"

#include <algorithm>

namespace turdb::sql {
namespace {

// The table column that `expr` is, or kExpressionColumn.
int TableColumnOf(const BoundExpr& expr, const LogicalGet& get) {
  const BoundExpr* inner = &expr;
  while (inner->kind == BoundKind::kCollate) inner = inner->args[0].get();
  if (inner->kind != BoundKind::kColumn) return catalog::kExpressionColumn;
  for (size_t i = 0; i < get.output.size(); ++i) {
    if (get.output[i] != inner->column) continue;
    const int column = get.columns[i];
    return column == get.table->rowid_alias && column >= 0 ? catalog::kRowIdColumn : column;
  }
  return catalog::kExpressionColumn;
}

bool MatchCompare(const BoundExpr& conjunct, const LogicalGet& get, const ColumnSet& own_columns, Sarg* sarg) {
  for (int side = 0; side < 2; ++side) {
    const BoundExpr& column = *conjunct.args[side];
    const BoundExpr& value = *conjunct.args[1 - side];
    sarg->column = TableColumnOf(column, get);
    if (sarg->column == catalog::kExpressionColumn || ColumnSet::Of(value).Intersects(own_columns)) continue;
    if (!IsDeterministic(value) || value.kind == BoundKind::kOnce) continue;
    const CompareOp op = side == 0 ? conjunct.compare : MirrorCompare(conjunct.compare);
    switch (op) {
      case CompareOp::kEqual: sarg->kind = SargKind::kEqual; break;
      case CompareOp::kIs: sarg->kind = SargKind::kNullSafeEqual; break;
      case CompareOp::kLess:
      case CompareOp::kLessEqual: sarg->kind = SargKind::kUpper; break;
      case CompareOp::kGreater:
      case CompareOp::kGreaterEqual: sarg->kind = SargKind::kLower; break;
      default: return false;
    }
    sarg->is_inclusive = op == CompareOp::kLessEqual || op == CompareOp::kGreaterEqual;
    sarg->column_expr = &column;
    sarg->value = &value;
    return true;
  }
  return false;
}

}  // namespace

bool MatchSarg(const BoundExpr& conjunct, const LogicalGet& get, const ColumnSet& own_columns, Sarg* sarg) {
  sarg->compare_affinity = conjunct.compare_affinity;
  sarg->collation = conjunct.compare_collation;
  switch (conjunct.kind) {
    case BoundKind::kCompare: return MatchCompare(conjunct, get, own_columns, sarg);
    case BoundKind::kIsNull:
      sarg->column = TableColumnOf(*conjunct.args[0], get);
      sarg->kind = SargKind::kIsNull;
      sarg->column_expr = conjunct.args[0].get();
      return !conjunct.is_negated && sarg->column != catalog::kExpressionColumn;
    case BoundKind::kInList:
      sarg->column = TableColumnOf(*conjunct.args[0], get);
      if (conjunct.is_negated || sarg->column == catalog::kExpressionColumn) return false;
      for (size_t i = 1; i < conjunct.args.size(); ++i) {
        if (ColumnSet::Of(*conjunct.args[i]).Intersects(own_columns) || !IsDeterministic(*conjunct.args[i])) return false;
      }
      sarg->kind = SargKind::kIn;
      sarg->column_expr = conjunct.args[0].get();
      sarg->value = &conjunct;
      return true;
    default: return false;
  }
}

bool IndexColumnAnswers(const catalog::TableDef& table, const catalog::IndexColumn& index_column, const Sarg& sarg) {
  if (index_column.column < 0 || index_column.column != sarg.column) return false;
  if (sarg.kind == SargKind::kIsNull) return true;
  const catalog::ColumnDef& column = table.columns[index_column.column];
  if (column.type.is_vector()) return false;
  switch (sarg.compare_affinity) {
    case Affinity::kText:
      if (column.type.affinity != Affinity::kText) return false;
      break;
    case Affinity::kNumeric:
    case Affinity::kInteger:
    case Affinity::kReal:
      if (column.type.affinity < Affinity::kNumeric) return false;
      break;
    default: break;
  }
  // A column that can only hold numbers orders the same under every collation, but any column may hold text.
  return index_column.collation == sarg.collation;
}

bool RowIdAnswers(const Sarg& sarg) {
  return sarg.column == catalog::kRowIdColumn && sarg.compare_affinity != Affinity::kText &&
         sarg.kind != SargKind::kIsNull && sarg.kind != SargKind::kNullSafeEqual;
}

double GuessSelectivity(const BoundExpr& conjunct) {
  switch (conjunct.kind) {
    case BoundKind::kCompare:
      switch (conjunct.compare) {
        case CompareOp::kEqual:
        case CompareOp::kIs: return 0.05;
        case CompareOp::kNotEqual:
        case CompareOp::kIsNot: return 0.9;
        default: return 0.33;
      }
    case BoundKind::kIsNull: return conjunct.is_negated ? 0.9 : 0.1;
    case BoundKind::kInList:
      return conjunct.is_negated ? 0.8 : std::min(0.5, 0.05 * static_cast<double>(conjunct.args.size() - 1));
    case BoundKind::kAnd: {
      double product = 1;
      for (const ExprPtr& arg : conjunct.args) product *= GuessSelectivity(*arg);
      return product;
    }
    case BoundKind::kOr: {
      double miss = 1;
      for (const ExprPtr& arg : conjunct.args) miss *= 1 - GuessSelectivity(*arg);
      return 1 - miss;
    }
    case BoundKind::kNot: return 1 - GuessSelectivity(*conjunct.args[0]);
    default: return 0.5;
  }
}

}  // namespace turdb::sql
