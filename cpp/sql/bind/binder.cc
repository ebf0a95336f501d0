// The entry points: a statement, and expressions over one row.
#include "sql/bind/binder.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/bind/binding.h"

namespace turdb::sql {

void Binding::AddResultColumn(const OutColumn& out) {
  ResultColumnInfo& info = bound_.columns.emplace_back();
  info.name = std::string(out.name);
  info.affinity = out.affinity;
  if (out.origin == nullptr) return;
  info.table = out.origin->name;
  if (out.origin_column < 0) {
    info.column = "rowid";
    info.declared_type = "INTEGER";
    return;
  }
  const catalog::ColumnDef& column = out.origin->columns[static_cast<size_t>(out.origin_column)];
  info.column = column.name;
  info.declared_type = column.type.declared;
  info.type = column.type;
}

absl::Status Binding::BindStatement(const Statement& statement) {
  switch (statement.kind) {
    case StatementKind::kSelect: {
      TURDB_ASSIGN_OR_RETURN(BoundSelect select, BindSelect(statement.As<Select>(), nullptr));
      bound_.columns.reserve(select.columns.size());
      for (const OutColumn& column : select.columns) AddResultColumn(column);
      bound_.root = std::move(select.root);
      return absl::OkStatus();
    }
    case StatementKind::kInsert: bound_.is_read_only = false; return BindInsert(statement.As<Insert>());
    case StatementKind::kUpdate: bound_.is_read_only = false; return BindUpdate(statement.As<Update>());
    case StatementKind::kDelete: bound_.is_read_only = false; return BindDelete(statement.As<Delete>());
    case StatementKind::kExplain: return BindStatement(*statement.As<Explain>().statement);
    default: return InternalError("only queries and writes are bound to plans");
  }
}

absl::StatusOr<BoundStatement> Bind(const ParsedStatement& parsed,
                                    std::shared_ptr<const catalog::CatalogSnapshot> catalog,
                                    const BindOptions& options) {
  Binding binding(catalog.get(), options, parsed.text);
  TURDB_RETURN_IF_ERROR(binding.BindStatement(*parsed.statement));
  TURDB_RETURN_IF_ERROR(binding.Finish());
  BoundStatement bound = std::move(binding.bound());
  bound.catalog = std::move(catalog);
  bound.parameter_count = parsed.parameter_count;
  bound.parameter_names.reserve(parsed.parameter_names.size());
  for (std::string_view name : parsed.parameter_names) bound.parameter_names.emplace_back(name);
  return bound;
}

absl::StatusOr<RowExpressions> BindRowExpressions(const catalog::TableDef& table, const BindOptions& options) {
  Binding binding(nullptr, options, "");
  RowExpressions row;
  row.row_columns = binding.NewRowColumns(table, "");
  TURDB_RETURN_IF_ERROR(binding.BindRowExpressions(table, false, &row));
  return row;
}

absl::StatusOr<ExprPtr> BindRowExpression(std::string_view sql, const catalog::TableDef& table, RowExpressionUse use,
                                          const BindOptions& options) {
  Binding binding(nullptr, options, sql);
  const std::vector<ColumnId> ids = binding.NewRowColumns(table, "");
  return binding.BindRowExpression(sql, binding.RowSource(table, table.name, ids), use);
}

absl::StatusOr<ExprPtr> BindDefault(std::string_view sql, std::string_view column, const BindOptions& options) {
  Binding binding(nullptr, options, sql);
  return binding.BindDefault(sql, column);
}

}  // namespace turdb::sql
