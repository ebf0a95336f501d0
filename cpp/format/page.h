// A page as it lies on disk: 16 KiB, beginning with a 16-byte header. Full layout in docs/format/page.md.
//
//   offset size field
//   0      4    crc32c of bytes [4, 16384) seeded with file id and page id, so a misdirected write shows
//   4      1    PageKind
//   5      1    flags of the kind
//   6      2    reserved, 0
//   8      8    LSN of the last change written to the page
// The checksum is set when a page is written to its file and checked when it is first read from there; a page
// version in memory has whatever was there.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/coding.h"
#include "base/strong_id.h"

namespace turdb::format {

inline constexpr size_t kPageBytes = 16384;
inline constexpr size_t kPageHeaderBytes = 16;
inline constexpr size_t kPageChecksumOffset = 0;
inline constexpr size_t kPageKindOffset = 4;
inline constexpr size_t kPageFlagsOffset = 5;
inline constexpr size_t kPageLsnOffset = 8;

enum class PageKind : uint8_t {
  kFree = 0,          // all zero, or a member of the free list
  kFileHeader = 1,    // page 0 of every file
  kFreeListTrunk = 2,
  kRowInterior = 3,   // B+tree by 64-bit key
  kRowLeaf = 4,       // column-wise rows
  kPlainKeyInterior = 5,  // B+tree by encoded key, in a first layout that is read but not written any more
  kPlainKeyLeaf = 6,
  kOverflow = 7,
  kVectorHeader = 8,  // page 1 of a .vec file
  kVectorData = 9,
  kHnswHeader = 10,   // page 1 of a .hnsw file
  kHnswNodes = 11,    // level 0: links and codes
  kHnswUpper = 12,    // links of the upper levels
  kKeyInterior = 13,  // B+tree by encoded key
  kKeyLeaf = 14,
  kOverflowPieces = 15,
};
inline constexpr PageKind kLastPageKind = PageKind::kOverflowPieces;

inline PageKind PageKindOf(const uint8_t* page) { return static_cast<PageKind>(page[kPageKindOffset]); }
inline void SetPageKind(uint8_t* page, PageKind kind) { page[kPageKindOffset] = static_cast<uint8_t>(kind); }

uint32_t PageChecksum(FileId file, PageId page_id, const uint8_t* page);
inline void SealPage(FileId file, PageId page_id, uint8_t* page) {
  Store<uint32_t>(page + kPageChecksumOffset, PageChecksum(file, page_id, page));
}
inline bool IsPageIntact(FileId file, PageId page_id, const uint8_t* page) {
  return Load<uint32_t>(page + kPageChecksumOffset) == PageChecksum(file, page_id, page);
}

}  // namespace turdb::format
