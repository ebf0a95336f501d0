// Pages of key trees in their first layout (docs/format/key_page.md), which the tree itself does not write any more.
#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "btree/key_page.h"
#include "fuzz/target.h"

namespace turdb::fuzz {

// Lays the page out in the first layout when that has room for it; whether it did.
inline bool MakePlain(uint8_t* bytes) {
  using namespace format;
  btree::KeyPage page;
  Arena arena;
  std::vector<std::string_view> cells;
  FUZZ_CHECK(page.Open(bytes) && ListCells(page, &arena, &cells));
  const uint32_t slots = static_cast<uint32_t>(cells.size()) + 2;
  const size_t prefix = btree::CommonPrefix(cells);
  size_t heap = kPageBytes;
  for (const std::string_view cell : cells) heap -= std::min(heap, cell.size());
  if (kKeyEntries + kKeyEntryBytes * slots > heap) return false;
  SetPageKind(bytes, page.level() == 0 ? PageKind::kPlainKeyLeaf : PageKind::kPlainKeyInterior);
  std::memset(bytes + kKeyEntries, 0, kPageBytes - kKeyEntries);
  Store<uint16_t>(bytes + kPlainSlots, static_cast<uint16_t>(slots));
  Store<uint16_t>(bytes + kKeyHeapBegin, static_cast<uint16_t>(heap));
  Store<uint16_t>(bytes + kKeyDead, 0);
  Store<uint16_t>(bytes + kKeyPrefix, static_cast<uint16_t>(prefix));
  size_t at = kPageBytes;
  for (size_t i = 0; i < cells.size(); ++i) {
    btree::KeyCell cell;
    FUZZ_CHECK(btree::ParseKeyCell(cells[i], &cell));
    at -= cells[i].size();
    std::memcpy(bytes + at, cells[i].data(), cells[i].size());
    Store<uint32_t>(bytes + kKeyEntries + kPlainHintBytes * i, btree::KeyHead(cell.tail, prefix));
    Store<uint16_t>(bytes + kKeyEntries + kPlainHintBytes * slots + kPlainOffsetBytes * i, static_cast<uint16_t>(at));
  }
  return true;
}

}  // namespace turdb::fuzz
