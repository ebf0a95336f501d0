#include "btree/key_layout.h"

#include <algorithm>
#include <cstring>

#include "absl/base/attributes.h"

namespace turdb::btree {

using namespace format;

namespace {

// What the layout needs of a cell with lengths below 64 and nothing outside the page; false for others.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool TakeShortCell(const uint8_t* at, const uint8_t* end, uint32_t form_payload, KeyCell* cell) {
  const bool says_payload = form_payload == kKeyVariedPayload;
  if (end - at < 2 || (at[0] & 0x81) != 0 || (says_payload && (at[1] & 0x81) != 0)) return false;
  const uint32_t key = at[0] / 2;
  cell->start = at;
  cell->head_bytes = std::min<uint32_t>(key, kKeyHeadBytes);
  cell->payload_bytes = says_payload ? at[1] / 2 : form_payload;
  cell->size = 1 + says_payload + key - cell->head_bytes + cell->payload_bytes;
  return cell->size <= static_cast<size_t>(end - at);
}

}  // namespace

bool KeyLayout::Add(const KeyPage& page, uint32_t begin, uint32_t end) {
  if (begin == end) return true;
  sources_.push_back({{page.prefix(), page.payload()}, page.is_plain()});
  const uint8_t* const heap_end = page.page() + kPageBytes - page.prefix().size();
  KeyCell cell;  // of short ones only the sizes are set
  for (uint32_t i = begin; i < end; ++i) {
    const uint32_t offset = page.Offset(i);
    const bool is_short = !page.is_plain() && offset >= kKeyEntries && TakeShortCell(page.page() + offset, heap_end, page.payload(), &cell);
    if (is_short) cell.head = page.Head(i);
    else if (!page.CellAt(i, &cell)) return false;
    AddItem(cell, is_short);
  }
  return true;
}

bool KeyLayout::AddLoose(std::string_view loose) {
  KeyCell cell;
  if (!ParseKeyCell(loose, &cell)) return false;
  sources_.push_back({{}, true});
  AddItem(cell, false);
  return true;
}

ABSL_ATTRIBUTE_ALWAYS_INLINE inline void KeyLayout::AddItem(const KeyCell& cell, bool is_short) {
  const Source& source = sources_.back();
  Item& item = items_[count_++];
  item.start = cell.start;
  item.head = cell.head;
  item.size = static_cast<uint16_t>(cell.size);
  item.bytes = static_cast<uint16_t>(cell.size + kKeyEntryBytes - (source.is_loose ? kKeyHeadBytes : 0) + source.form.prefix.size());
  item.payload = static_cast<uint16_t>(is_short || cell.payload_chain.value() == 0 ? cell.payload_bytes : kKeyVariedPayload);
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

bool KeyLayout::Build(uint32_t n) {
  if (!Cut(n)) return false;
  pages_.reset(new uint8_t[kPageBytes * size_t{n}]);
  for (uint32_t i = 0; i < n; ++i) {
    if (!BuildPart(cuts_[i], cuts_[i + 1], pages_.get() + kPageBytes * size_t{i})) return false;
  }
  return true;
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
bool KeyLayout::Convert(const Item& item, uint32_t entry, size_t entries_end, uint8_t* page, KeyPageHeader* header, size_t* at) {
  KeyCell cell;
  arena_.Reset();
  if (!Parse(item, &cell) || (!sources_[item.source].is_loose && !ParseKeyCell(LooseCell(cell, &arena_), &cell))) return false;
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
