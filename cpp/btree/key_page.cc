#include "btree/key_page.h"

#include <algorithm>
#include <cstring>

#include "base/errors.h"
#include "base/status_macros.h"

namespace turdb::btree {
namespace {

using namespace format;

// The number of heads below `head`; branchless.
template <size_t stride>
uint32_t CountBelow(const uint8_t* start, uint32_t count, uint32_t head) {
  const uint8_t* base = start;
  uint32_t left = count;
  while (left > 1) {
    const uint32_t half = left / 2;
    base += (Load<uint32_t>(base + stride * (half - 1)) < head) * stride * half;
    left -= half;
  }
  return static_cast<uint32_t>((base - start) / stride) + (Load<uint32_t>(base) < head);
}

// REQUIRES: there are cells.
uint32_t CountHeadsBelow(const KeyPage& page, uint32_t head) {
  const uint8_t* const start = page.page() + kKeyEntries;
  return page.is_plain() ? CountBelow<kPlainHintBytes>(start, page.count(), head)
                         : CountBelow<kKeyEntryBytes>(start, page.count(), head);
}

}  // namespace

bool KeyPage::Open(const uint8_t* page) {
  page_ = page;
  const PageKind kind = PageKindOf(page);
  is_plain_ = kind == PageKind::kPlainKeyLeaf || kind == PageKind::kPlainKeyInterior;
  count_ = Load<uint16_t>(page + kKeyCount);
  level_ = Load<uint16_t>(page + kKeyLevel);
  const uint32_t prefix = Load<uint16_t>(page + kKeyPrefix);
  if (is_plain_) {
    slots_ = Load<uint16_t>(page + kPlainSlots);
    plain_prefix_ = prefix;
    form_ = {};
    return count_ <= slots_ && slots_ <= kMaxKeyCells && entries_end() <= heap_begin() && heap_begin() <= kPageBytes;
  }
  if (prefix > kKeyInlineBytes || count_ > kMaxKeyCells) return false;
  form_.prefix = {reinterpret_cast<const char*>(page + kPageBytes - prefix), prefix};
  form_.payload = Load<uint16_t>(page + kKeyPayloadSize);
  return entries_end() <= heap_begin() && heap_begin() <= kPageBytes - prefix;
}

uint32_t KeyPage::LiveBytes() const {
  const uint32_t used = static_cast<uint32_t>(kPageBytes + kKeyEntryBytes * count_) - heap_begin();
  return used - std::min<uint32_t>(used, Load<uint16_t>(page_ + kKeyDead));
}

// New cells go below all others, so the three lowest ones are the last three.
KeyRun KeyPage::RunAt(uint32_t at) const {
  constexpr uint32_t kRun = 3;  // keys in no order look like that once in 10,000 times
  if (is_plain_) return KeyRun::kNone;
  for (const bool is_ascending : {true, false}) {
    uint32_t expected = heap_begin();
    uint32_t n = 0;
    for (KeyCell cell; n < kRun && (is_ascending ? at > n : at + n < count_); ++n) {
      const uint32_t i = is_ascending ? at - n - 1 : at + n;
      if (Offset(i) != expected || !CellAt(i, &cell)) break;
      expected += cell.size;
    }
    if (n == kRun) return is_ascending ? KeyRun::kAscending : KeyRun::kDescending;
  }
  return KeyRun::kNone;
}

bool KeyPage::CellAt(uint32_t i, KeyCell* cell) const {
  const uint32_t offset = Offset(i);
  const size_t end = kPageBytes - form_.prefix.size();
  if (offset < kKeyEntries || offset >= end) return false;
  return is_plain_ ? ParseKeyCell(page_ + offset, page_ + end, cell)
                   : ParseStoredCell(page_ + offset, page_ + end, form_, Head(i), cell);
}

bool KeyPage::ChildAt(uint32_t i, PageId* child) const {
  if (i == 0) {
    *child = PageId(Load<uint32_t>(page_ + kKeyFirstChild));
    return true;
  }
  KeyCell cell;
  if (!CellAt(i - 1, &cell) || cell.payload.size() != 4) return false;
  *child = PageId(Load<uint32_t>(cell.payload.data()));
  return true;
}

bool KeyPage::CommonPart(std::string_view* common) const {
  *common = form_.prefix;
  if (!is_plain_ || plain_prefix_ == 0) return true;
  KeyCell first;
  if (!CellAt(0, &first) || first.tail.size() < plain_prefix_) return false;
  *common = first.tail.substr(0, plain_prefix_);
  return true;
}

absl::Status DamagedKeyPage(const pager::FileView& view, PageId id, std::string_view what) {
  return CorruptionError("file '", view.path(), "': page ", id.value(), " is damaged: ", what);
}

absl::Status OpenKeyPage(const pager::FileView& view, PageId id, int level, KeyPage* page) {
  const uint8_t* bytes = view.Page(id);
  if (ABSL_PREDICT_FALSE(bytes == nullptr)) return view.PageError(id);
  const PageKind kind = PageKindOf(bytes);
  const bool is_leaf = kind == PageKind::kKeyLeaf || kind == PageKind::kPlainKeyLeaf;
  if (!is_leaf && kind != PageKind::kKeyInterior && kind != PageKind::kPlainKeyInterior) {
    return DamagedKeyPage(view, id, "it is not a page of a key tree");
  }
  if (!page->Open(bytes)) return DamagedKeyPage(view, id, "its header contradicts itself");
  if ((page->level() == 0) != is_leaf || page->level() > 64 || (level >= 0 && page->level() != uint32_t(level))) {
    return DamagedKeyPage(view, id, "it is not of the level that its place in the tree asks for");
  }
  return absl::OkStatus();
}

absl::StatusOr<KeySlot> SearchKeyPage(const pager::FileView& view, PageId id, const KeyPage& page,
                                      std::string_view key) {
  if (page.count() == 0) return KeySlot{0, false};
  std::string_view common;
  if (!page.CommonPart(&common)) return DamagedKeyPage(view, id, "a cell");
  if (!common.empty()) {
    const int order = key.substr(0, common.size()).compare(common);
    if (order < 0) return KeySlot{0, false};
    if (order > 0) return KeySlot{page.count(), false};
  }
  const uint32_t head = KeyHead(key, common.size());
  uint32_t low = CountHeadsBelow(page, head);
  uint32_t high = low;
  if (low < page.count() && page.Head(low) == head) {
    const bool is_single = low + 1 == page.count() || page.Head(low + 1) != head;
    high = is_single ? low + 1 : head == ~uint32_t{0} ? page.count() : CountHeadsBelow(page, head + 1);
  }
  KeyCell cell;
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    if (!page.CellAt(middle, &cell)) return DamagedKeyPage(view, id, "a cell");
    TURDB_ASSIGN_OR_RETURN(const int order, CompareToCell(view, key, cell));
    if (order == 0) return KeySlot{middle, true};
    (order < 0 ? high : low) = order < 0 ? middle : middle + 1;
  }
  return KeySlot{low, false};
}

absl::StatusOr<uint32_t> ChildForKey(const pager::FileView& view, PageId id, const KeyPage& page,
                                     std::string_view key) {
  TURDB_ASSIGN_OR_RETURN(const KeySlot slot, SearchKeyPage(view, id, page, key));
  return slot.index + slot.is_found;
}

}  // namespace turdb::btree
