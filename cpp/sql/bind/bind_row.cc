// Expressions that the catalog keeps as text: CHECKs, generated columns, index expressions, partial indexes, defaults.
#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/bind/binding.h"

namespace turdb::sql {
namespace {

std::string_view UseName(RowExpressionUse use) {
  switch (use) {
    case RowExpressionUse::kCheck: return "CHECK constraints";
    case RowExpressionUse::kGenerated: return "generated columns";
    case RowExpressionUse::kIndexColumn: return "index expressions";
    case RowExpressionUse::kIndexWhere: return "partial index WHERE clauses";
  }
  return "";
}

}  // namespace

std::vector<ColumnId> Binding::NewRowColumns(const catalog::TableDef& table, std::string_view prefix) {
  std::vector<ColumnId> ids;
  ids.reserve(table.columns.size() + 1);
  for (const catalog::ColumnDef& column : table.columns) {
    ids.push_back(prefix.empty() ? NewColumn(column.name) : NewColumn(Cat(prefix, column.name)));
  }
  ids.push_back(NewColumn(prefix.empty() ? "rowid" : Cat(prefix, "rowid")));
  return ids;
}

Source Binding::RowSource(const catalog::TableDef& table, std::string_view name,
                          const std::vector<ColumnId>& ids) const {
  Source source;
  source.name = name;
  if (name == table.name) source.schema = table.schema;
  source.table = &table;
  source.ids = ids;
  return source;
}

ExprResult Binding::BindRowExpression(std::string_view sql, const Source& row, RowExpressionUse use) {
  TURDB_ASSIGN_OR_RETURN(ParsedExpression parsed, ParseExpression(sql));
  std::unique_ptr<Scope> scope = NewScope(nullptr);
  scope->sources.push_back(row);
  Restore<Scope*> inside(&scope_, scope.get());
  Restore<std::string_view> text(&text_, parsed.text);
  Restore<std::string_view> prohibitions(&prohibited_in_, UseName(use));
  return BindExpr(*parsed.expr);
}

absl::Status Binding::BindRowExpressions(const catalog::TableDef& table, bool indexes_only, RowExpressions* out) {
  const Source row = RowSource(table, table.name, out->row_columns);
  for (const catalog::CheckDef& check : table.checks) {
    if (indexes_only) break;
    TURDB_ASSIGN_OR_RETURN(ExprPtr expr, BindRowExpression(check.sql, row, RowExpressionUse::kCheck));
    out->checks.emplace_back(check.name.empty() ? check.sql : check.name, std::move(expr));
  }
  if (!indexes_only) TURDB_RETURN_IF_ERROR(BindGenerated(table, row, out));
  for (const catalog::IndexDef& index : table.indexes) {
    const bool has_expression = std::any_of(index.columns.begin(), index.columns.end(), [](const auto& column) {
      return column.column == catalog::kExpressionColumn;
    });
    if (!has_expression && index.where_sql.empty()) continue;
    RowExpressions::IndexExprs& exprs = out->indexes.emplace_back();
    exprs.index = &index;
    for (const catalog::IndexColumn& column : index.columns) {
      ExprPtr& expr = exprs.columns.emplace_back();
      if (column.column != catalog::kExpressionColumn) continue;
      TURDB_ASSIGN_OR_RETURN(expr, BindRowExpression(column.expression_sql, row, RowExpressionUse::kIndexColumn));
    }
    if (index.where_sql.empty()) continue;
    TURDB_ASSIGN_OR_RETURN(exprs.where, BindRowExpression(index.where_sql, row, RowExpressionUse::kIndexWhere));
  }
  return absl::OkStatus();
}

// Each after those it reads.
absl::Status Binding::BindGenerated(const catalog::TableDef& table, const Source& row, RowExpressions* out) {
  std::vector<std::pair<int, ExprPtr>> waiting;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].generated == catalog::GeneratedKind::kNone) continue;
    TURDB_ASSIGN_OR_RETURN(ExprPtr expr,
                           BindRowExpression(table.columns[i].generated_sql, row, RowExpressionUse::kGenerated));
    waiting.emplace_back(static_cast<int>(i), std::move(expr));
  }
  while (!waiting.empty()) {
    const auto is_ready = [&](const std::pair<int, ExprPtr>& candidate) {
      std::vector<ColumnId> reads;
      CollectColumns(*candidate.second, &reads);
      return std::none_of(waiting.begin(), waiting.end(), [&](const auto& other) {
        return std::find(reads.begin(), reads.end(), row.ids[static_cast<size_t>(other.first)]) != reads.end();
      });
    };
    const auto next = std::find_if(waiting.begin(), waiting.end(), is_ready);
    if (next == waiting.end()) {
      return NameError("generated column loop on \"", table.columns[static_cast<size_t>(waiting[0].first)].name, "\"");
    }
    out->generated.push_back(std::move(*next));
    waiting.erase(next);
  }
  return absl::OkStatus();
}

