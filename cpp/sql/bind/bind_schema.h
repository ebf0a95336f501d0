// From CREATE statements to catalog definitions: SQLite's rules on columns, keys and constraints, checked and written out.
//
// Nothing is stored here: sql/exec gives the definitions to the catalog. Errors begin with SQLite's words.
#pragma once

#include "sql/bind/binder.h"

namespace turdb::sql {

struct NewTable {
  catalog::TableDef table;
  std::vector<catalog::IndexDef> indexes;  // those that UNIQUE and PRIMARY KEY make, in order
};

// "main" and "" are the default schema. kName when it does not exist; TEMP is kUnsupported.
absl::StatusOr<std::string> ResolveSchemaName(const Name& schema, const catalog::CatalogSnapshot& catalog);
// Fails with kName when a table, view or index of that name exists, or when the name is reserved.
absl::Status CheckNewName(std::string_view schema, std::string_view name, const catalog::CatalogSnapshot& catalog);

absl::StatusOr<NewTable> BindCreateTable(const CreateTable& create, const ParsedStatement& parsed,
                                         const catalog::CatalogSnapshot& catalog, const BindOptions& options);
// CREATE TABLE AS: one column a result column, named and typed as SQLite does.
absl::StatusOr<NewTable> BindCreateTableAs(const CreateTable& create, const std::vector<ResultColumnInfo>& columns,
                                           const catalog::CatalogSnapshot& catalog);
absl::StatusOr<catalog::IndexDef> BindCreateIndex(const CreateIndex& create, const ParsedStatement& parsed,
                                                  const catalog::CatalogSnapshot& catalog, const BindOptions& options);
// The same without a look at which names are taken: ALTER TABLE binds the changed texts of what is stored.
absl::StatusOr<NewTable> BindTableDefinition(const CreateTable& create, const ParsedStatement& parsed, std::string_view schema,
                                             const BindOptions& options);
absl::StatusOr<catalog::IndexDef> BindIndexDefinition(const CreateIndex& create, const ParsedStatement& parsed,
                                                      const catalog::TableDef& table, const BindOptions& options);
absl::StatusOr<catalog::TableDef> BindCreateView(const CreateView& create, const ParsedStatement& parsed,
                                                 const catalog::CatalogSnapshot& catalog);

// One column definition as CREATE TABLE and ALTER TABLE ADD COLUMN take it; constraints that make keys come back in
// `key_constraints`.
absl::StatusOr<catalog::ColumnDef> BindColumn(const ColumnDef& column, bool is_strict, std::string_view table,
                                              const BindOptions& options, std::vector<const Constraint*>* key_constraints,
                                              catalog::TableDef* owner);

}  // namespace turdb::sql
