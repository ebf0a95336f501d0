// What becomes of a leaf of keys that is too full: it shares the cells of a few neighbours.
//
// The leaf and the emptier ones of the neighbours on both sides, one after the other, until together they have room for a
// sixteenth of each: then they get about the same bytes. When the group is large enough and has no such room, it becomes one leaf
// more. So a leaf that is split has neighbours that are full, too, and inserts at random leave pages nine tenths full; what that costs
// and gains is in docs/decisions/0011-bytes-per-row.md. Not thread-safe: one writer. Paths from before are void afterwards.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "pager/file_writer.h"

namespace turdb::btree {

// A loose cell that is to stand at `at` in the leaf whose range holds the key: before the one there, or in its place.
struct KeyLeafChange {
  std::string_view key;
  uint32_t at = 0;
  std::string_view cell;
  bool is_insert = false;
};

// False, and nothing changed, when the leaf has no neighbours under its parent or cells are too large to be shared.
absl::StatusOr<bool> SpreadKeyLeaf(pager::FileWriter* writer, const KeyLeafChange& change);

}  // namespace turdb::btree
