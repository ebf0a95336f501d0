// How much of a page leaves take, alone and together: what merges and redistributions of a row tree go by.
//
// Bytes are counted as a fresh layout would need them. Heap bytes given up are known as an upper bound only (entries may be
// shared), so the figures are a little low for a leaf that changed since its last layout. Any thread.
#pragma once

#include <cstdint>

#include "record/row_leaf.h"

namespace turdb::record {

// A leaf that fills at most half a page. A leaf that erases or changes have made thin looks for a neighbour to join.
inline bool IsThin(const RowLeaf& leaf) { return leaf.LiveBytes() <= leaf.RoomBytes() / 2; }

// Bytes that the rows of two leaves, the keys of a before those of b, would take in one page, directory aside. More than a
// page when they cannot be one leaf: one holds records and the other columns, or there are too many rows. O(columns), but
// O(1) when the leaves as they are fill more than three quarters of a page.
uint32_t JoinedLeafBytes(const RowLeaf& a, const RowLeaf& b);

}  // namespace turdb::record
