// RowRef: names one row of a table: its rowid, or in a WITHOUT ROWID table its encoded primary key.
//
// Scans give both as columns: kRowIdColumn as an integer, kRowKeyColumn as a blob. Does not own the key's bytes; whoever
// keeps a RowRef while the table changes copies them first.
#pragma once

#include <string_view>

#include "base/strong_id.h"

namespace turdb::table {

struct RowRef {
  RowId rowid;
  std::string_view key;  // WITHOUT ROWID only

  RowRef() = default;
  RowRef(RowId id) : rowid(id) {}                                        // NOLINT: a rowid is a reference
  explicit RowRef(std::string_view encoded_key) : key(encoded_key) {}
};

}  // namespace turdb::table
