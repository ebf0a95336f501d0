#include "record/row_leaf_scan.h"

#include <algorithm>
#include <cstring>

#include "record/leaf_entry.h"
#include "record/widen.h"

namespace turdb::record {
namespace {

using namespace format;
using Layout = ColumnVector::Layout;

// The column so far becomes cells. REQUIRES: at > 0.
void ConvertToCells(BatchRange range, ColumnVector* out) {
  const ColumnVector old = *out;  // shares the buffer, so the reset makes a new one
  Cell* cells = out->ResetCells(range.capacity);
  for (uint32_t i = 0; i < range.at; ++i) cells[i] = old.Get(i);
}

// The column has the layout, or cells instead when what it holds already does not allow it.
bool Prepare(Layout wanted, BatchRange range, ColumnVector* out) {
  if (range.at == 0) {
    switch (wanted) {
      case Layout::kInt64: out->ResetInt64(range.capacity); break;
      case Layout::kDouble: out->ResetDouble(range.capacity); break;
      case Layout::kCells: out->ResetCells(range.capacity); break;
    }
    return true;
  }
  if (out->layout() == wanted) return true;
  if (out->layout() != Layout::kCells) ConvertToCells(range, out);
  return wanted == Layout::kCells;
}

// Copies the NULLs of leaf rows [first, first + n) into the validity bitmap at range.at.
void CopyNulls(const LeafColumn& column, uint32_t first, BatchRange range, ColumnVector* out) {
  if (column.nulls == nullptr) return;
  const uint8_t* bits = reinterpret_cast<const uint8_t*>(column.nulls);
  uint64_t* validity = nullptr;
  for (uint32_t i = 0; i < range.n;) {
    const uint32_t row = first + i;
    const uint32_t in_word = row & 63;
    const uint32_t taken = std::min(64 - in_word, range.n - i);
    uint64_t missing = ~Load<uint64_t>(bits + 8 * size_t{row >> 6}) >> in_word;
    if (taken < 64) missing &= (uint64_t{1} << taken) - 1;
    if (missing != 0) {
      if (validity == nullptr) validity = out->mutable_validity();
      const uint32_t to = range.at + i;
      validity[to >> 6] &= ~(missing << (to & 63));
      if ((to & 63) != 0 && missing >> (64 - (to & 63)) != 0) validity[(to >> 6) + 1] &= ~(missing >> (64 - (to & 63)));
    }
    i += taken;
  }
}

bool AppendCells(const RowLeaf& leaf, const LeafColumn& column, uint32_t first, BatchRange range, ColumnVector* out,
                 bool* has_overflow) {
  Cell* to = out->mutable_cells() + range.at;
  if (column.encoding != LeafEncoding::kEntry) {
    for (uint32_t i = 0; i < range.n; ++i) {
      if (!leaf.ValueAt(column, first + i, &to[i])) return false;
    }
    return true;
  }
  const uint8_t* offsets = column.values + 2 * size_t{first};
  const uint8_t* const page = leaf.page();
  for (uint32_t i = 0; i < range.n; ++i) {
    const uint32_t offset = Load<uint16_t>(offsets + 2 * size_t{i});
    const uint32_t tag = page[offset & (kPageBytes - 1)];
    // Short text within the page is nearly all there is; offset 0 and the rest go the long way.
    if (ABSL_PREDICT_TRUE(offset >= kLeafDirectory && offset + tag < kPageBytes && tag < kEntryShortTextLimit)) {
      Cell cell;
      cell.bytes = reinterpret_cast<const char*>(page + offset + 1);
      cell.length = tag;
      cell.type = StorageClass::kText;
      to[i] = cell;
    } else if (leaf.EntryAt(offset, &to[i])) {
      *has_overflow |= IsOverflowCell(to[i]);  // whatever a damaged page says of the column
    } else {
      return false;
    }
  }
  return true;
}

// The value at page[at], short text first.
bool ReadValue(const uint8_t* page, uint32_t at, Cell* to, bool* has_overflow) {
  const uint32_t tag = page[at & (kPageBytes - 1)];
  if (ABSL_PREDICT_TRUE(at + tag < kPageBytes && tag < kEntryShortTextLimit)) {
    *to = Cell::Text({reinterpret_cast<const char*>(page + at + 1), tag});
    return true;
  }
  if (at >= kPageBytes || ReadEntry(page + at, page + kPageBytes, to) == nullptr) return false;
  *has_overflow |= IsOverflowCell(*to);
  return true;
}

bool AppendPacked(const RowLeaf& leaf, const LeafColumn& column, uint32_t first, BatchRange range, ColumnVector* out,
                  bool* has_overflow, PackWalk* walk) {
  Cell* to = out->mutable_cells() + range.at;
  const uint8_t* const page = leaf.page();
  const uint8_t* const packs = column.values + 2 * size_t{first};
  const bool goes_on = walk != nullptr && walk->packs == column.values && walk->first == first &&
                       walk->at.size() == range.n && walk->place <= column.place;
  const uint8_t* const from = goes_on ? reinterpret_cast<const uint8_t*>(walk->at.data()) : packs;
  const uint32_t steps = goes_on ? column.place - walk->place : column.place;
  if (walk != nullptr && !goes_on) walk->at.resize(range.n);
  for (uint32_t i = 0; i < range.n; ++i) {
    const uint32_t begin = Load<uint16_t>(from + 2 * size_t{i});
    const uint32_t at = SkipEntries(page, begin, steps);
    if (begin < kLeafDirectory || !ReadValue(page, at, &to[i], has_overflow)) return false;
    if (walk != nullptr) walk->at[i] = static_cast<uint16_t>(at);
  }
  if (walk != nullptr) {
    walk->packs = column.values;
    walk->first = first;
    walk->place = column.place;
  }
  return true;
}

bool AppendVaried(const RowLeaf& leaf, uint32_t column, uint32_t first, const Cell& absent, BatchRange range,
                  ColumnVector* out, bool* has_overflow) {
  LeafColumn minipage;
  if (!leaf.Column(column, &minipage)) return false;
  *has_overflow |= minipage.may_overflow;
  Prepare(Layout::kCells, range, out);
  Cell* to = out->mutable_cells() + range.at;
  for (uint32_t i = 0; i < range.n; ++i) {
    if (leaf.ColumnsOf(first + i) <= column) {
      to[i] = absent;
    } else if (leaf.ValueAt(minipage, first + i, &to[i])) {
      *has_overflow |= IsOverflowCell(to[i]);
    } else {
      return false;
    }
  }
  return true;
}

void AppendTypedNulls(BatchRange range, ColumnVector* out) {
  uint64_t* validity = out->mutable_validity();
  for (uint32_t i = range.at; i < range.at + range.n; ++i) validity[i >> 6] &= ~(uint64_t{1} << (i & 63));
  if (out->layout() == Layout::kInt64) {
    std::fill_n(out->mutable_ints() + range.at, range.n, 0);
  } else {
    std::fill_n(out->mutable_doubles() + range.at, range.n, 0.0);
  }
}

}  // namespace

void AppendConstant(const Cell& value, BatchRange range, ColumnVector* out) {
  if (value.is_null()) {
    if (range.at == 0) out->ResetInt64(range.capacity);  // the first values to come may be typed
    if (out->layout() != Layout::kCells) return AppendTypedNulls(range, out);
  }
  const Layout wanted = value.is_integer() ? Layout::kInt64 : value.is_real() ? Layout::kDouble : Layout::kCells;
  if (Prepare(wanted, range, out) && wanted != Layout::kCells) {
    if (wanted == Layout::kInt64) {
      std::fill_n(out->mutable_ints() + range.at, range.n, value.integer);
    } else {
      std::fill_n(out->mutable_doubles() + range.at, range.n, value.real);
    }
    return;
  }
  std::fill_n(out->mutable_cells() + range.at, range.n, value);
}

bool AppendLeafColumn(const RowLeaf& leaf, uint32_t column, uint32_t first, const Cell& absent, BatchRange range,
                      ColumnVector* out, bool* has_overflow, PackWalk* walk) {
  if (column >= leaf.columns()) {
    AppendConstant(absent, range, out);
    return true;
  }
  if (leaf.is_varied()) return AppendVaried(leaf, column, first, absent, range, out, has_overflow);
  LeafColumn minipage;
  if (!leaf.Column(column, &minipage)) return false;
  *has_overflow |= minipage.may_overflow;
  switch (minipage.encoding) {
    case LeafEncoding::kNull: AppendConstant(Cell(), range, out); return true;
    case LeafEncoding::kEntry: Prepare(Layout::kCells, range, out); break;
    case LeafEncoding::kPacked:
      Prepare(Layout::kCells, range, out);
      return AppendPacked(leaf, minipage, first, range, out, has_overflow, walk);
    case LeafEncoding::kReal:
      if (!Prepare(Layout::kDouble, range, out)) break;
      std::memcpy(out->mutable_doubles() + range.at, minipage.values + 8 * size_t{first}, 8 * size_t{range.n});
      CopyNulls(minipage, first, range, out);
      return true;
    default: {
      if (!Prepare(Layout::kInt64, range, out)) break;
      const uint32_t width = LeafWidth(minipage.encoding);
      WidenInts(minipage.values + size_t{width} * first, width, range.n, out->mutable_ints() + range.at);
      CopyNulls(minipage, first, range, out);
      return true;
    }
  }
  return AppendCells(leaf, minipage, first, range, out, has_overflow);
}

}  // namespace turdb::record
