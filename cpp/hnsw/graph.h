// Graph: how the phases see a .hnsw file: nodes and their links, read-only, from pages.
//
// Two kinds of Pages. FlatPages: one address range (a mapped file without newer page versions, or the
// buffer of a build). PagePointers: a pointer a page, filled as pages are first asked for, for files with page
// versions in memory. Templates, so that the search loop has no call and no branch for it.
// Bytes are not trusted: link counts are clamped, and whoever follows a link checks it against
// node_count(). A page that cannot be read gives nullptr; the phase then reports ErrorOf.
// Reading is safe from any thread while nobody changes the pages.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/base/optimization.h"
#include "base/coding.h"
#include "format/hnsw_page.h"

namespace turdb::pager {
class FileView;
}

namespace turdb::hnsw {

struct FlatPages {
  const uint8_t* base = nullptr;
  const uint8_t* Page(uint32_t id) const { return base + size_t{id} * format::kPageBytes; }
};

class PagePointers {
 public:
  // `view` must outlive this and may change (a writer's own view) when Set says where to.
  PagePointers(const pager::FileView* view, uint32_t page_count);
  const uint8_t* Page(uint32_t id) const {
    const uint8_t* page = id < capacity_ ? pages_[id].load(std::memory_order_relaxed) : nullptr;
    if (ABSL_PREDICT_TRUE(page != nullptr)) return page;
    return Find(id);
  }
  void Set(uint32_t id, const uint8_t* page) { pages_[id].store(page, std::memory_order_relaxed); }
  void Grow(uint32_t page_count);  // forgets every pointer

 private:
  const uint8_t* Find(uint32_t id) const;

  const pager::FileView* view_;
  uint32_t capacity_ = 0;
  std::unique_ptr<std::atomic<const uint8_t*>[]> pages_;
};

struct Links {
  const uint8_t* ids = nullptr;  // unaligned u32
  uint32_t count = 0;
  uint32_t operator[](uint32_t i) const { return Load<uint32_t>(ids + size_t{i} * 4); }
};

template <class Pages>
class Graph {
 public:
  Graph(const Pages* pages, const format::HnswLayout& layout, uint32_t node_count)
      : pages_(pages), layout_(layout), node_count_(node_count) {}

  const format::HnswLayout& layout() const { return layout_; }
  uint32_t node_count() const { return node_count_; }
  void set_node_count(uint32_t count) { node_count_ = count; }
  const Pages* pages() const { return pages_; }

  // The bytes of a node (its codes come first), nullptr when the page is damaged. REQUIRES id < node_count().
  const uint8_t* Node(uint32_t id) const {
    uint32_t offset;
    const uint8_t* page = pages_->Page(layout_.PageOf(id, &offset));
    if constexpr (!std::is_same_v<Pages, FlatPages>) {
      if (ABSL_PREDICT_FALSE(page == nullptr)) return nullptr;
    }
    return page + offset;
  }
  uint8_t Flags(const uint8_t* node) const { return node[layout_.flags_offset()]; }
  uint32_t Level(const uint8_t* node) const { return node[layout_.level_offset()]; }
  bool IsPresent(const uint8_t* node) const { return (Flags(node) & format::kHnswNodePresent) != 0; }
  bool IsAlive(const uint8_t* node) const {
    return (Flags(node) & (format::kHnswNodePresent | format::kHnswNodeDeleted)) == format::kHnswNodePresent;
  }
  Links BaseLinks(const uint8_t* node) const {
    const uint32_t count = Load<uint16_t>(node + layout_.count_offset());
    return {node + layout_.links_offset(), count < 2 * layout_.m() ? count : 2 * layout_.m()};
  }
  // Links of a level above 0; none when the node is not in that level.
  Links UpperLinks(uint32_t id, const uint8_t* node, uint32_t level) const {
    if (level > Level(node)) return {};
    const uint32_t block = Load<uint32_t>(node + layout_.upper_offset()) + level - 1;
    if (ABSL_PREDICT_FALSE(block >= layout_.blocks_per_extent())) return {};
    uint32_t offset;
    const uint8_t* page = pages_->Page(layout_.PageOfBlock(layout_.ExtentOf(id), block, &offset));
    if (ABSL_PREDICT_FALSE(page == nullptr)) return {};
    const uint32_t count = Load<uint32_t>(page + offset);
    return {page + offset + 4, count < layout_.m() ? count : layout_.m()};
  }
  Links LinksOf(uint32_t id, const uint8_t* node, uint32_t level) const {
    return level == 0 ? BaseLinks(node) : UpperLinks(id, node, level);
  }

 private:
  const Pages* pages_;
  format::HnswLayout layout_;
  uint32_t node_count_;
};

// The level of a slot: floor(-ln(u) / ln(m)) with u from a hash of the slot and the seed.
uint32_t LevelOf(uint32_t slot, uint64_t seed, uint32_t m);

}  // namespace turdb::hnsw
