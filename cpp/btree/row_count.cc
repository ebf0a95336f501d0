// Counting the rows of a tree, exactly and by guess, and checking its structure.
#include <algorithm>
#include <vector>

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/page_claims.h"
#include "btree/row_cells.h"
#include "btree/row_path.h"
#include "btree/row_tree.h"
#include "record/leaf_join.h"
#include "record/row_leaf_build.h"
#include "record/row_leaf_edit.h"

namespace turdb::btree {
namespace {

using record::RowLeaf;

absl::StatusOr<uint64_t> CountBelow(const pager::FileView& view, PageId id, uint32_t level) {
  if (level == 0) {
    RowLeaf leaf;
    TURDB_RETURN_IF_ERROR(OpenLeaf(view, id, &leaf));
    return leaf.rows();
  }
  TURDB_ASSIGN_OR_RETURN(const uint8_t* page, InteriorPage(view, id, level));
  const RowInterior interior(page);
  uint64_t rows = 0;
  for (uint32_t i = 0; i <= interior.count(); ++i) {
    TURDB_ASSIGN_OR_RETURN(const uint64_t below, CountBelow(view, interior.ChildAt(i), level - 1));
    rows += below;
  }
  return rows;
}

absl::StatusOr<uint32_t> RootLevel(const pager::FileView& view) {
  const uint8_t* root = view.Page(kRootPage);
  if (root == nullptr) return view.PageError(kRootPage);
  if (format::PageKindOf(root) == format::PageKind::kRowLeaf) return 0;
  TURDB_RETURN_IF_ERROR(InteriorPage(view, kRootPage, 0).status());
  return RowInterior(root).level();
}

// Walks the whole tree and writes down what is wrong.
class RowTreeCheck {
 public:
  RowTreeCheck(const pager::FileView& view, std::vector<PageId>* used, const std::function<absl::Status()>& check)
      : view_(view), claims_(view, used, check) {}

  void Visit(PageId id, uint32_t level, int64_t low, int64_t high) {
    if (claims_.is_full() || !claims_.Claim(id)) return;
    if (level == 0) {
      VisitLeaf(id, low, high);
      return;
    }
    const absl::StatusOr<const uint8_t*> page = InteriorPage(view_, id, level);
    if (!page.ok()) return Note(page.status());
    const RowInterior interior(*page);
    for (uint32_t i = 0; i <= interior.count(); ++i) {
      const int64_t from = i == 0 ? low : interior.KeyAt(i - 1);
      const bool is_last = i == interior.count();
      if (!is_last && (interior.KeyAt(i) <= from || interior.KeyAt(i) > high)) {
        Note(id, "its separators are not in order");
        return;
      }
      Visit(interior.ChildAt(i), level - 1, from, is_last ? high : interior.KeyAt(i) - 1);
      if (i > 0) CheckFill(id, interior.ChildAt(i - 1), interior.ChildAt(i), level - 1);
    }
  }
  void Note(const absl::Status& status) { claims_.Note(status); }
  absl::StatusOr<std::vector<std::string>> TakeFindings() {
    if (!claims_.is_full()) claims_.CheckPieces();
    return claims_.TakeFindings();
  }

 private:
  void Note(PageId id, std::string_view what) { claims_.Note(id, what); }

  // Neighbours that would fit half a page together should be one (row_balance.h).
  void CheckFill(PageId parent, PageId left_id, PageId right_id, uint32_t level) {
    if (level > 0) {
      const absl::StatusOr<const uint8_t*> left = InteriorPage(view_, left_id, level);
      const absl::StatusOr<const uint8_t*> right = InteriorPage(view_, right_id, level);
      if (!left.ok() || !right.ok()) return;
      const uint32_t count = RowInterior(*left).count() + RowInterior(*right).count() + 1;
      if (count <= format::kInteriorCapacity / 2) NoteThin(parent, left_id, right_id);
      return;
    }
    RowLeaf left, right, joined;
    if (!OpenLeaf(view_, left_id, &left).ok() || !OpenLeaf(view_, right_id, &right).ok()) return;
    const uint32_t half = left.RoomBytes() / 2;
    if (!IsThin(left) || !IsThin(right) || JoinedLeafBytes(left, right) > half) return;
    const record::RowRun runs[] = {record::RowRun::OfLeaf(left, 0, left.rows()),
                                   record::RowRun::OfLeaf(right, 0, right.rows())};
    alignas(64) uint8_t page[format::kPageBytes] = {};
    if (BuildRowLeaf(runs, left.is_records(), page) != record::BuildResult::kFits || !joined.Open(page)) return;
    if (joined.LiveBytes() <= half) NoteThin(parent, left_id, right_id);
  }
  void NoteThin(PageId parent, PageId left, PageId right) {
    Note(parent, Cat("its children ", left.value(), " and ", right.value(), " would fit half a page"));
  }

  void VisitLeaf(PageId id, int64_t low, int64_t high) {
    RowLeaf leaf;
    const absl::Status status = OpenLeaf(view_, id, &leaf);
    if (!status.ok()) return Note(status);
    if (!CheckColumns(leaf)) return Note(id, "its columns lie outside their place");
    if (leaf.rows() == 0 && id != kRootPage) Note(id, "a leaf without rows");
    for (uint32_t row = 0; row < leaf.rows(); ++row) {
      const int64_t key = leaf.KeyAt(row);
      if (key < low || key > high || (row > 0 && key <= leaf.KeyAt(row - 1))) {
        return Note(id, Cat("the key of row ", row, " is out of order"));
      }
      VisitRow(id, leaf, row);
    }
  }

  void VisitRow(PageId id, const RowLeaf& leaf, uint32_t row) {
    Arena arena;
    std::vector<Cell> cells;
    Cell record;
    const absl::Status status = ReadStoredRow(view_, id, leaf, row, &arena, &cells, &record);
    if (!status.ok()) return Note(status);
    cells.push_back(record);
    for (const Cell& cell : cells) {
      if (record::IsOverflowCell(cell)) claims_.ClaimChain(record::FirstLink(cell), cell.length);
    }
  }

  const pager::FileView& view_;
  PageClaims claims_;
};

}  // namespace

absl::StatusOr<uint64_t> CountRows(const pager::FileView& view) {
  TURDB_ASSIGN_OR_RETURN(const uint32_t level, RootLevel(view));
  return CountBelow(view, kRootPage, level);
}

absl::StatusOr<uint64_t> EstimateRows(const pager::FileView& view) {
  TURDB_ASSIGN_OR_RETURN(uint32_t level, RootLevel(view));
  PageId id = kRootPage;
  uint64_t pages = 1;
  for (; level > 0; --level) {  // down the middle, as if every page were like these
    TURDB_ASSIGN_OR_RETURN(const uint8_t* page, InteriorPage(view, id, level));
    const RowInterior interior(page);
    pages *= interior.count() + 1;
    id = interior.ChildAt(interior.count() / 2);
  }
  RowLeaf leaf;
  TURDB_RETURN_IF_ERROR(OpenLeaf(view, id, &leaf));
  return pages * leaf.rows();
}

absl::StatusOr<std::vector<std::string>> CheckRowTree(const pager::FileView& view, std::vector<PageId>* used,
                                                      const std::function<absl::Status()>& stop) {
  RowTreeCheck check(view, used, stop);
  const absl::StatusOr<uint32_t> level = RootLevel(view);
  if (level.ok()) {
    check.Visit(kRootPage, *level, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max());
  } else {
    check.Note(level.status());
  }
  return check.TakeFindings();
}

}  // namespace turdb::btree
