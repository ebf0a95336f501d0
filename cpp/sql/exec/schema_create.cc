// CREATE TABLE, INDEX, VIEW and SCHEMA.
#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/bind/bind_schema.h"
#include "sql/exec/schema_statements.h"

namespace turdb::sql {

absl::Status ExecuteCreateTable(const CreateTable& create, SchemaStatement* statement) {
  if (create.if_not_exists && statement->catalog().FindTable(create.name.schema.text, create.name.name.text) != nullptr) {
    return absl::OkStatus();
  }
  if (create.as_select != nullptr) return ExecuteCreateTableAs(create, statement);
  if (statement->parsed.parameter_count > 0) return ParameterError("parameters are not allowed in CREATE TABLE");
  TURDB_ASSIGN_OR_RETURN(NewTable made,
                         BindCreateTable(create, statement->parsed, statement->catalog(), statement->bind_options()));
  TURDB_RETURN_IF_ERROR(catalog::CreateTable(statement->cache(), statement->txn(), std::move(made.table)).status());
  for (catalog::IndexDef& index : made.indexes) {
    TURDB_RETURN_IF_ERROR(catalog::CreateIndex(statement->cache(), statement->txn(), std::move(index)).status());
  }
  return absl::OkStatus();
}

absl::Status ExecuteCreateIndex(const CreateIndex& create, SchemaStatement* statement) {
  const bool has_table = statement->catalog().FindTable(create.name.schema.text, create.table.text) != nullptr;
  const bool exists = statement->catalog().FindIndex(create.name.schema.text, create.name.name.text) != nullptr;
  if (create.if_not_exists && has_table && exists) return absl::OkStatus();
  if (statement->parsed.parameter_count > 0) return ParameterError("parameters are not allowed in CREATE INDEX");
  TURDB_ASSIGN_OR_RETURN(catalog::IndexDef index,
                         BindCreateIndex(create, statement->parsed, statement->catalog(), statement->bind_options()));
  TURDB_ASSIGN_OR_RETURN(index, catalog::CreateIndex(statement->cache(), statement->txn(), std::move(index)));
  TURDB_RETURN_IF_ERROR(statement->Reload());
  const catalog::TableDef* table = statement->catalog().FindTable(index.schema, index.table);
  const catalog::IndexDef* stored = statement->catalog().FindIndex(index.schema, index.name);
  if (table == nullptr || stored == nullptr) return InternalError("index ", index.name, " is not in the catalog that it was put in");
  return FillIndex(*table, *stored, statement);
}

absl::Status ExecuteCreateView(const CreateView& create, SchemaStatement* statement) {
  if (create.if_not_exists && statement->catalog().FindTable(create.name.schema.text, create.name.name.text) != nullptr) {
    return absl::OkStatus();
  }
  TURDB_ASSIGN_OR_RETURN(catalog::TableDef view, BindCreateView(create, statement->parsed, statement->catalog()));
  return catalog::CreateTable(statement->cache(), statement->txn(), std::move(view)).status();
}

absl::Status ExecuteCreateSchema(const CreateSchema& create, SchemaStatement* statement) {
  const std::string_view name = create.name.text;
  if (EqualsIgnoreCase(name, "temp") || EqualsIgnoreCase(name, "main")) {
    return NameError("object name reserved for internal use: ", name);
  }
  if (create.if_not_exists && statement->catalog().HasSchema(name)) return absl::OkStatus();
  return catalog::CreateSchema(statement->cache(), statement->txn(), name);
}

}  // namespace turdb::sql
