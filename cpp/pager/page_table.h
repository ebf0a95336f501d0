// PageTable: page id -> page version in memory; a persistent (path-copied) radix tree with 64-way nodes.
//
// An empty slot means "the page is in the mapped file". Copying a PageTable is one count; two copies share all
// nodes. A writer owns an epoch: nodes and versions stamped with its epoch are its own and changed in place, others
// are copied first, so published trees never change.
#pragma once

#include <atomic>
#include <cstdint>

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

class PageVersion : public RefCounted<PageVersion> {
 public:
  static IntrusivePtr<PageVersion> New(Epoch owner);  // contents undefined
  ~PageVersion();
  uint8_t* bytes() { return page_->bytes; }
  const uint8_t* bytes() const { return page_->bytes; }
  Epoch owner() const { return owner_; }
  Lsn lsn() const { return lsn_; }  // of the commit that made it; 0 while private
  void set_lsn(Lsn lsn) { lsn_ = lsn; }

 private:
  PageVersion(Epoch owner, PageBytes* page) : owner_(owner), page_(page) {}
  const Epoch owner_;
  Lsn lsn_{0};
  PageBytes* const page_;  // from the pool of page buffers
};

class PageTable {
 public:
  static constexpr int kFanoutBits = 6;
  static constexpr uint32_t kFanout = 1u << kFanoutBits;
  struct Node;

  PageTable() = default;
  PageTable(const PageTable& other);
  PageTable(PageTable&& other) noexcept;
  PageTable& operator=(PageTable other) noexcept;
  ~PageTable();

  const Node* root() const { return root_; }
  // The bytes of the version of a page, or nullptr when the mapped file has it.
  const uint8_t* Find(PageId id) const;
  PageVersion* FindVersion(PageId id) const;

  // Changes of a writer with this epoch; nodes of other epochs on the path are copied.
  void Set(PageId id, IntrusivePtr<PageVersion> version, Epoch epoch);
  void Erase(PageId id, Epoch epoch);
  // Calls visit(PageId, PageVersion*) for every version, in page order.
  template <typename Visit>
  void ForEach(Visit visit) const;
  size_t CountVersions() const;

 private:
  Node* root_ = nullptr;
  int height_ = 0;  // levels of nodes; page ids below 64^height fit
};

}  // namespace turdb::pager
