#include "record/row_leaf_edit.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "record/leaf_edit.h"
#include "record/leaf_pack.h"
#include "record/pack_edit.h"

namespace turdb::record {
namespace {

using namespace format;

// The cell of physical column c: columns that the row lacks are NULL, the hidden one is the row's column count.
Cell PhysicalCell(absl::Span<const Cell> row, uint32_t c, uint32_t columns) {
  if (c < row.size()) return row[c];
  return c == columns ? Cell::Integer(static_cast<int64_t>(row.size())) : Cell();
}

bool FitsInt(int64_t value, LeafEncoding encoding) {
  const int bits = static_cast<int>(8 * LeafWidth(encoding)) - 1;
  const int64_t rest = value >> bits;
  return rest == 0 || rest == -1;
}

// Whether the minipage can hold the cell; notes and adds the heap bytes that it needs. Not of packed columns.
bool CanHold(const Cell& cell, Minipage* minipage, uint32_t* heap_bytes) {
  if (minipage->encoding == LeafEncoding::kEntry) {
    const uint32_t bytes = cell.is_null() ? 0 : EntrySize(cell);
    minipage->entry_bytes = bytes;
    *heap_bytes += bytes;
    return true;
  }
  if (cell.is_null()) return minipage->nulls != nullptr || minipage->encoding == LeafEncoding::kNull;
  if (cell.is_integer()) return IsIntEncoding(minipage->encoding) && FitsInt(cell.integer, minipage->encoding);
  return cell.is_real() && minipage->encoding == LeafEncoding::kReal;
}

bool SameValue(const Cell& a, const Cell& b) {
  if (a.type != b.type || a.length != b.length || a.subtype != b.subtype || a.reserved != b.reserved) return false;
  if (!a.has_bytes() || IsOverflowCell(a)) return a.integer == b.integer;
  return std::memcmp(a.bytes, b.bytes, a.length) == 0;
}

uint16_t PushEntry(uint8_t* page, uint32_t column, const Minipage& minipage, const Cell& cell) {
  const uint32_t begin = Load<uint16_t>(page + kLeafHeapBegin) - minipage.entry_bytes;
  WriteEntry(page + begin, cell);
  Store<uint16_t>(page + kLeafHeapBegin, static_cast<uint16_t>(begin));
  if (IsOverflowCell(cell)) SetMayOverflow(page, column);
  return static_cast<uint16_t>(begin);
}

// The entry offset for a cell: the neighbour's when it is equal (runs of equal text share an entry), else a new one.
uint16_t ShareOrPush(uint8_t* page, uint32_t column, const Minipage& minipage, uint32_t at, const Cell& cell) {
  if (cell.is_null()) return 0;
  if (at > 0 && cell.has_bytes() && !IsOverflowCell(cell)) {
    const uint16_t neighbour = Load<uint16_t>(minipage.values + 2 * (size_t{at} - 1));
    Cell other;
    if (neighbour != 0 && ReadEntry(page + neighbour, page + kPageBytes, &other) != nullptr && SameValue(cell, other)) {
      return neighbour;
    }
  }
  return PushEntry(page, column, minipage, cell);
}

void SetBit(uint8_t* bits, uint32_t at, bool value) {
  const uint8_t mask = static_cast<uint8_t>(1u << (at & 7));
  bits[at >> 3] = static_cast<uint8_t>(value ? bits[at >> 3] | mask : bits[at >> 3] & ~mask);
}

// Shifts bits [at, n) up by one. Bit n exists.
void OpenBit(uint8_t* bits, uint32_t at, uint32_t n) {
  const uint32_t first = at / 64;
  for (uint32_t w = n / 64; w > first; --w) {
    Store<uint64_t>(bits + 8 * size_t{w}, Load<uint64_t>(bits + 8 * size_t{w}) << 1 |
                                              Load<uint64_t>(bits + 8 * size_t{w} - 8) >> 63);
  }
  uint8_t* word = bits + 8 * size_t{first};
  const uint64_t low = (uint64_t{1} << (at % 64)) - 1;
  const uint64_t old = Load<uint64_t>(word);
  Store<uint64_t>(word, (old & low) | (old & ~low) << 1);
}

// Shifts bits (at, n) down by one.
void CloseBit(uint8_t* bits, uint32_t at, uint32_t n) {
  const uint32_t last = (n - 1) / 64;
  const uint32_t first = at / 64;
  const uint64_t low = (uint64_t{1} << (at % 64)) - 1;
  for (uint32_t w = first; w <= last; ++w) {
    uint8_t* word = bits + 8 * size_t{w};
    const uint64_t old = Load<uint64_t>(word);
    const uint64_t carry = w < last ? Load<uint64_t>(word + 8) << 63 : 0;
    const uint64_t keep = w == first ? low : 0;
    Store<uint64_t>(word, (old & keep) | ((old >> 1 | carry) & ~keep));
  }
}

void WriteValue(uint8_t* page, uint32_t column, const Minipage& minipage, uint32_t at, const Cell& cell) {
  switch (minipage.encoding) {
    case LeafEncoding::kNull: return;
    case LeafEncoding::kInt8: minipage.values[at] = static_cast<uint8_t>(cell.integer); break;
    case LeafEncoding::kInt16:
      Store<int16_t>(minipage.values + 2 * size_t{at}, static_cast<int16_t>(cell.integer));
      break;
    case LeafEncoding::kInt32:
      Store<int32_t>(minipage.values + 4 * size_t{at}, static_cast<int32_t>(cell.integer));
      break;
    case LeafEncoding::kInt64:
    case LeafEncoding::kReal: Store<int64_t>(minipage.values + 8 * size_t{at}, cell.integer); break;
    case LeafEncoding::kPacked: return;
    case LeafEncoding::kEntry:
      Store<uint16_t>(minipage.values + 2 * size_t{at}, ShareOrPush(page, column, minipage, at, cell));
      return;
  }
  if (minipage.nulls != nullptr) SetBit(minipage.nulls, at, !cell.is_null());
}

// Makes the key's slot at `at`, or returns false when the key array cannot take it. `will_write` false only asks.
bool InsertKey(uint8_t* page, const RowLeaf& leaf, uint32_t at, int64_t key, bool will_write) {
  const uint32_t rows = leaf.rows();
  const uint32_t width = leaf.key_width();
  const int64_t base = leaf.key_base();
  const uint64_t delta = static_cast<uint64_t>(key) - static_cast<uint64_t>(base);
  if (rows == 0) {
    if (will_write) {
      const int64_t new_base = width == 8 ? std::numeric_limits<int64_t>::min() : key;
      Store<int64_t>(page + kLeafKeyBase, new_base);
      const uint64_t first = static_cast<uint64_t>(key) - static_cast<uint64_t>(new_base);
      std::memcpy(page + Load<uint16_t>(page + kLeafKeyOffset), &first, width);
    }
    return true;
  }
  if (width == 0) {
    if (at == rows && delta == rows) return true;
    if (at != 0 || base == std::numeric_limits<int64_t>::min() || key != base - 1) return false;
    if (will_write) Store<int64_t>(page + kLeafKeyBase, key);
    return true;
  }
  if (key < base || (width < 8 && delta >> (8 * width) != 0)) return false;
  if (will_write) {
    uint8_t* slot = page + Load<uint16_t>(page + kLeafKeyOffset) + size_t{width} * at;
    std::memmove(slot + width, slot, size_t{width} * (rows - at));
    std::memcpy(slot, &delta, width);
  }
  return true;
}

uint32_t EntryBytes(const uint8_t* page, uint32_t offset) {
  Cell cell;
  if (offset == 0 || ReadEntry(page + offset, page + kPageBytes, &cell) == nullptr) return 0;
  return EntrySize(cell);
}

uint32_t PackBytes(const uint8_t* page, uint32_t offset, uint32_t columns) {
  const uint32_t end = SkipEntries(page, offset, columns);
  return end > kPageBytes ? 0 : end - offset;
}

// Whether the slot before or behind `at` names the same entry: then the entry outlives the row.
bool IsSharedBeside(const uint8_t* slot, uint32_t at, uint32_t rows) {
  const uint16_t offset = Load<uint16_t>(slot);
  return (at > 0 && Load<uint16_t>(slot - 2) == offset) || (at + 1 < rows && Load<uint16_t>(slot + 2) == offset);
}

// An entry equal to the cell is in place.
bool HoldsAlready(const RowLeaf& leaf, const Minipage& minipage, uint32_t at, const Cell& cell) {
  if (minipage.encoding != LeafEncoding::kEntry) return false;
  Cell old;
  return leaf.EntryAt(Load<uint16_t>(minipage.values + 2 * size_t{at}), &old) && SameValue(old, cell);
}

// Writes the next entry of a new row's pack, whose bytes are all known.
void WritePacked(LeafEdit* edit, uint32_t column, uint32_t at, const Cell& cell) {
  uint8_t* const page = edit->page();
  Minipage& pack = edit->PackOf((*edit)[column]);
  if ((*edit)[column].place == 0) {
    const uint32_t begin = Load<uint16_t>(page + kLeafHeapBegin) - pack.entry_bytes;
    Store<uint16_t>(page + kLeafHeapBegin, static_cast<uint16_t>(begin));
    Store<uint16_t>(pack.values + 2 * size_t{at}, static_cast<uint16_t>(begin));
    pack.write_at = static_cast<uint16_t>(begin);
  }
  // The last entry may end with the page, at 16,384.
  pack.write_at = static_cast<uint16_t>(QuickWriteEntry(page + pack.write_at, cell) - page);
  if (IsOverflowCell(cell)) SetMayOverflow(page, column);
}

// Makes the row's packs as the update has them.
bool MakePacks(LeafEdit* edit, uint32_t at, absl::Span<const Cell> row, PackEdit* packs) {
  for (uint32_t first = 0; first < edit->columns(); ++first) {
    const Minipage& pack = (*edit)[first];
    if (!pack.is_packed() || pack.place != 0) continue;
    if (!packs->Start(pack.values + 2 * size_t{at})) return false;
    for (uint32_t c = first, left = pack.pack_columns; left > 0; ++c) {
      if (!(*edit)[c].is_packed() || (*edit)[c].pack != first) continue;
      if (!packs->Put(PhysicalCell(row, c, edit->columns()))) return false;
      --left;
    }
    if (!packs->Finish()) return false;
  }
  return true;
}

// As that for the pack that `minipage` is a column of, with the marked columns changed.
bool ChangePack(uint8_t* page, const RowLeaf& leaf, const Minipage& minipage, uint32_t at, absl::Span<const Cell> row,
                const std::vector<bool>& changed, PackEdit* packs) {
  if (!packs->Start(minipage.values + 2 * size_t{at})) return false;
  uint32_t place = 0;
  const uint8_t* entry = page + kLeafDirectory;
  const auto offset = static_cast<uint32_t>(minipage.values - page);
  for (uint32_t c = 0; c < leaf.columns(); ++c, entry += kLeafDirectoryEntry) {
    if (Load<uint16_t>(entry + kLeafDirOffset) != offset) continue;
    if (entry[kLeafDirEncoding] != static_cast<uint8_t>(LeafEncoding::kPacked)) continue;
    if (entry[kLeafDirFlags] >> kLeafPackPlaceShift != place++) return false;
    if (!(c < row.size() && changed[c] ? packs->Put(row[c]) : packs->Keep())) return false;
  }
  return packs->Finish();
}

// The row's columns become these, those in packs as `packs` (nullptr: there are none) has them.
bool UpdateRow(LeafEdit* edit, uint32_t at, absl::Span<const Cell> row, PackEdit* packs) {
  uint8_t* const page = edit->page();
  const RowLeaf& leaf = edit->leaf();
  const uint32_t columns = edit->columns();
  uint32_t heap_bytes = 0;
  for (uint32_t c = 0; c < edit->physical(); ++c) {
    Minipage& minipage = (*edit)[c];
    if (minipage.is_packed()) continue;
    const Cell cell = PhysicalCell(row, c, columns);
    if (!HoldsAlready(leaf, minipage, at, cell) && !CanHold(cell, &minipage, &heap_bytes)) return false;
  }
  if (heap_bytes > edit->free_bytes()) return false;
  if (packs != nullptr && !packs->Fits(leaf, edit->free_bytes() - heap_bytes)) return false;
  for (uint32_t c = 0; c < edit->physical(); ++c) {
    const Minipage& minipage = (*edit)[c];
    const Cell cell = PhysicalCell(row, c, columns);
    if (minipage.is_packed()) {
      if (IsOverflowCell(cell)) SetMayOverflow(page, c);
      continue;
    }
    if (HoldsAlready(leaf, minipage, at, cell)) continue;
    if (minipage.encoding == LeafEncoding::kEntry) {
      AddDeadBytes(page, EntryBytes(page, Load<uint16_t>(minipage.values + 2 * size_t{at})));
    }
    WriteValue(page, c, minipage, at, cell);
  }
  if (packs != nullptr) packs->Write();  // last: cells may point into what it overwrites
  return true;
}

bool HasPacked(const uint8_t* page, const RowLeaf& leaf, absl::Span<const Cell> row, const std::vector<bool>& changed) {
  const uint8_t* encoding = page + kLeafDirectory + kLeafDirEncoding;
  const size_t columns = std::min<size_t>(row.size(), leaf.columns());
  for (size_t c = 0; c < columns; ++c, encoding += kLeafDirectoryEntry) {
    if (*encoding == static_cast<uint8_t>(LeafEncoding::kPacked) && changed[c]) return true;
  }
  return false;
}

// The marked columns become those of the row. `packs`: nullptr when none of them is packed.
bool UpdateColumns(uint8_t* page, const RowLeaf& leaf, uint32_t at, absl::Span<const Cell> row, const std::vector<bool>& changed,
                   PackEdit* packs) {
  constexpr uint32_t kMost = 8;  // columns and packs; whoever changes more has the whole row written
  const uint32_t columns = leaf.is_varied() ? leaf.ColumnsOf(at) : leaf.columns();
  uint32_t at_column[kMost];
  Minipage minipages[kMost];
  uint32_t n = 0;
  uint32_t heap_bytes = 0;
  for (uint32_t c = 0; c < row.size(); ++c) {
    if (!changed[c]) continue;
    if (c >= columns || n == kMost || !OpenMinipage(page, leaf, c, &minipages[n])) return false;
    if (page[kLeafDirectory + kLeafDirectoryEntry * size_t{c} + kLeafDirFlags] & kLeafMayOverflow) return false;
    if (HoldsAlready(leaf, minipages[n], at, row[c])) continue;
    if (row[c].has_bytes() && row[c].length > kMaxInlineBytes) return false;
    if (minipages[n].is_packed()) {
      const auto is_same_pack = [&](const Minipage& other) { return other.is_packed() && other.values == minipages[n].values; };
      if (std::any_of(minipages, minipages + n, is_same_pack)) continue;
      if (!ChangePack(page, leaf, minipages[n], at, row, changed, packs)) return false;
    } else if (!CanHold(row[c], &minipages[n], &heap_bytes)) {
      return false;
    }
    at_column[n++] = c;
  }
  const uint32_t free_bytes = leaf.heap_begin() - leaf.slots_end();
  if (heap_bytes > free_bytes || (packs != nullptr && !packs->Fits(leaf, free_bytes - heap_bytes))) return false;
  for (uint32_t i = 0; i < n; ++i) {
    if (minipages[i].encoding == LeafEncoding::kEntry) {
      AddDeadBytes(page, EntryBytes(page, Load<uint16_t>(minipages[i].values + 2 * size_t{at})));
    }
    WriteValue(page, at_column[i], minipages[i], at, row[at_column[i]]);
  }
  if (packs != nullptr) packs->Write();
  return true;
}

}  // namespace

bool CheckColumns(const RowLeaf& leaf) {
  LeafEdit edit;  // only read
  return edit.Open(const_cast<uint8_t*>(leaf.page()));
}

bool IsNearlyFull(const RowLeaf& leaf) {
  const uint32_t rows = leaf.rows();
  if (rows < 32) return false;
  const uint32_t used = static_cast<uint32_t>(kPageBytes) - leaf.heap_begin() + leaf.slots_end();
  const uint32_t unused_slots = leaf.slots_end() / leaf.capacity() * (leaf.capacity() - rows);
  const uint32_t gain = static_cast<uint32_t>(kPageBytes) - used + leaf.heap_dead() + unused_slots;
  return gain < used / 32 && !WouldRepack(leaf);
}

bool TryInsertRow(uint8_t* page, uint32_t at, int64_t key, absl::Span<const Cell> row) {
  LeafEdit edit;
  if (!edit.Open(page)) return false;
  const RowLeaf& leaf = edit.leaf();
  const uint32_t columns = edit.columns();
  const uint32_t rows = leaf.rows();
  if (rows >= leaf.capacity() || row.size() > columns || (row.size() < columns && !leaf.is_varied())) return false;
  if (!InsertKey(page, leaf, at, key, false)) return false;
  uint32_t heap_bytes = 0;
  const uint32_t physical = edit.physical();
  for (uint32_t c = 0; c < physical; ++c) {
    Minipage& minipage = edit[c];
    if (minipage.is_packed()) {
      if (minipage.place == 0) minipage.entry_bytes = 0;
      const uint32_t bytes = QuickEntrySize(PhysicalCell(row, c, columns));
      edit.PackOf(minipage).entry_bytes += bytes;
      heap_bytes += bytes;
    } else if (!CanHold(PhysicalCell(row, c, columns), &minipage, &heap_bytes)) {
      return false;
    }
  }
  if (heap_bytes > edit.free_bytes()) return false;
  InsertKey(page, leaf, at, key, true);
  for (uint32_t c = 0; c < physical; ++c) {
    const Minipage& minipage = edit[c];
    if (at < rows && minipage.width > 0) {
      uint8_t* slot = minipage.values + size_t{minipage.width} * at;
      std::memmove(slot + minipage.width, slot, size_t{minipage.width} * (rows - at));
      if (minipage.nulls != nullptr) OpenBit(minipage.nulls, at, rows);
    }
    if (minipage.is_packed()) WritePacked(&edit, c, at, PhysicalCell(row, c, columns));
    else WriteValue(page, c, minipage, at, PhysicalCell(row, c, columns));
  }
  Store<uint16_t>(page + kLeafRows, static_cast<uint16_t>(rows + 1));
  return true;
}

bool TryUpdateRow(uint8_t* page, uint32_t at, absl::Span<const Cell> row) {
  LeafEdit edit;
  if (!edit.Open(page)) return false;
  const RowLeaf& leaf = edit.leaf();
  if (row.size() > edit.columns() || (row.size() < edit.columns() && !leaf.is_varied())) return false;
  if (!edit.has_packs()) return UpdateRow(&edit, at, row, nullptr);
  PackEdit packs(page);
  return MakePacks(&edit, at, row, &packs) && UpdateRow(&edit, at, row, &packs);
}

bool TryUpdateColumns(uint8_t* page, const RowLeaf& leaf, uint32_t at, absl::Span<const Cell> row,
                      const std::vector<bool>& changed) {
  if (leaf.is_records()) return false;
  if (!HasPacked(page, leaf, row, changed)) return UpdateColumns(page, leaf, at, row, changed, nullptr);
  PackEdit packs(page);
  return UpdateColumns(page, leaf, at, row, changed, &packs);
}

bool TryEraseRow(uint8_t* page, uint32_t at) {
  LeafEdit edit;
  if (!edit.Open(page)) return false;
  const RowLeaf& leaf = edit.leaf();
  const uint32_t rows = leaf.rows();
  const uint32_t width = leaf.key_width();
  if (width == 0) {
    if (at != 0 && at != rows - 1) return false;
    if (at == 0) Store<int64_t>(page + kLeafKeyBase, static_cast<int64_t>(static_cast<uint64_t>(leaf.key_base()) + 1));
  } else {
    uint8_t* slot = page + Load<uint16_t>(page + kLeafKeyOffset) + size_t{width} * at;
    std::memmove(slot, slot + width, size_t{width} * (rows - at - 1));
  }
  uint32_t dead = 0;
  for (uint32_t c = 0; c < edit.physical(); ++c) {
    const Minipage& minipage = edit[c];
    uint8_t* slot = minipage.values + size_t{minipage.width} * at;
    if (minipage.encoding == LeafEncoding::kEntry && !IsSharedBeside(slot, at, rows)) {
      dead += EntryBytes(page, Load<uint16_t>(slot));
    } else if (minipage.is_packed() && minipage.place == 0) {
      dead += PackBytes(page, Load<uint16_t>(slot), minipage.pack_columns);
    }
    std::memmove(slot, slot + minipage.width, size_t{minipage.width} * (rows - at - 1));
    if (minipage.nulls != nullptr) CloseBit(minipage.nulls, at, rows);
  }
  AddDeadBytes(page, dead);
  Store<uint16_t>(page + kLeafRows, static_cast<uint16_t>(rows - 1));
  return true;
}

}  // namespace turdb::record
