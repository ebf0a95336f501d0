#include "btree/row_spread.h"

#include <memory>
#include <vector>

#include "base/status_macros.h"
#include "btree/interior_edit.h"
#include "btree/row_pieces.h"
#include "btree/row_structure.h"

namespace turdb::btree {
namespace {

using record::BuildResult;
using record::RowLeaf;
using record::RowRun;

constexpr uint32_t kWidenedKey = 2;   // bytes that a key of a leaf comes to need

// Children [first, first + leaves.size()) of the path's last interior page.
struct Group {
  uint32_t first = 0;
  std::vector<RowLeaf> leaves;
  uint64_t bytes = 0;  // once their keys need bytes
  uint64_t room = 0;
};

uint64_t WidenedBytes(const RowLeaf& leaf) {
  const uint64_t span = static_cast<uint64_t>(leaf.KeyAt(leaf.rows() - 1)) - static_cast<uint64_t>(leaf.KeyAt(0));
  const bool is_dense = span + 1 == leaf.rows();
  return leaf.LiveBytes() + (is_dense ? uint64_t{kWidenedKey} * leaf.rows() : 0);
}

// Adds child `child` when with it the group still fits its leaves and a new one.
absl::StatusOr<bool> Extend(const pager::FileView& view, const RowInterior& parent, uint32_t child, bool is_records, Group* group) {
  RowLeaf leaf;
  TURDB_RETURN_IF_ERROR(OpenLeaf(view, parent.ChildAt(child), &leaf));
  if (leaf.rows() == 0 || leaf.is_records() != is_records) return false;
  const uint64_t bytes = group->bytes + WidenedBytes(leaf);
  const uint64_t room = group->room + leaf.RoomBytes();
  if (bytes > (room + leaf.RoomBytes()) / 32 * 31) return false;
  const bool is_before = child < group->first;
  group->leaves.insert(is_before ? group->leaves.begin() : group->leaves.end(), leaf);
  group->first -= is_before;
  group->bytes = bytes;
  group->room = room;
  return true;
}

// The path's leaf and its neighbours on both sides in turn, as many as help.
absl::StatusOr<Group> GroupAround(const pager::FileView& view, const RowPath& path, const RowInterior& parent,
                                  uint32_t most) {
  const uint32_t child = path.steps[path.depth - 1].child;
  const bool is_records = path.leaf.is_records();
  Group group;
  group.first = child;
  TURDB_ASSIGN_OR_RETURN(bool grows, Extend(view, parent, child, is_records, &group));
  bool to_right = true, to_left = true;
  while (grows && group.leaves.size() < most && (to_right || to_left)) {
    const uint32_t behind = group.first + static_cast<uint32_t>(group.leaves.size());
    if (to_right) to_right = behind <= parent.count();
    if (to_right) {
      TURDB_ASSIGN_OR_RETURN(to_right, Extend(view, parent, behind, is_records, &group));
    }
    if (to_left) to_left = group.first > 0 && group.leaves.size() < most;
    if (to_left) {
      TURDB_ASSIGN_OR_RETURN(to_left, Extend(view, parent, group.first - 1, is_records, &group));
    }
  }
  return group;
}

// One piece more than there are leaves; none when one does not fit.
absl::StatusOr<std::vector<RowPiece>> LayOut(const pager::FileView& view, const RowPath& path, const std::vector<RowRun>& runs,
                                             size_t count) {
  const uint32_t rows = record::CountRows(runs);
  std::vector<RowPiece> pieces;
  std::vector<RowRun> part;
  for (size_t i = 0; i < count; ++i) {
    const auto begin = static_cast<uint32_t>(rows * i / count);
    const auto end = static_cast<uint32_t>(rows * (i + 1) / count);
    if (begin == end) return std::vector<RowPiece>();
    record::SliceRuns(runs, begin, end - begin, &part);
    RowPiece piece{std::make_unique<LeafBytes>(), part.front().KeyAt(0)};
    const BuildResult result = record::BuildRowLeaf(part, path.leaf.is_records(), piece.page->bytes);
    if (result == BuildResult::kDamaged) return DamagedPage(view, path.leaf_id, "its entries or a neighbour's");
    if (result != BuildResult::kFits) return std::vector<RowPiece>();
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

}  // namespace

absl::StatusOr<bool> SpreadOverfull(pager::FileWriter* writer, const RowPath& path, absl::Span<const RowRun> runs,
                                    uint32_t most_leaves) {
  if (path.depth == 0) return false;
  const PageId parent_id = path.steps[path.depth - 1].page;
  TURDB_ASSIGN_OR_RETURN(const uint8_t* page, InteriorPage(writer->view(), parent_id, 1));
  TURDB_ASSIGN_OR_RETURN(const Group group, GroupAround(writer->view(), path, RowInterior(page), most_leaves));
  if (group.leaves.size() < 2) return false;
  std::vector<RowRun> all;
  for (uint32_t i = 0; i < group.leaves.size(); ++i) {
    const RowLeaf& leaf = group.leaves[i];
    if (group.first + i == path.steps[path.depth - 1].child) all.insert(all.end(), runs.begin(), runs.end());
    else all.push_back(RowRun::OfLeaf(leaf, 0, leaf.rows()));
  }
  TURDB_ASSIGN_OR_RETURN(const std::vector<RowPiece> pieces, LayOut(writer->view(), path, all, group.leaves.size() + 1));
  if (pieces.empty()) return false;
  TURDB_ASSIGN_OR_RETURN(uint8_t* const parent, writer->MutablePage(parent_id));
  for (uint32_t i = 0; i < group.leaves.size(); ++i) {
    TURDB_RETURN_IF_ERROR(CopyIntoPage(writer, RowInterior(parent).ChildAt(group.first + i), pieces[i].page->bytes));
    if (i > 0) Store<int64_t>(KeySlot(parent, group.first + i - 1), pieces[i].first_key);
  }
  TURDB_ASSIGN_OR_RETURN(const PageId added, writer->Allocate(format::PageKind::kRowLeaf));
  TURDB_RETURN_IF_ERROR(CopyIntoPage(writer, added, pieces.back().page->bytes));
  TURDB_RETURN_IF_ERROR(InsertSeparator(writer, pieces.back().first_key, added, 1));
  TURDB_RETURN_IF_ERROR(BalancePieces(writer, pieces));
  return true;
}

}  // namespace turdb::btree
