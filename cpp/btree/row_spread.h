// Spreading rows: full leaves side by side, one of which does not hold its rows any more, become one leaf more.
//
// A table that was loaded in order has full leaves whose dense keys take no bytes; the first row that goes from the middle of
// one makes its keys need bytes. Were each such leaf split, a table would grow by half from losing a row in a thousand. Instead
// several leaves give room for the keys of all of them at once. Not thread-safe: one writer.
#pragma once

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "btree/row_path.h"
#include "pager/file_writer.h"
#include "record/row_leaf_build.h"

namespace turdb::btree {

// Lays the rows that the leaf of the path is to have out over it, some of its neighbours under the same parent and a new leaf,
// all with about the same number of rows; false, and nothing changed, when one of them would not fit then.
absl::StatusOr<bool> SpreadOverfull(pager::FileWriter* writer, const RowPath& path, absl::Span<const record::RowRun> runs);

}  // namespace turdb::btree
