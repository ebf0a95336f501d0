// Layout of overflow: long values outside the page of their row or key, as a chain of links. A link is a whole page or a
// piece of a page that several values share. Prose: docs/format/overflow.md.
//
// An OverflowRef names a link, whole pages below bit 31, pieces with it:
//   page                                     a whole page
//   0x80000000 | page << 5 | entry           a piece; pages from 2^26 on have none
//
// A whole page, kind kOverflow:
//   offset size field
//   16     4    next link of the chain, 0 at its end
//   20     4    bytes of the value in this page: kOverflowPayload, but for the chain's last link
//   24     ...  the bytes
//
// A page of pieces, kind kOverflowPieces:
//   16     4    next page with room for pieces, 0 at the end    (0 when the page has no room)
//   20     4    the one before it, 0 for the first
//   24     2    begin of the heap of pieces; it reaches to the end of the page
//   26     2    bytes of the heap that hold nothing
//   28     1    entries, at most kMaxPieces
//   29     1    of those that hold a piece, at least 1
//   30     2    reserved, 0
//   32     4*n  entries: u16 offset of the piece, u16 its length; both 0 for an entry without one
//   ...         free, then the heap
// A piece: u32 next link of the chain, 0 at its end; bytes of the value, at least 1.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/strong_id.h"
#include "format/page.h"

namespace turdb::format {

inline constexpr size_t kOverflowNext = 16;
inline constexpr size_t kOverflowBytes = 20;
inline constexpr size_t kOverflowData = 24;
inline constexpr size_t kOverflowPayload = kPageBytes - kOverflowData;

inline constexpr size_t kPiecesNext = 16;
inline constexpr size_t kPiecesPrevious = 20;
inline constexpr size_t kPiecesHeapBegin = 24;
inline constexpr size_t kPiecesDead = 26;
inline constexpr size_t kPiecesEntries = 28;
inline constexpr size_t kPiecesLive = 29;
inline constexpr size_t kPiecesDirectory = 32;
inline constexpr size_t kPieceEntryBytes = 4;
inline constexpr size_t kPieceHeaderBytes = 4;
inline constexpr uint32_t kMaxPieces = 32;
// A page has room when a piece with so many bytes of a value fits; exactly such pages are in the list.
inline constexpr uint32_t kLeastPieceRoom = 128;

constexpr bool IsPieceRef(OverflowRef ref) { return ref.value() >> 31 != 0; }
inline constexpr uint32_t kPiecePageLimit = 1u << 26;
constexpr OverflowRef PieceRef(PageId page, uint32_t entry) { return OverflowRef(0x80000000u | page.value() << 5 | entry); }
constexpr OverflowRef WholePageRef(PageId page) { return OverflowRef(page.value()); }
constexpr PageId OverflowPageOf(OverflowRef ref) {
  return PageId(IsPieceRef(ref) ? (ref.value() & 0x7fffffffu) >> 5 : ref.value());
}
constexpr uint32_t PieceEntryOf(OverflowRef ref) { return ref.value() & (kMaxPieces - 1); }

}  // namespace turdb::format
