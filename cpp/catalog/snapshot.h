// Snapshot: the decoded catalog of one version: definitions and the maps that find them.
//
// Built once by Add* and Finish, immutable and thread-safe afterwards. Names are looked up as schema + '\0' + name,
// lowered; tables and views share a name space, indexes and triggers have their own (as in SQLite).
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "catalog/catalog.h"

namespace turdb::catalog {

// The schema that a name means: "" and "main" are the default one. The case stays.
std::string_view ResolveSchema(std::string_view schema);

class Snapshot final : public CatalogSnapshot {
 public:
  explicit Snapshot(uint64_t version) : version_(version) { AddSchema(std::string(kDefaultSchema)); }

  void AddSchema(std::string name) { schemas_.push_back(std::move(name)); }
  void AddTable(TableDef table);
  void AddIndex(IndexDef index) { pending_indexes_.push_back(std::move(index)); }
  void AddTrigger(TriggerDef trigger);
  // Gives indexes to their tables. kCorruption when one has none, or does not fit it.
  absl::Status Finish();

  const TableDef* FindTable(std::string_view schema, std::string_view name) const override;
  const IndexDef* FindIndex(std::string_view schema, std::string_view name) const override;
  const TriggerDef* FindTrigger(std::string_view schema, std::string_view name) const override;
  bool HasSchema(std::string_view schema) const override;
  std::vector<const TableDef*> Tables() const override;
  std::vector<const TriggerDef*> TriggersOf(const TableDef& table) const override;
  std::vector<std::string> Schemas() const override { return schemas_; }
  std::vector<std::string> SimilarTables(std::string_view name) const override;
  uint64_t version() const override { return version_; }

 private:
  template <typename T>
  using ByName = absl::flat_hash_map<std::string, T>;

  uint64_t version_;
  std::vector<std::string> schemas_;
  std::deque<TableDef> tables_;  // a deque: pointers stay
  std::deque<TriggerDef> triggers_;
  std::vector<IndexDef> pending_indexes_;
  ByName<TableDef*> tables_by_name_;
  ByName<const IndexDef*> indexes_by_name_;
  ByName<const TriggerDef*> triggers_by_name_;
};

}  // namespace turdb::catalog
