// MemoryBudget: how many bytes the operators of one statement may hold together, and how many they hold now.
//
// An operator that keeps rows tells its share after every batch, and writes to disk when the budget is used up and its own
// share is worth writing (MemoryShare::IsOver). So the sum stays below the limit and an eighth of it for each operator. A
// statement's operators run one at a time: not thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>

namespace turdb::sql {

class MemoryBudget {
 public:
  static constexpr uint64_t kDefaultBytes = uint64_t{256} << 20;

  void set_limit(uint64_t bytes) { limit_ = bytes; }
  uint64_t limit() const { return limit_; }
  uint64_t used() const { return used_; }
  bool is_exceeded() const { return used_ > limit_; }

  // The size that blocks of rows are cut at: large enough for sequential disk access, small enough that a merge can hold
  // one of each run.
  uint64_t block_bytes() const { return std::clamp<uint64_t>(limit_ / 64, 8 << 10, 256 << 10); }
  // Runs that one merge reads side by side, each with a block in memory.
  uint64_t merge_width() const { return std::clamp<uint64_t>(limit_ / 4 / block_bytes(), 4, 64); }

 private:
  friend class MemoryShare;
  uint64_t limit_ = kDefaultBytes;
  uint64_t used_ = 0;
};

// What one operator holds. The budget outlives it.
class MemoryShare {
 public:
  explicit MemoryShare(MemoryBudget* budget) : budget_(budget) {}
  MemoryShare(const MemoryShare&) = delete;
  MemoryShare& operator=(const MemoryShare&) = delete;
  ~MemoryShare() { Set(0); }

  void Set(uint64_t bytes) {
    budget_->used_ += bytes - bytes_;
    bytes_ = bytes;
  }
  bool IsOver() const { return budget_->is_exceeded() && bytes_ > 0 && bytes_ >= budget_->limit_ / 8; }
  uint64_t bytes() const { return bytes_; }
  MemoryBudget* budget() const { return budget_; }

 private:
  MemoryBudget* budget_;
  uint64_t bytes_ = 0;
};

}  // namespace turdb::sql
