// Graph indexes: what a table does with the HNSW graphs over its vector columns, in terms of its definitions.
//
// hnsw/ knows files and slots; this knows which file belongs to which index, and that vectors past a graph's absorbed
// ones are its tail. The functions that write REQUIRE txn->is_writing() and belong to its thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "catalog/definitions.h"
#include "table/table_writer.h"
#include "txn/store.h"

namespace turdb::table {

// The HNSW indexes over a column, in order of creation.
std::vector<const catalog::IndexDef*> GraphsOf(const catalog::TableDef& table, int column);

absl::Status BuildGraph(txn::Transaction* txn, const catalog::TableDef& table, const catalog::IndexDef& index, int threads,
                        const Progress& progress, const SortSpace& space = {});
// The vector is not to be found any more. Nothing to do for one in the tail.
absl::Status RemoveFromGraph(txn::Transaction* txn, const catalog::IndexDef& index, NodeId slot);
// Every vector is gone and slots begin at 0 again.
absl::Status ClearGraph(txn::Transaction* txn, const catalog::IndexDef& index);
absl::Status CheckGraph(txn::Transaction* txn, const catalog::TableDef& table, const catalog::IndexDef& index,
                        std::vector<std::string>* findings,
                        const std::function<absl::Status()>& check);

}  // namespace turdb::table
