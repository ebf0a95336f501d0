// CreateTable, CreateIndex, CreateTrigger, CreateSchema: check the name, make the files, write the row.

#include "base/errors.h"
#include "base/status_macros.h"
#include "catalog/catalog.h"
#include "catalog/catalog_rows.h"
#include "catalog/definition_codec.h"
#include "catalog/object_files.h"
#include "catalog/snapshot.h"

namespace turdb::catalog {
namespace {

// Tables, views and indexes of a schema share one name space; the messages are SQLite's.
absl::Status CheckNameIsFree(const CatalogSnapshot& catalog, std::string_view schema, std::string_view name,
                             bool is_for_index) {
  if (!catalog.HasSchema(schema)) return NameError("unknown database ", schema);
  if (const TableDef* taken = catalog.FindTable(schema, name)) {
    if (is_for_index) return NameError("there is already a table named ", name);
    return NameError(taken->kind == TableKind::kView ? "view " : "table ", name, " already exists");
  }
  if (catalog.FindIndex(schema, name) != nullptr) {
    if (is_for_index) return NameError("index ", name, " already exists");
    return NameError("there is already an index named ", name);
  }
  return absl::OkStatus();
}

// Rows name vectors by slot, so a vector cannot name a row.
absl::Status CheckPrimaryKey(const TableDef& table) {
  for (int column : table.primary_key) {
    if (table.is_without_rowid && table.columns[column].type.is_vector()) {
      return UnsupportedError("the primary key of a WITHOUT ROWID table may not have the vector column ", table.columns[column].name);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TableDef> CreateTable(CatalogCache* cache, txn::Transaction* txn, TableDef table) {
  TURDB_ASSIGN_OR_RETURN(const auto catalog, LoadCatalog(cache, txn));
  table.schema = std::string(ResolveSchema(table.schema));
  TURDB_RETURN_IF_ERROR(CheckNameIsFree(*catalog, table.schema, table.name, false));
  TURDB_RETURN_IF_ERROR(CheckPrimaryKey(table));
  TURDB_ASSIGN_OR_RETURN(table.id, NewObjectId(txn));
  table.indexes.clear();
  if (table.kind == TableKind::kTable) {
    TURDB_RETURN_IF_ERROR(CreateTableFile(txn, &table));
    for (ColumnDef& column : table.columns) {
      if (column.type.is_vector()) TURDB_RETURN_IF_ERROR(CreateVectorFile(txn, table, &column));
    }
  }
  TURDB_RETURN_IF_ERROR(AddRow(txn, RowKind::kTable, table.id, EncodeDefinition(table)));
  return table;
}

absl::StatusOr<IndexDef> CreateIndex(CatalogCache* cache, txn::Transaction* txn, IndexDef index) {
  TURDB_ASSIGN_OR_RETURN(const auto catalog, LoadCatalog(cache, txn));
  index.schema = std::string(ResolveSchema(index.schema));
  TURDB_RETURN_IF_ERROR(CheckNameIsFree(*catalog, index.schema, index.name, true));
  const TableDef* table = catalog->FindTable(index.schema, index.table);
  if (table == nullptr) return NameError("no such table: ", index.schema, ".", index.table);
  if (table->kind == TableKind::kView) return NameError("views may not be indexed");
  TURDB_ASSIGN_OR_RETURN(index.id, NewObjectId(txn));
  index.table = table->name;
  index.has_short_row_keys = CanHaveShortRowKeys(*table, index);
  TURDB_RETURN_IF_ERROR(CreateIndexFile(txn, &index));
  TURDB_RETURN_IF_ERROR(AddRow(txn, RowKind::kIndex, index.id, EncodeDefinition(index)));
  return index;
}

absl::Status CreateTrigger(CatalogCache* cache, txn::Transaction* txn, TriggerDef trigger) {
  TURDB_ASSIGN_OR_RETURN(const auto catalog, LoadCatalog(cache, txn));
  trigger.schema = std::string(ResolveSchema(trigger.schema));
  if (!catalog->HasSchema(trigger.schema)) return NameError("unknown database ", trigger.schema);
  if (catalog->FindTrigger(trigger.schema, trigger.name) != nullptr) {
    return NameError("trigger ", trigger.name, " already exists");
  }
  if (catalog->FindTable(trigger.schema, trigger.table) == nullptr) {
    return NameError("no such table: ", trigger.schema, ".", trigger.table);
  }
  TURDB_ASSIGN_OR_RETURN(trigger.id, NewObjectId(txn));
  return AddRow(txn, RowKind::kTrigger, trigger.id, EncodeDefinition(trigger));
}

absl::Status CreateSchema(CatalogCache* cache, txn::Transaction* txn, std::string_view name) {
  TURDB_ASSIGN_OR_RETURN(const auto catalog, LoadCatalog(cache, txn));
  if (catalog->HasSchema(name) || EqualsIgnoreCase(name, kSystemSchema)) {
    return NameError("schema ", name, " already exists");
  }
  SchemaDef schema;
  TURDB_ASSIGN_OR_RETURN(schema.id, NewObjectId(txn));
  schema.name = std::string(name);
  return AddRow(txn, RowKind::kSchema, schema.id, EncodeDefinition(schema));
}

}  // namespace turdb::catalog
