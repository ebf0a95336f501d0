// PageTable: page id -> page version in memory; a persistent (path-copied) radix tree with 64-way nodes.
//
// An empty slot means "the page is in the mapped file". Copying a PageTable is one count; two copies share all
// nodes. A writer owns an epoch: nodes and versions stamped with its epoch are its own and changed in place, others
// are copied first, so published trees never change.
// Invariants: (1) a node has at least one child; an empty table has no root, so "no versions" is one test;
// (2) every path has `height` nodes. Reading a tree that nobody changes is thread-safe.
#pragma once

#include <cstdint>
#include <new>
#include <utility>

#include "absl/base/optimization.h"
#include "base/intrusive_ptr.h"
#include "base/strong_id.h"
#include "format/page.h"
#include "pager/page_pool.h"

namespace turdb::pager {

// Who may change a node or version in place. Epoch 0 is nobody: published.
using Epoch = uint64_t;
Epoch NextEpoch();  // process-wide, only grows

// The epochs of one writer whose nodes and versions it may still change in place. Nobody else's lie between them among those
// that its table can show: what it began with is older than `oldest`.
struct OwnEpochs {
  OwnEpochs(Epoch only) : oldest(only), newest(only) {}  // NOLINT: one epoch is the usual case
  OwnEpochs(Epoch oldest_in, Epoch newest_in) : oldest(oldest_in), newest(newest_in) {}
  bool Contain(Epoch epoch) const { return epoch >= oldest && epoch <= newest; }
  Epoch oldest;
  Epoch newest;  // of what is made now
};

struct alignas(64) PageBytes {
  uint8_t bytes[format::kPageBytes];
};

class PageMemory;

// On the heap the bytes of a page lie directly before this object, so that a table slot gives them without another load; those
// of a spilled version lie in the spill region.
class alignas(64) PageVersion : public RefCounted<PageVersion> {
 public:
  static IntrusivePtr<PageVersion> New(Epoch owner);  // on the heap, of no PageMemory; contents undefined
  ~PageVersion();
  uint8_t* bytes() { return bytes_; }
  const uint8_t* bytes() const { return bytes_; }
  bool is_spilled() const { return is_spilled_; }
  Epoch owner() const { return owner_; }
  Lsn lsn() const { return lsn_; }  // of the commit that made it; 0 while private
  void set_lsn(Lsn lsn);
  // While private: the page was allocated by the transaction, so its change is against a page of zeros.
  bool is_fresh() const { return is_fresh_; }
  void set_fresh(bool is_fresh) { is_fresh_ = is_fresh; }

  static void operator delete(PageVersion* version, std::destroying_delete_t);

 private:
  friend class PageMemory;
  PageVersion(Epoch owner, PageMemory* memory, uint8_t* bytes, uint32_t slot, bool is_spilled);
  const Epoch owner_;
  Lsn lsn_{0};
  uint8_t* const bytes_;
  const IntrusivePtr<PageMemory> memory_;
  const uint32_t slot_;  // of the spill region
  const bool is_spilled_;
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
    void* children[kFanout] = {};  // of versions with kSpilled where they are

    static constexpr uintptr_t kSpilled = 1;
    Node* node(uint32_t i) const { return static_cast<Node*>(children[i]); }
    PageVersion* version(uint32_t i) const {
      return reinterpret_cast<PageVersion*>(reinterpret_cast<uintptr_t>(children[i]) & ~kSpilled);
    }
    const uint8_t* bytes(uint32_t i) const {
      const auto child = reinterpret_cast<uintptr_t>(children[i]);
      if (ABSL_PREDICT_FALSE((child & kSpilled) != 0)) return version(i)->bytes();
      return child == 0 ? nullptr : reinterpret_cast<const uint8_t*>(child) - kPageMemoryVersion;
    }
  };

  const Node* root() const { return root_.get(); }
  // The bytes of the version of a page, or nullptr when the mapped file has it.
  const uint8_t* Find(PageId id) const {
    const Node* leaf = Leaf(id);
    return leaf == nullptr ? nullptr : leaf->bytes(id.value() & (kFanout - 1));
  }
  PageVersion* FindVersion(PageId id) const {
    const Node* leaf = Leaf(id);
    return leaf == nullptr ? nullptr : leaf->version(id.value() & (kFanout - 1));
  }

  // Changes of a writer with these epochs; nodes of others on the path are copied.
  void Set(PageId id, IntrusivePtr<PageVersion> version, OwnEpochs epochs);
  void Erase(PageId id, OwnEpochs epochs);

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
  // The node with the version of a page, or nullptr where there is none near.
  const Node* Leaf(PageId id) const {
    const Node* node = root_.get();
    if (node == nullptr) return nullptr;
    int level = node->level;
    const uint32_t page = id.value();
    if (kFanoutBits * (level + 1) < 32 && (page >> (kFanoutBits * (level + 1))) != 0) return nullptr;
    for (; level > 0; --level) {
      node = node->node((page >> (kFanoutBits * level)) & (kFanout - 1));
      if (node == nullptr) return nullptr;
    }
    return node;
  }
  Node* OwnedPath(PageId id, OwnEpochs epochs);

  IntrusivePtr<Node> root_;
};

}  // namespace turdb::pager
