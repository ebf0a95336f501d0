// The changes of a page table.
#include "pager/page_table.h"

#include <algorithm>
#include <atomic>

#include "pager/page_memory.h"

namespace turdb::pager {

Epoch NextEpoch() {
  static std::atomic<Epoch> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

PageTable::Node::~Node() {
  for (uint32_t i = 0; i < kFanout; ++i) {
    if (children[i] == nullptr) continue;
    if (level > 0) {
      node(i)->Release();
    } else {
      version(i)->Release();
    }
  }
}

namespace {

using Node = PageTable::Node;

Node* CopyNode(const Node& from, Epoch epoch) {
  Node* copy = new Node(epoch, from.level);
  copy->n_used = from.n_used;
  for (uint32_t i = 0; i < PageTable::kFanout; ++i) {
    copy->children[i] = from.children[i];
    if (from.children[i] == nullptr) continue;
    if (from.level > 0) {
      from.node(i)->AddRef();
    } else {
      from.version(i)->AddRef();
    }
  }
  return copy;
}

uint32_t SlotOf(PageId id, int level) { return (id.value() >> (PageTable::kFanoutBits * level)) & (PageTable::kFanout - 1); }

int LevelFor(PageId id) {
  int level = 0;
  for (uint64_t page = id.value(); page >= PageTable::kFanout; page >>= PageTable::kFanoutBits) ++level;
  return level;
}

}  // namespace

// The leaf of `id`, with every node on the way owned by the writer, made where absent.
PageTable::Node* PageTable::OwnedPath(PageId id, OwnEpochs epochs) {
  const Epoch epoch = epochs.newest;
  const int level_needed = LevelFor(id);
  if (!root_) root_ = MakeIntrusive<Node>(epoch, level_needed);
  while (root_->level < level_needed) {
    auto taller = MakeIntrusive<Node>(epoch, root_->level + 1);
    root_->AddRef();
    taller->children[0] = root_.get();
    taller->n_used = 1;
    root_ = std::move(taller);
  }
  if (!epochs.Contain(root_->owner)) root_ = IntrusivePtr<Node>(CopyNode(*root_, epoch));
  Node* node = root_.get();
  while (node->level > 0) {
    void*& slot = node->children[SlotOf(id, node->level)];
    Node* child = static_cast<Node*>(slot);
    if (child == nullptr || !epochs.Contain(child->owner)) {
      Node* owned = child == nullptr ? new Node(epoch, node->level - 1) : CopyNode(*child, epoch);
      owned->AddRef();
      if (child == nullptr) {
        ++node->n_used;
      } else {
        child->Release();
      }
      slot = owned;
      child = owned;
    }
    node = child;
  }
  return node;
}

void PageTable::Set(PageId id, IntrusivePtr<PageVersion> version, OwnEpochs epochs) {
  Node* leaf = OwnedPath(id, epochs);
  const uint32_t slot = SlotOf(id, 0);
  version->AddRef();
  if (leaf->children[slot] == nullptr) {
    ++leaf->n_used;
  } else {
    leaf->version(slot)->Release();
  }
  const uintptr_t tag = version->is_spilled() ? Node::kSpilled : 0;
  leaf->children[slot] = reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(version.get()) | tag);
}

void PageTable::Erase(PageId id, OwnEpochs epochs) {
  if (FindVersion(id) == nullptr) return;
  OwnedPath(id, epochs);
  Node* path[7];
  int depth = 0;
  for (Node* node = root_.get();; node = node->node(SlotOf(id, node->level))) {
    path[depth++] = node;
    if (node->level == 0) break;
  }
  path[depth - 1]->version(SlotOf(id, 0))->Release();
  for (int i = depth - 1; i >= 0; --i) {  // nodes that became empty go
    path[i]->children[SlotOf(id, path[i]->level)] = nullptr;
    if (--path[i]->n_used > 0) return;
    if (i == 0) {
      root_ = nullptr;
    } else {
      path[i]->Release();
    }
  }
}

size_t PageTable::CountVersions() const {
  size_t n = 0;
  ForEach([&n](PageId, PageVersion*) { ++n; });
  return n;
}

}  // namespace turdb::pager
