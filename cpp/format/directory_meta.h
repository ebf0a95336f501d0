// turdb.meta: what the database directory holds as of the last checkpoint. See docs/format/directory.md.
//
//   offset size field
//   0      8    magic "turdbdir"
//   8      4    format version
//   12     4    crc32c of bytes [16, end)
//   16     4    page size
//   20     4    next file id
//   24     8    salt of the database, random, part of every log segment
//   32     8    checkpoint LSN: commits up to it are in the files
//   40     4    first log segment that recovery reads
//   44     4    number of files n
//   48     ...  n times: file id u32, page count u32, path length u16, path
// Written whole to turdb.meta.new, synced, and renamed over the old one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/strong_id.h"

namespace turdb::format {

inline constexpr std::string_view kMetaMagic = "turdbdir";

struct DirectoryMeta {
  uint64_t salt = 0;
  Lsn checkpoint_lsn{0};
  uint32_t first_segment = 1;
  FileId next_file_id{1};
  struct File {
    FileId id;
    uint32_t page_count;
    std::string path;  // relative to the database directory
  };
  std::vector<File> files;
};

std::string EncodeDirectoryMeta(const DirectoryMeta& meta);
// kForeignFile, kNewerFormat, kCorruption; `path` is for the message.
absl::StatusOr<DirectoryMeta> DecodeDirectoryMeta(std::string_view bytes, std::string_view path);

}  // namespace turdb::format
