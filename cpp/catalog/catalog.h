// Catalog: reading and changing the definitions inside a transaction.
//
// Stored as rows of a RowTree in txn::kCatalogFile (a row an object: docs/format/catalog.md), so DDL commits, rolls back
// and is versioned with everything else. CatalogSnapshot is the decoded, immutable form; LoadCatalog caches it by the
// file's version, so an unchanged catalog costs a map look-up.
// The default schema is "root" ("main" names it too); "turdb_catalog" holds the system's views.
// CatalogSnapshot is thread-safe; the mutating functions belong to their transaction's thread.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "catalog/definitions.h"
#include "txn/store.h"

namespace turdb::catalog {

inline constexpr std::string_view kDefaultSchema = "root";
inline constexpr std::string_view kSystemSchema = "turdb_catalog";

class CatalogSnapshot {
 public:
  virtual ~CatalogSnapshot() = default;
  // nullptr when there is none. An empty schema means the default one. Pointers live as long as the snapshot.
  virtual const TableDef* FindTable(std::string_view schema, std::string_view name) const = 0;
  virtual const IndexDef* FindIndex(std::string_view schema, std::string_view name) const = 0;
  virtual const TriggerDef* FindTrigger(std::string_view schema, std::string_view name) const = 0;
  virtual bool HasSchema(std::string_view schema) const = 0;
  virtual std::vector<const TableDef*> Tables() const = 0;  // tables and views in order of creation
  virtual std::vector<const TriggerDef*> TriggersOf(const TableDef& table) const = 0;
  virtual std::vector<std::string> Schemas() const = 0;
  // Names close to a misspelt one, nearest first, for "did you mean".
  virtual std::vector<std::string> SimilarTables(std::string_view name) const = 0;
  virtual uint64_t version() const = 0;  // PRAGMA schema_version-like; changes with every DDL
};

// Per database; thread-safe.
class CatalogCache;
std::shared_ptr<CatalogCache> NewCatalogCache();

absl::StatusOr<std::shared_ptr<const CatalogSnapshot>> LoadCatalog(CatalogCache* cache, txn::Transaction* txn);

// Each checks names (kName when taken or missing), assigns ids, creates or drops the object's files and writes its
// rows. REQUIRES: txn->is_writing(). The definition comes back complete.
absl::StatusOr<TableDef> CreateTable(CatalogCache* cache, txn::Transaction* txn, TableDef table);
absl::StatusOr<IndexDef> CreateIndex(CatalogCache* cache, txn::Transaction* txn, IndexDef index);
absl::Status CreateTrigger(CatalogCache* cache, txn::Transaction* txn, TriggerDef trigger);
absl::Status CreateSchema(CatalogCache* cache, txn::Transaction* txn, std::string_view name);
absl::Status DropTable(CatalogCache* cache, txn::Transaction* txn, const TableDef& table);  // its indexes and triggers too
absl::Status DropIndex(CatalogCache* cache, txn::Transaction* txn, const IndexDef& index);
absl::Status DropTrigger(CatalogCache* cache, txn::Transaction* txn, const TriggerDef& trigger);
absl::Status DropSchema(CatalogCache* cache, txn::Transaction* txn, std::string_view name);  // must be empty
// Replaces the stored definition of a table or view (ALTER TABLE): same id, same files; its indexes and triggers follow a
// new name, a vector column without a file gets one, the file of one that is gone is dropped.
absl::Status ReplaceTable(CatalogCache* cache, txn::Transaction* txn, const TableDef& table);
absl::Status ReplaceIndex(CatalogCache* cache, txn::Transaction* txn, const IndexDef& index);

// A new database's catalog. REQUIRES: txn->is_writing().
absl::Status InitialiseCatalog(txn::Transaction* txn);

}  // namespace turdb::catalog
