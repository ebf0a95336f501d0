#include "btree/key_spread.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/key_balance.h"
#include "btree/key_layout.h"

namespace turdb::btree {
namespace {

// More of them fill pages better and are more work: 4 leave them 88 % full, 6 90 %, 8 91 %.
constexpr uint32_t kMostLeaves = 6;
constexpr uint32_t kMostLeavesOfLarge = 5;  // of cells of some hundred bytes: there sharing is copying bytes
constexpr uint32_t kManyCells = 128;        // in a leaf
// Less room in each would soon be gone again: a sixteenth, or what some large cells take, up to a quarter.
constexpr uint32_t kLeastRoom = kKeyRoomBytes / 16;
constexpr uint32_t kLeastCells = 3;
constexpr uint32_t kMostRoom = kKeyRoomBytes / 4;

// Children [first, first + leaves.size()) of a parent.
class Group {
 public:
  struct Leaf {
    PageId id;
    KeyPage page;
  };

  absl::Status Start(const pager::FileView& view, const KeySpot& spot, uint32_t cell_bytes) {
    parent_id_ = spot.parent;
    first_ = spot.child;
    bytes_ = cell_bytes;
    TURDB_RETURN_IF_ERROR(OpenKeyPage(view, parent_id_, 1, &parent_));
    Leaf leaf;
    TURDB_RETURN_IF_ERROR(Open(view, first_, &leaf));
    leaves_.push_back(leaf);
    bytes_ += leaf.page.LiveBytes();
    cells_ += leaf.page.count();
    return absl::OkStatus();
  }

  // Takes the emptier one of the two leaves beside it; false when there is none, or it is large enough.
  absl::StatusOr<bool> Extend(const pager::FileView& view) {
    const uint32_t most = cells_ < kManyCells * leaves_.size() ? kMostLeavesOfLarge : kMostLeaves;
    if (leaves_.size() >= most) return false;
    const uint32_t behind = first_ + static_cast<uint32_t>(leaves_.size());
    if (!left_.has_value() && first_ > 0) TURDB_RETURN_IF_ERROR(Open(view, first_ - 1, &left_.emplace()));
    if (!right_.has_value() && behind <= parent_.count()) TURDB_RETURN_IF_ERROR(Open(view, behind, &right_.emplace()));
    if (!left_.has_value() && !right_.has_value()) return false;
    const bool to_left = left_.has_value() && (!right_.has_value() || left_->page.LiveBytes() <= right_->page.LiveBytes());
    std::optional<Leaf>& taken = to_left ? left_ : right_;
    for (const Leaf& leaf : leaves_) {
      if (leaf.id == taken->id) return DamagedKeyPage(view, leaf.id, "it has two places in the tree");
    }
    bytes_ += taken->page.LiveBytes();
    cells_ += taken->page.count();
    leaves_.insert(to_left ? leaves_.begin() : leaves_.end(), *taken);
    first_ -= to_left;
    taken.reset();
    return true;
  }

  bool HasRoom() const {
    const uint32_t room = std::clamp(kLeastCells * static_cast<uint32_t>(bytes_ / cells_), kLeastRoom, kMostRoom);
    return bytes_ <= leaves_.size() * size_t{kKeyRoomBytes - room};
  }
  uint32_t cells() const { return cells_; }
  uint32_t size() const { return static_cast<uint32_t>(leaves_.size()); }
  const std::vector<Leaf>& leaves() const { return leaves_; }
  PageId parent() const { return parent_id_; }
  uint32_t first() const { return first_; }

 private:
  absl::Status Open(const pager::FileView& view, uint32_t child, Leaf* leaf) const {
    if (!parent_.ChildAt(child, &leaf->id)) return DamagedKeyPage(view, parent_id_, "a child");
    return OpenKeyPage(view, leaf->id, 0, &leaf->page);
  }

  PageId parent_id_;
  KeyPage parent_;
  uint32_t first_ = 0;
  std::vector<Leaf> leaves_;
  size_t bytes_ = 0;
  uint32_t cells_ = 1;  // with the one that comes in
  std::optional<Leaf> left_, right_;
};

absl::Status Collect(const pager::FileView& view, const Group& group, PageId changed, const KeyLeafChange& change, KeyLayout* layout) {
  for (const Group::Leaf& leaf : group.leaves()) {
    const uint32_t count = leaf.page.count();
    const bool is_changed = leaf.id == changed;
    const uint32_t before = is_changed ? change.at : count;
    const uint32_t behind = before + (is_changed && !change.is_insert);
    const bool is_good = behind <= count && layout->Add(leaf.page, 0, before) && (!is_changed || layout->AddLoose(change.cell)) &&
                         layout->Add(leaf.page, behind, count);
    if (!is_good) return DamagedKeyPage(view, leaf.id, "a cell");
  }
  return absl::OkStatus();
}

// The keys that part the leaves of the layout, and a key of each leaf.
struct Keys {
  std::vector<std::string> firsts, separators;  // separators[i] stands before leaf i + 1

