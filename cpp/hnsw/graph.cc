#include "hnsw/graph.h"

#include <algorithm>
#include <cmath>

#include "pager/file_view.h"

namespace turdb::hnsw {

PagePointers::PagePointers(const pager::FileView* view, uint32_t page_count) : view_(view) { Grow(page_count); }

void PagePointers::Grow(uint32_t page_count) {
  pages_ = std::make_unique<std::atomic<const uint8_t*>[]>(page_count);
  for (uint32_t i = 0; i < page_count; ++i) pages_[i].store(nullptr, std::memory_order_relaxed);
  capacity_ = page_count;
}

// Several threads may find the same page at once: they store the same pointer.
const uint8_t* PagePointers::Find(uint32_t id) const {
  const uint8_t* page = view_->UncountedPage(PageId(id));
  if (page != nullptr && id < capacity_) pages_[id].store(page, std::memory_order_relaxed);
  return page;
}

uint32_t LevelOf(uint32_t slot, uint64_t seed, uint32_t m) {
  // splitmix64, whose 53 high bits make a uniform number in (0, 1].
  uint64_t x = seed + (uint64_t{slot} + 1) * 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  x ^= x >> 31;
  const double u = (static_cast<double>(x >> 11) + 1) * 0x1.0p-53;
  const double level = -std::log(u) / std::log(static_cast<double>(m));
  return std::min(static_cast<uint32_t>(level), format::kHnswMaxLevel);
}

}  // namespace turdb::hnsw
