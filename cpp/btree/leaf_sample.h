// How full the leaves of a tree are, guessed from a few of them: headers count free pages, but nobody counts the room in
// pages that are in use.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "pager/file_state.h"

namespace turdb::btree {

struct LeafFill {
  double leaves = 0;        // about how many the tree has
  double unused_share = 0;  // of their bytes, what more entries of the same length would fill: 0 to 1

  double UnusedBytes() const;
  double LiveBytes() const;
};

// Looks at up to `samples` leaves, spread over the whole tree; pages above them come to as many again for each level. A leaf counts for
// as many as there would be if every page were like those on the way to it (Knuth 1975, "Estimating the efficiency of backtrack
// programs"), so that leaves of sparse and of bushy parts of the tree weigh what they should. Safe beside writers, as any reader.
absl::StatusOr<LeafFill> SampleRowLeaves(const pager::FileView& view, uint32_t samples);
absl::StatusOr<LeafFill> SampleKeyLeaves(const pager::FileView& view, uint32_t samples);

}  // namespace turdb::btree
