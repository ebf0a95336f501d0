// PageTable: page id -> page version in memory; a persistent (path-copied) radix tree with 64-way nodes.
//
// An empty slot means "the page is in the mapped file". Copying a PageTable is one count; two copies share all
// nodes. A writer owns an epoch: nodes and versions stamped with its epoch are its own and changed in place, others
// are copied first, so published trees never change.
// Invariants: (1) a node has at least one child; an empty table has no root, so "no versions" is one test;
// (2) every path has `height` nodes. Reading a tree that nobody changes is thread-safe.
#pragma once

#include <cstdint>
#include <utility>

#include "base/intrusive_ptr.h"
#include "base/strong_id.h"
#include "format/page.h"

namespace turdb::pager {

// Who may change a node or version in place. Epoch 0 is nobody: published.
using Epoch = uint64_t;
Epoch NextEpoch();  // process-wide, never repeats

struct alignas(64) PageBytes {
  uint8_t bytes[format::kPageBytes];
};

// The bytes of a page lie directly before this object, so that a table slot gives them without another load.
class alignas(64) PageVersion : public RefCounted<PageVersion> {
 public:
  static IntrusivePtr<PageVersion> New(Epoch owner);  // contents undefined
  uint8_t* bytes() { return reinterpret_cast<uint8_t*>(this) - format::kPageBytes; }
  const uint8_t* bytes() const { return reinterpret_cast<const uint8_t*>(this) - format::kPageBytes; }
  Epoch owner() const { return owner_; }
  Lsn lsn() const { return lsn_; }  // of the commit that made it; 0 while private
  void set_lsn(Lsn lsn) { lsn_ = lsn; }
  // While private: the page was allocated by the transaction, so its change is against a page of zeros.
  bool is_fresh() const { return is_fresh_; }
  void set_fresh(bool is_fresh) { is_fresh_ = is_fresh; }

  static void operator delete(void* version);

 private:
  explicit PageVersion(Epoch owner) : owner_(owner) {}
  const Epoch owner_;
  Lsn lsn_{0};
  bool is_fresh_ = false;
};
static_assert(sizeof(PageVersion) == 64);

class PageTable {
 public:
  static constexpr int kFanoutBits = 6;
  static constexpr uint32_t kFanout = 1u << kFanoutBits;

  struct Node : RefCounted<Node> {
    Node(Epoch owner_in, int level_in) : owner(owner_in), level(level_in) {}
    ~Node();
    const Epoch owner;
    const int level;      // 0: children are versions
    uint32_t n_used = 0;  // children that are not null
    void* children[kFanout] = {};

    Node* node(uint32_t i) const { return static_cast<Node*>(children[i]); }
    PageVersion* version(uint32_t i) const { return static_cast<PageVersion*>(children[i]); }
  };

  const Node* root() const { return root_.get(); }
  // The bytes of the version of a page, or nullptr when the mapped file has it.
  const uint8_t* Find(PageId id) const {
    const PageVersion* version = FindVersion(id);
    return version == nullptr ? nullptr : version->bytes();
  }
  PageVersion* FindVersion(PageId id) const {
    const Node* node = root_.get();
    if (node == nullptr) return nullptr;
    int level = node->level;
    const uint32_t page = id.value();
    if (kFanoutBits * (level + 1) < 32 && (page >> (kFanoutBits * (level + 1))) != 0) return nullptr;
    for (; level > 0; --level) {
      node = node->node((page >> (kFanoutBits * level)) & (kFanout - 1));
      if (node == nullptr) return nullptr;
    }
    return node->version(page & (kFanout - 1));
  }

  // Changes of a writer with this epoch; nodes of other epochs on the path are copied.
  void Set(PageId id, IntrusivePtr<PageVersion> version, Epoch epoch);
  void Erase(PageId id, Epoch epoch);

  // Calls visit(PageId, PageVersion*) for every version, in page order.
  template <typename Visit>
  void ForEach(Visit visit) const {
    if (root_) Walk(root_.get(), 0, nullptr, visit);
  }
  // The same for the versions that `base` does not have; subtrees that both share cost nothing.
  template <typename Visit>
  void ForEachChanged(const PageTable& base, Visit visit) const {
    if (root_) Walk(root_.get(), 0, base.root_.get(), visit);
  }
  size_t CountVersions() const;

 private:
  template <typename Visit>
  static void Walk(const Node* node, uint32_t first_page, const Node* base, Visit& visit) {
    while (base != nullptr && base->level > node->level) base = base->node(0);  // only at the roots
    if (node == base) return;
    for (uint32_t i = 0; i < kFanout; ++i) {
      if (node->children[i] == nullptr) continue;
      const uint32_t page = first_page + (i << (kFanoutBits * node->level));
      // A base of fewer levels lies below the first child of a taller tree.
      const bool is_base_lower = base != nullptr && base->level < node->level;
      const Node* base_below = is_base_lower ? (i == 0 ? base : nullptr) : base;
      if (node->level > 0) {
        Walk(node->node(i), page, is_base_lower || base == nullptr ? base_below : base->node(i), visit);
      } else if (base == nullptr || base->children[i] != node->children[i]) {
        visit(PageId(page), node->version(i));
      }
    }
  }
  Node* OwnedPath(PageId id, Epoch epoch);

  IntrusivePtr<Node> root_;
};

}  // namespace turdb::pager
