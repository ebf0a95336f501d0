// What every file does alike.
#include <algorithm>
#include <string>

#include "base/status_macros.h"
#include "env/env.h"

namespace turdb::env {

absl::Status File::CopyFrom(File& from, uint64_t length) {
  constexpr uint64_t kChunkBytes = 1 << 20;
  std::string bytes;
  for (uint64_t offset = 0; offset < length; offset += bytes.size()) {
    bytes.resize(std::min(kChunkBytes, length - offset));
    TURDB_RETURN_IF_ERROR(from.ReadAt(offset, bytes.data(), bytes.size()));
    TURDB_RETURN_IF_ERROR(WriteAt(offset, bytes.data(), bytes.size()));
  }
  return absl::OkStatus();
}

}  // namespace turdb::env