// DEFAULT word is the string 'word', as in SQLite.
ExprResult Binding::BindDefault(std::string_view sql, std::string_view column) {
  TURDB_ASSIGN_OR_RETURN(ParsedExpression parsed, ParseExpression(sql));
  if (parsed.expr->kind == ExprKind::kColumn && parsed.expr->As<ColumnExpr>().table.empty()) {
    return NewConstant(Value::Text(std::string(parsed.expr->As<ColumnExpr>().column.text)));
  }
  Restore<Scope*> nowhere(&scope_, nullptr);
  Restore<std::string_view> text(&text_, parsed.text);
  const std::string place = Cat("the default of column ", column);
  Restore<std::string_view> prohibitions(&prohibited_in_, place);
  Restore<bool> any_function(&are_all_functions_allowed_, true);
  ExprResult result = BindExpr(*parsed.expr);
  if (!result.ok() && KindOf(result.status()) != ErrorKind::kInternal) {
    return NameError("default value of column [", column, "] is not constant: ",
                     FromAbsl(result.status().message()));
  }
  return result;
}

absl::Status Binding::BindDefaults(const catalog::TableDef& table, std::vector<ExprPtr>* out) {
  out->resize(table.columns.size());
  for (size_t i = 0; i < table.columns.size(); ++i) {
    if (!table.columns[i].default_sql.has_value()) continue;
    TURDB_ASSIGN_OR_RETURN((*out)[i], BindDefault(*table.columns[i].default_sql, table.columns[i].name));
  }
  return absl::OkStatus();
}

// RETURNING: result columns over the row as written; * and names are the target table's alone.
absl::Status Binding::BindReturning(const List<ResultColumn>& columns, const catalog::TableDef& table,
                                    const std::vector<ColumnId>& row_columns, Returning* out) {
  if (columns.empty()) return absl::OkStatus();
  out->is_present = true;
  Restore<bool> inlined(&are_ctes_inlined_, true);
  std::unique_ptr<Scope> scope = NewScope(nullptr);
  for (ColumnId id : row_columns) Own(id, *scope);
  scope->sources.push_back(RowSource(table, table.name, row_columns));
  Restore<Scope*> inside(&scope_, scope.get());
  scope->is_in_aggregate = true;  // "misuse of aggregate function", as SQLite says here
  for (const ResultColumn& column : columns) {
    if (column.expr->kind == ExprKind::kStar && !column.expr->As<StarExpr>().table.empty()) {
      return Misuse("RETURNING may not use \"TABLE.*\" wildcards", column.expr->pos);
    }
  }
  TURDB_RETURN_IF_ERROR(BindItems(scope.get(), columns));
  for (ResultItem& item : scope->items) {
    OutColumn column = ColumnOf(*item.expr, kNoColumn, item.name);
    column.origin = item.origin;
    column.origin_column = item.origin_column;
    AddResultColumn(column);
    out->exprs.push_back(std::move(item.expr));
  }
  return absl::OkStatus();
}

}  // namespace turdb::sql
