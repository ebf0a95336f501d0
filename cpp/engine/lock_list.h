// The locks that the transactions of one database hold and wait for, with names that users know: PRAGMA lock_list.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.h"
#include "txn/store.h"

namespace turdb::engine {

struct LockRow {
  int64_t transaction_id = 0;    // the lowest is the oldest
  std::string_view kind;         // database, table, row or key
  std::string name;              // of the table, or of the unique index; empty for the database, and for what was made or
                                 // dropped since `catalog`
  std::optional<int64_t> row_id;  // of a row; a hash for keys and for rows of WITHOUT ROWID tables
  std::string_view mode;         // IS, IX, S or X
  bool is_granted = true;        // false: waits for it
};

// Locks of one thing stand together, those granted first. The list may be old as soon as it is made.
std::vector<LockRow> ListLocks(const txn::Store& store, const catalog::CatalogSnapshot& catalog);

}  // namespace turdb::engine
