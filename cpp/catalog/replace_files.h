// ReplaceFiles: a table that was copied into new files takes their place.
#pragma once

#include "absl/status/status.h"
#include "catalog/definitions.h"
#include "txn/store.h"

namespace turdb::catalog {

// Stores `table` and its indexes under the ids that they have, and drops the files of `old_table` that it does not have any
// more: they are gone at commit, for snapshots before it they stay. REQUIRES: txn->is_writing(); nothing but files and paths
// differs between the two.
absl::Status ReplaceFiles(txn::Transaction* txn, const TableDef& old_table, const TableDef& table);

}  // namespace turdb::catalog
