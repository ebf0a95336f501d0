#include "btree/key_structure.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/key_balance.h"
#include "btree/key_spread.h"
#include "btree/row_pieces.h"

namespace turdb::btree {
namespace {

using namespace format;
using Cells = std::vector<std::string_view>;

// Where a new layout leaves less than this free, the page counts as full.
uint32_t NeededSlack(const KeyPage& page) { return page.count() / 32 * (page.LiveBytes() / std::max(page.count(), 1u)); }

KeyCell Parse(std::string_view cell) {
  KeyCell parsed;
  if (!ParseKeyCell(cell, &parsed)) parsed = KeyCell();
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

// What is to become of a page that is laid out anew.
struct Layout {
  PageId id;
  uint32_t level = 0;
  PageId first_child;
  absl::Span<const std::string_view> cells;  // loose
  uint32_t at = 0;                           // the new or changed one
  bool is_insert = false;
  bool may_fit = true;     // as one page
  bool may_spread = true;  // has not been tried
  KeyRun run = KeyRun::kNone;  // of which it is the next
};

// Cells [0, n) as one page and the rest as another; false when either does not fit. For an interior page cell n's key is the
// separator.
struct Halves {
  uint32_t n = 0;
  bool keeps_left = false;  // it is what the page has already
  PageId right_first;
  LeafBytes left, right;

  bool Build(const Layout& layout, uint32_t split) {
    n = split;
    keeps_left = layout.is_insert && layout.at == n && n + 1 == layout.cells.size();
    const bool is_interior = layout.level > 0;
    right_first = is_interior ? ChildOf(layout.cells[n]) : PageId(0);
    return (keeps_left || BuildKeyPage(layout.cells.subspan(0, n), layout.level, layout.first_child, left.bytes)) &&
           BuildKeyPage(layout.cells.subspan(n + is_interior), layout.level, right_first, right.bytes);
  }
};

// The left half stays in the page, the other goes to a new one, and a separator to the level above.
absl::Status SplitAt(pager::FileWriter* writer, const Layout& layout, const Halves& halves) {
  const pager::FileView& view = writer->view();
  const uint32_t level = layout.level;
  std::string right_key, left_key;
  TURDB_RETURN_IF_ERROR(ReadFullKey(view, Parse(layout.cells[halves.n]), &right_key));
  TURDB_RETURN_IF_ERROR(ReadFullKey(view, Parse(layout.cells[halves.n - 1]), &left_key));
  std::string separator = right_key;
  if (level == 0) {
    separator = std::string(Separator(left_key, right_key));
  } else {
    TURDB_RETURN_IF_ERROR(FreeKeyCell(writer, Parse(layout.cells[halves.n])));  // it gets new chains one level up
  }
  TURDB_ASSIGN_OR_RETURN(const PageId right_id,
                         writer->Allocate(level == 0 ? PageKind::kKeyLeaf : PageKind::kKeyInterior));
  TURDB_RETURN_IF_ERROR(CopyIntoKeyPage(writer, right_id, halves.right.bytes));
  if (!halves.keeps_left) TURDB_RETURN_IF_ERROR(CopyIntoKeyPage(writer, layout.id, halves.left.bytes));
  TURDB_RETURN_IF_ERROR(InsertKeySeparator(writer, separator, right_id, level + 1));
  // Large cells make uneven halves.
  if (!halves.keeps_left) TURDB_RETURN_IF_ERROR(BalanceKeyTree(writer, left_key, level, Balance::kUsually));
  return BalanceKeyTree(writer, separator, level, Balance::kUsually);
}

// A run goes on beside its last cell, so the page is cut there: the run gets a page without those before which it stands, if that has
// a quarter of free room (it may have a long prefix), else its last cell goes to the emptier side.
bool HalveBesideRun(const Layout& layout, uint32_t even, Halves* halves) {
  const bool is_ascending = layout.run == KeyRun::kAscending;
  if (layout.at > 0 && halves->Build(layout, layout.at + is_ascending)) {
    KeyPage of_run;
    const bool is_open = of_run.Open(is_ascending ? halves->left.bytes : halves->right.bytes);
    if (is_open && of_run.free_bytes() >= kKeyRoomBytes / 4) return true;
  }
  return halves->Build(layout, std::max(layout.at + (layout.at < even), 1u));
}

// A key that lacks the page's prefix is its first or its last; so when no two even halves hold the cells without the prefix, that
// one alone and the others do (of an interior page but one, which goes up).
absl::Status Split(pager::FileWriter* writer, Layout layout) {
  const auto halves = std::make_unique<Halves>();
  const uint32_t count = static_cast<uint32_t>(layout.cells.size());
  const bool is_at_end = layout.is_insert && layout.at + 1 == count && layout.at > 0;
  const uint32_t even = SplitPoint(layout.cells);
  bool is_built = is_at_end && halves->Build(layout, layout.at);
  if (!is_at_end && layout.run != KeyRun::kNone) is_built = HalveBesideRun(layout, even, halves.get());
  if (!is_built) is_built = halves->Build(layout, even);
  for (const uint32_t edge : {1u, layout.level == 0 ? count - 1 : count - 2}) {
    if (!is_built && edge > 0 && edge < count) is_built = halves->Build(layout, edge);
  }
  if (!is_built) return InternalError("half of a page does not fit a page");
  if (layout.id == kRootPage) {
    TURDB_ASSIGN_OR_RETURN(layout.id, PushDownKeyRoot(writer));
  }
  return SplitAt(writer, layout, *halves);
}

// The page gets these cells; it may split.
absl::Status LayOut(pager::FileWriter* writer, const Layout& layout) {
  std::string key;
  TURDB_RETURN_IF_ERROR(ReadFullKey(writer->view(), Parse(layout.cells[layout.at]), &key));
  auto bytes = std::make_unique<LeafBytes>();
  if (layout.may_fit && BuildKeyPage(layout.cells, layout.level, layout.first_child, bytes->bytes)) {
    KeyPage built;
    if (!built.Open(bytes->bytes)) return InternalError("a page just laid out does not open");
    if (!layout.is_insert || built.free_bytes() >= NeededSlack(built)) {
      TURDB_RETURN_IF_ERROR(CopyIntoKeyPage(writer, layout.id, bytes->bytes));
      return IsThin(built) ? BalanceKeyTree(writer, key, layout.level, Balance::kUsually) : absl::OkStatus();
    }
  }
  const bool is_at_end = layout.is_insert && layout.at + 1 == layout.cells.size();
  if (layout.level == 0 && !is_at_end && layout.run == KeyRun::kNone && layout.may_spread) {
    TURDB_ASSIGN_OR_RETURN(const bool is_shared, SpreadKeyLeaf(writer, {key, layout.at, layout.cells[layout.at], layout.is_insert}));
    if (is_shared) return absl::OkStatus();
  }
  return Split(writer, layout);
}

// The page's cells in loose form, and what else a layout keeps.
absl::Status StartLayout(const pager::FileView& view, PageId id, const KeyPage& page, Arena* arena, Cells* cells, Layout* layout) {
  if (!ListCells(page, arena, cells)) return DamagedKeyPage(view, id, "a cell");
  layout->id = id;
  layout->level = page.level();
  layout->first_child = PageId(Load<uint32_t>(page.page() + kKeyFirstChild));
  return absl::OkStatus();
}

}  // namespace

uint32_t SplitPoint(absl::Span<const std::string_view> cells) {
  const size_t prefix = CommonPrefix(cells);
  const auto bytes = [&](std::string_view cell) { return cell.size() - prefix + kKeyEntryBytes - kKeyHeadBytes; };
  size_t total = 0;
  for (const std::string_view cell : cells) total += bytes(cell);
  size_t left = 0;
  uint32_t n = 0;
  while (n + 1 < cells.size() && 2 * left < total) left += bytes(cells[n++]);
  return std::max<uint32_t>(n, 1);
}

std::string_view Separator(std::string_view left, std::string_view right) {
  return right.substr(0, CommonBytes(left, right) + 1);
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
  if (TryInsertCell(page, found.at, cell)) {
    if (level > 0) LengthenPrefix(page);  // every search goes through it, and few inserts
    return absl::OkStatus();
  }
  const bool may_fit = MayFitAnew(found.page, found.at, cell);
  const KeyRun run = level == 0 ? found.page.RunAt(found.at) : KeyRun::kNone;
  const bool spreads = !may_fit && level == 0 && run == KeyRun::kNone && found.at < found.page.count();
  if (spreads) {
    TURDB_ASSIGN_OR_RETURN(const bool is_spread, SpreadKeyLeaf(writer, {key, found.at, cell, true}));
    if (is_spread) return absl::OkStatus();
  }
  Arena arena;
  Cells cells;
  Layout layout;
  TURDB_RETURN_IF_ERROR(StartLayout(writer->view(), found.id, found.page, &arena, &cells, &layout));
  layout.may_fit = may_fit;
  layout.may_spread = !spreads;
  layout.run = run;
  cells.insert(cells.begin() + found.at, cell);
  layout.cells = cells;
  layout.at = found.at;
  layout.is_insert = true;
  return LayOut(writer, layout);
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
    Arena arena;
    Cells cells;
    Layout layout;
    TURDB_RETURN_IF_ERROR(StartLayout(writer->view(), path.leaf_id, path.leaf, &arena, &cells, &layout));
    cells[at] = cell;
    layout.cells = cells;
    layout.at = at;
    return LayOut(writer, layout);
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
  if (!EraseCell(bytes, at)) return DamagedKeyPage(writer->view(), path.leaf_id, "a cell");
  KeyPage page;
  if (!page.Open(bytes)) return DamagedKeyPage(writer->view(), path.leaf_id, "its header contradicts itself");
  if (!IsThin(page)) return absl::OkStatus();
  const bool is_at_edge = at == 0 || at + 1 == count;
  return BalanceKeyLeaf(writer, path, key, is_at_edge ? Balance::kLazily : Balance::kFully);
}

}  // namespace turdb::btree
