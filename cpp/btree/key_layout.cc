#include "btree/key_layout.h"

#include <algorithm>
#include <cstring>

namespace turdb::btree {

using namespace format;

bool KeyLayout::Add(const KeyPage& page, uint32_t begin, uint32_t end) {
  if (begin == end) return true;
  sources_.push_back({{page.prefix(), page.payload()}, page.is_plain()});
  items_.reserve(items_.size() + (end - begin) + 1);
  KeyCell cell;
  for (uint32_t i = begin; i < end; ++i) {
    if (!page.CellAt(i, &cell)) return false;
    AddItem(cell);
  }
  return true;
}

bool KeyLayout::AddLoose(std::string_view loose) {
  KeyCell cell;
  if (!ParseKeyCell(loose, &cell)) return false;
  sources_.push_back({{}, true});
  AddItem(cell);
  return true;
}

void KeyLayout::AddItem(const KeyCell& cell) {
  Item item;
  item.start = cell.start;
  item.head = cell.head;
  item.payload = cell.payload_chain.value() == 0 ? cell.payload_bytes : kKeyVariedPayload;
  item.size = static_cast<uint16_t>(cell.size);
  item.source = static_cast<uint8_t>(sources_.size() - 1);
  item.padding = static_cast<uint8_t>(kKeyHeadBytes - cell.head_bytes);
  items_.push_back(item);
}

bool KeyLayout::Parse(const Item& item, KeyCell* cell) const {
  const Source& source = sources_[item.source];
  const uint8_t* const end = item.start + item.size;
  return source.is_loose ? ParseKeyCell(item.start, end, cell) : ParseStoredCell(item.start, end, source.form, item.head, cell);
}

int64_t KeyLayout::Weight(const Item& item) const {
  const Source& source = sources_[item.source];
  const size_t bytes = item.size + kKeyEntryBytes + source.form.prefix.size();
  return static_cast<int64_t>(bytes - (source.is_loose ? kKeyHeadBytes : 0));
}

bool KeyLayout::Cut(uint32_t n) {
  if (items_.size() < n) return false;
  size_t shared = kPageBytes;  // beginnings of keys that no page will have in its cells
  for (const Source& source : sources_) {
    if (!source.is_loose) shared = std::min(shared, source.form.prefix.size());
  }
  if (shared == kPageBytes) shared = 0;
  const auto bytes_of = [&](const Item& item) { return Weight(item) - static_cast<int64_t>(shared); };
  int64_t total = 0;
  for (const Item& item : items_) total += bytes_of(item);
  cuts_.assign(1, 0);
  int64_t taken = 0;
  uint32_t at = 0;
  for (uint32_t part = 1; part < n; ++part) {
    const auto most = static_cast<uint32_t>(items_.size()) - (n - part);
    const int64_t until = total * part / n;
    for (;; ++at) {
      const int64_t bytes = bytes_of(items_[at]);
      if (at > cuts_.back() && (at >= most || taken + bytes / 2 > until)) break;
      taken += bytes;
    }
    cuts_.push_back(at);
  }
  cuts_.push_back(static_cast<uint32_t>(items_.size()));
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

bool KeyLayout::FormOf(uint32_t begin, uint32_t end, uint32_t* prefix, uint32_t* payload) const {
  *payload = items_[begin].payload;
  for (uint32_t i = begin; i < end; ++i) {
    if (items_[i].payload != *payload) *payload = kKeyVariedPayload;
  }
  *prefix = 0;
  if (end - begin < 2) return true;
  char first_key[kKeyInlineBytes + kKeyHeadBytes], last_key[kKeyInlineBytes + kKeyHeadBytes];
  KeyCell first, last;
  if (!Parse(items_[begin], &first) || !Parse(items_[end - 1], &last)) return false;
  if (first.KeyBytesHere() > kKeyInlineBytes || last.KeyBytesHere() > kKeyInlineBytes) return false;
  first.CopyKeyHere(first_key);
  last.CopyKeyHere(last_key);
  *prefix = static_cast<uint32_t>(CommonBytes({first_key, first.KeyBytesHere()}, {last_key, last.KeyBytesHere()}));
  return true;
}

bool KeyLayout::BuildPart(uint32_t begin, uint32_t end, uint8_t* page) {
  KeyPageHeader header;
  header.cells = end - begin;
  if (!FormOf(begin, end, &header.prefix, &header.payload)) return false;
  const size_t entries_end = kKeyEntries + kKeyEntryBytes * size_t{header.cells};
  size_t at = kPageBytes - header.prefix;
  if (entries_end > at) return false;
  arena_.Reset();
  for (uint32_t i = begin; i < end; ++i) {
    const Item& item = items_[i];
    const Source& source = sources_[item.source];
    const bool stays = !source.is_loose && source.form.prefix.size() == header.prefix && source.form.payload == header.payload;
    StoredSize size{item.size, item.padding};
    uint32_t head = item.head;
    KeyCell cell;
    if (!stays) {
      if (!Parse(item, &cell) || (!source.is_loose && !ParseKeyCell(LooseCell(cell, &arena_), &cell))) return false;
      if (cell.tail.size() < header.prefix) return false;
      size = StoredSizeOf(cell, header.prefix, header.payload);
      head = KeyHead(cell.tail, header.prefix);
    }
    if (entries_end + size.cell > at) return false;
    at -= size.cell;
    header.dead += size.padding;
    if (stays) std::memcpy(page + at, item.start, size.cell);
    else StoreCell(cell, header.prefix, header.payload, page + at);
    StoreKeyEntry(page, i - begin, head, static_cast<uint32_t>(at));
  }
  KeyCell first;
  char key[kKeyInlineBytes + kKeyHeadBytes];
  if (header.prefix > 0) {
    if (!Parse(items_[begin], &first)) return false;
    first.CopyKeyHere(key);
    std::memcpy(page + kPageBytes - header.prefix, key, header.prefix);
  }
  std::memset(page + entries_end, 0, at - entries_end);
  header.heap_begin = static_cast<uint32_t>(at);
  StoreKeyPageHeader(header, page);
  return true;
}

}  // namespace turdb::btree
