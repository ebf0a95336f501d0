// Page 0 of every data file: who the file is, how long it is, where its free pages are. See docs/format/page.md.
//
//   offset size field
//   16     8    magic "turdbfil"
//   24     4    format version
//   28     4    file id
//   32     4    page count: pages [0, count) belong to the file
//   36     4    first free-list trunk page, 0 when there is none
//   40     4    free pages, trunks included
//   44     4    first page with room for pieces of overflow, 0 when there is none
//   48     8    bytes of room in pages of pieces
//   56     88   reserved, 0
//   144    256  user area: the room that owns the file (pager::kUserAreaOffset)
//
// A free-list trunk (PageKind::kFreeListTrunk):
//   16     4    next trunk page, 0 at the end
//   20     4    number of entries n
//   24     4*n  free page ids
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/coding.h"
#include "base/strong_id.h"
#include "format/page.h"

namespace turdb::format {

inline constexpr std::string_view kFileMagic = "turdbfil";
inline constexpr uint32_t kFormatVersion = 4;

inline constexpr size_t kHeaderMagicOffset = 16;
inline constexpr size_t kHeaderVersionOffset = 24;
inline constexpr size_t kHeaderFileIdOffset = 28;
inline constexpr size_t kHeaderPageCountOffset = 32;
inline constexpr size_t kHeaderFreeTrunkOffset = 36;
inline constexpr size_t kHeaderFreeCountOffset = 40;
inline constexpr size_t kHeaderPiecesOffset = 44;
inline constexpr size_t kHeaderPieceRoomOffset = 48;

inline constexpr size_t kTrunkNextOffset = 16;
inline constexpr size_t kTrunkCountOffset = 20;
inline constexpr size_t kTrunkEntriesOffset = 24;
inline constexpr uint32_t kTrunkCapacity = (kPageBytes - kTrunkEntriesOffset) / 4;

// REQUIRES: `page` is all zero.
inline void InitFileHeader(uint8_t* page, FileId file) {
  SetPageKind(page, PageKind::kFileHeader);
  std::memcpy(page + kHeaderMagicOffset, kFileMagic.data(), kFileMagic.size());
  Store<uint32_t>(page + kHeaderVersionOffset, kFormatVersion);
  Store<uint32_t>(page + kHeaderFileIdOffset, file.value());
  Store<uint32_t>(page + kHeaderPageCountOffset, 1);
}
inline bool HasFileMagic(const uint8_t* page) {
  return std::memcmp(page + kHeaderMagicOffset, kFileMagic.data(), kFileMagic.size()) == 0;
}

}  // namespace turdb::format
