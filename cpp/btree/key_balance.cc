#include "btree/key_balance.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/row_pieces.h"

namespace turdb::btree {
namespace {

using namespace format;

constexpr uint32_t kShareLimit = kKeyRoomBytes / 8;       // a page emptier than this takes over from a neighbour

absl::Status BecomeEmptyLeaf(pager::FileWriter* writer) {
  TURDB_ASSIGN_OR_RETURN(uint8_t* const root, writer->MutablePage(kRootPage));
  BuildKeyPage({}, 0, PageId(0), root);
  return absl::OkStatus();
}

absl::Status CollapseKeyRoot(pager::FileWriter* writer) {
  for (;;) {
    KeyPage root;
    TURDB_RETURN_IF_ERROR(OpenKeyPage(writer->view(), kRootPage, -1, &root));
    PageId child;
    if (root.level() == 0 || root.count() > 0 || !root.ChildAt(0, &child)) return absl::OkStatus();
    const uint8_t* content = writer->view().Page(child);
    if (content == nullptr) return writer->view().PageError(child);
    TURDB_RETURN_IF_ERROR(CopyIntoKeyPage(writer, kRootPage, content));
    TURDB_RETURN_IF_ERROR(writer->Free(child));
  }
}

// Children left_child and left_child + 1 of a parent, and what they hold.
struct Pair {
  PageId parent;
  uint32_t left_child = 0;
  PageId left_id, right_id;
  KeyPage left, right;
  KeyCell separator;
};

// The pair of the page and its neighbour on one side; false when there is none under the parent.
absl::StatusOr<bool> PairOf(const pager::FileView& view, const KeySpot& spot, uint32_t level, bool with_right, Pair* pair) {
  KeyPage parent;
  TURDB_RETURN_IF_ERROR(OpenKeyPage(view, spot.parent, static_cast<int>(level) + 1, &parent));
  if (with_right ? spot.child >= parent.count() : spot.child == 0) return false;
  pair->parent = spot.parent;
  pair->left_child = with_right ? spot.child : spot.child - 1;
  if (!parent.ChildAt(pair->left_child, &pair->left_id) || !parent.ChildAt(pair->left_child + 1, &pair->right_id) ||
      !parent.CellAt(pair->left_child, &pair->separator)) {
    return DamagedKeyPage(view, spot.parent, "a child");
  }
  TURDB_RETURN_IF_ERROR(OpenKeyPage(view, pair->left_id, static_cast<int>(level), &pair->left));
  TURDB_RETURN_IF_ERROR(OpenKeyPage(view, pair->right_id, static_cast<int>(level), &pair->right));
  return true;
}

// The cells of both pages; in interior pages the separator comes down between them, its chain with it.
struct Content {
  Arena arena;
  std::vector<std::string_view> cells;
  std::string separator;  // whole

