// Keeping the pages of a row tree full enough: emptied pages leave, thin ones join a neighbour or get rows from it, and a root
// with a single child gives its place to the child.
//
// What holds after every operation, and what CheckRowTree looks for: two neighbouring leaves under one parent would not fit
// half a page together, nor would two neighbouring interior pages. So whatever was erased, and in whatever order, the
// leaves of a tree are a quarter full on average at least, and half full or more when rows were erased at random. (Leaves
// of records and leaves of columns cannot be joined, so between those it does not hold.)
// How it is kept: a page that an erase, a shorter value, a new layout or a split left at most half full is joined with a
// neighbour when both together fill at most three quarters; the quarter left keeps a page from being joined and split by
// turns.
// Not thread-safe: one writer. Paths from before are void afterwards.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "btree/row_path.h"
#include "pager/file_writer.h"
#include "record/row_leaf_build.h"

namespace turdb::btree {

enum class Balance {
  kLazily,   // join what must be joined: after an erase at a leaf's edge, as a range or a queue goes on and empties the leaf
  kUsually,  // join what fills at most three quarters of a page
  kFully,    // as kUsually, and a leaf under an eighth full that fits no neighbour shares a neighbour's rows, unless that is
             // full: no erase has come there yet, and a range being erased would have every page rewritten twice
};

// Looks after the page of `level` (0: leaf) whose range holds the key; pages above it follow. Nothing when there is no such level.
absl::Status BalanceRowTree(pager::FileWriter* writer, int64_t key, uint32_t level, Balance balance);
// As that for the leaf of a path that is still good.
absl::Status BalanceLeaf(pager::FileWriter* writer, const RowPath& path, Balance balance);
// Lays out rows that the leaf of the path is to have, but that do not fit it any more, together with a neighbour's; false, and
// nothing changed, when the neighbours have no room: fill more than so many eighths. (Erasing from the middle of a full leaf of dense keys makes it
// overfull, as the keys then need bytes; splitting every such leaf would double a table that loses a row in a thousand.)
absl::StatusOr<bool> ShareOverfull(pager::FileWriter* writer, const RowPath& path, absl::Span<const record::RowRun> runs,
                                   uint32_t most_eighths);
// Takes the leaf of the path, whose last row goes, out of the tree and frees it; an empty root stays.
absl::Status RemoveLeaf(pager::FileWriter* writer, const RowPath& path);

}  // namespace turdb::btree
