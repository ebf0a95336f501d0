// ExecuteSchemaStatement: one statement to the function that knows it (schema_statements.h), and what those share.
#include "sql/exec/schema.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/exec/schema_statements.h"
#include "sql/syntax/syntax_error.h"

namespace turdb::sql {
namespace {

// Columns are numbered from 0 in the order of the row's slots (binder.h), so an id is a slot.
void ToSlots(BoundExpr* expr) {
  if (expr->kind == BoundKind::kColumn) {
    expr->kind = BoundKind::kSlot;
    expr->slot = static_cast<int>(expr->column.value());
  }
  for (ExprPtr& arg : expr->args) ToSlots(arg.get());
}

void ToSlots(RowExpressions* row) {
  for (auto& check : row->checks) ToSlots(check.second.get());
  for (auto& generated : row->generated) ToSlots(generated.second.get());
  for (RowExpressions::IndexExprs& index : row->indexes) {
    for (ExprPtr& column : index.columns) {
      if (column != nullptr) ToSlots(column.get());
    }
    if (index.where != nullptr) ToSlots(index.where.get());
  }
}

}  // namespace

absl::Status SchemaStatement::Reload() {
  TURDB_ASSIGN_OR_RETURN(context->exec->catalog, catalog::LoadCatalog(cache(), txn()));
  return absl::OkStatus();
}

absl::Status SchemaStatement::Problem(std::string_view message, SourcePos pos, std::string_view hint) const {
  return NameError(AtPlace(message, parsed.text, pos.offset, hint));
}

absl::Status SchemaStatement::NoSuchTable(const QualifiedName& name, std::string_view what) const {
  const std::string full = name.schema.empty() ? std::string(name.name.text) : Cat(name.schema.text, ".", name.name.text);
  const std::vector<std::string> similar = catalog().SimilarTables(name.name.text);
  return Problem(Cat("no such ", what, ": ", full), name.name.pos, similar.empty() ? "" : Cat("did you mean ", similar[0], "?"));
}

absl::StatusOr<std::unique_ptr<TableExpressions>> TableExpressions::Make(const catalog::TableDef& table,
                                                                         SchemaStatement* statement) {
  auto made = std::make_unique<TableExpressions>();
  TURDB_ASSIGN_OR_RETURN(made->bound, BindRowExpressions(table, statement->bind_options()));
  ToSlots(&made->bound);
  made->builder.context = statement->context->exec;
  TURDB_ASSIGN_OR_RETURN(made->shaper, RowShaper::Make(table, made->bound, &made->builder));
  return made;
}

absl::Status FillIndex(const catalog::TableDef& table, const catalog::IndexDef& index, SchemaStatement* statement) {
  TURDB_ASSIGN_OR_RETURN(auto expressions, TableExpressions::Make(table, statement));
  return table::BuildIndex(statement->txn(), table, index, expressions->index_callback(), statement->context->threads,
                           statement->context->progress,
                           {statement->context->exec->temp_place, statement->context->exec->memory.limit()});
}

absl::StatusOr<std::vector<std::string>> CheckStoredTable(const catalog::TableDef& table, ExecContext* context) {
  SchemaContext schema;
  schema.exec = context;
  schema.functions = context->functions;
  const ParsedStatement none;
  SchemaStatement statement{none, &schema};
  TURDB_ASSIGN_OR_RETURN(auto expressions, TableExpressions::Make(table, &statement));
  return table::CheckTable(context->txn, table, expressions->index_callback(), [context] { return context->CheckInterrupt(); });
}

absl::Status ExecuteSchemaStatement(const ParsedStatement& parsed, SchemaContext* context) {
  SchemaStatement statement{parsed, context};
  const Statement& tree = *parsed.statement;
  switch (tree.kind) {
    case StatementKind::kCreateTable: return ExecuteCreateTable(tree.As<CreateTable>(), &statement);
    case StatementKind::kCreateIndex: return ExecuteCreateIndex(tree.As<CreateIndex>(), &statement);
    case StatementKind::kCreateView: return ExecuteCreateView(tree.As<CreateView>(), &statement);
    case StatementKind::kCreateSchema: return ExecuteCreateSchema(tree.As<CreateSchema>(), &statement);
    case StatementKind::kDrop: return ExecuteDrop(tree.As<Drop>(), &statement);
    case StatementKind::kAlterTable: return ExecuteAlter(tree.As<AlterTable>(), &statement);
    case StatementKind::kReindex: return ExecuteReindex(tree.As<Reindex>(), &statement);
    case StatementKind::kAnalyze: return ExecuteAnalyze(tree.As<Analyze>(), &statement);
    case StatementKind::kCreateVirtualTable:
      return NameError("no such module: ", tree.As<CreateVirtualTable>().module.text);
    case StatementKind::kCreateTrigger:
      return UnsupportedError("triggers are not supported: write the statements where the change is made, in one transaction");
    case StatementKind::kAttach:
    case StatementKind::kDetach:
      return UnsupportedError("ATTACH and DETACH are not supported: use CREATE SCHEMA for several name spaces in one database, "
                              "or a second connection");
    default: return InternalError("statement kind ", static_cast<int>(tree.kind), " does not change the schema");
  }
}

}  // namespace turdb::sql
