#include "btree/row_structure.h"

#include <cstring>

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/interior_edit.h"
#include "btree/row_balance.h"
#include "record/leaf_join.h"

namespace turdb::btree {
namespace {

using namespace format;
using record::RowLeaf;
using record::RowRun;

// The interior page of `level` on the way to key, with the ids of those above it.
struct InteriorPath {
  PageId pages[kMaxTreeLevel];
  uint32_t children[kMaxTreeLevel];
  uint32_t depth = 0;
  bool is_last = true;  // the path goes to the last child everywhere
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
    path->is_last = path->is_last && child == interior.count();
    if (interior.level() == level) return absl::OkStatus();
    expected = interior.level() - 1;
    id = interior.ChildAt(child);
  }
}

// Splits a full interior page and puts the separator into the right half of the two. `is_last`: behind all of the level.
absl::Status SplitInterior(pager::FileWriter* writer, PageId id, uint32_t at, int64_t separator, PageId right,
                           bool is_last) {
  TURDB_ASSIGN_OR_RETURN(const PageId new_id, writer->Allocate(PageKind::kRowInterior));
  TURDB_ASSIGN_OR_RETURN(uint8_t* const page, writer->MutablePage(id));
  TURDB_ASSIGN_OR_RETURN(uint8_t* const new_page, writer->MutablePage(new_id));
  const uint32_t count = RowInterior(page).count();
  const uint32_t level = RowInterior(page).level();
  if (is_last) {  // ascending: the left page stays full
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
  if (id != kRootPage) return SplitInterior(writer, id, at, separator, right, path.is_last);
  TURDB_ASSIGN_OR_RETURN(const PageId child, PushDownRoot(writer));
  return SplitInterior(writer, child, at, separator, right, path.is_last);
}

absl::Status BalancePieces(pager::FileWriter* writer, absl::Span<const RowPiece> pieces) {
  for (const RowPiece& piece : pieces) {
    RowLeaf leaf;
    if (!leaf.Open(piece.page->bytes)) return InternalError("a leaf just laid out does not open");
    if (record::IsThin(leaf)) TURDB_RETURN_IF_ERROR(BalanceRowTree(writer, piece.first_key, 0, Balance::kUsually));
  }
  return absl::OkStatus();
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
  return BalancePieces(writer, pieces->pieces());
}

}  // namespace turdb::btree
