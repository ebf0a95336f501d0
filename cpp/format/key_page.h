// Layout of a page of a key tree, leaf or interior: cells in key order, found through arrays of hints and offsets.
// Prose: docs/format/key_page.md.
//
//   offset size      field
//   0      16        page header, kind kKeyLeaf or kKeyInterior
//   16     2         cells
//   18     2         slots: room in the two arrays
//   20     2         begin of the heap of cells; it reaches to the end of the page
//   22     2         heap bytes given up by erased and changed cells
//   24     2         prefix: a number of bytes that all keys of the page have in common
//   26     2         level: 0 for a leaf
//   28     4         interior: child below the first key
//   32     4*slots   hints: the 4 key bytes after the prefix, as a number (first byte most significant), 0-padded
//   ...    2*slots   offsets of the cells
// A cell: varint key length * 2 + (key is cut), varint payload length * 2 + (payload is outside), the key or its first
// kKeyInlineBytes followed by the u32 page of an overflow chain with the rest, the payload or the u32 page of its chain.
// The payload of an interior cell is a u32 child, which holds keys from the cell's key on.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/coding.h"
#include "format/page.h"

namespace turdb::format {

inline constexpr size_t kKeyCount = 16;
inline constexpr size_t kKeySlots = 18;
inline constexpr size_t kKeyHeapBegin = 20;
inline constexpr size_t kKeyHeapDead = 22;
inline constexpr size_t kKeyPrefix = 24;
inline constexpr size_t kKeyLevel = 26;
inline constexpr size_t kKeyFirstChild = 28;
inline constexpr size_t kKeyHints = 32;
inline constexpr size_t kKeySlotBytes = 6;

inline constexpr uint32_t kKeyInlineBytes = 2000;      // of a longer key
inline constexpr uint32_t kKeyCellBytes = 3990;        // key and payload in the page; a page holds four cells at least
inline constexpr uint32_t kMaxKeyBytes = 1u << 20;
inline constexpr uint32_t kMaxKeySlots = (kPageBytes - kKeyHints) / kKeySlotBytes;

}  // namespace turdb::format
