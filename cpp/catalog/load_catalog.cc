// LoadCatalog: decodes the catalog's rows into a Snapshot, or finds it in the cache.

#include "base/status_macros.h"
#include "catalog/catalog.h"
#include "catalog/catalog_cache.h"
#include "catalog/catalog_rows.h"
#include "catalog/definition_codec.h"
#include "catalog/snapshot.h"

namespace turdb::catalog {
namespace {

absl::Status AddDefinition(Snapshot* snapshot, RowKind kind, std::string_view definition) {
  switch (kind) {
    case RowKind::kTable: {
      TableDef table;
      TURDB_RETURN_IF_ERROR(DecodeDefinition(definition, &table));
      snapshot->AddTable(std::move(table));
      break;
    }
    case RowKind::kIndex: {
      IndexDef index;
      TURDB_RETURN_IF_ERROR(DecodeDefinition(definition, &index));
      snapshot->AddIndex(std::move(index));
      break;
    }
    case RowKind::kTrigger: {
      TriggerDef trigger;
      TURDB_RETURN_IF_ERROR(DecodeDefinition(definition, &trigger));
      snapshot->AddTrigger(std::move(trigger));
      break;
    }
    case RowKind::kSchema: {
      SchemaDef schema;
      TURDB_RETURN_IF_ERROR(DecodeDefinition(definition, &schema));
      snapshot->AddSchema(std::move(schema.name));
      break;
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::shared_ptr<CatalogCache> NewCatalogCache() { return std::make_shared<CatalogCache>(); }

absl::StatusOr<std::shared_ptr<const CatalogSnapshot>> LoadCatalog(CatalogCache* cache, txn::Transaction* txn) {
  const uint64_t file_version = txn->FileVersion(txn::kCatalogFile);
  if (std::shared_ptr<const CatalogSnapshot> found = cache->Find(file_version)) return found;
  TURDB_ASSIGN_OR_RETURN(const uint64_t version, SchemaVersion(txn));
  auto snapshot = std::make_shared<Snapshot>(version);
  TURDB_RETURN_IF_ERROR(ForEachRow(txn, [&](RowKind kind, std::string_view definition) {
    return AddDefinition(snapshot.get(), kind, definition);
  }));
  TURDB_RETURN_IF_ERROR(snapshot->Finish());
  cache->Put(file_version, snapshot);
  return std::shared_ptr<const CatalogSnapshot>(std::move(snapshot));
}

}  // namespace turdb::catalog
