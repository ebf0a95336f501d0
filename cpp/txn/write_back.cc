#include "txn/write_back.h"

#include <algorithm>
#include <string>

#include "base/status_macros.h"

namespace turdb::txn {

absl::Status WriteBack(env::File* file) {
  constexpr uint64_t kChunkBytes = 1 << 20;
  TURDB_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  std::string bytes;
  for (uint64_t offset = 0; offset < size; offset += kChunkBytes) {
    bytes.resize(std::min(kChunkBytes, size - offset));
    TURDB_RETURN_IF_ERROR(file->ReadAt(offset, bytes.data(), bytes.size()));
    TURDB_RETURN_IF_ERROR(file->WriteAt(offset, bytes.data(), bytes.size()));
  }
  return file->Sync();
}

}  // namespace turdb::txn
