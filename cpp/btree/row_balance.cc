#include "btree/row_balance.h"

#include <cstring>
#include <vector>

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/interior_edit.h"
#include "btree/row_pieces.h"
#include "btree/row_structure.h"
#include "record/leaf_join.h"

namespace turdb::btree {
namespace {

using namespace format;
using record::BuildResult;
using record::RowLeaf;
using record::RowRun;

constexpr uint32_t kShareDivisor = 8;  // a page emptier than an eighth takes over from a neighbour

// What two pages may fill to be joined, of what there is room for.
uint32_t JoinLimit(uint32_t room, Balance balance) { return balance == Balance::kLazily ? room / 2 : room / 4 * 3; }

// A page with its place under its parent.
struct Spot {
  PageId id = kRootPage;
  PageId parent;
  uint32_t child = 0;  // index in the parent
  bool exists = false;
  bool is_root = true;
};

absl::Status FindSpot(const pager::FileView& view, int64_t key, uint32_t level, Spot* spot) {
  const uint8_t* root = view.Page(kRootPage);
  if (root == nullptr) return view.PageError(kRootPage);
  uint32_t at = 0;
  if (PageKindOf(root) != PageKind::kRowLeaf) {
    TURDB_RETURN_IF_ERROR(InteriorPage(view, kRootPage, 0).status());
    at = RowInterior(root).level();
  }
  if (at < level) return absl::OkStatus();
  spot->exists = true;
  for (; at > level; --at) {
    TURDB_ASSIGN_OR_RETURN(const uint8_t* page, InteriorPage(view, spot->id, at));
    const RowInterior interior(page);
    spot->parent = spot->id;
    spot->child = interior.ChildFor(key);
    spot->id = interior.ChildAt(spot->child);
    spot->is_root = false;
  }
  return absl::OkStatus();
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

absl::Status BecomeEmptyLeaf(pager::FileWriter* writer) {
  TURDB_ASSIGN_OR_RETURN(uint8_t* const root, writer->MutablePage(kRootPage));
  record::InitialiseRowLeaf(root);
  return absl::OkStatus();
}

// Children `left` and left + 1 of a parent.
struct Pair {
  PageId parent;
  uint32_t left_child = 0;
  PageId left, right;
  int64_t separator = 0;
};

// The pair of the page and its neighbour on one side; false when there is none under the parent.
absl::StatusOr<bool> PairOf(const pager::FileView& view, const Spot& spot, bool with_right, Pair* pair) {
  TURDB_ASSIGN_OR_RETURN(const uint8_t* page, InteriorPage(view, spot.parent, 0));
  const RowInterior parent(page);
  if (with_right ? spot.child >= parent.count() : spot.child == 0) return false;
  pair->parent = spot.parent;
  pair->left_child = with_right ? spot.child : spot.child - 1;
  pair->left = parent.ChildAt(pair->left_child);
  pair->right = parent.ChildAt(pair->left_child + 1);
  pair->separator = parent.KeyAt(pair->left_child);
  return true;
}

absl::Status RemoveRightOf(pager::FileWriter* writer, const Pair& pair) {
  TURDB_RETURN_IF_ERROR(writer->Free(pair.right));
  TURDB_ASSIGN_OR_RETURN(uint8_t* const parent, writer->MutablePage(pair.parent));
  RemoveChildAt(parent, pair.left_child + 1);
  return absl::OkStatus();
}

absl::Status SetSeparator(pager::FileWriter* writer, const Pair& pair, int64_t separator) {
  TURDB_ASSIGN_OR_RETURN(uint8_t* const parent, writer->MutablePage(pair.parent));
  Store<int64_t>(KeySlot(parent, pair.left_child), separator);
  return absl::OkStatus();
}

// --- leaves -------------------------------------------------------------------------------------

// Lays a leaf out anew, so that its figures are exact, when entries were given up in it. Like it was, so that it takes no
// fewer bytes than its figures said: else it might fit the neighbour on its other side, where nobody looks now.
absl::StatusOr<bool> Compact(pager::FileWriter* writer, PageId id, const RowLeaf& leaf) {
  if (leaf.heap_dead() == 0) return false;
  const RowRun run = RowRun::OfLeaf(leaf, 0, leaf.rows());
  LeafBytes bytes;
  if (record::BuildRowLeaf({&run, 1}, leaf.is_records(), bytes.bytes, &leaf) != BuildResult::kFits) return false;
  TURDB_RETURN_IF_ERROR(CopyIntoPage(writer, id, bytes.bytes));
  return true;
}

absl::StatusOr<bool> JoinLeaves(pager::FileWriter* writer, const Pair& pair, Balance balance) {
  for (bool is_exact = false;;) {
    RowLeaf left, right;
    TURDB_RETURN_IF_ERROR(OpenLeaf(writer->view(), pair.left, &left));
    TURDB_RETURN_IF_ERROR(OpenLeaf(writer->view(), pair.right, &right));
    if (record::JoinedLeafBytes(left, right) > JoinLimit(left.RoomBytes(), balance)) return false;
    const RowRun runs[] = {RowRun::OfLeaf(left, 0, left.rows()), RowRun::OfLeaf(right, 0, right.rows())};
    LeafBytes joined;
    const BuildResult result = record::BuildRowLeaf(runs, left.is_records(), joined.bytes);
    if (result == BuildResult::kDamaged) return DamagedPage(writer->view(), pair.left, "its entries or its neighbour's");
    if (result == BuildResult::kFits) {
      TURDB_RETURN_IF_ERROR(CopyIntoPage(writer, pair.left, joined.bytes));
      TURDB_RETURN_IF_ERROR(RemoveRightOf(writer, pair));
      return true;
    }
    if (is_exact) return false;
    TURDB_ASSIGN_OR_RETURN(const bool left_is_new, Compact(writer, pair.left, left));
    TURDB_ASSIGN_OR_RETURN(const bool right_is_new, Compact(writer, pair.right, right));
    if (!left_is_new && !right_is_new) return false;
    is_exact = true;
  }
}

bool IsFull(const RowLeaf& leaf) { return leaf.LiveBytes() > leaf.RoomBytes() / 8 * 7; }

// Gives both leaves about the same bytes of the rows, theirs in all; false when that is not to be had, a leaf then holding less
// than `floor` bytes or more than a page.
absl::StatusOr<bool> LevelOut(pager::FileWriter* writer, const Pair& pair, absl::Span<const RowRun> runs,
                              bool is_records, uint32_t floor) {
  const uint32_t split = record::BalancedSplit(runs);
  std::vector<RowRun> part;
  record::SliceRuns(runs, 0, split, &part);
  LeafBytes bytes[2];
  if (record::BuildRowLeaf(part, is_records, bytes[0].bytes) != BuildResult::kFits) return false;
  record::SliceRuns(runs, split, record::CountRows(runs) - split, &part);
  if (record::BuildRowLeaf(part, is_records, bytes[1].bytes) != BuildResult::kFits) return false;
  const int64_t left_key = runs.front().KeyAt(0), separator = part.front().KeyAt(0);
  bool is_thin[2];
  for (int i = 0; i < 2; ++i) {
    RowLeaf built;
    if (!built.Open(bytes[i].bytes)) return InternalError("a leaf just laid out does not open");
    if (built.LiveBytes() < floor) return false;
    is_thin[i] = record::IsThin(built);
  }
  TURDB_RETURN_IF_ERROR(CopyIntoPage(writer, pair.left, bytes[0].bytes));
  TURDB_RETURN_IF_ERROR(CopyIntoPage(writer, pair.right, bytes[1].bytes));
  TURDB_RETURN_IF_ERROR(SetSeparator(writer, pair, separator));
  // Rows that one of them gave away may leave it so thin that it must be joined with its other neighbour.
  if (is_thin[0]) TURDB_RETURN_IF_ERROR(BalanceRowTree(writer, left_key, 0, Balance::kUsually));
  if (is_thin[1]) TURDB_RETURN_IF_ERROR(BalanceRowTree(writer, separator, 0, Balance::kUsually));
  return true;
}

// A thin leaf takes over rows; false when one of the leaves is full or rows are too large for that.
absl::StatusOr<bool> ShareRows(pager::FileWriter* writer, const Pair& pair) {
  RowLeaf left, right;
  TURDB_RETURN_IF_ERROR(OpenLeaf(writer->view(), pair.left, &left));
  TURDB_RETURN_IF_ERROR(OpenLeaf(writer->view(), pair.right, &right));
  if (left.is_records() != right.is_records() || IsFull(left) || IsFull(right)) return false;
  const RowRun runs[] = {RowRun::OfLeaf(left, 0, left.rows()), RowRun::OfLeaf(right, 0, right.rows())};
  return LevelOut(writer, pair, runs, left.is_records(), left.RoomBytes() / 4);
}

absl::Status BalanceLeafAt(pager::FileWriter* writer, int64_t key, const Spot& spot, Balance balance) {
  RowLeaf leaf;
  TURDB_RETURN_IF_ERROR(OpenLeaf(writer->view(), spot.id, &leaf));
  if (!record::IsThin(leaf)) return absl::OkStatus();
  const bool shares = balance == Balance::kFully && leaf.LiveBytes() < leaf.RoomBytes() / kShareDivisor;
  Pair pair;
  for (const bool with_right : {true, false}) {
    TURDB_ASSIGN_OR_RETURN(const bool has_pair, PairOf(writer->view(), spot, with_right, &pair));
    if (!has_pair) continue;
    TURDB_ASSIGN_OR_RETURN(const bool is_joined, JoinLeaves(writer, pair, balance));
    if (!is_joined) continue;
    TURDB_RETURN_IF_ERROR(BalanceRowTree(writer, key, 0, balance));  // there may be room for the neighbour on the other side, too
    return BalanceRowTree(writer, key, 1, Balance::kUsually);
  }
  for (const bool with_right : {true, false}) {
    if (!shares) break;
    TURDB_ASSIGN_OR_RETURN(const bool has_pair, PairOf(writer->view(), spot, with_right, &pair));
    if (!has_pair) continue;
    TURDB_ASSIGN_OR_RETURN(const bool is_shared, ShareRows(writer, pair));
    if (is_shared) break;
  }
  return absl::OkStatus();
}

// --- interior pages -----------------------------------------------------------------------------

// Separators and children of two interior pages with the separator between them.
struct Content {
  std::vector<int64_t> keys;
  std::vector<PageId> children;
};
void Collect(const RowInterior& page, Content* content) {
  for (uint32_t i = 0; i < page.count(); ++i) content->keys.push_back(page.KeyAt(i));
  for (uint32_t i = 0; i <= page.count(); ++i) content->children.push_back(page.ChildAt(i));
}
void Fill(uint8_t* page, const Content& content, uint32_t first, uint32_t count, uint32_t level) {
  SetInterior(page, count, level);
  for (uint32_t i = 0; i < count; ++i) Store<int64_t>(KeySlot(page, i), content.keys[first + i]);
  for (uint32_t i = 0; i <= count; ++i) Store<uint32_t>(ChildSlot(page, i), content.children[first + i].value());
}

// Joins the pair when both fit comfortably, else shares when asked to. Whether it did either.
absl::StatusOr<bool> JoinInteriors(pager::FileWriter* writer, const Pair& pair, uint32_t level, bool shares) {
  TURDB_ASSIGN_OR_RETURN(const uint8_t* left, InteriorPage(writer->view(), pair.left, level));
  TURDB_ASSIGN_OR_RETURN(const uint8_t* right, InteriorPage(writer->view(), pair.right, level));
  const uint32_t total = RowInterior(left).count() + 1 + RowInterior(right).count();
  const bool fits = total <= JoinLimit(kInteriorCapacity, Balance::kUsually);
  if (!fits && !shares) return false;
  Content content;
  Collect(RowInterior(left), &content);
  content.keys.push_back(pair.separator);
  Collect(RowInterior(right), &content);
  const uint32_t kept = fits ? total : total / 2;  // separators of the left page
  TURDB_ASSIGN_OR_RETURN(uint8_t* const to_left, writer->MutablePage(pair.left));
  Fill(to_left, content, 0, kept, level);
  if (fits) {
    TURDB_RETURN_IF_ERROR(RemoveRightOf(writer, pair));
    return true;
  }
  TURDB_ASSIGN_OR_RETURN(uint8_t* const to_right, writer->MutablePage(pair.right));
  Fill(to_right, content, kept + 1, total - kept - 1, level);
  TURDB_RETURN_IF_ERROR(SetSeparator(writer, pair, content.keys[kept]));
  for (const int64_t key : {content.keys[0], content.keys[kept]}) {  // what one gave away its other neighbour may miss
    TURDB_RETURN_IF_ERROR(BalanceRowTree(writer, key, level, Balance::kUsually));
  }
  return true;
}

absl::Status BalanceInterior(pager::FileWriter* writer, int64_t key, uint32_t level, const Spot& spot) {
  TURDB_ASSIGN_OR_RETURN(const uint8_t* page, InteriorPage(writer->view(), spot.id, level));
  const uint32_t count = RowInterior(page).count();
  if (count > kInteriorCapacity / 2) return absl::OkStatus();
  const bool is_nearly_empty = count < kInteriorCapacity / kShareDivisor;
  for (const bool shares : {false, true}) {
    if (shares && !is_nearly_empty) break;
    for (const bool with_right : {true, false}) {
      Pair pair;
      TURDB_ASSIGN_OR_RETURN(const bool has_pair, PairOf(writer->view(), spot, with_right, &pair));
      if (!has_pair) continue;
      TURDB_ASSIGN_OR_RETURN(const bool is_done, JoinInteriors(writer, pair, level, shares));
      if (!is_done) continue;
      // Children of two parents have become neighbours under one, where the old separator stands.
      TURDB_RETURN_IF_ERROR(BalanceRowTree(writer, pair.separator, level - 1, Balance::kUsually));
      TURDB_RETURN_IF_ERROR(BalanceRowTree(writer, key, level, Balance::kUsually));
      return BalanceRowTree(writer, key, level + 1, Balance::kUsually);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status BalanceRowTree(pager::FileWriter* writer, int64_t key, uint32_t level, Balance balance) {
  Spot spot;
  TURDB_RETURN_IF_ERROR(FindSpot(writer->view(), key, level, &spot));
  if (!spot.exists) return absl::OkStatus();
  if (spot.is_root) return level == 0 ? absl::OkStatus() : CollapseRoot(writer);
  return level == 0 ? BalanceLeafAt(writer, key, spot, balance) : BalanceInterior(writer, key, level, spot);
}

absl::Status BalanceLeaf(pager::FileWriter* writer, const RowPath& path, Balance balance) {
  if (path.depth == 0) return absl::OkStatus();
  const RowStep& step = path.steps[path.depth - 1];
  return BalanceLeafAt(writer, path.low, {path.leaf_id, step.page, step.child, true, false}, balance);
}

absl::StatusOr<bool> ShareOverfull(pager::FileWriter* writer, const RowPath& path, absl::Span<const RowRun> runs,
                                   uint32_t most_eighths) {
  if (path.depth == 0) return false;
  const RowStep& step = path.steps[path.depth - 1];
  for (const bool with_right : {false, true}) {
    Pair pair;
    TURDB_ASSIGN_OR_RETURN(const bool has_pair, PairOf(writer->view(), {path.leaf_id, step.page, step.child, true, false},
                                                       with_right, &pair));
    if (!has_pair) continue;
    RowLeaf neighbour;
    TURDB_RETURN_IF_ERROR(OpenLeaf(writer->view(), with_right ? pair.right : pair.left, &neighbour));
    const bool has_room = neighbour.LiveBytes() <= neighbour.RoomBytes() / 8 * most_eighths;
    if (neighbour.is_records() != path.leaf.is_records() || !has_room) continue;
    std::vector<RowRun> all(runs.begin(), runs.end());
    all.insert(with_right ? all.end() : all.begin(), RowRun::OfLeaf(neighbour, 0, neighbour.rows()));
    TURDB_ASSIGN_OR_RETURN(const bool is_done, LevelOut(writer, pair, all, neighbour.is_records(), 0));
    if (is_done) return true;
  }
  return false;
}

absl::Status RemoveLeaf(pager::FileWriter* writer, const RowPath& path) {
  if (path.depth == 0) return BecomeEmptyLeaf(writer);
  TURDB_RETURN_IF_ERROR(writer->Free(path.leaf_id));
  uint32_t step = path.depth - 1;
  for (;; --step) {
    TURDB_ASSIGN_OR_RETURN(uint8_t* const page, writer->MutablePage(path.steps[step].page));
    if (RowInterior(page).count() > 0) {
      RemoveChildAt(page, path.steps[step].child);
      break;
    }
    if (step == 0) return BecomeEmptyLeaf(writer);  // the last page of the tree
    TURDB_RETURN_IF_ERROR(writer->Free(path.steps[step].page));
  }
  // The pages on both sides of the gap are neighbours now.
  const uint32_t level = path.depth - 1 - step;
  TURDB_RETURN_IF_ERROR(BalanceRowTree(writer, path.low, level, Balance::kUsually));
  return BalanceRowTree(writer, path.low, level + 1, Balance::kUsually);
}

}  // namespace turdb::btree
