#include "btree/key_layout.h"

#include <algorithm>
#include <cstring>

namespace turdb::btree {

using namespace format;

void KeyLayout::Start(uint32_t most_cells) {
  if (most_cells > kept_) items_.reset(new Item[most_cells]);
  kept_ = std::max(kept_, most_cells);
  most_ = most_cells;
  sources_.clear();
  count_ = 0;
  bytes_ = 0;
}

// Cells lie anywhere in pages that nobody looked at for long, so those are asked for before they are needed.
void KeyLayout::Prefetch(const KeyPage& page) {
  constexpr size_t kCacheLineBytes = 64;
  for (size_t at = page.heap_begin(); at < kPageBytes; at += kCacheLineBytes) __builtin_prefetch(page.page() + at);
}

bool KeyLayout::Add(const KeyPage& page, uint32_t begin, uint32_t end) {
  if (begin == end) return true;
  if (end - begin > most_ - count_) return false;
  sources_.push_back({{page.prefix(), page.payload()}, page.page(), page.is_plain()});
  if (!page.is_plain()) begin = AddShort(page, begin, end);
  KeyCell cell;
  for (; begin < end; begin = page.is_plain() ? begin : AddShort(page, begin, end)) {
    if (!page.CellAt(begin++, &cell)) return false;
    AddItem(cell);
  }
  return true;
}

// Cells with lengths below 64 and nothing outside the page, up to the first other one: of each only its lengths are looked at.
uint32_t KeyLayout::AddShort(const KeyPage& page, uint32_t begin, uint32_t end) {
  const uint8_t* const bytes = page.page();
  const uint8_t* entry = bytes + kKeyEntries + kKeyEntryBytes * size_t{begin};
  const uint32_t heap_end = static_cast<uint32_t>(kPageBytes - page.prefix().size());
  const bool says_payload = page.payload() == kKeyVariedPayload;
  const uint32_t payload = page.payload();
  const auto source = static_cast<uint8_t>(sources_.size() - 1);
  const uint32_t around = static_cast<uint32_t>(kKeyEntryBytes + page.prefix().size());
  Item* item = items_.get() + count_;
  int64_t total = 0;
  uint32_t i = begin;
  for (; i < end; ++i, ++item, entry += kKeyEntryBytes) {
    const uint32_t offset = Load<uint16_t>(entry + kKeyHeadBytes);
    if (offset < kKeyEntries || offset + 2 > heap_end) break;
    const uint8_t* const at = bytes + offset;
    const uint32_t lengths = Load<uint16_t>(at);  // of the key in the lower byte
    if ((lengths & (says_payload ? 0x8181 : 0x81)) != 0) break;
    const uint32_t key = (lengths & 0xff) / 2;
    const uint32_t head_bytes = std::min<uint32_t>(key, kKeyHeadBytes);
    const uint32_t payload_bytes = says_payload ? lengths >> 9 : payload;
    const uint32_t size = 1 + says_payload + key - head_bytes + payload_bytes;
    if (offset + size > heap_end) break;
    item->start = at;
    item->head = Load<uint32_t>(entry);
    item->size = static_cast<uint16_t>(size);
    item->bytes = static_cast<uint16_t>(size + around);
    item->payload = static_cast<uint16_t>(payload_bytes);
    item->source = source;
    item->padding = static_cast<uint8_t>(kKeyHeadBytes - head_bytes);
    total += size + around;
  }
  count_ += i - begin;
  bytes_ += total;
  return i;
}

bool KeyLayout::AddLoose(std::string_view loose) {
  KeyCell cell;
  if (count_ == most_ || !ParseKeyCell(loose, &cell)) return false;
  sources_.push_back({{}, nullptr, true});
  AddItem(cell);
  return true;
}

void KeyLayout::AddItem(const KeyCell& cell) {
  const Source& source = sources_.back();
  Item& item = items_[count_++];
  item.start = cell.start;
  item.head = cell.head;
  item.size = static_cast<uint16_t>(cell.size);
  item.bytes = static_cast<uint16_t>(cell.size + kKeyEntryBytes - (source.is_loose ? kKeyHeadBytes : 0) + source.form.prefix.size());
  item.payload = static_cast<uint16_t>(cell.payload_chain.value() == 0 ? cell.payload_bytes : kKeyVariedPayload);
  item.source = static_cast<uint8_t>(sources_.size() - 1);
  item.padding = static_cast<uint8_t>(kKeyHeadBytes - cell.head_bytes);
  bytes_ += item.bytes;
}

bool KeyLayout::Parse(const Item& item, KeyCell* cell) const {
  const Source& source = sources_[item.source];
  const uint8_t* const end = item.start + item.size;
  return source.is_loose ? ParseKeyCell(item.start, end, cell) : ParseStoredCell(item.start, end, source.form, item.head, cell);
}

bool KeyLayout::Cut(uint32_t n) {
  if (count_ < n) return false;
  size_t shared = kPageBytes;  // beginnings of keys that no page will have in its cells
  for (const Source& source : sources_) {
    if (!source.is_loose) shared = std::min(shared, source.form.prefix.size());
  }
  const int64_t spared = shared == kPageBytes ? 0 : static_cast<int64_t>(shared);
  const int64_t total = bytes_ - spared * count_;
  cuts_.assign(1, 0);
  int64_t taken = 0;
  uint32_t at = 0;
  for (uint32_t part = 1; part < n; ++part) {
    const uint32_t most = count_ - (n - part);
    const int64_t until = total * part / n;
    for (;; ++at) {
      const int64_t bytes = items_[at].bytes - spared;
      if (at > cuts_.back() && (at >= most || taken + bytes / 2 > until)) break;
      taken += bytes;
    }
    cuts_.push_back(at);
  }
  cuts_.push_back(count_);
  return true;
}

bool KeyLayout::Build(uint32_t n, absl::Span<const KeyPage> homes) {
  if (!Cut(n)) return false;
  if (n > most_pages_) pages_.reset(new uint8_t[kPageBytes * size_t{n}]);
  most_pages_ = std::max(most_pages_, n);
  edits_.assign(n, false);
  for (uint32_t i = 0; i < n; ++i) {
    edits_[i] = i < homes.size() && CanEdit(cuts_[i], cuts_[i + 1], homes[i]);
    if (!edits_[i] && !BuildPart(cuts_[i], cuts_[i + 1], pages_.get() + kPageBytes * size_t{i})) return false;
  }
  return true;
}

// Cells come in below the others, so there must be room, and enough of what is free afterwards must be in one piece.
bool KeyLayout::CanEdit(uint32_t begin, uint32_t end, const KeyPage& home) const {
  if (home.is_plain() || end - begin < 2) return false;
  uint32_t coming = 0, staying = 0;
  bool payloads_vary = false;
  for (uint32_t i = begin; i < end; ++i) {
    const Source& source = sources_[items_[i].source];
    if (source.is_loose || source.form.prefix != home.prefix() || source.form.payload != home.payload()) return false;
    (source.page == home.page() ? staying : coming) += items_[i].size;
    payloads_vary |= items_[i].payload != items_[begin].payload;
  }
  if (payloads_vary != (home.payload() == kKeyVariedPayload)) return false;
  const size_t entries_end = kKeyEntries + kKeyEntryBytes * size_t{end - begin};
  if (entries_end + coming > home.heap_begin()) return false;
  const size_t gap = home.heap_begin() - coming - entries_end;
  const size_t heap = kPageBytes - home.prefix().size() - home.heap_begin();
  if (gap < kPageBytes / 64 || heap < staying || 2 * gap < heap - staying) return false;
  // No longer prefix than that: the heads differ in their first byte.
  return items_[begin].head >> 24 != items_[end - 1].head >> 24;
}

void KeyLayout::Edit(uint32_t part, const KeyPage& home, uint8_t* page) const {
  const uint32_t begin = cuts_[part], end = cuts_[part + 1];
  uint32_t at = home.heap_begin();
  int64_t live = 0;  // what cells take in the heap, less the padding of their heads
  std::vector<uint8_t> entries(kKeyEntryBytes * size_t{end - begin});
  for (uint32_t i = begin; i < end; ++i) {
    const Item& item = items_[i];
    const bool stays = sources_[item.source].page == home.page();
    if (!stays) {
      at -= item.size;
      std::memcpy(page + at, item.start, item.size);
    }
    live += item.size - item.padding;
    uint8_t* const entry = entries.data() + kKeyEntryBytes * size_t{i - begin};
    Store<uint32_t>(entry, item.head);
    Store<uint16_t>(entry + kKeyHeadBytes, static_cast<uint16_t>(stays ? static_cast<uint32_t>(item.start - home.page()) : at));
  }
  std::memcpy(page + kKeyEntries, entries.data(), entries.size());
  const int64_t heap = static_cast<int64_t>(kPageBytes - home.prefix().size()) - at;
  Store<uint16_t>(page + kKeyCount, static_cast<uint16_t>(end - begin));
  Store<uint16_t>(page + kKeyHeapBegin, static_cast<uint16_t>(at));
  Store<uint16_t>(page + kKeyDead, static_cast<uint16_t>(std::clamp<int64_t>(heap - live, 0, kPageBytes)));
}

bool KeyLayout::StartPart(uint32_t begin, uint32_t end, uint8_t* page, KeyPageHeader* header) const {
  header->cells = end - begin;
  header->payload = items_[begin].payload;
  for (uint32_t i = begin; i < end; ++i) {
    if (items_[i].payload != header->payload) header->payload = kKeyVariedPayload;
  }
  if (end - begin < 2) return true;
  char first_key[kKeyInlineBytes + kKeyHeadBytes], last_key[kKeyInlineBytes + kKeyHeadBytes];
  KeyCell first, last;
  if (!Parse(items_[begin], &first) || !Parse(items_[end - 1], &last)) return false;
  if (first.KeyBytesHere() > kKeyInlineBytes || last.KeyBytesHere() > kKeyInlineBytes) return false;
  first.CopyKeyHere(first_key);
  last.CopyKeyHere(last_key);
  header->prefix = static_cast<uint32_t>(CommonBytes({first_key, first.KeyBytesHere()}, {last_key, last.KeyBytesHere()}));
  std::memcpy(page + kPageBytes - header->prefix, first_key, header->prefix);
  return true;
}

// How many items from `begin` on lie one below the other in their page, as cells do since it was laid out; `bytes` is theirs.
uint32_t KeyLayout::Heap(uint32_t begin, uint32_t end, size_t* bytes) const {
  uint32_t i = begin;
  *bytes = items_[i].size;
  for (++i; i < end && items_[i].source == items_[begin].source && items_[i].start + items_[i].size == items_[i - 1].start; ++i) {
    *bytes += items_[i].size;
  }
  return i - begin;
}

bool KeyLayout::BuildPart(uint32_t begin, uint32_t end, uint8_t* page) {
  KeyPageHeader header;
  if (!StartPart(begin, end, page, &header)) return false;
  const size_t entries_end = kKeyEntries + kKeyEntryBytes * size_t{header.cells};
  size_t at = kPageBytes - header.prefix;
  for (uint32_t i = begin; i < end;) {
    const Source& source = sources_[items_[i].source];
    const bool stays = !source.is_loose && source.form.prefix.size() == header.prefix && source.form.payload == header.payload;
    if (!stays) {
      if (!Convert(items_[i], i - begin, entries_end, page, &header, &at)) return false;
      ++i;
      continue;
    }
    size_t bytes = 0;
    const uint32_t n = Heap(i, end, &bytes);
    if (entries_end + bytes > at) return false;
    const uint8_t* const lowest = items_[i + n - 1].start;
    at -= bytes;
    std::memcpy(page + at, lowest, bytes);
    for (const uint32_t behind = i + n; i < behind; ++i) {
      header.dead += items_[i].padding;
      StoreKeyEntry(page, i - begin, items_[i].head, static_cast<uint32_t>(at + static_cast<size_t>(items_[i].start - lowest)));
    }
  }
  if (entries_end > at) return false;
  std::memset(page + entries_end, 0, at - entries_end);
  header.heap_begin = static_cast<uint32_t>(at);
  StoreKeyPageHeader(header, page);
  return true;
}

// A cell of another form.
bool KeyLayout::Convert(const Item& item, uint32_t entry, size_t entries_end, uint8_t* page, KeyPageHeader* header, size_t* at) const {
  KeyCell cell;
  uint8_t whole[kKeyInlineBytes + kKeyHeadBytes + kPageBytes / 2];
  if (!Parse(item, &cell)) return false;
  if (!sources_[item.source].is_loose) {  // the key in one piece, with what follows it
    const size_t before = cell.prefix.size() + cell.head_bytes;
    const auto tail = reinterpret_cast<const uint8_t*>(cell.tail.data());
    const auto rest = static_cast<size_t>(item.start + item.size - tail);
    if (before + rest > sizeof whole) return false;
    const std::string_view key(reinterpret_cast<const char*>(whole), cell.KeyBytesHere());
    std::memcpy(whole, cell.prefix.data(), cell.prefix.size());
    Store<uint32_t>(whole + cell.prefix.size(), __builtin_bswap32(cell.head));
    std::memcpy(whole + before, tail, rest);
    cell.prefix = {};
    cell.head_bytes = 0;
    cell.tail = key;
    cell.start = whole;
    cell.size = static_cast<uint32_t>(before + rest);
  }
  if (cell.tail.size() < header->prefix) return false;
  const StoredSize size = StoredSizeOf(cell, header->prefix, header->payload);
  if (entries_end + size.cell > *at) return false;
  *at -= size.cell;
  header->dead += size.padding;
  StoreCell(cell, header->prefix, header->payload, page + *at);
  StoreKeyEntry(page, entry, KeyHead(cell.tail, header->prefix), static_cast<uint32_t>(*at));
  return true;
}

}  // namespace turdb::btree
