// Layout of a page of a key tree, leaf or interior: cells in key order, found through an array of entries with the heads of
// their keys. Prose: docs/format/key_page.md.
//
//   offset size      field
//   0      16        page header, kind kKeyLeaf or kKeyInterior
//   16     2         cells
//   18     2         payload: bytes of every cell's payload, kKeyVariedPayload when each cell says its own
//   20     2         begin of the heap of cells; it reaches to the prefix
//   22     2         bytes of the heap and of heads that hold nothing: erased cells, shrunk ones, padding
//   24     2         p, length of the prefix: what the keys of the page begin with
//   26     2         level: 0 for a leaf
//   28     4         interior: child below the first key
//   32     6*cells   entries: u32 head, the 4 key bytes after the prefix as a number (first byte most significant, 0-padded);
//                    u16 offset of the cell
//   ...              free, then the heap
//   16384-p p        prefix
// A cell: varint (key length - p) * 2 + (key is cut), varint payload length * 2 + (payload is outside) where payloads vary,
// the key behind prefix and head up to its first kKeyInlineBytes, of a cut key the u32 page of an overflow chain with the
// rest, the payload or the u32 page of its chain. The payload of an interior cell is a u32 child, which holds keys from the
// cell's key on.
//
// Pages of kind kPlainKeyLeaf or kPlainKeyInterior are of the first layout, which is read and, when its page changes, replaced:
// whole keys in the cells, both lengths in each, and from 32 on 4*slots hints (as heads), then 2*slots offsets; `slots` stands
// at 18, the heap reaches to the end of the page.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/coding.h"
#include "format/page.h"

namespace turdb::format {

inline constexpr size_t kKeyCount = 16;
inline constexpr size_t kKeyPayloadSize = 18;
inline constexpr size_t kKeyHeapBegin = 20;
inline constexpr size_t kKeyDead = 22;
inline constexpr size_t kKeyPrefix = 24;
inline constexpr size_t kKeyLevel = 26;
inline constexpr size_t kKeyFirstChild = 28;
inline constexpr size_t kKeyEntries = 32;
inline constexpr size_t kKeyHeadBytes = 4;
inline constexpr size_t kKeyEntryBytes = 6;
inline constexpr uint32_t kKeyVariedPayload = 0xffff;
inline constexpr uint32_t kMaxKeyCells = (kPageBytes - kKeyEntries) / kKeyEntryBytes;

inline constexpr size_t kPlainSlots = 18;
inline constexpr size_t kPlainHintBytes = 4;
inline constexpr size_t kPlainOffsetBytes = 2;
static_assert(kPlainHintBytes + kPlainOffsetBytes == kKeyEntryBytes);

inline constexpr uint32_t kKeyInlineBytes = 2000;      // of a longer key
inline constexpr uint32_t kKeyCellBytes = 3990;        // key and payload in the page; a page holds four cells at least
inline constexpr uint32_t kMaxKeyBytes = 1u << 20;

}  // namespace turdb::format
