// Row scans: the TableScan over a rowid table's RowTree (forward in typed batches, backward row by row).
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "table/table_reader.h"
#include "table/wanted_columns.h"

namespace turdb::table {

std::unique_ptr<TableScan> NewRowScan(pager::FileView view, WantedColumns wanted, RowIdRange range, bool is_descending);

// Past this a scan gives its arena up to those who still read its batches and begins another.
inline constexpr size_t kScanArenaBytes = 256 << 10;

}  // namespace turdb::table
