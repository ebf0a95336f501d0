// ON CONFLICT (target) DO ...: which unique index the target names, and the assignments over the old row and excluded.*.
#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/bind/binding.h"

namespace turdb::sql {
namespace {

const BoundExpr& SkipCollate(const BoundExpr& expr) {
  const BoundExpr* at = &expr;
  while (at->kind == BoundKind::kCollate) at = at->args[0].get();
  return *at;
}

}  // namespace

absl::Status Binding::BindUpserts(const Insert& insert, const catalog::TableDef& table, LogicalInsert* node) {
  Restore<bool> inlined(&are_ctes_inlined_, true);
  node->excluded_columns = NewRowColumns(table, "excluded.");
  std::unique_ptr<Scope> scope = NewScope(nullptr);
  const std::string_view name = insert.alias.empty() ? std::string_view(table.name) : insert.alias.text;
  scope->sources.push_back(RowSource(table, name, node->row_expressions.row_columns));
  scope->sources.push_back(RowSource(table, "excluded", node->excluded_columns));
  scope->sources.back().is_qualified_only = true;
  for (ColumnId id : node->row_expressions.row_columns) Own(id, *scope);
  for (ColumnId id : node->excluded_columns) Own(id, *scope);
  Restore<Scope*> inside(&scope_, scope.get());
  for (size_t i = 0; i < insert.upserts.size(); ++i) {
    const Upsert& upsert = insert.upserts[i];
    UpsertClause& clause = node->upserts.emplace_back();
    const std::string place = insert.upserts.size() > 1 ? Cat(Ordinal(i + 1), " ") : "";
    TURDB_RETURN_IF_ERROR(MatchUpsertTarget(upsert, table, *node, place, &clause));
    clause.is_update = upsert.is_update;
    TURDB_RETURN_IF_ERROR(BindAssignments(upsert.assignments, table, &clause.assignments));
    if (upsert.where == nullptr) continue;
    TURDB_ASSIGN_OR_RETURN(clause.where, BindExpr(*upsert.where));
  }
  return absl::OkStatus();
}

// Whether the target's columns are those of `index`, in any order; COLLATE in a target does not matter.
bool Binding::IsUpsertTarget(const std::vector<ExprPtr>& target, const BoundExpr* target_where,
                                             const catalog::IndexDef& index, const LogicalInsert& node) {
  if (!index.is_unique || index.columns.size() != target.size()) return false;
  const RowExpressions::IndexExprs* exprs = nullptr;
  for (const RowExpressions::IndexExprs& candidate : node.row_expressions.indexes) {
    if (candidate.index == &index) exprs = &candidate;
  }
  if (!index.where_sql.empty()) {
    if (target_where == nullptr || exprs == nullptr || !ExprEquals(*exprs->where, *target_where)) return false;
  }
  for (size_t i = 0; i < index.columns.size(); ++i) {
    const catalog::IndexColumn& column = index.columns[i];
    const bool is_found = std::any_of(target.begin(), target.end(), [&](const ExprPtr& expr) {
      const BoundExpr& term = SkipCollate(*expr);
      if (column.column == catalog::kExpressionColumn) {
        return exprs != nullptr && ExprEquals(SkipCollate(*exprs->columns[i]), term);
      }
      const size_t place = column.column == catalog::kRowIdColumn ? node.table->columns.size() : static_cast<size_t>(column.column);
      return term.kind == BoundKind::kColumn && term.column == node.row_expressions.row_columns[place];
    });
    if (!is_found) return false;
  }
  return true;
}

absl::Status Binding::MatchUpsertTarget(const Upsert& upsert, const catalog::TableDef& table,
                                        const LogicalInsert& node, std::string_view place, UpsertClause* out) {
  if (upsert.target.empty()) {
    out->is_any = true;
    return absl::OkStatus();
  }
  std::vector<ExprPtr> target;
  for (const OrderingTerm& term : upsert.target) {
    TURDB_ASSIGN_OR_RETURN(ExprPtr expr, BindExpr(*term.expr));
    target.push_back(std::move(expr));
  }
  ExprPtr where;
  if (upsert.target_where != nullptr) {
    TURDB_ASSIGN_OR_RETURN(where, BindExpr(*upsert.target_where));
  }
  const std::vector<ColumnId>& row = node.row_expressions.row_columns;
  const auto names = [&](int column) {
    const ColumnId id = row[column == catalog::kRowIdColumn ? table.columns.size() : static_cast<size_t>(column)];
    return std::any_of(target.begin(), target.end(), [&](const ExprPtr& expr) {
      return SkipCollate(*expr).kind == BoundKind::kColumn && SkipCollate(*expr).column == id;
    });
  };
  if (table.is_without_rowid) {
    out->is_rowid = target.size() == table.primary_key.size() &&
                    std::all_of(table.primary_key.begin(), table.primary_key.end(), names);
  } else {
    out->is_rowid = target.size() == 1 && names(RowIdColumnOf(table));
  }
  if (out->is_rowid) return absl::OkStatus();
  for (const catalog::IndexDef& index : table.indexes) {
    if (!IsUpsertTarget(target, where.get(), index, node)) continue;
    out->index = &index;
    return absl::OkStatus();
  }
  return NameProblem(Cat(place, "ON CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint"),
                     upsert.target[0].expr->pos);
}

}  // namespace turdb::sql
