#include "btree/key_structure.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/key_balance.h"
#include "btree/row_pieces.h"

namespace turdb::btree {
namespace {

using namespace format;
using Cells = std::vector<std::string_view>;

// Where a new layout leaves fewer spare slots than this, the page counts as full.
uint32_t NeededSlack(size_t cells) { return static_cast<uint32_t>(cells / 32); }

KeyCell Parse(std::string_view cell) {
  KeyCell parsed;
  const uint8_t* at = reinterpret_cast<const uint8_t*>(cell.data());
  if (!ParseKeyCell(at, at + cell.size(), &parsed)) parsed = KeyCell();
  return parsed;
}
PageId ChildOf(std::string_view cell) {
  const KeyCell parsed = Parse(cell);
  return PageId(parsed.payload.size() == 4 ? Load<uint32_t>(parsed.payload.data()) : 0);
}

struct Found {
  PageId id;
  KeyPage page;
  uint32_t at = 0;
};

// The page of `level` on the way to the key, and the place of the key among its cells.
absl::Status FindPlace(const pager::FileView& view, std::string_view key, uint32_t level, Found* found) {
  PageId id = kRootPage;
  int expected = -1;
  for (;;) {
    TURDB_RETURN_IF_ERROR(OpenKeyPage(view, id, expected, &found->page));
    if (found->page.level() < level) return DamagedKeyPage(view, id, "the tree is lower than its pages say");
    TURDB_ASSIGN_OR_RETURN(const KeySlot slot, SearchKeyPage(view, id, found->page, key));
    found->id = id;
    found->at = slot.index;
    if (found->page.level() == level) return absl::OkStatus();
    expected = static_cast<int>(found->page.level()) - 1;
    if (!found->page.ChildAt(slot.index + slot.is_found, &id)) return DamagedKeyPage(view, found->id, "a child");
  }
}

// The root's content moves to a new page, its only child.
absl::StatusOr<PageId> PushDownKeyRoot(pager::FileWriter* writer) {
  KeyPage root;
  TURDB_RETURN_IF_ERROR(OpenKeyPage(writer->view(), kRootPage, -1, &root));
  const uint32_t level = root.level() + 1;
  if (level > kMaxTreeLevel) return DamagedKeyPage(writer->view(), kRootPage, "the tree is too high");
  TURDB_ASSIGN_OR_RETURN(const PageId child, writer->Allocate(PageKindOf(root.page())));
  TURDB_RETURN_IF_ERROR(CopyIntoKeyPage(writer, child, root.page()));
  TURDB_ASSIGN_OR_RETURN(uint8_t* const page, writer->MutablePage(kRootPage));
  BuildKeyPage({}, level, child, page);
  return child;
}

// Cells [0, n) stay in page `id`, the rest goes to a new page, and a separator to the level above. For an interior
// page cell n's key is the separator.
absl::Status SplitAt(pager::FileWriter* writer, PageId id, uint32_t level, PageId first_child, const Cells& cells,
                     uint32_t n, bool left_is_unchanged) {
  const pager::FileView& view = writer->view();
  std::string right_key, left_key;
  TURDB_RETURN_IF_ERROR(ReadFullKey(view, Parse(cells[n]), &right_key));
  TURDB_RETURN_IF_ERROR(ReadFullKey(view, Parse(cells[n - 1]), &left_key));
  std::string separator = right_key;
  Cells right(cells.begin() + n, cells.end());
  PageId right_first(0);
  if (level == 0) {
    separator = std::string(Separator(left_key, right_key));
  } else {
    right_first = ChildOf(cells[n]);
    TURDB_RETURN_IF_ERROR(FreeKeyCell(writer, Parse(cells[n])));  // it gets new chains one level up
    right.erase(right.begin());
  }
  const Cells left(cells.begin(), cells.begin() + n);
  auto bytes = std::make_unique<LeafBytes>();
  if (!BuildKeyPage(right, level, right_first, bytes->bytes)) return InternalError("half of a page does not fit a page");
  TURDB_ASSIGN_OR_RETURN(const PageId right_id,
                         writer->Allocate(level == 0 ? PageKind::kKeyLeaf : PageKind::kKeyInterior));
  TURDB_RETURN_IF_ERROR(CopyIntoKeyPage(writer, right_id, bytes->bytes));
  if (!left_is_unchanged) {
    if (!BuildKeyPage(left, level, first_child, bytes->bytes)) return InternalError("half of a page does not fit a page");
    TURDB_RETURN_IF_ERROR(CopyIntoKeyPage(writer, id, bytes->bytes));
  }
  TURDB_RETURN_IF_ERROR(InsertKeySeparator(writer, separator, right_id, level + 1));
  // Large cells make uneven halves.
  if (!left_is_unchanged) TURDB_RETURN_IF_ERROR(BalanceKeyTree(writer, left_key, level, Balance::kUsually));
  return BalanceKeyTree(writer, separator, level, Balance::kUsually);
}

// The page gets these cells; `at` is the new one among them.
absl::Status LayOut(pager::FileWriter* writer, PageId id, const KeyPage& page, const Cells& cells, uint32_t at,
                    bool is_insert) {
  const uint32_t level = page.level();
  const PageId first_child(Load<uint32_t>(page.page() + kKeyFirstChild));
  auto bytes = std::make_unique<LeafBytes>();
  if (BuildKeyPage(cells, level, first_child, bytes->bytes)) {
    KeyPage built;
    if (!built.Open(bytes->bytes)) return InternalError("a page just laid out does not open");
    if (!is_insert || built.slots() - built.count() >= NeededSlack(cells.size())) {
      return CopyIntoKeyPage(writer, id, bytes->bytes);
    }
  }
  const bool is_at_end = is_insert && at + 1 == cells.size() && at > 0;
  const uint32_t n = is_at_end ? at : SplitPoint(cells);
  if (id != kRootPage) return SplitAt(writer, id, level, first_child, cells, n, is_at_end);
  // The cells lie in the root, which is about to be overwritten.
  std::vector<std::string> kept(cells.begin(), cells.end());
  const Cells kept_cells(kept.begin(), kept.end());
  TURDB_ASSIGN_OR_RETURN(id, PushDownKeyRoot(writer));
  return SplitAt(writer, id, level, first_child, kept_cells, n, is_at_end);
}

}  // namespace

uint32_t SplitPoint(absl::Span<const std::string_view> cells) {
  size_t total = 0;
  for (const std::string_view cell : cells) total += cell.size() + kKeySlotBytes;
  size_t left = 0;
  uint32_t n = 0;
  while (n + 1 < cells.size() && 2 * left < total) left += cells[n++].size() + kKeySlotBytes;
  return std::max<uint32_t>(n, 1);
}

std::string_view Separator(std::string_view left, std::string_view right) {
  const size_t n = std::min(left.size(), right.size());
  const size_t common = static_cast<size_t>(std::mismatch(left.begin(), left.begin() + n, right.begin()).first - left.begin());
  return right.substr(0, common + 1);
}

absl::Status CopyIntoKeyPage(pager::FileWriter* writer, PageId id, const uint8_t* from) {
  TURDB_ASSIGN_OR_RETURN(uint8_t* const to, writer->MutablePage(id));
  SetPageKind(to, PageKindOf(from));
  std::memcpy(to + kPageHeaderBytes, from + kPageHeaderBytes, kPageBytes - kPageHeaderBytes);
  return absl::OkStatus();
}

absl::Status InsertKeyCell(pager::FileWriter* writer, std::string_view key, std::string_view cell, uint32_t level) {
  Found found;
  TURDB_RETURN_IF_ERROR(FindPlace(writer->view(), key, level, &found));
  TURDB_ASSIGN_OR_RETURN(uint8_t* const page, writer->MutablePage(found.id));
  if (TryInsertCell(page, found.at, cell)) return absl::OkStatus();
  Cells cells;
  if (!ListCells(found.page, &cells)) return DamagedKeyPage(writer->view(), found.id, "a cell");
  cells.insert(cells.begin() + found.at, cell);
  return LayOut(writer, found.id, found.page, cells, found.at, true);
}

absl::Status InsertKeySeparator(pager::FileWriter* writer, std::string_view key, PageId child, uint32_t level) {
  TURDB_ASSIGN_OR_RETURN(const uint32_t root_level, KeyRootLevel(writer->view()));
  if (root_level < level) TURDB_RETURN_IF_ERROR(PushDownKeyRoot(writer).status());
  const uint32_t id = child.value();
  TURDB_ASSIGN_OR_RETURN(const std::string cell, MakeKeyCell(writer, key, {reinterpret_cast<const char*>(&id), 4}));
  return InsertKeyCell(writer, key, cell, level);
}

absl::Status ReplaceInKeyLeaf(pager::FileWriter* writer, const KeyPath& path, uint32_t at, std::string_view key,
                              std::string_view cell) {
  const uint32_t live_before = path.leaf.LiveBytes();
  TURDB_ASSIGN_OR_RETURN(uint8_t* const bytes, writer->MutablePage(path.leaf_id));
  if (!TryReplaceCell(bytes, at, cell)) {
    Cells cells;
    if (!ListCells(path.leaf, &cells)) return DamagedKeyPage(writer->view(), path.leaf_id, "a cell");
    cells[at] = cell;
    return LayOut(writer, path.leaf_id, path.leaf, cells, at, false);
  }
  KeyPage page;
  if (!page.Open(bytes)) return DamagedKeyPage(writer->view(), path.leaf_id, "its header contradicts itself");
  if (page.LiveBytes() >= live_before || !IsThin(page)) return absl::OkStatus();
  return BalanceKeyLeaf(writer, path, key, Balance::kUsually);
}

absl::Status EraseFromKeyLeaf(pager::FileWriter* writer, const KeyPath& path, uint32_t at, std::string_view key) {
  const uint32_t count = path.leaf.count();
  if (count == 1) return RemoveKeyLeaf(writer, path, key);
  TURDB_ASSIGN_OR_RETURN(uint8_t* const bytes, writer->MutablePage(path.leaf_id));
  EraseCell(bytes, at);
  KeyPage page;
  if (!page.Open(bytes)) return DamagedKeyPage(writer->view(), path.leaf_id, "its header contradicts itself");
  if (!IsThin(page)) return absl::OkStatus();
  const bool is_at_edge = at == 0 || at + 1 == count;
  return BalanceKeyLeaf(writer, path, key, is_at_edge ? Balance::kLazily : Balance::kFully);
}

}  // namespace turdb::btree
