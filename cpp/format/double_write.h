// The double-write area: images of pages that a checkpoint is about to overwrite in place, so that a page torn by a
// crash can be repaired. A page of header, then the images, sealed as they go into their files.
//
//   offset size field
//   0      4    crc32c of bytes [4, 16384) of the header page
//   4      4    number of pages n, at most kDoubleWritePages
//   8      8    magic "turdbdbl"
//   16     8    salt of the database
//   24     8    LSN of the state that the checkpoint writes: the area counts while the directory's checkpoint LSN is
//               smaller
//   64     8*n  file id u32, page id u32
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "format/page.h"

namespace turdb::format {

inline constexpr std::string_view kDoubleWriteMagic = "turdbdbl";
inline constexpr size_t kDoubleWriteCountOffset = 4;
inline constexpr size_t kDoubleWriteMagicOffset = 8;
inline constexpr size_t kDoubleWriteSaltOffset = 16;
inline constexpr size_t kDoubleWriteLsnOffset = 24;
inline constexpr size_t kDoubleWriteEntriesOffset = 64;
inline constexpr uint32_t kDoubleWritePages = 1024;
static_assert(kDoubleWriteEntriesOffset + 8 * kDoubleWritePages <= kPageBytes);

}  // namespace turdb::format
