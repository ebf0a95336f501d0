// PRAGMA page_count and freelist_count: pages over all files that the catalog names, its own among them.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "catalog/catalog.h"
#include "txn/store.h"

namespace turdb::engine {

struct PageCounts {
  uint64_t pages = 0;  // of which
  uint64_t free = 0;   // wait for reuse
};

// As the transaction sees the files. kCorruption and kIo where a file cannot be read.
absl::StatusOr<PageCounts> CountPages(txn::Transaction* txn, const catalog::CatalogSnapshot& catalog);

}  // namespace turdb::engine
