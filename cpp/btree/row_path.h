// The way from the root of a row tree to a leaf, and the interior pages along it.
//
// Invariants of the tree: (1) the root is page 1; (2) below an interior page of level l are pages of level l - 1, level
// 0 being leaves; (3) separator k of a page: left of it keys < k, right of it keys >= k; (4) no leaf but the root is
// empty. A path is good until the tree changes.
#pragma once

#include <cstdint>
#include <limits>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "format/interior_page.h"
#include "pager/file_writer.h"
#include "record/row_leaf.h"

namespace turdb::btree {

inline constexpr PageId kRootPage{1};

// Reading an interior page. REQUIRES: IsSound(page).
class RowInterior {
 public:
  explicit RowInterior(const uint8_t* page) : page_(page) {}
  static bool IsSound(const uint8_t* page) {
    return Load<uint16_t>(page + format::kInteriorCount) <= format::kInteriorCapacity;
  }
  uint32_t count() const { return Load<uint16_t>(page_ + format::kInteriorCount); }
  uint32_t level() const { return Load<uint16_t>(page_ + format::kInteriorLevel); }
  int64_t KeyAt(uint32_t i) const { return Load<int64_t>(page_ + format::kInteriorKeys + 8 * size_t{i}); }
  PageId ChildAt(uint32_t i) const {
    return PageId(Load<uint32_t>(page_ + format::kInteriorChildren + 4 * size_t{i}));
  }
  uint32_t ChildFor(int64_t key) const {  // the number of separators <= key; branchless
    const uint8_t* base = page_ + format::kInteriorKeys;
    uint32_t left = count();
    if (left == 0) return 0;
    while (left > 1) {
      const uint32_t half = left / 2;
      base += (Load<int64_t>(base + 8 * size_t{half - 1}) <= key) * size_t{8} * half;
      left -= half;
    }
    return static_cast<uint32_t>((base - (page_ + format::kInteriorKeys)) / 8) + (Load<int64_t>(base) <= key);
  }

 private:
  const uint8_t* page_;
};

struct RowStep {
  PageId page;
  uint32_t child = 0;  // index of the child that the path takes
  uint32_t count = 0;  // separators of the page
};

struct RowPath {
  RowStep steps[format::kMaxTreeLevel];
  uint32_t depth = 0;  // interior pages on the way
  PageId leaf_id = kRootPage;
  record::RowLeaf leaf;
  // Keys that belong to this leaf: [low, high], the whole range at the tree's edges.
  int64_t low = std::numeric_limits<int64_t>::min();
  int64_t high = std::numeric_limits<int64_t>::max();
};

absl::Status DamagedPage(const pager::FileView& view, PageId id, std::string_view what);

// The leaf whose range holds the key.
absl::Status DescendTo(const pager::FileView& view, int64_t key, RowPath* path);
// To the leaf after or before the path's; false at the end of the tree (the path is then unchanged).
absl::StatusOr<bool> NextLeaf(const pager::FileView& view, RowPath* path);
absl::StatusOr<bool> PreviousLeaf(const pager::FileView& view, RowPath* path);

// An interior page, checked. The level must be as expected (0: any).
absl::StatusOr<const uint8_t*> InteriorPage(const pager::FileView& view, PageId id, uint32_t level);
absl::Status OpenLeaf(const pager::FileView& view, PageId id, record::RowLeaf* leaf);

}  // namespace turdb::btree
