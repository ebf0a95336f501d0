// Changing a page of a key tree: single cells in place, all cells laid out anew.
#include <algorithm>
#include <cstring>
#include <memory>

#include "btree/key_page.h"

namespace turdb::btree {
namespace {

using namespace format;

void AddDead(uint8_t* bytes, int64_t n) {
  const int64_t dead = Load<uint16_t>(bytes + kKeyDead) + n;
  Store<uint16_t>(bytes + kKeyDead, static_cast<uint16_t>(std::clamp<int64_t>(dead, 0, kPageBytes)));
}

uint32_t TakeHeap(uint8_t* bytes, const KeyPage& page, uint32_t n) {
  const uint32_t begin = page.heap_begin() - n;
  Store<uint16_t>(bytes + kKeyHeapBegin, static_cast<uint16_t>(begin));
  return begin;
}

// The first cell of a page decides about the form of the next ones.
bool SuitsForm(const KeyPage& page, const KeyCell& cell) {
  const std::string_view prefix = page.prefix();
  if (page.payload() != kKeyVariedPayload && !cell.HasPayloadOf(page.payload())) return false;
  return cell.tail.substr(0, prefix.size()) == prefix;
}

// The one payload size of all cells as far as the first tells, or that they vary.
uint32_t FirstPayload(absl::Span<const std::string_view> cells) {
  KeyCell first;
  const bool is_here = !cells.empty() && ParseKeyCell(cells.front(), &first) && first.HasPayloadOf(first.payload_bytes);
  return is_here ? first.payload_bytes : kKeyVariedPayload;
}

// Entries and heap of a page under construction.
enum class Filled { kYes, kPayloadsVary, kNo };
struct Filling {
  size_t prefix = 0;
  uint32_t payload = kKeyVariedPayload;
  size_t begin = 0;
  size_t padding = 0;

