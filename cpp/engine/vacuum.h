// VACUUM: tables rebuilt without the room that deletions left (table/rebuild.h).
//
// A table at a time, each in a transaction of its own: the extra disk that it takes is that of the largest table, an
// interruption keeps what is done, and no reader sees anything but the table as it was or as it is. Readers of older
// snapshots keep the old files until they end.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "catalog/catalog.h"
#include "env/env.h"
#include "table/table_writer.h"
#include "txn/store.h"

namespace turdb::engine {

struct VacuumOptions {
  int threads = 1;
  table::Progress progress;
  table::SortSpace space;  // of graphs while they are built
};

// Rebuilds one table in a transaction that is writing; the caller commits.
absl::Status VacuumTable(txn::Transaction* txn, const catalog::TableDef& table, const VacuumOptions& options);

class ConnectionState;
// PRAGMA incremental_vacuum: rebuilds the tables with something to give back, the first ones until that is `pages`.
absl::Status VacuumUntil(ConnectionState* state, uint64_t pages);

// A compact copy of the database that `from` sees, in a directory that is missing or empty. On disk when this returns;
// when it fails, nothing of it is left.
absl::Status VacuumInto(catalog::CatalogCache* cache, txn::Transaction* from, env::Env* env, const std::string& path,
                        const VacuumOptions& options);

}  // namespace turdb::engine
