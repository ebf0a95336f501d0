// IdleMemory: whether an operator may keep its memory for the next execution of its statement.
//
// To fill memory that is there already costs about half of what fresh memory costs, whose pages the system has to clear first.
// A little may always stay; of the rest, all idle operators of the process together keep at most kMostBytes. Thread-safe between
// objects.
#pragma once

#include <atomic>
#include <cstdint>

namespace turdb::sql {

class IdleMemory {
 public:
  static constexpr uint64_t kLittleBytes = 16 << 20;
  static constexpr uint64_t kMostBytes = 128 << 20;

  IdleMemory() = default;
  IdleMemory(const IdleMemory&) = delete;
  IdleMemory& operator=(const IdleMemory&) = delete;
  ~IdleMemory() { Release(); }

  // False: the operator is to give its memory back.
  bool Keep(uint64_t bytes) {
    Release();
    if (bytes <= kLittleBytes) return true;
    if (total_.fetch_add(bytes, std::memory_order_relaxed) + bytes > kMostBytes) {
      total_.fetch_sub(bytes, std::memory_order_relaxed);
      return false;
    }
    bytes_ = bytes;
    return true;
  }
  // The memory is in use again, or gone.
  void Release() {
    total_.fetch_sub(bytes_, std::memory_order_relaxed);
    bytes_ = 0;
  }

 private:
  static inline std::atomic<uint64_t> total_{0};
  uint64_t bytes_ = 0;
};

}  // namespace turdb::sql