  Filled Fill(absl::Span<const std::string_view> cells, uint8_t* page) {
    const size_t entries_end = kKeyEntries + cells.size() * kKeyEntryBytes;
    begin = kPageBytes - prefix;
    padding = 0;
    KeyCell cell;
    uint32_t at = 0;
    for (const std::string_view loose : cells) {
      if (!ParseKeyCell(loose, &cell) || cell.tail.size() < prefix) return Filled::kNo;
      if (payload != kKeyVariedPayload && !cell.HasPayloadOf(payload)) return Filled::kPayloadsVary;
      const StoredSize size = StoredSizeOf(cell, prefix, payload);
      if (entries_end + size.cell > begin) return Filled::kNo;
      begin -= size.cell;
      padding += size.padding;
      StoreCell(cell, prefix, payload, page + begin);
      StoreKeyEntry(page, at++, KeyHead(cell.tail, prefix), static_cast<uint32_t>(begin));
    }
    if (prefix > 0) std::memcpy(page + kPageBytes - prefix, cell.tail.data(), prefix);
    std::memset(page + entries_end, 0, begin - entries_end);
    return Filled::kYes;
  }
};

bool EraseFromPlain(uint8_t* bytes, const KeyPage& page, uint32_t at) {
  Arena arena;
  std::vector<std::string_view> cells;
  if (!ListCells(page, &arena, &cells)) return false;
  cells.erase(cells.begin() + at);
  return BuildKeyPage(cells, page.level(), PageId(Load<uint32_t>(bytes + kKeyFirstChild)), bytes);
}

}  // namespace

void StoreKeyPageHeader(const KeyPageHeader& header, uint8_t* page) {
  SetPageKind(page, header.level == 0 ? PageKind::kKeyLeaf : PageKind::kKeyInterior);
  Store<uint16_t>(page + kKeyCount, static_cast<uint16_t>(header.cells));
  Store<uint16_t>(page + kKeyPayloadSize, static_cast<uint16_t>(header.payload));
  Store<uint16_t>(page + kKeyHeapBegin, static_cast<uint16_t>(header.heap_begin));
  Store<uint16_t>(page + kKeyDead, static_cast<uint16_t>(header.dead));
  Store<uint16_t>(page + kKeyPrefix, static_cast<uint16_t>(header.prefix));
  Store<uint16_t>(page + kKeyLevel, static_cast<uint16_t>(header.level));
  Store<uint32_t>(page + kKeyFirstChild, header.first_child.value());
}

bool TryInsertCell(uint8_t* bytes, uint32_t at, std::string_view loose) {
  KeyPage page;
  KeyCell cell;
  if (!page.Open(bytes) || page.is_plain() || page.count() == 0 || !ParseKeyCell(loose, &cell) || !SuitsForm(page, cell)) {
    return false;
  }
  const StoredSize size = StoredSizeOf(cell, page.prefix().size(), page.payload());
  if (size.cell + kKeyEntryBytes > page.free_bytes()) return false;
  const uint32_t begin = TakeHeap(bytes, page, size.cell);
  StoreCell(cell, page.prefix().size(), page.payload(), bytes + begin);
  uint8_t* entry = bytes + kKeyEntries + kKeyEntryBytes * size_t{at};
  std::memmove(entry + kKeyEntryBytes, entry, kKeyEntryBytes * size_t{page.count() - at});
  StoreKeyEntry(bytes, at, KeyHead(cell.tail, page.prefix().size()), begin);
  Store<uint16_t>(bytes + kKeyCount, static_cast<uint16_t>(page.count() + 1));
  if (size.padding > 0) AddDead(bytes, size.padding);
  return true;
}

bool TryReplaceCell(uint8_t* bytes, uint32_t at, std::string_view loose) {
  KeyPage page;
  KeyCell old, cell;
  if (!page.Open(bytes) || page.is_plain() || !page.CellAt(at, &old) || !ParseKeyCell(loose, &cell)) return false;
  if (!SuitsForm(page, cell)) return false;
  const uint32_t size = StoredSizeOf(cell, page.prefix().size(), page.payload()).cell;
  uint32_t begin = static_cast<uint32_t>(old.start - bytes);
  if (old.size < size) {
    if (size > page.free_bytes()) return false;
    begin = TakeHeap(bytes, page, size);
    AddDead(bytes, old.size);
  } else if (old.size > size) {
    AddDead(bytes, old.size - size);
  }
  StoreCell(cell, page.prefix().size(), page.payload(), bytes + begin);
  StoreKeyEntry(bytes, at, KeyHead(cell.tail, page.prefix().size()), begin);
  return true;
}

void LengthenPrefix(uint8_t* bytes) {
  KeyPage page;
  if (!page.Open(bytes) || page.is_plain() || page.count() < 2) return;
  const uint32_t last = page.count() - 1;
  if (page.Head(0) >> 16 != page.Head(last) >> 16) return;
  Arena arena;
  std::vector<std::string_view> cells;
  if (!ListCells(page, &arena, &cells) || CommonPrefix(cells) < page.prefix().size() + 2) return;
  const auto built = std::make_unique<uint8_t[]>(kPageBytes);
  if (!BuildKeyPage(cells, page.level(), PageId(Load<uint32_t>(bytes + kKeyFirstChild)), built.get())) return;
  std::memcpy(bytes + kPageHeaderBytes, built.get() + kPageHeaderBytes, kPageBytes - kPageHeaderBytes);
}

bool EraseCell(uint8_t* bytes, uint32_t at) {
  KeyPage page;
  KeyCell old;
  if (!page.Open(bytes) || at >= page.count() || !page.CellAt(at, &old)) return false;
  if (page.is_plain()) return EraseFromPlain(bytes, page, at);
  uint8_t* entry = bytes + kKeyEntries + kKeyEntryBytes * size_t{at};
  std::memmove(entry, entry + kKeyEntryBytes, kKeyEntryBytes * size_t{page.count() - at - 1});
  Store<uint16_t>(bytes + kKeyCount, static_cast<uint16_t>(page.count() - 1));
  AddDead(bytes, int64_t{old.size} - static_cast<int64_t>(kKeyHeadBytes - old.head_bytes));  // padding goes with the entry
  return true;
}

size_t CommonPrefix(absl::Span<const std::string_view> cells) {
  KeyCell first, last;
  if (cells.size() < 2 || !ParseKeyCell(cells.front(), &first) || !ParseKeyCell(cells.back(), &last)) return 0;
  return CommonBytes(first.tail, last.tail);
}

bool MayFitAnew(const KeyPage& page, uint32_t at, std::string_view loose) {
  KeyCell cell, first, last;
  if (page.is_plain() || page.count() < 2 || !ParseKeyCell(loose, &cell) || !SuitsForm(page, cell)) return true;
  const StoredSize size = StoredSizeOf(cell, page.prefix().size(), page.payload());
  if (page.LiveBytes() + size.cell + kKeyEntryBytes <= kPageBytes - kKeyEntries) return true;
  // A page that began with one key, or was cut since it was laid out, may get a longer prefix.
  if (!page.CellAt(0, &first) || !page.CellAt(page.count() - 1, &last)) return true;
  const uint32_t head = KeyHead(cell.tail, page.prefix().size());
  const uint32_t low = at == 0 ? head : first.head;
  const uint32_t high = at == page.count() ? head : last.head;
  return low >> 24 == high >> 24 && first.head_bytes > 0 && last.head_bytes > 0;
}

bool BuildKeyPage(absl::Span<const std::string_view> cells, uint32_t level, PageId first_child, uint8_t* page) {
  if (cells.size() > kMaxKeyCells) return false;
  Filling filling{CommonPrefix(cells), FirstPayload(cells)};  // what the first key and the last share all share
  Filled filled = filling.Fill(cells, page);
  if (filled == Filled::kPayloadsVary) {
    filling.payload = kKeyVariedPayload;
    filled = filling.Fill(cells, page);
  }
  if (filled != Filled::kYes) return false;
  KeyPageHeader header;
  header.cells = static_cast<uint32_t>(cells.size());
  header.payload = filling.payload;
  header.heap_begin = static_cast<uint32_t>(filling.begin);
  header.dead = static_cast<uint32_t>(filling.padding);
  header.prefix = static_cast<uint32_t>(filling.prefix);
  header.level = level;
  header.first_child = first_child;
  StoreKeyPageHeader(header, page);
  return true;
}

bool ListCells(const KeyPage& page, Arena* arena, std::vector<std::string_view>* cells) {
  cells->reserve(cells->size() + page.count() + 1);
  for (uint32_t i = 0; i < page.count(); ++i) {
    KeyCell cell;
    if (!page.CellAt(i, &cell)) return false;
    cells->push_back(LooseCell(cell, arena));
  }
  return true;
}

bool KeyPageSize::FitsWith(absl::Span<const std::string_view> cells, const KeyCell& next) {
  next_ = now_;
  if (cells.empty()) {  // the first may be alone, and then without a prefix
    next_ = {0, next.tail.size(), next.HasPayloadOf(next.payload_bytes) ? next.payload_bytes : kKeyVariedPayload};
  }
  KeyCell other;
  if (!cells.empty() && !ParseKeyCell(cells.front(), &other)) return false;
  const size_t prefix = cells.empty() ? next.tail.size() : std::min(next_.prefix, CommonBytes(other.tail, next.tail));
  const uint32_t payload = next.HasPayloadOf(next_.payload) ? next_.payload : kKeyVariedPayload;
  if (prefix != next_.prefix || payload != next_.payload) {
    next_ = {0, prefix, payload};
    for (const std::string_view loose : cells) {
      if (!ParseKeyCell(loose, &other)) return false;
      next_.bytes += StoredSizeOf(other, prefix, payload).cell + kKeyEntryBytes;
    }
  }
  next_.bytes += StoredSizeOf(next, prefix, payload).cell + kKeyEntryBytes;
  return kKeyEntries + next_.bytes + prefix <= kPageBytes;
}

}  // namespace turdb::btree
