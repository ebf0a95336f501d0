// Entries of a leaf's heap and of records: a cell as tag, length and bytes (format/row_leaf.h).
//
// A value that went to an overflow chain is a cell marked as overflowed: it keeps type, subtype and length, and its
// `integer` is the chain's first link. Such cells never leave the storage rooms. Any thread.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "format/row_leaf.h"
#include "types/cell.h"

namespace turdb::record {

inline constexpr uint16_t kOverflowMark = 1;  // Cell::reserved
inline bool IsOverflowCell(const Cell& cell) { return cell.reserved == kOverflowMark; }
inline Cell OverflowCell(const Cell& like, OverflowRef first) {
  Cell cell = like;
  cell.integer = first.value();
  cell.reserved = kOverflowMark;
  return cell;
}
inline OverflowRef FirstLink(const Cell& cell) { return OverflowRef(static_cast<uint32_t>(cell.integer)); }

// Bytes that the cell takes as an entry; a NULL takes one (in records).
uint32_t EntrySize(const Cell& cell);
uint8_t* WriteEntry(uint8_t* to, const Cell& cell);  // returns the end

// The same with short text, which most values of packs are, decided in place.
inline bool IsShortText(const Cell& cell) {
  return cell.type == StorageClass::kText && cell.subtype == 0 && cell.length < format::kEntryShortTextLimit && !IsOverflowCell(cell);
}
inline uint32_t QuickEntrySize(const Cell& cell) { return IsShortText(cell) ? 1 + cell.length : EntrySize(cell); }
inline uint8_t* QuickWriteEntry(uint8_t* to, const Cell& cell) {
  if (!IsShortText(cell)) return WriteEntry(to, cell);
  *to++ = static_cast<uint8_t>(cell.length);
  if (cell.length > 0) std::memcpy(to, cell.bytes, cell.length);
  return to + cell.length;
}

// Bytes of the entry at page[at] when it is not short text; more than a page when it is damaged.
uint32_t LongEntryBytes(const uint8_t* page, uint32_t at);
// Where the n-th entry behind the one at page[at] begins, or where the last one ends: more than kPageBytes when one of them is
// damaged.
inline uint32_t SkipEntries(const uint8_t* page, uint32_t at, uint32_t n) {
  for (; n > 0; --n) {
    if (at >= format::kPageBytes) return format::kPageBytes + 1;
    const uint32_t tag = page[at];
    at += tag < format::kEntryShortTextLimit ? 1 + tag : LongEntryBytes(page, at);
  }
  return at;
}

// The cases other than short text.
const uint8_t* ReadLongEntry(const uint8_t* at, const uint8_t* end, Cell* cell);
// Reads the entry at `at` and returns its end, or nullptr when it is damaged. Bytes are not copied.
inline const uint8_t* ReadEntry(const uint8_t* at, const uint8_t* end, Cell* cell) {
  if (at >= end) return nullptr;
  const uint8_t tag = *at;
  if (tag >= format::kEntryShortTextLimit) return ReadLongEntry(at, end, cell);
  if (static_cast<size_t>(end - at) <= tag) return nullptr;
  *cell = Cell::Bytes(StorageClass::kText, {reinterpret_cast<const char*>(at + 1), tag});
  return at + 1 + tag;
}

}  // namespace turdb::record
