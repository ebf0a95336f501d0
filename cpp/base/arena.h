// Bump allocator for bytes that live as long as a batch, a statement or a plan.
// Not thread-safe. Reset() keeps the largest block, so a loop over batches stops allocating.
// Under AddressSanitizer pieces are 8 bytes apart, and what lies between them or was reset must not be touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/poison.h"

namespace turdb {

class Arena {
 public:
  explicit Arena(size_t first_block_bytes = 4096) : next_block_bytes_(first_block_bytes) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  char* Allocate(size_t bytes, size_t alignment = 8) {
    // In numbers: there is no such thing as a pointer behind a block's end, or some bytes behind null.
    if constexpr (kIsAddressSanitized) alignment = alignment < 8 ? 8 : alignment;  // it keeps books by 8 bytes
    const uintptr_t start = (reinterpret_cast<uintptr_t>(at_) + alignment - 1) & ~(uintptr_t{alignment} - 1);
    if (at_ == nullptr || start + bytes > reinterpret_cast<uintptr_t>(end_)) return AllocateBlock(bytes, alignment);
    at_ = reinterpret_cast<char*>(start + bytes + kGapBytes);
    Unpoison(reinterpret_cast<char*>(start), bytes);
    return reinterpret_cast<char*>(start);
  }
  template <typename T>
  T* AllocateArray(size_t n) {
    return reinterpret_cast<T*>(Allocate(n * sizeof(T), alignof(T)));
  }
  std::string_view Copy(std::string_view s) {
    char* p = Allocate(s.size(), 1);
    if (!s.empty()) std::memcpy(p, s.data(), s.size());
    return {p, s.size()};
  }
  // Keeps `other` alive until the next Reset: what was handed out points into it.
  void Hold(std::shared_ptr<const void> other) { held_.push_back(std::move(other)); }
  void Reset();
  size_t used_bytes() const { return used_bytes_; }  // of all blocks, a bound on what was handed out

 private:
  static constexpr size_t kGapBytes = kIsAddressSanitized ? 8 : 0;

  struct Block {
    std::unique_ptr<char[]> bytes;
    size_t size;
  };
  char* AllocateBlock(size_t bytes, size_t alignment);

  char* at_ = nullptr;
  char* end_ = nullptr;
  size_t next_block_bytes_;
  size_t used_bytes_ = 0;
  std::vector<Block> blocks_;
  std::vector<std::shared_ptr<const void>> held_;
};

}  // namespace turdb