  absl::Status Collect(const pager::FileView& view, const Pair& pair) {
    if (!ListCells(pair.left, &arena, &cells)) return DamagedKeyPage(view, pair.left_id, "a cell");
    if (pair.left.level() > 0) {
      TURDB_RETURN_IF_ERROR(ReadFullKey(view, pair.separator, &separator));
      std::string cell(LooseCell(pair.separator, &arena));
      std::memcpy(cell.data() + cell.size() - 4, pair.right.page() + kKeyFirstChild, 4);
      cells.push_back(arena.Copy(cell));
    }
    if (!ListCells(pair.right, &arena, &cells)) return DamagedKeyPage(view, pair.right_id, "a cell");
    return absl::OkStatus();
  }
};

PageId FirstChild(const KeyPage& page) { return PageId(Load<uint32_t>(page.page() + kKeyFirstChild)); }

// False, and nothing changed, when the heads of short keys need more than the bytes counted.
absl::StatusOr<bool> Join(pager::FileWriter* writer, const Pair& pair, const Content& content) {
  const uint32_t level = pair.left.level();
  LeafBytes bytes;
  if (!BuildKeyPage(content.cells, level, FirstChild(pair.left), bytes.bytes)) return false;
  TURDB_RETURN_IF_ERROR(CopyIntoKeyPage(writer, pair.left_id, bytes.bytes));
  TURDB_RETURN_IF_ERROR(writer->Free(pair.right_id));
  TURDB_RETURN_IF_ERROR(RemoveKeyChild(writer, pair.parent, pair.left_child + 1, level == 0));
  return true;
}

bool IsFull(const KeyPage& page) { return page.LiveBytes() > kKeyRoomBytes / 8 * 7; }

// Gives both pages about the same bytes; false when cells are too large for that.
absl::StatusOr<bool> Share(pager::FileWriter* writer, const Pair& pair, absl::Span<const std::string_view> cells) {
  const uint32_t level = pair.left.level();
  const uint32_t n = SplitPoint(cells);  // in interior pages cell n's key is the new separator
  if (n + 1 >= cells.size()) return false;
  LeafBytes left, right;
  KeyCell middle, before;
  if (!ParseKeyCell(cells[n], &middle) || !ParseKeyCell(cells[n - 1], &before) || (level > 0 && middle.payload.size() != 4)) {
    return DamagedKeyPage(writer->view(), pair.left_id, "a cell");
  }
  const PageId right_first(level > 0 ? Load<uint32_t>(middle.payload.data()) : 0);
  if (!BuildKeyPage(cells.subspan(0, n), level, FirstChild(pair.left), left.bytes) ||
      !BuildKeyPage(cells.subspan(n + (level > 0)), level, right_first, right.bytes)) {
    return false;
  }
  for (const LeafBytes* half : {&left, &right}) {
    KeyPage built;
    if (!built.Open(half->bytes) || built.LiveBytes() < kKeyRoomBytes / 4) return false;
  }
  std::string separator, left_key;
  TURDB_RETURN_IF_ERROR(ReadFullKey(writer->view(), middle, &separator));
  TURDB_RETURN_IF_ERROR(ReadFullKey(writer->view(), before, &left_key));
  if (level > 0) {
    TURDB_RETURN_IF_ERROR(FreeKeyCell(writer, middle));  // it gets new chains one level up
  } else {
    separator = std::string(Separator(left_key, separator));
  }
  TURDB_RETURN_IF_ERROR(CopyIntoKeyPage(writer, pair.left_id, left.bytes));
  TURDB_RETURN_IF_ERROR(CopyIntoKeyPage(writer, pair.right_id, right.bytes));
  TURDB_RETURN_IF_ERROR(RemoveKeyChild(writer, pair.parent, pair.left_child + 1, level == 0));
  TURDB_RETURN_IF_ERROR(InsertKeySeparator(writer, separator, pair.right_id, level + 1));
  // What one of them gave away its other neighbour may miss.
  TURDB_RETURN_IF_ERROR(BalanceKeyTree(writer, left_key, level, Balance::kUsually));
  TURDB_RETURN_IF_ERROR(BalanceKeyTree(writer, separator, level, Balance::kUsually));
  return true;
}

// Joins the pair when both fit comfortably, else shares when asked to. Whether it did either; the old separator is kept.
absl::StatusOr<bool> Unite(pager::FileWriter* writer, const Pair& pair, Balance balance, bool shares,
                           std::string* separator) {
  const uint32_t limit = balance == Balance::kLazily ? kKeyRoomBytes / 2 : kKeyRoomBytes / 4 * 3;
  const bool fits = JoinedKeyBytes(pair.left, pair.right, pair.separator) <= limit;
  if (!fits && !shares) return false;
  if (!fits && (IsFull(pair.left) || IsFull(pair.right))) return false;
  Content content;
  TURDB_RETURN_IF_ERROR(content.Collect(writer->view(), pair));
  *separator = content.separator;
  return fits ? Join(writer, pair, content) : Share(writer, pair, content.cells);
}

absl::Status BalanceAt(pager::FileWriter* writer, std::string_view key, uint32_t level, const KeySpot& spot,
                       Balance balance) {
  KeyPage page;
  TURDB_RETURN_IF_ERROR(OpenKeyPage(writer->view(), spot.id, static_cast<int>(level), &page));
  if (!IsThin(page)) return absl::OkStatus();
  const bool may_share = (level > 0 || balance == Balance::kFully) && page.LiveBytes() < kShareLimit;
  for (const bool shares : {false, true}) {
    if (shares && !may_share) break;
    for (const bool with_right : {true, false}) {
      Pair pair;
      TURDB_ASSIGN_OR_RETURN(const bool has_pair, PairOf(writer->view(), spot, level, with_right, &pair));
      if (!has_pair) continue;
      std::string separator;
      TURDB_ASSIGN_OR_RETURN(const bool is_done, Unite(writer, pair, balance, shares, &separator));
      if (!is_done) continue;
      if (level > 0) {  // children of two parents have become neighbours under one, where the old separator stands
        TURDB_RETURN_IF_ERROR(BalanceKeyTree(writer, separator, level - 1, Balance::kUsually));
      }
      TURDB_RETURN_IF_ERROR(BalanceKeyTree(writer, key, level, balance));  // there may be room for the other neighbour, too
      return BalanceKeyTree(writer, key, level + 1, Balance::kUsually);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FindKeySpot(const pager::FileView& view, std::string_view key, uint32_t level, KeySpot* spot) {
  KeyPage page;
  TURDB_RETURN_IF_ERROR(OpenKeyPage(view, kRootPage, -1, &page));
  if (page.level() < level) return absl::OkStatus();
  spot->exists = true;
  while (page.level() > level) {
    TURDB_ASSIGN_OR_RETURN(spot->child, ChildForKey(view, spot->id, page, key));
    spot->parent = spot->id;
    spot->is_root = false;
    if (!page.ChildAt(spot->child, &spot->id)) return DamagedKeyPage(view, spot->parent, "a child");
    TURDB_RETURN_IF_ERROR(OpenKeyPage(view, spot->id, static_cast<int>(page.level()) - 1, &page));
  }
  return absl::OkStatus();
}

absl::Status RemoveKeyChild(pager::FileWriter* writer, PageId id, uint32_t child, bool frees_chain) {
  TURDB_ASSIGN_OR_RETURN(uint8_t* const bytes, writer->MutablePage(id));
  KeyPage page;
  KeyCell cell;
  const uint32_t at = child == 0 ? 0 : child - 1;
  if (!page.Open(bytes) || at >= page.count() || !page.CellAt(at, &cell) || cell.payload.size() != 4) {
    return DamagedKeyPage(writer->view(), id, "a child");
  }
  if (child == 0) Store<uint32_t>(bytes + kKeyFirstChild, Load<uint32_t>(cell.payload.data()));
  if (frees_chain) TURDB_RETURN_IF_ERROR(FreeKeyCell(writer, cell));
  return EraseCell(bytes, at) ? absl::OkStatus() : DamagedKeyPage(writer->view(), id, "a cell");
}

uint32_t JoinedKeyBytes(const KeyPage& left, const KeyPage& right, const KeyCell& separator) {
  const size_t common = CommonBytes(left.prefix(), right.prefix());
  const auto bytes = [&](const KeyPage& page, const KeyPage& other) {
    const size_t longer = page.prefix().size() - common;
    const bool says_payloads = page.payload() != other.payload() && page.payload() != kKeyVariedPayload;
    return page.LiveBytes() - page.prefix().size() + page.count() * (longer + says_payloads);
  };
  size_t between = common;
  if (left.level() > 0) between += separator.KeyBytesHere() + kKeyEntryBytes + 2 - std::min(common, separator.KeyBytesHere());
  return static_cast<uint32_t>(bytes(left, right) + bytes(right, left) + between);
}

absl::Status BalanceKeyTree(pager::FileWriter* writer, std::string_view key, uint32_t level, Balance balance) {
  KeySpot spot;
  TURDB_RETURN_IF_ERROR(FindKeySpot(writer->view(), key, level, &spot));
  if (!spot.exists) return absl::OkStatus();
  if (spot.is_root) return level == 0 ? absl::OkStatus() : CollapseKeyRoot(writer);
  return BalanceAt(writer, key, level, spot, balance);
}

absl::Status BalanceKeyLeaf(pager::FileWriter* writer, const KeyPath& path, std::string_view key, Balance balance) {
  if (path.depth == 0) return absl::OkStatus();
  const RowStep& step = path.steps[path.depth - 1];
  return BalanceAt(writer, key, 0, {path.leaf_id, step.page, step.child, true, false}, balance);
}

absl::Status RemoveKeyLeaf(pager::FileWriter* writer, const KeyPath& path, std::string_view key) {
  if (path.depth == 0) return BecomeEmptyLeaf(writer);
  TURDB_RETURN_IF_ERROR(writer->Free(path.leaf_id));
  uint32_t step = path.depth - 1;
  for (;; --step) {
    KeyPage page;
    TURDB_RETURN_IF_ERROR(OpenKeyPage(writer->view(), path.steps[step].page, -1, &page));
    if (page.count() > 0) break;
    if (step == 0) return BecomeEmptyLeaf(writer);  // the last page of the tree
    TURDB_RETURN_IF_ERROR(writer->Free(path.steps[step].page));
  }
  TURDB_RETURN_IF_ERROR(RemoveKeyChild(writer, path.steps[step].page, path.steps[step].child, true));
  // The pages on both sides of the gap are neighbours now.
  const uint32_t level = path.depth - 1 - step;
  TURDB_RETURN_IF_ERROR(BalanceKeyTree(writer, key, level, Balance::kUsually));
  return BalanceKeyTree(writer, key, level + 1, Balance::kUsually);
}

}  // namespace turdb::btree
