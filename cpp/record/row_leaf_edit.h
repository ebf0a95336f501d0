// Changing one row of a leaf in place: minipages shift by a slot, entries go to the heap's free end.
//
// Each Try function either makes the whole change or, when the page's layout cannot take it (no slot, a wider value,
// a first NULL, a full heap), changes nothing and returns false; then the caller lays the page out anew
// (row_leaf_build.h). Cells may point into the page itself; they are read before what they point to is changed. Entries stay
// where they are, but for packs (pack_edit.h).
// A damaged page cannot be changed in place: laying it out anew will tell what is wrong.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "record/row_leaf.h"

namespace turdb::record {

// True when every minipage lies between the directory and the heap; O(columns). The Try functions see to it themselves.
bool CheckColumns(const RowLeaf& leaf);
// Whether a new layout of the same rows would win next to nothing: then a leaf that cannot take a row is split at once.
bool IsNearlyFull(const RowLeaf& leaf);

bool TryInsertRow(uint8_t* page, uint32_t at, int64_t key, absl::Span<const Cell> row);
bool TryUpdateRow(uint8_t* page, uint32_t at, absl::Span<const Cell> row);
// Only the columns that `changed` marks; of the others nothing is looked at. False as well where a marked column may refer to
// overflow chains, in leaves of records, and for columns that the row does not have.
// REQUIRES: `leaf` is open on the page; it stays so.
bool TryUpdateColumns(uint8_t* page, const RowLeaf& leaf, uint32_t at, absl::Span<const Cell> row,
                      const std::vector<bool>& changed);
bool TryEraseRow(uint8_t* page, uint32_t at);

}  // namespace turdb::record
