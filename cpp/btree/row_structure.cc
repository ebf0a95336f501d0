#include "btree/row_structure.h"

#include <cstring>

#include "base/errors.h"
#include "base/status_macros.h"

namespace turdb::btree {
namespace {

using namespace format;
using record::RowLeaf;
using record::RowRun;

uint8_t* KeySlot(uint8_t* page, uint32_t i) { return page + kInteriorKeys + 8 * size_t{i}; }
uint8_t* ChildSlot(uint8_t* page, uint32_t i) { return page + kInteriorChildren + 4 * size_t{i}; }

void SetInterior(uint8_t* page, uint32_t count, uint32_t level) {
  SetPageKind(page, PageKind::kRowInterior);
  Store<uint16_t>(page + kInteriorCount, static_cast<uint16_t>(count));
  Store<uint16_t>(page + kInteriorLevel, static_cast<uint16_t>(level));
}

// REQUIRES: room.
void InsertAt(uint8_t* page, uint32_t at, int64_t separator, PageId right) {
  const uint32_t count = RowInterior(page).count();
  std::memmove(KeySlot(page, at + 1), KeySlot(page, at), 8 * size_t{count - at});
  std::memmove(ChildSlot(page, at + 2), ChildSlot(page, at + 1), 4 * size_t{count - at});
  Store<int64_t>(KeySlot(page, at), separator);
  Store<uint32_t>(ChildSlot(page, at + 1), right.value());
  Store<uint16_t>(page + kInteriorCount, static_cast<uint16_t>(count + 1));
}

// Removes child i and a separator beside it. REQUIRES: count > 0.
void RemoveChildAt(uint8_t* page, uint32_t child) {
  const uint32_t count = RowInterior(page).count();
  const uint32_t key = child == 0 ? 0 : child - 1;
  std::memmove(KeySlot(page, key), KeySlot(page, key + 1), 8 * size_t{count - key - 1});
  std::memmove(ChildSlot(page, child), ChildSlot(page, child + 1), 4 * size_t{count - child});
  Store<uint16_t>(page + kInteriorCount, static_cast<uint16_t>(count - 1));
}

// The interior page of `level` on the way to key, with the ids of those above it.
struct InteriorPath {
  PageId pages[kMaxTreeLevel];
  uint32_t children[kMaxTreeLevel];
  uint32_t depth = 0;
};
absl::Status FindInterior(const pager::FileView& view, int64_t key, uint32_t level, InteriorPath* path) {
  PageId id = kRootPage;
  uint32_t expected = 0;
  path->depth = 0;
  for (;;) {
    TURDB_ASSIGN_OR_RETURN(const uint8_t* page, InteriorPage(view, id, expected));
    const RowInterior interior(page);
    if (interior.level() < level) return DamagedPage(view, id, "the tree is lower than its pages say");
    const uint32_t child = interior.ChildFor(key);
    path->pages[path->depth] = id;
    path->children[path->depth++] = child;
    if (interior.level() == level) return absl::OkStatus();
    expected = interior.level() - 1;
    id = interior.ChildAt(child);
  }
}

// Splits a full interior page and puts the separator into the right half of the two.
absl::Status SplitInterior(pager::FileWriter* writer, PageId id, uint32_t at, int64_t separator, PageId right) {
  TURDB_ASSIGN_OR_RETURN(const PageId new_id, writer->Allocate(PageKind::kRowInterior));
  TURDB_ASSIGN_OR_RETURN(uint8_t* const page, writer->MutablePage(id));
  TURDB_ASSIGN_OR_RETURN(uint8_t* const new_page, writer->MutablePage(new_id));
  const uint32_t count = RowInterior(page).count();
  const uint32_t level = RowInterior(page).level();
  if (at == count) {  // ascending: the left page stays full
    SetInterior(new_page, 0, level);
    Store<uint32_t>(ChildSlot(new_page, 0), right.value());
    return InsertSeparator(writer, separator, new_id, level + 1);
  }
  const uint32_t middle = count / 2;  // its separator moves up
  const int64_t promoted = RowInterior(page).KeyAt(middle);
  const uint32_t moved = count - middle - 1;
  SetInterior(new_page, moved, level);
  std::memcpy(KeySlot(new_page, 0), KeySlot(page, middle + 1), 8 * size_t{moved});
  std::memcpy(ChildSlot(new_page, 0), ChildSlot(page, middle + 1), 4 * size_t{moved + 1});
  SetInterior(page, middle, level);
  if (at <= middle) {
    InsertAt(page, at, separator, right);
  } else {
    InsertAt(new_page, at - middle - 1, separator, right);
  }
  return InsertSeparator(writer, promoted, new_id, level + 1);
}

// While the root has a single child, the child's content moves into the root.
absl::Status CollapseRoot(pager::FileWriter* writer) {
  for (;;) {
    const uint8_t* root = writer->view().Page(kRootPage);
    if (root == nullptr) return writer->view().PageError(kRootPage);
    if (PageKindOf(root) != PageKind::kRowInterior || RowInterior(root).count() > 0) return absl::OkStatus();
    const PageId child = RowInterior(root).ChildAt(0);
    const uint8_t* content = writer->view().Page(child);
    if (content == nullptr) return writer->view().PageError(child);
    TURDB_RETURN_IF_ERROR(CopyIntoPage(writer, kRootPage, content));
    TURDB_RETURN_IF_ERROR(writer->Free(child));
  }
}

// Joins interior page steps[i] with a neighbour when both together fill at most three quarters.
absl::Status MergeInterior(pager::FileWriter* writer, const RowPath& path, uint32_t i) {
  const pager::FileView& view = writer->view();
  const RowStep& step = path.steps[i];
  TURDB_ASSIGN_OR_RETURN(const uint8_t* page, InteriorPage(view, step.page, 0));
  if (i == 0 || RowInterior(page).count() > kInteriorCapacity / 4) return absl::OkStatus();
  TURDB_ASSIGN_OR_RETURN(const uint8_t* above, InteriorPage(view, path.steps[i - 1].page, 0));
  const RowInterior parent(above);
  if (parent.count() == 0) return absl::OkStatus();
  const uint32_t own = path.steps[i - 1].child;
  const uint32_t left_child = own == parent.count() ? own - 1 : own;
  const PageId left_id = parent.ChildAt(left_child);
  const PageId right_id = parent.ChildAt(left_child + 1);
  const int64_t separator = parent.KeyAt(left_child);
  const uint32_t level = RowInterior(page).level();
  TURDB_ASSIGN_OR_RETURN(const uint8_t* left, InteriorPage(view, left_id, level));
  TURDB_ASSIGN_OR_RETURN(const uint8_t* right, InteriorPage(view, right_id, level));
  const uint32_t left_count = RowInterior(left).count();
  const uint32_t right_count = RowInterior(right).count();
  if (left_count + 1 + right_count > kInteriorCapacity * 3 / 4) return absl::OkStatus();
  TURDB_ASSIGN_OR_RETURN(uint8_t* const to, writer->MutablePage(left_id));
  Store<int64_t>(KeySlot(to, left_count), separator);
  std::memcpy(KeySlot(to, left_count + 1), right + kInteriorKeys, 8 * size_t{right_count});
  std::memcpy(ChildSlot(to, left_count + 1), right + kInteriorChildren, 4 * size_t{right_count + 1});
  SetInterior(to, left_count + 1 + right_count, level);
  TURDB_RETURN_IF_ERROR(writer->Free(right_id));
  TURDB_ASSIGN_OR_RETURN(uint8_t* const parent_page, writer->MutablePage(path.steps[i - 1].page));
  RemoveChildAt(parent_page, left_child + 1);
  return MergeInterior(writer, path, i - 1);
}

absl::Status BecomeEmptyLeaf(pager::FileWriter* writer) {
  TURDB_ASSIGN_OR_RETURN(uint8_t* const root, writer->MutablePage(kRootPage));
  record::InitialiseRowLeaf(root);
  return absl::OkStatus();
}

// Takes `child` out of steps[i]'s page; a page left without children goes too.
absl::Status RemoveFromParent(pager::FileWriter* writer, const RowPath& path, uint32_t i, uint32_t child) {
  TURDB_ASSIGN_OR_RETURN(uint8_t* const page, writer->MutablePage(path.steps[i].page));
  if (RowInterior(page).count() == 0) {
    if (i == 0) return BecomeEmptyLeaf(writer);
    TURDB_RETURN_IF_ERROR(writer->Free(path.steps[i].page));
    return RemoveFromParent(writer, path, i - 1, path.steps[i - 1].child);
  }
  RemoveChildAt(page, child);
  TURDB_RETURN_IF_ERROR(MergeInterior(writer, path, i));
  return CollapseRoot(writer);
}

bool WouldFit(const RowLeaf& a, const RowLeaf& b) {
  return a.is_records() == b.is_records() && a.LiveBytes() + b.LiveBytes() <= a.RoomBytes() * 3 / 4;
}

}  // namespace

absl::Status CopyIntoPage(pager::FileWriter* writer, PageId id, const uint8_t* from) {
  TURDB_ASSIGN_OR_RETURN(uint8_t* const to, writer->MutablePage(id));
  SetPageKind(to, PageKindOf(from));
  std::memcpy(to + kPageHeaderBytes, from + kPageHeaderBytes, kPageBytes - kPageHeaderBytes);
  return absl::OkStatus();
}

absl::StatusOr<PageId> PushDownRoot(pager::FileWriter* writer) {
  const uint8_t* old = writer->view().Page(kRootPage);
  if (old == nullptr) return writer->view().PageError(kRootPage);
  const bool was_leaf = PageKindOf(old) == PageKind::kRowLeaf;
  const uint32_t level = was_leaf ? 1 : RowInterior(old).level() + 1;
  if (level > kMaxTreeLevel) return DamagedPage(writer->view(), kRootPage, "the tree is too high");
  TURDB_ASSIGN_OR_RETURN(const PageId child, writer->Allocate(PageKindOf(old)));
  TURDB_ASSIGN_OR_RETURN(uint8_t* const root, writer->MutablePage(kRootPage));
  TURDB_RETURN_IF_ERROR(CopyIntoPage(writer, child, root));
  std::memset(root + kPageHeaderBytes, 0, kPageBytes - kPageHeaderBytes);
  SetInterior(root, 0, level);
  Store<uint32_t>(ChildSlot(root, 0), child.value());
  return child;
}

absl::Status InsertSeparator(pager::FileWriter* writer, int64_t separator, PageId right, uint32_t level) {
  const pager::FileView& view = writer->view();
  const uint8_t* root = view.Page(kRootPage);
  if (root == nullptr) return view.PageError(kRootPage);
  const uint32_t root_level = PageKindOf(root) == PageKind::kRowLeaf ? 0 : RowInterior(root).level();
  if (root_level < level) TURDB_RETURN_IF_ERROR(PushDownRoot(writer).status());
  InteriorPath path;
  TURDB_RETURN_IF_ERROR(FindInterior(view, separator, level, &path));
  const PageId id = path.pages[path.depth - 1];
  const uint32_t at = path.children[path.depth - 1];
  TURDB_ASSIGN_OR_RETURN(uint8_t* const page, writer->MutablePage(id));
  if (RowInterior(page).count() < kInteriorCapacity) {
    InsertAt(page, at, separator, right);
    return absl::OkStatus();
  }
  if (id != kRootPage) return SplitInterior(writer, id, at, separator, right);
  TURDB_ASSIGN_OR_RETURN(const PageId child, PushDownRoot(writer));
  return SplitInterior(writer, child, at, separator, right);
}

absl::Status ReplaceLeaf(pager::FileWriter* writer, const RowPath& path, RowPieces* pieces, bool keeps_leaf) {
  PageId leaf_id = path.leaf_id;
  const bool becomes_many = pieces->size() + keeps_leaf > 1;
  if (becomes_many && leaf_id == kRootPage) {
    TURDB_ASSIGN_OR_RETURN(leaf_id, PushDownRoot(writer));
  }
  bool is_first = !keeps_leaf;
  for (RowPiece& piece : pieces->pieces()) {
    if (is_first) {
      TURDB_RETURN_IF_ERROR(CopyIntoPage(writer, leaf_id, piece.page->bytes));
      is_first = false;
      continue;
    }
    TURDB_ASSIGN_OR_RETURN(const PageId id, writer->Allocate(PageKind::kRowLeaf));
    TURDB_RETURN_IF_ERROR(CopyIntoPage(writer, id, piece.page->bytes));
    TURDB_RETURN_IF_ERROR(InsertSeparator(writer, piece.first_key, id, 1));
  }
  return absl::OkStatus();
}

absl::Status RemoveLeaf(pager::FileWriter* writer, const RowPath& path) {
  if (path.depth == 0) return BecomeEmptyLeaf(writer);
  TURDB_RETURN_IF_ERROR(writer->Free(path.leaf_id));
  return RemoveFromParent(writer, path, path.depth - 1, path.steps[path.depth - 1].child);
}

absl::Status MergeLeaf(pager::FileWriter* writer, const RowPath& path) {
  if (path.depth == 0) return absl::OkStatus();
  const RowStep& step = path.steps[path.depth - 1];
  TURDB_ASSIGN_OR_RETURN(const uint8_t* above, InteriorPage(writer->view(), step.page, 1));
  const RowInterior parent(above);
  for (const bool with_right : {true, false}) {
    if (with_right ? step.child >= parent.count() : step.child == 0) continue;
    const uint32_t left_child = with_right ? step.child : step.child - 1;
    const PageId left_id = parent.ChildAt(left_child);
    const PageId right_id = parent.ChildAt(left_child + 1);
    RowLeaf left, right;
    TURDB_RETURN_IF_ERROR(OpenLeaf(writer->view(), left_id, &left));
    TURDB_RETURN_IF_ERROR(OpenLeaf(writer->view(), right_id, &right));
    if (!WouldFit(left, right)) continue;
    const RowRun runs[] = {RowRun::OfLeaf(left, 0, left.rows()), RowRun::OfLeaf(right, 0, right.rows())};
    LeafBytes joined;
    const record::BuildResult result = BuildRowLeaf(runs, left.is_records(), joined.bytes);
    if (result == record::BuildResult::kDamaged) return DamagedPage(writer->view(), path.leaf_id, "its entries");
    if (result == record::BuildResult::kFull) continue;
    TURDB_RETURN_IF_ERROR(CopyIntoPage(writer, left_id, joined.bytes));
    TURDB_RETURN_IF_ERROR(writer->Free(right_id));
    return RemoveFromParent(writer, path, path.depth - 1, left_child + 1);
  }
  return absl::OkStatus();
}

}  // namespace turdb::btree
