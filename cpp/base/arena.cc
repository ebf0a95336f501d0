#include "base/arena.h"

#include <algorithm>
#include <cstdint>

namespace turdb {
namespace {
constexpr size_t kLargestGrowthBytes = size_t{1} << 20;  // past this, blocks stop doubling
}

char* Arena::AllocateBlock(size_t bytes, size_t alignment) {
  const size_t size = std::max(next_block_bytes_, bytes + alignment);
  next_block_bytes_ = std::min(next_block_bytes_ * 2, kLargestGrowthBytes);
  blocks_.push_back({std::unique_ptr<char[]>(new char[size]), size});
  used_bytes_ += size;
  Poison(blocks_.back().bytes.get(), size);
  at_ = blocks_.back().bytes.get();
  end_ = at_ + size;
  return Allocate(bytes, alignment);
}

void Arena::Reset() {
  held_.clear();
  if (blocks_.empty()) return;
  auto largest = std::max_element(blocks_.begin(), blocks_.end(),
                                  [](const Block& a, const Block& b) { return a.size < b.size; });
  Block kept = std::move(*largest);
  blocks_.clear();
  blocks_.push_back(std::move(kept));
  Poison(blocks_[0].bytes.get(), blocks_[0].size);
  at_ = blocks_[0].bytes.get();
  end_ = at_ + blocks_[0].size;
  used_bytes_ = blocks_[0].size;
}

}  // namespace turdb
