// Layout of a row leaf: rows by 64-bit key, column-wise inside the page. Prose and a worked example:
// docs/format/row_leaf.md.
//
//   offset size field
//   0      16   page header, kind kRowLeaf
//   16     2    rows
//   18     2    row capacity: slots in every minipage
//   20     2    columns of the table that these rows have (the widest of them)
//   22     1    key width: 0 (dense: key i is base + i), 1, 2, 4 or 8 bytes a delta
//   23     1    flags
//   24     8    key base, int64
//   32     2    offset of the key minipage (width > 0)
//   34     2    begin of the heap; it reaches to the end of the page
//   36     2    heap bytes given up by erased and changed entries (an upper bound)
//   38     2    end of the last minipage: [38] up to [34] is free
//   40     4*c  directory, an entry a physical column: u16 offset of its minipage, u8 encoding, u8 flags (and place in a pack)
// A minipage is capacity values of the encoding's width, then, when the column has NULLs, a bitmap of
// capacity bits in whole 8-byte words, bit set = not NULL.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/coding.h"
#include "format/page.h"

namespace turdb::format {

inline constexpr size_t kLeafRows = 16;
inline constexpr size_t kLeafCapacity = 18;
inline constexpr size_t kLeafColumns = 20;
inline constexpr size_t kLeafKeyWidth = 22;
inline constexpr size_t kLeafFlags = 23;
inline constexpr size_t kLeafKeyBase = 24;
inline constexpr size_t kLeafKeyOffset = 32;
inline constexpr size_t kLeafHeapBegin = 34;
inline constexpr size_t kLeafHeapDead = 36;
inline constexpr size_t kLeafSlotsEnd = 38;
inline constexpr size_t kLeafDirectory = 40;
inline constexpr size_t kLeafDirectoryEntry = 4;
inline constexpr size_t kLeafDirOffset = 0;
inline constexpr size_t kLeafDirEncoding = 2;
inline constexpr size_t kLeafDirFlags = 3;

// Leaf flags.
inline constexpr uint8_t kLeafIsRecords = 1;  // one physical column: whole rows as records, for rows too wide for columns
inline constexpr uint8_t kLeafIsVaried = 2;   // rows differ in their number of columns: a last physical column says it

// Column flags.
inline constexpr uint8_t kLeafHasNulls = 1;
inline constexpr uint8_t kLeafMayOverflow = 2;  // some entry is (or was) a reference to an overflow chain

// In a packed column's flags, from this bit on: which entry of the pack it is.
inline constexpr uint32_t kLeafPackPlaceShift = 2;
inline constexpr uint32_t kMaxPackColumns = 64;

// Values are on disk. From 8: dictionary, frame of reference, bit-packed and others to come.
enum class LeafEncoding : uint8_t {
  kNull = 0,  // every value is NULL, no minipage
  kInt8 = 1,
  kInt16 = 2,
  kInt32 = 3,
  kInt64 = 4,
  kReal = 5,
  kEntry = 6,  // u16 offset of a heap entry, 0 for NULL; values of any type
  kPacked = 7,  // u16 offset of a pack: entries one behind another, one for each column that names this minipage
};
inline constexpr LeafEncoding kLastLeafEncoding = LeafEncoding::kPacked;

constexpr uint32_t LeafWidth(LeafEncoding encoding) {
  constexpr uint8_t kWidths[] = {0, 1, 2, 4, 8, 8, 2, 2};
  return kWidths[static_cast<uint8_t>(encoding)];
}
constexpr bool IsIntEncoding(LeafEncoding e) { return e >= LeafEncoding::kInt8 && e <= LeafEncoding::kInt64; }
constexpr uint32_t LeafBitmapBytes(uint32_t capacity) { return (capacity + 63) / 64 * 8; }

inline constexpr uint32_t kMaxLeafRows = 8192;
inline constexpr uint32_t kMaxLeafColumns = 4000;  // the directory must fit
// Values longer than this go to an overflow chain.
inline constexpr uint32_t kMaxInlineBytes = 4000;

// Heap entries: one byte says what follows. Below kEntryBytes16 it is text of that many bytes.
inline constexpr uint8_t kEntryShortTextLimit = 0xc0;
inline constexpr uint8_t kEntryText = 0xc0;      // u16 length, bytes
inline constexpr uint8_t kEntryBlob = 0xc1;      // u16 length, bytes
inline constexpr uint8_t kEntryBytes = 0xc2;     // u8 storage class, u8 subtype, u16 length, bytes
inline constexpr uint8_t kEntryOverflow = 0xc3;  // u8 storage class, u8 subtype, u32 length, u32 first page
inline constexpr uint8_t kEntryReal = 0xc4;      // 8 bytes
inline constexpr uint8_t kEntryNull = 0xc5;      // in records and packs
inline constexpr uint8_t kEntryInteger = 0xd0;   // + 0..8: as many bytes, sign-extended
inline constexpr size_t kEntryOverflowBytes = 11;
inline constexpr size_t kMaxEntryHeaderBytes = 5;

}  // namespace turdb::format
