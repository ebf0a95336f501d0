// SlotRanks: where each vector slot goes when the free ones before it are squeezed out.
//
// A bit a slot and a count every 64: the new number of a slot is how many live ones lie before it, so the order stays.
// Built by Add in ascending order; afterwards immutable and thread-safe.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace turdb::table {

class SlotRanks {
 public:
  // The next slot, ascending without gaps.
  void Add(bool is_live) {
    if (slots_ % 64 == 0) {
      words_.push_back(0);
      before_.push_back(live_);
    }
    if (is_live) {
      words_.back() |= uint64_t{1} << (slots_ % 64);
      ++live_;
    }
    ++slots_;
  }
  uint32_t slots() const { return slots_; }
  uint32_t live() const { return live_; }
  bool IsLive(uint32_t slot) const { return slot < slots_ && (words_[slot / 64] >> (slot % 64) & 1); }
  // Live slots below `slot`; all of them for one past the end.
  uint32_t RankOf(uint32_t slot) const {
    if (slot >= slots_) return live_;
    const uint64_t below = words_[slot / 64] & ((uint64_t{1} << (slot % 64)) - 1);
    return before_[slot / 64] + static_cast<uint32_t>(std::popcount(below));
  }

 private:
  std::vector<uint64_t> words_;
  std::vector<uint32_t> before_;  // live slots before each word
  uint32_t slots_ = 0, live_ = 0;
};

}  // namespace turdb::table
