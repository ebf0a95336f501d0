// SpillRegion: page-sized slots of memory that a nameless file stands behind, for page versions past the memory limit.
//
// Slots come in chunks of 64. A chunk's disk space is reserved before a slot of it is handed out, so that a full disk is an
// error of Take and never a signal; it is given back when the whole chunk is free. A slot's address never changes.
// Whenever a chunk has been filled, the one filled before it leaves the process's memory (its pages stay in the file's cache
// and come back when they are touched), and in turn one of the others, which may have been touched since.
// Thread-safe. Not used by a forked child.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "env/env.h"
#include "format/page.h"

namespace turdb::pager {

class SpillRegion {
 public:
  struct Slot {
    uint8_t* bytes = nullptr;  // null: this env has nothing to spill to
    uint32_t number = 0;
  };

  SpillRegion(env::Env* env, std::string directory) : env_(env), directory_(std::move(directory)) {}
  ~SpillRegion();

  absl::StatusOr<Slot> Take();  // kDiskFull, kIo
  void Give(uint32_t number);

  uint64_t used_bytes() const;
  uint64_t file_bytes() const;  // disk space reserved

 private:
  static constexpr uint32_t kChunkSlots = 64;
  static constexpr uint64_t kChunkBytes = kChunkSlots * format::kPageBytes;
  struct Chunk {
    uint8_t* bytes = nullptr;
    uint64_t free = ~uint64_t{0};  // a bit a slot
    bool is_reserved = false;
    bool is_listed = false;  // in open_
  };
  absl::Status OpenChunk();
  absl::Status Grow();
  void CoolAfterFilling(uint32_t number);

  env::Env* const env_;
  const std::string directory_;

  mutable std::mutex mutex_;  // guards what follows
  bool is_impossible_ = false;
  std::unique_ptr<env::SpillFile> file_;
  std::vector<Chunk> chunks_;
  std::vector<uint32_t> open_;  // reserved chunks with free slots; others among them are passed over
  std::vector<uint32_t> bare_;  // chunks without disk space
  uint32_t n_empty_ = 0;        // reserved chunks of which every slot is free
  uint32_t last_filled_ = 0, next_to_cool_ = 0;
  uint64_t n_used_ = 0, n_reserved_ = 0;
};

}  // namespace turdb::pager
