#include "btree/key_page.h"

#include <algorithm>
#include <cstring>

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/overflow.h"

namespace turdb::btree {
namespace {

using namespace format;

// Of the part of a key that a page keeps, so that a cut key and the whole one have the same hint.
uint32_t HintOf(std::string_view key, uint32_t prefix) {
  key = key.substr(0, kKeyInlineBytes);
  if (key.size() >= size_t{prefix} + 4) return __builtin_bswap32(Load<uint32_t>(key.data() + prefix));
  uint8_t bytes[4] = {};
  if (key.size() > prefix) std::memcpy(bytes, key.data() + prefix, key.size() - prefix);
  return __builtin_bswap32(Load<uint32_t>(bytes));
}

uint32_t CommonPrefix(std::string_view a, std::string_view b) {
  const size_t n = std::min(a.size(), b.size());
  return static_cast<uint32_t>(std::mismatch(a.begin(), a.begin() + n, b.begin()).first - a.begin());
}

// The number of hints below `hint`; branchless.
uint32_t CountHintsBelow(const KeyPage& page, uint32_t hint) {
  const uint8_t* const start = page.page() + kKeyHints;
  const uint8_t* base = start;
  uint32_t left = page.count();
  if (left == 0) return 0;
  while (left > 1) {
    const uint32_t half = left / 2;
    base += (Load<uint32_t>(base + 4 * size_t{half - 1}) < hint) * size_t{4} * half;
    left -= half;
  }
  return static_cast<uint32_t>((base - start) / 4) + (Load<uint32_t>(base) < hint);
}

absl::StatusOr<int> CompareToCell(const pager::FileView& view, std::string_view key, const KeyCell& cell) {
  if (cell.key_chain.value() == 0) return key.compare(cell.key);
  const int order = key.substr(0, cell.key.size()).compare(cell.key);
  if (order != 0) return order;
  std::string whole;
  TURDB_RETURN_IF_ERROR(ReadFullKey(view, cell, &whole));
  return key.compare(whole);
}

}  // namespace

bool KeyPage::Open(const uint8_t* page) {
  page_ = page;
  count_ = Load<uint16_t>(page + kKeyCount);
  slots_ = Load<uint16_t>(page + kKeySlots);
  prefix_ = Load<uint16_t>(page + kKeyPrefix);
  level_ = Load<uint16_t>(page + kKeyLevel);
  return count_ <= slots_ && slots_ <= kMaxKeySlots && slots_end() <= heap_begin() && heap_begin() <= kPageBytes;
}

uint32_t KeyPage::LiveBytes() const {
  const uint32_t heap = static_cast<uint32_t>(kPageBytes) - heap_begin();
  const uint32_t dead = Load<uint16_t>(page_ + kKeyHeapDead);
  return heap - std::min(heap, dead) + static_cast<uint32_t>(kKeySlotBytes) * count_;
}

bool ParseKeyCell(const uint8_t* at, const uint8_t* end, KeyCell* cell) {
  cell->start = at;
  uint64_t key = 0;
  uint64_t payload = 0;
  at = DecodeVarint(at, end, &key);
  if (at != nullptr) at = DecodeVarint(at, end, &payload);
  if (at == nullptr || key >> 1 > kMaxKeyBytes || payload >> 1 > kMaxValueBytes) return false;
  cell->key_bytes = static_cast<uint32_t>(key >> 1);
  cell->payload_bytes = static_cast<uint32_t>(payload >> 1);
  const uint32_t key_here = key & 1 ? kKeyInlineBytes : cell->key_bytes;
  const uint32_t payload_here = payload & 1 ? 4 : cell->payload_bytes;
  if ((key & 1 && cell->key_bytes <= kKeyInlineBytes) || key_here > kPageBytes || payload_here > kPageBytes) return false;
  if (static_cast<size_t>(end - at) < size_t{key_here} + (key & 1 ? 4 : 0) + payload_here) return false;
  cell->key = {reinterpret_cast<const char*>(at), key_here};
  at += key_here;
  cell->key_chain = PageId(key & 1 ? Load<uint32_t>(at) : 0);
  at += key & 1 ? 4 : 0;
  cell->payload = {reinterpret_cast<const char*>(at), payload & 1 ? 0 : payload_here};
  cell->payload_chain = PageId(payload & 1 ? Load<uint32_t>(at) : 0);
  cell->size = static_cast<uint32_t>(at + payload_here - cell->start);
  return true;
}

bool KeyPage::CellAt(uint32_t i, KeyCell* cell) const {
  const uint32_t offset = Offset(i);
  return offset >= kKeyHints && offset < kPageBytes && ParseKeyCell(page_ + offset, page_ + kPageBytes, cell);
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

absl::Status DamagedKeyPage(const pager::FileView& view, PageId id, std::string_view what) {
  return CorruptionError("file '", view.path(), "': page ", id.value(), " is damaged: ", what);
}

absl::Status OpenKeyPage(const pager::FileView& view, PageId id, int level, KeyPage* page) {
  const uint8_t* bytes = view.Page(id);
  if (ABSL_PREDICT_FALSE(bytes == nullptr)) return view.PageError(id);
  const PageKind kind = PageKindOf(bytes);
  if (kind != PageKind::kKeyLeaf && kind != PageKind::kKeyInterior) {
    return DamagedKeyPage(view, id, "it is not a page of a key tree");
  }
  if (!page->Open(bytes)) return DamagedKeyPage(view, id, "its header contradicts itself");
  const bool is_leaf = kind == PageKind::kKeyLeaf;
  if ((page->level() == 0) != is_leaf || page->level() > 64 || (level >= 0 && page->level() != uint32_t(level))) {
    return DamagedKeyPage(view, id, "it is not of the level that its place in the tree asks for");
  }
  return absl::OkStatus();
}

absl::StatusOr<KeySlot> SearchKeyPage(const pager::FileView& view, PageId id, const KeyPage& page,
                                      std::string_view key) {
  if (page.count() == 0) return KeySlot{0, false};
  KeyCell cell;
  if (page.prefix() > 0) {
    if (!page.CellAt(0, &cell) || cell.key.size() < page.prefix()) return DamagedKeyPage(view, id, "a cell");
    const std::string_view common = cell.key.substr(0, page.prefix());
    const int order = key.substr(0, page.prefix()).compare(common);
    if (order < 0) return KeySlot{0, false};
    if (order > 0) return KeySlot{page.count(), false};
  }
  const uint32_t hint = HintOf(key, page.prefix());
  uint32_t low = CountHintsBelow(page, hint);
  uint32_t high = low;
  if (low < page.count() && page.Hint(low) == hint) {
    const bool is_single = low + 1 == page.count() || page.Hint(low + 1) != hint;
    high = is_single ? low + 1 : hint == ~uint32_t{0} ? page.count() : CountHintsBelow(page, hint + 1);
  }
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

absl::Status ReadFullKey(const pager::FileView& view, const KeyCell& cell, std::string* key) {
  key->assign(cell.key);
  if (cell.key_chain.value() == 0) return absl::OkStatus();
  Arena arena;
  TURDB_ASSIGN_OR_RETURN(
      const std::string_view rest,
      ReadOverflow(view, cell.key_chain, cell.key_bytes - static_cast<uint32_t>(cell.key.size()), &arena));
  key->append(rest);
  return absl::OkStatus();
}

absl::StatusOr<std::string> MakeKeyCell(pager::FileWriter* writer, std::string_view key, std::string_view payload) {
  if (key.size() > kMaxKeyBytes) {
    return TooBigError("a key of ", key.size(), " bytes is longer than the limit of ", kMaxKeyBytes);
  }
  const bool key_is_cut = key.size() > kKeyInlineBytes;
  const std::string_view key_here = key.substr(0, key_is_cut ? kKeyInlineBytes : key.size());
  const bool payload_is_outside = key_here.size() + payload.size() > kKeyCellBytes;
  std::string cell;
  cell.reserve(key_here.size() + (payload_is_outside ? 0 : payload.size()) + 24);
  AppendVarint(&cell, uint64_t{key.size()} << 1 | key_is_cut);
  AppendVarint(&cell, uint64_t{payload.size()} << 1 | payload_is_outside);
  cell.append(key_here);
  if (key_is_cut) {
    TURDB_ASSIGN_OR_RETURN(const PageId chain, WriteOverflow(writer, key.substr(kKeyInlineBytes)));
    AppendFixed<uint32_t>(&cell, chain.value());
  }
  if (payload_is_outside) {
    TURDB_ASSIGN_OR_RETURN(const PageId chain, WriteOverflow(writer, payload));
    AppendFixed<uint32_t>(&cell, chain.value());
  } else {
    cell.append(payload);
  }
  return cell;
}

absl::Status FreeKeyCell(pager::FileWriter* writer, const KeyCell& cell) {
  if (cell.key_chain.value() != 0) {
    const uint32_t rest = cell.key_bytes - static_cast<uint32_t>(cell.key.size());
    TURDB_RETURN_IF_ERROR(FreeOverflow(writer, cell.key_chain, rest));
  }
  if (cell.payload_chain.value() != 0) {
    TURDB_RETURN_IF_ERROR(FreeOverflow(writer, cell.payload_chain, cell.payload_bytes));
  }
  return absl::OkStatus();
}

bool TryInsertCell(uint8_t* bytes, uint32_t at, std::string_view cell) {
  KeyPage page;
  KeyCell parsed, first;
  const uint8_t* cell_bytes = reinterpret_cast<const uint8_t*>(cell.data());
  if (!page.Open(bytes) || !ParseKeyCell(cell_bytes, cell_bytes + cell.size(), &parsed)) return false;
  const uint32_t count = page.count();
  if (count >= page.slots() || cell.size() > page.free_bytes()) return false;
  if (count == 0) {
    Store<uint16_t>(bytes + kKeyPrefix, 0);
  } else if (page.prefix() > 0) {  // the new key must have the common prefix too
    if (!page.CellAt(0, &first) || CommonPrefix(first.key, parsed.key) < page.prefix()) return false;
  }
  const uint32_t prefix = count == 0 ? 0 : page.prefix();
  const uint32_t begin = page.heap_begin() - static_cast<uint32_t>(cell.size());
  std::memcpy(bytes + begin, cell.data(), cell.size());
  Store<uint16_t>(bytes + kKeyHeapBegin, static_cast<uint16_t>(begin));
  uint8_t* hint = bytes + kKeyHints + 4 * size_t{at};
  std::memmove(hint + 4, hint, 4 * size_t{count - at});
  Store<uint32_t>(hint, HintOf(parsed.key, prefix));
  uint8_t* offset = bytes + kKeyHints + 4 * size_t{page.slots()} + 2 * size_t{at};
  std::memmove(offset + 2, offset, 2 * size_t{count - at});
  Store<uint16_t>(offset, static_cast<uint16_t>(begin));
  Store<uint16_t>(bytes + kKeyCount, static_cast<uint16_t>(count + 1));
  return true;
}

namespace {
void AddDead(uint8_t* bytes, uint32_t n) {
  const uint32_t dead = Load<uint16_t>(bytes + kKeyHeapDead) + n;
  Store<uint16_t>(bytes + kKeyHeapDead, static_cast<uint16_t>(std::min<uint32_t>(dead, kPageBytes)));
}
}  // namespace

bool TryReplaceCell(uint8_t* bytes, uint32_t at, std::string_view cell) {
  KeyPage page;
  KeyCell old;
  if (!page.Open(bytes) || !page.CellAt(at, &old)) return false;
  uint32_t begin = page.Offset(at);
  if (old.size < cell.size()) {
    if (cell.size() > page.free_bytes()) return false;
    begin = page.heap_begin() - static_cast<uint32_t>(cell.size());
    Store<uint16_t>(bytes + kKeyHeapBegin, static_cast<uint16_t>(begin));
    Store<uint16_t>(bytes + kKeyHints + 4 * size_t{page.slots()} + 2 * size_t{at}, static_cast<uint16_t>(begin));
    AddDead(bytes, old.size);
  } else {
    AddDead(bytes, old.size - static_cast<uint32_t>(cell.size()));
  }
  std::memcpy(bytes + begin, cell.data(), cell.size());
  return true;
}

void EraseCell(uint8_t* bytes, uint32_t at) {
  KeyPage page;
  KeyCell old;
  if (!page.Open(bytes)) return;
  if (page.CellAt(at, &old)) AddDead(bytes, old.size);
  uint8_t* hint = bytes + kKeyHints + 4 * size_t{at};
  std::memmove(hint, hint + 4, 4 * size_t{page.count() - at - 1});
  uint8_t* offset = bytes + kKeyHints + 4 * size_t{page.slots()} + 2 * size_t{at};
  std::memmove(offset, offset + 2, 2 * size_t{page.count() - at - 1});
  Store<uint16_t>(bytes + kKeyCount, static_cast<uint16_t>(page.count() - 1));
}

bool BuildKeyPage(absl::Span<const std::string_view> cells, uint32_t level, PageId first_child, uint8_t* page) {
  size_t heap = 0;
  for (const std::string_view cell : cells) heap += cell.size();
  const size_t count = cells.size();
  if (kKeyHints + count * kKeySlotBytes + heap > kPageBytes) return false;
  const size_t free = kPageBytes - kKeyHints - count * kKeySlotBytes - heap;
  const size_t average = kKeySlotBytes + (count == 0 ? 32 : heap / count);
  const size_t slots = std::min<size_t>(count + free / average, kMaxKeySlots);
  uint32_t prefix = 0;
  KeyCell first, last;
  const auto parse = [](std::string_view cell, KeyCell* out) {
    const uint8_t* at = reinterpret_cast<const uint8_t*>(cell.data());
    return ParseKeyCell(at, at + cell.size(), out);
  };
  if (count > 0 && parse(cells.front(), &first) && parse(cells.back(), &last)) {
    prefix = count == 1 ? 0 : CommonPrefix(first.key, last.key);  // what the two share all share
  }
  SetPageKind(page, level == 0 ? PageKind::kKeyLeaf : PageKind::kKeyInterior);
  uint8_t* hint = page + kKeyHints;
  uint8_t* offset = page + kKeyHints + 4 * slots;
  size_t begin = kPageBytes;
  for (const std::string_view cell : cells) {
    begin -= cell.size();
    std::memcpy(page + begin, cell.data(), cell.size());
    KeyCell parsed;
    if (!parse(cell, &parsed)) return false;
    Store<uint32_t>(hint, HintOf(parsed.key, prefix));
    Store<uint16_t>(offset, static_cast<uint16_t>(begin));
    hint += 4;
    offset += 2;
  }
  std::memset(hint, 0, 4 * (slots - count));
  std::memset(offset, 0, static_cast<size_t>(page + begin - offset));
  Store<uint16_t>(page + kKeyCount, static_cast<uint16_t>(count));
  Store<uint16_t>(page + kKeySlots, static_cast<uint16_t>(slots));
  Store<uint16_t>(page + kKeyHeapBegin, static_cast<uint16_t>(begin));
  Store<uint16_t>(page + kKeyHeapDead, 0);
  Store<uint16_t>(page + kKeyPrefix, static_cast<uint16_t>(prefix));
  Store<uint16_t>(page + kKeyLevel, static_cast<uint16_t>(level));
  Store<uint32_t>(page + kKeyFirstChild, first_child.value());
  return true;
}

bool ListCells(const KeyPage& page, std::vector<std::string_view>* cells) {
  for (uint32_t i = 0; i < page.count(); ++i) {
    KeyCell cell;
    if (!page.CellAt(i, &cell)) return false;
    cells->push_back({reinterpret_cast<const char*>(cell.start), cell.size});
  }
  return true;
}

}  // namespace turdb::btree
