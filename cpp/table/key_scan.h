// Key scans: the TableScan over a KeyTree: an index of any table, or a WITHOUT ROWID table itself.
//
// Entries come in key order (or backwards) between two encoded keys. Columns that the entries hold are decoded from
// them; the rest is looked up row by row.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "table/index_codec.h"
#include "table/table_reader.h"

namespace turdb::table {

// Keys in [low, high); an empty `high` has no end.
struct KeyRange {
  std::string low, high;
  bool is_empty = false;
};
KeyRange EncodeRange(const IndexCodec& codec, const IndexRange& range);

absl::StatusOr<std::unique_ptr<TableScan>> NewKeyScan(txn::Transaction* txn, const catalog::TableDef& table, IndexCodec codec,
                                                      const std::vector<int>& columns, KeyRange range, bool is_descending);

}  // namespace turdb::table
