// Changing the arrays of an interior page of a row tree (format/interior_page.h) in place.
#pragma once

#include <cstdint>
#include <cstring>

#include "btree/row_path.h"
#include "format/interior_page.h"

namespace turdb::btree {

inline uint8_t* KeySlot(uint8_t* page, uint32_t i) { return page + format::kInteriorKeys + 8 * size_t{i}; }
inline uint8_t* ChildSlot(uint8_t* page, uint32_t i) { return page + format::kInteriorChildren + 4 * size_t{i}; }

inline void SetInterior(uint8_t* page, uint32_t count, uint32_t level) {
  format::SetPageKind(page, format::PageKind::kRowInterior);
  Store<uint16_t>(page + format::kInteriorCount, static_cast<uint16_t>(count));
  Store<uint16_t>(page + format::kInteriorLevel, static_cast<uint16_t>(level));
}

// Puts a separator at `at` and the page right of it behind it. REQUIRES: room.
inline void InsertAt(uint8_t* page, uint32_t at, int64_t separator, PageId right) {
  const uint32_t count = RowInterior(page).count();
  std::memmove(KeySlot(page, at + 1), KeySlot(page, at), 8 * size_t{count - at});
  std::memmove(ChildSlot(page, at + 2), ChildSlot(page, at + 1), 4 * size_t{count - at});
  Store<int64_t>(KeySlot(page, at), separator);
  Store<uint32_t>(ChildSlot(page, at + 1), right.value());
  Store<uint16_t>(page + format::kInteriorCount, static_cast<uint16_t>(count + 1));
}

// Removes child i and a separator beside it. REQUIRES: count > 0.
inline void RemoveChildAt(uint8_t* page, uint32_t child) {
  const uint32_t count = RowInterior(page).count();
  const uint32_t key = child == 0 ? 0 : child - 1;
  std::memmove(KeySlot(page, key), KeySlot(page, key + 1), 8 * size_t{count - key - 1});
  std::memmove(ChildSlot(page, child), ChildSlot(page, child + 1), 4 * size_t{count - child});
  Store<uint16_t>(page + format::kInteriorCount, static_cast<uint16_t>(count - 1));
}

}  // namespace turdb::btree
