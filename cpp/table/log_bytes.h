// LogBytes: records of bytes one behind the other, read back in order; past a bound they lie in a temporary file.
//
// A record lies in one chunk. Chunks double in size up to 64 KiB, so that a log of one record costs little. Full chunks past the
// bound go to the file; the index of them stays in memory. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "env/temp_file.h"

namespace turdb::table {

class LogBytes {
 public:
  // Keeps about `bound` bytes in memory.
  LogBytes(env::TempPlace place, uint64_t bound) : space_(std::move(place)), bound_(bound) {}

  // Where the caller writes a record of at most `n` bytes; Commit says how many they were. kDiskFull, kIo.
  absl::StatusOr<char*> Reserve(size_t n);
  void Commit(size_t n) { chunks_.back().used += n, size_ += n; }

  uint64_t size() const { return size_; }
  uint64_t memory_bytes() const { return memory_bytes_; }
  // REQUIRES: `size` is one that this log has had between two records. Nothing happens when it is shorter.
  void CutBackTo(uint64_t size);
  void Clear();
  // Gives whole records, in order; kCorruption, kIo, and what `visit` gives.
  absl::Status ForEach(absl::FunctionRef<absl::Status(std::string_view records)> visit);

 private:
  struct Chunk {
    size_t capacity = 0;
    size_t used = 0;
    std::unique_ptr<char[]> bytes;        // null: in the file
    std::optional<env::TempBlock> block;  // may hold more than is used
  };
  absl::Status Spill();

  env::TempSpace space_;
  const uint64_t bound_;
  std::vector<Chunk> chunks_;
  uint64_t size_ = 0;
  uint64_t memory_bytes_ = 0;  // of chunks that are not in the file
  size_t n_spilled_ = 0;       // the first so many may be in the file
};

}  // namespace turdb::table
