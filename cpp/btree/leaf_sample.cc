#include "btree/leaf_sample.h"

#include <algorithm>

#include "base/status_macros.h"
#include "btree/key_balance.h"
#include "btree/key_page.h"
#include "btree/row_path.h"
#include "format/page.h"

namespace turdb::btree {
namespace {

// A way down the tree to the leaf at a share, 0 to 1, of its width.
class Way {
 public:
  explicit Way(double share) : share_(share) {}
  // Which of the page's children it takes.
  uint32_t Take(uint32_t children) {
    weight_ *= children;
    const double place = share_ * children;
    const uint32_t child = std::min(static_cast<uint32_t>(place), children - 1);
    share_ = place - child;
    return child;
  }
  double weight() const { return weight_; }

 private:
  double share_;
  double weight_ = 1;
};

// The share of a leaf that more entries such as its own would fill: what is too short for one more is of no use.
double Unused(uint32_t entries, uint64_t live, uint64_t room) {
  if (entries == 0) return 1;
  const uint64_t most = room * entries / std::max<uint64_t>(live, 1);
  return most <= entries ? 0 : 1 - static_cast<double>(entries) / most;
}

absl::StatusOr<double> UnusedOfRowLeaf(const pager::FileView& view, Way* way) {
  const uint8_t* const root = view.Page(kRootPage);
  if (root == nullptr) return view.PageError(kRootPage);
  PageId id = kRootPage;
  if (format::PageKindOf(root) != format::PageKind::kRowLeaf) {
    TURDB_ASSIGN_OR_RETURN(const uint8_t* page, InteriorPage(view, id, 0));
    for (uint32_t level = RowInterior(page).level();; --level) {
      const RowInterior interior(page);
      id = interior.ChildAt(way->Take(interior.count() + 1));
      if (level <= 1) break;
      TURDB_ASSIGN_OR_RETURN(page, InteriorPage(view, id, level - 1));
    }
  }
  record::RowLeaf leaf;
  TURDB_RETURN_IF_ERROR(OpenLeaf(view, id, &leaf));
  return Unused(leaf.rows(), leaf.LiveBytes(), leaf.RoomBytes());
}

absl::StatusOr<double> UnusedOfKeyLeaf(const pager::FileView& view, Way* way) {
  PageId id = kRootPage;
  KeyPage page;
  for (int level = -1;; level = static_cast<int>(page.level()) - 1) {
    TURDB_RETURN_IF_ERROR(OpenKeyPage(view, id, level, &page));
    if (page.level() == 0) break;
    const PageId parent = id;
    if (!page.ChildAt(way->Take(page.count() + 1), &id)) return DamagedKeyPage(view, parent, "a child");
  }
  return Unused(page.count(), page.LiveBytes(), kKeyRoomBytes);
}

template <typename UnusedOfLeaf>
absl::StatusOr<LeafFill> Sample(const pager::FileView& view, uint32_t samples, UnusedOfLeaf unused_of_leaf) {
  double unused = 0, weight = 0;
  for (uint32_t i = 0; i < samples; ++i) {
    Way way((i + 0.5) / samples);
    TURDB_ASSIGN_OR_RETURN(const double share, unused_of_leaf(view, &way));
    unused += share * way.weight();
    weight += way.weight();
  }
  return LeafFill{std::min(weight / samples, static_cast<double>(view.page_count())), unused / weight};
}

}  // namespace

double LeafFill::UnusedBytes() const { return leaves * unused_share * format::kPageBytes; }
double LeafFill::LiveBytes() const { return leaves * (1 - unused_share) * format::kPageBytes; }

absl::StatusOr<LeafFill> SampleRowLeaves(const pager::FileView& view, uint32_t samples) {
  return Sample(view, samples, UnusedOfRowLeaf);
}
absl::StatusOr<LeafFill> SampleKeyLeaves(const pager::FileView& view, uint32_t samples) {
  return Sample(view, samples, UnusedOfKeyLeaf);
}

}  // namespace turdb::btree
