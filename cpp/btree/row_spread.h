// Spreading rows: full leaves side by side, one of which does not hold its rows any more, become one leaf more.
//
// A table that was loaded in order has full leaves whose dense keys take no bytes; the first row that goes from the middle of
// one makes its keys need bytes. Were each such leaf split, a table would grow by half from losing a row in a thousand. Instead
// several leaves give room for the keys of all of them at once. Rows that an update made longer do so on a smaller scale: halves of
// a full leaf would be less full than three quarters. Not thread-safe: one writer.
#pragma once

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "btree/row_path.h"
#include "pager/file_writer.h"
#include "record/row_leaf_build.h"

namespace turdb::btree {

// How many leaves become one more at most: a delete rewrites so many at once, but each of them only once; an update may have to again.
inline constexpr uint32_t kMostToWiden = 12;
inline constexpr uint32_t kMostToGrow = 6;

// Lays the rows that the leaf of the path is to have out over it, some of its neighbours under the same parent and a new leaf,
// all with about the same number of rows; false, and nothing changed, when one of them would not fit then.
absl::StatusOr<bool> SpreadOverfull(pager::FileWriter* writer, const RowPath& path, absl::Span<const record::RowRun> runs,
                                    uint32_t most_leaves);

}  // namespace turdb::btree
