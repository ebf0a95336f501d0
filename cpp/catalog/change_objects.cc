// DropTable, DropIndex, DropTrigger, DropSchema, ReplaceTable, ReplaceIndex: objects that exist already.

#include "base/errors.h"
#include "base/status_macros.h"
#include "catalog/catalog.h"
#include "catalog/catalog_rows.h"
#include "catalog/definition_codec.h"
#include "catalog/object_files.h"
#include "catalog/snapshot.h"

namespace turdb::catalog {
namespace {

absl::StatusOr<const TableDef*> FindTableById(const CatalogSnapshot& catalog, ObjectId id) {
  for (const TableDef* table : catalog.Tables()) {
    if (table->id == id) return table;
  }
  return InternalError("catalog: no table has the id ", id.value());
}

absl::Status DropIndexObject(txn::Transaction* txn, const IndexDef& index) {
  TURDB_RETURN_IF_ERROR(txn->DropFile(index.file));
  return RemoveRow(txn, index.id);
}

// Indexes and triggers name their table; they follow when it is renamed.
absl::Status RenameDependents(txn::Transaction* txn, const CatalogSnapshot& catalog, const TableDef& old_table,
                              const std::string& new_name) {
  for (IndexDef index : old_table.indexes) {
    index.table = new_name;
    TURDB_RETURN_IF_ERROR(ReplaceRow(txn, RowKind::kIndex, index.id, EncodeDefinition(index)));
  }
  for (const TriggerDef* old_trigger : catalog.TriggersOf(old_table)) {
    TriggerDef trigger = *old_trigger;
    trigger.table = new_name;
    TURDB_RETURN_IF_ERROR(ReplaceRow(txn, RowKind::kTrigger, trigger.id, EncodeDefinition(trigger)));
  }
  return absl::OkStatus();
}

bool HasVectorFile(const TableDef& table, FileId file) {
  for (const ColumnDef& column : table.columns) {
    if (column.type.is_vector() && column.vector_file == file) return true;
  }
  return false;
}

// Vector columns added get a file, those gone lose theirs.
absl::Status MatchVectorFiles(txn::Transaction* txn, const TableDef& old_table, TableDef* table) {
  for (ColumnDef& column : table->columns) {
    if (column.type.is_vector() && column.vector_file == FileId()) {
      TURDB_RETURN_IF_ERROR(CreateVectorFile(txn, *table, &column));
    }
  }
  for (const ColumnDef& column : old_table.columns) {
    if (column.type.is_vector() && !HasVectorFile(*table, column.vector_file)) {
      TURDB_RETURN_IF_ERROR(txn->DropFile(column.vector_file));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status DropTable(CatalogCache* cache, txn::Transaction* txn, const TableDef& table) {
  TURDB_ASSIGN_OR_RETURN(const auto catalog, LoadCatalog(cache, txn));
  TURDB_ASSIGN_OR_RETURN(const TableDef* const stored, FindTableById(*catalog, table.id));
  for (const IndexDef& index : stored->indexes) TURDB_RETURN_IF_ERROR(DropIndexObject(txn, index));
  for (const TriggerDef* trigger : catalog->TriggersOf(*stored)) {
    TURDB_RETURN_IF_ERROR(RemoveRow(txn, trigger->id));
  }
  TURDB_RETURN_IF_ERROR(DropTableFiles(txn, *stored));
  return RemoveRow(txn, stored->id);
}

absl::Status DropIndex(CatalogCache* cache, txn::Transaction* txn, const IndexDef& index) {
  TURDB_ASSIGN_OR_RETURN(const auto catalog, LoadCatalog(cache, txn));
  const IndexDef* stored = catalog->FindIndex(index.schema, index.name);
  if (stored == nullptr) return NameError("no such index: ", index.name);
  return DropIndexObject(txn, *stored);
}

absl::Status DropTrigger(CatalogCache* cache, txn::Transaction* txn, const TriggerDef& trigger) {
  TURDB_ASSIGN_OR_RETURN(const auto catalog, LoadCatalog(cache, txn));
  const TriggerDef* stored = catalog->FindTrigger(trigger.schema, trigger.name);
  if (stored == nullptr) return NameError("no such trigger: ", trigger.name);
  return RemoveRow(txn, stored->id);
}

absl::Status DropSchema(CatalogCache* cache, txn::Transaction* txn, std::string_view name) {
  TURDB_ASSIGN_OR_RETURN(const auto catalog, LoadCatalog(cache, txn));
  if (EqualsIgnoreCase(ResolveSchema(name), kDefaultSchema)) return NameError("schema ", name, " may not be dropped");
  for (const TableDef* table : catalog->Tables()) {
    if (EqualsIgnoreCase(table->schema, name)) {
      return NameError("schema ", name, " is not empty: it has the table ", table->name);
    }
  }
  ObjectId id;
  TURDB_RETURN_IF_ERROR(ForEachRow(txn, [&](RowKind kind, std::string_view definition) {
    if (kind != RowKind::kSchema) return absl::OkStatus();
    SchemaDef schema;
    TURDB_RETURN_IF_ERROR(DecodeDefinition(definition, &schema));
    if (EqualsIgnoreCase(schema.name, name)) id = schema.id;
    return absl::OkStatus();
  }));
  if (id == ObjectId()) return NameError("no such schema: ", name);
  return RemoveRow(txn, id);
}

absl::Status ReplaceTable(CatalogCache* cache, txn::Transaction* txn, const TableDef& table) {
  TURDB_ASSIGN_OR_RETURN(const auto catalog, LoadCatalog(cache, txn));
  TURDB_ASSIGN_OR_RETURN(const TableDef* const old_table, FindTableById(*catalog, table.id));
  if (table.name != old_table->name) {
    const TableDef* taken = catalog->FindTable(table.schema, table.name);
    if ((taken != nullptr && taken != old_table) || catalog->FindIndex(table.schema, table.name) != nullptr) {
      return NameError("there is already another table or index with this name: ", table.name);
    }
    TURDB_RETURN_IF_ERROR(RenameDependents(txn, *catalog, *old_table, table.name));
  }
  TableDef changed = table;
  TURDB_RETURN_IF_ERROR(MatchVectorFiles(txn, *old_table, &changed));
  return ReplaceRow(txn, RowKind::kTable, changed.id, EncodeDefinition(changed));
}

absl::Status ReplaceIndex(CatalogCache* cache, txn::Transaction* txn, const IndexDef& index) {
  TURDB_ASSIGN_OR_RETURN(const auto catalog, LoadCatalog(cache, txn));
  const IndexDef* taken = catalog->FindIndex(index.schema, index.name);
  if (taken != nullptr && taken->id != index.id) return NameError("index ", index.name, " already exists");
  return ReplaceRow(txn, RowKind::kIndex, index.id, EncodeDefinition(index));
}

}  // namespace turdb::catalog