  absl::Status Read(const pager::FileView& view, const KeyLayout& layout, uint32_t n) {
    for (uint32_t i = 0; i < n; ++i) {
      KeyCell first, last;
      if (!layout.FirstCell(i, &first)) return InternalError("a cell just laid out is none");
      TURDB_RETURN_IF_ERROR(ReadFullKey(view, first, &firsts.emplace_back()));
      if (i == 0) continue;
      std::string before;
      if (!layout.LastCell(i - 1, &last)) return InternalError("a cell just laid out is none");
      TURDB_RETURN_IF_ERROR(ReadFullKey(view, last, &before));
      separators.emplace_back(Separator(before, firsts.back()));
    }
    return absl::OkStatus();
  }
};

// Puts the n leaves of the layout in the place of the group's.
absl::Status Replace(pager::FileWriter* writer, const Group& group, const KeyLayout& layout, uint32_t n) {
  Keys keys;
  TURDB_RETURN_IF_ERROR(keys.Read(writer->view(), layout, n));
  std::vector<PageId> ids;
  for (const Group::Leaf& leaf : group.leaves()) ids.push_back(leaf.id);
  const PageId parent = group.parent();
  const uint32_t first = group.first();
  while (ids.size() < n) {
    TURDB_ASSIGN_OR_RETURN(const PageId added, writer->Allocate(format::PageKind::kKeyLeaf));
    ids.push_back(added);
  }
  for (uint32_t i = 0; i < group.size(); ++i) {
    if (!layout.is_edited(i)) continue;
    TURDB_ASSIGN_OR_RETURN(uint8_t* const page, writer->MutablePage(ids[i]));
    layout.Edit(i, group.leaves()[i].page, page);
  }
  for (uint32_t i = 0; i < n; ++i) {
    if (!layout.is_edited(i)) TURDB_RETURN_IF_ERROR(CopyIntoKeyPage(writer, ids[i], layout.page(i)));
  }
  std::vector<bool> are_thin;
  for (const PageId id : ids) {
    KeyPage page;
    TURDB_RETURN_IF_ERROR(OpenKeyPage(writer->view(), id, 0, &page));
    are_thin.push_back(IsThin(page));
  }
  for (uint32_t i = 1; i < group.size(); ++i) TURDB_RETURN_IF_ERROR(RemoveKeyChild(writer, parent, first + 1, true));
  for (uint32_t i = 1; i < n; ++i) TURDB_RETURN_IF_ERROR(InsertKeySeparator(writer, keys.separators[i - 1], ids[i], 1));
  // Large cells make uneven leaves, and the new separators may be shorter.
  for (uint32_t i = 0; i < n; ++i) {
    if (are_thin[i]) TURDB_RETURN_IF_ERROR(BalanceKeyTree(writer, keys.firsts[i], 0, Balance::kUsually));
  }
  return BalanceKeyTree(writer, keys.firsts[0], 1, Balance::kUsually);
}

}  // namespace

absl::StatusOr<bool> SpreadKeyLeaf(pager::FileWriter* writer, const KeyLeafChange& change) {
  const pager::FileView& view = writer->view();
  KeySpot spot;
  TURDB_RETURN_IF_ERROR(FindKeySpot(view, change.key, 0, &spot));
  if (!spot.exists || spot.is_root) return false;
  Group group;
  TURDB_RETURN_IF_ERROR(group.Start(view, spot, static_cast<uint32_t>(change.cell.size())));
  for (;;) {
    TURDB_ASSIGN_OR_RETURN(const bool is_larger, group.Extend(view));
    if (group.size() < 2) return false;
    if (is_larger && !group.HasRoom()) continue;
    // Kept by the thread: a hundred kilobytes that are taken and given back time and again cost more than the copying.
    static thread_local KeyLayout layout;
    layout.Start(group.cells());
    for (const Group::Leaf& leaf : group.leaves()) KeyLayout::Prefetch(leaf.page);
    TURDB_RETURN_IF_ERROR(Collect(view, group, spot.id, change, &layout));
    const uint32_t n = group.size() + !is_larger;
    std::vector<KeyPage> homes;
    for (const Group::Leaf& leaf : group.leaves()) homes.push_back(leaf.page);
    if (layout.Build(n, homes)) {
      TURDB_RETURN_IF_ERROR(Replace(writer, group, layout, n));
      return true;
    }
    if (!is_larger) return false;
  }
}

}  // namespace turdb::btree
