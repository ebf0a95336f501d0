// TempSpace: blocks of bytes in a temporary file that has no name; what a statement writes when its memory is used up.
//
// Blocks are appended and read back by their address, which the owner keeps. The file is made by the first write and its
// space is free again with Reset or the destructor, or when the process dies. Nothing is ever synced. Each block carries
// a checksum: bytes that come back changed are kCorruption, never a wrong answer. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "env/env.h"

namespace turdb::env {

// Where temporary files of a database go.
struct TempPlace {
  Env* env = nullptr;
  std::string directory;
};

struct TempBlock {
  uint64_t offset = 0;
  uint64_t length = 0;
  uint32_t checksum = 0;
};

class TempSpace {
 public:
  explicit TempSpace(TempPlace place) : place_(std::move(place)) {}
  // kDiskFull, kIo, kReadOnly.
  absl::StatusOr<TempBlock> Append(std::string_view bytes);
  // `to` has room for block.length bytes. kCorruption, kIo.
  absl::Status Read(const TempBlock& block, char* to);
  void Reset();
  uint64_t size() const { return size_; }

 private:
  TempPlace place_;
  std::unique_ptr<File> file_;
  uint64_t size_ = 0;
};

// Names that temporary files have for a moment where files cannot be made without one. A crash may leave such a file:
// recovery removes it.
inline constexpr std::string_view kTempFilePrefix = "spill-";
inline constexpr std::string_view kTempFileSuffix = ".tmp";
inline bool IsTempFileName(std::string_view name) {
  return name.size() > kTempFilePrefix.size() + kTempFileSuffix.size() && name.substr(0, kTempFilePrefix.size()) == kTempFilePrefix &&
         name.substr(name.size() - kTempFileSuffix.size()) == kTempFileSuffix;
}

}  // namespace turdb::env
