// Counting the keys of a tree, exactly and by guess, and checking its structure.
#include <vector>

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/key_balance.h"
#include "btree/key_structure.h"
#include "btree/key_tree.h"
#include "btree/page_claims.h"

namespace turdb::btree {
namespace {

absl::StatusOr<uint64_t> CountBelow(const pager::FileView& view, PageId id, int level) {
  KeyPage page;
  TURDB_RETURN_IF_ERROR(OpenKeyPage(view, id, level, &page));
  if (page.level() == 0) return page.count();
  uint64_t keys = 0;
  for (uint32_t i = 0; i <= page.count(); ++i) {
    PageId child;
    if (!page.ChildAt(i, &child)) return DamagedKeyPage(view, id, "a child");
    TURDB_ASSIGN_OR_RETURN(const uint64_t below, CountBelow(view, child, static_cast<int>(page.level()) - 1));
    keys += below;
  }
  return keys;
}

// Walks the whole tree and writes down what is wrong.
class KeyTreeCheck {
 public:
  KeyTreeCheck(const pager::FileView& view, std::vector<PageId>* used, const std::function<absl::Status()>& check)
      : view_(view), claims_(view, used, check) {}

  // `high` is exclusive, null at the tree's right edge.
  void Visit(PageId id, int level, const std::string& low, const std::string* high) {
    if (claims_.is_full() || !claims_.Claim(id)) return;
    KeyPage page;
    const absl::Status status = OpenKeyPage(view_, id, level, &page);
    if (!status.ok()) return Note(status);
    if (page.count() == 0 && page.level() == 0 && id != kRootPage) Note(id, "a leaf without keys");
    std::string previous = low;
    for (uint32_t i = 0; i < page.count(); ++i) {
      KeyCell cell;
      std::string key;
      if (!page.CellAt(i, &cell)) return Note(id, Cat("cell ", i, " lies outside the page"));
      if (const absl::Status read = ReadFullKey(view_, cell, &key); !read.ok()) return Note(read);
      const bool may_equal = i == 0 && page.level() == 0;
      if (key < previous || (key == previous && !may_equal) || (high != nullptr && key >= *high)) {
        return Note(id, Cat("key ", i, " is out of order"));
      }
      CheckFinds(id, page, i, key);
      ClaimChains(cell);
      if (page.level() > 0) VisitChild(id, page, i, previous, &key);
      previous = std::move(key);
    }
    if (page.level() > 0) VisitChild(id, page, page.count(), previous, high);
    if (page.level() > 0) CheckFill(id, page);
  }
  void Note(const absl::Status& status) { claims_.Note(status); }
  absl::StatusOr<std::vector<std::string>> TakeFindings() {
    if (!claims_.is_full()) claims_.CheckPieces();
    return claims_.TakeFindings();
  }

 private:
  void Note(PageId id, std::string_view what) { claims_.Note(id, what); }

  void VisitChild(PageId id, const KeyPage& page, uint32_t i, const std::string& low, const std::string* high) {
    PageId child;
    if (!page.ChildAt(i, &child)) return Note(id, "a child");
    Visit(child, static_cast<int>(page.level()) - 1, low, high);
  }
  // Neighbours that would fit half a page together should be one (key_balance.h); other prefixes make some lengths of cells
  // shorter, hence a little less than half.
  void CheckFill(PageId id, const KeyPage& parent) {
    const int level = static_cast<int>(parent.level()) - 1;
    for (uint32_t i = 0; i < parent.count(); ++i) {
      PageId left_id, right_id;
      KeyPage left, right;
      KeyCell separator;
      if (!parent.ChildAt(i, &left_id) || !parent.ChildAt(i + 1, &right_id) || !parent.CellAt(i, &separator) ||
          !OpenKeyPage(view_, left_id, level, &left).ok() || !OpenKeyPage(view_, right_id, level, &right).ok()) {
        continue;
      }
      if (JoinedKeyBytes(left, right, separator) > kKeyRoomBytes / 2 - kKeyRoomBytes / 32) continue;
      Note(id, Cat("its children ", left_id.value(), " and ", right_id.value(), " would fit half a page"));
    }
  }
  // Heads and prefix must lead to the cell.
  void CheckFinds(PageId id, const KeyPage& page, uint32_t i, const std::string& key) {
    const absl::StatusOr<KeySlot> slot = SearchKeyPage(view_, id, page, key);
    if (!slot.ok()) return Note(slot.status());
    if (!slot->is_found || slot->index != i) Note(id, Cat("the heads do not lead to key ", i));
  }
  void ClaimChains(const KeyCell& cell) {
    if (cell.key_chain.value() != 0) {
      claims_.ClaimChain(cell.key_chain, cell.key_bytes - static_cast<uint32_t>(cell.KeyBytesHere()));
    }
    if (cell.payload_chain.value() != 0) claims_.ClaimChain(cell.payload_chain, cell.payload_bytes);
  }

  const pager::FileView& view_;
  PageClaims claims_;
};

}  // namespace

absl::StatusOr<uint64_t> CountKeys(const pager::FileView& view) { return CountBelow(view, kRootPage, -1); }

absl::StatusOr<uint64_t> EstimateKeys(const pager::FileView& view) {
  PageId id = kRootPage;
  uint64_t pages = 1;
  KeyPage page;
  for (int level = -1;; level = static_cast<int>(page.level()) - 1) {  // down the middle
    TURDB_RETURN_IF_ERROR(OpenKeyPage(view, id, level, &page));
    if (page.level() == 0) return pages * page.count();
    pages *= page.count() + 1;
    const PageId parent = id;
    if (!page.ChildAt(page.count() / 2, &id)) return DamagedKeyPage(view, parent, "a child");
  }
}

absl::StatusOr<std::vector<std::string>> CheckKeyTree(const pager::FileView& view, std::vector<PageId>* used,
                                                      const std::function<absl::Status()>& stop) {
  KeyTreeCheck check(view, used, stop);
  check.Visit(kRootPage, -1, "", nullptr);
  return check.TakeFindings();
}

}  // namespace turdb::btree
