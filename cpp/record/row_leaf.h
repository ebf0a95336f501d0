// RowLeaf: reading one column-wise leaf of a row tree (format/row_leaf.h, docs/format/row_leaf.md).
//
// Open() checks the header once; a column's extent is checked when it is asked for, an entry when it is read: damaged
// bytes make a call return false, never read outside the page. A RowLeaf is a view of the page's bytes and is opened
// anew after the page changed. Cheap to copy, thread-safe for reading.
#pragma once

#include <cstdint>

#include "absl/base/optimization.h"
#include "format/row_leaf.h"
#include "record/leaf_entry.h"
#include "types/cell.h"

namespace turdb::record {

// A column's minipage.
struct LeafColumn {
  const uint8_t* values = nullptr;
  const uint64_t* nulls = nullptr;  // not aligned: read through IsNull; nullptr when there is no NULL
  format::LeafEncoding encoding = format::LeafEncoding::kNull;
  bool may_overflow = false;
  uint8_t place = 0;  // in the pack, of a packed column

  bool IsNull(uint32_t row) const {
    return nulls != nullptr && !(reinterpret_cast<const uint8_t*>(nulls)[row >> 3] >> (row & 7) & 1);
  }
};

class RowLeaf {
 public:
  RowLeaf() = default;
  // False when the header is damaged.
  bool Open(const uint8_t* page);

  const uint8_t* page() const { return page_; }
  uint32_t rows() const { return rows_; }
  uint32_t capacity() const { return capacity_; }
  uint32_t columns() const { return columns_; }                       // of the table; 1 in a leaf of records
  uint32_t physical_columns() const { return columns_ + is_varied_; }
  bool is_records() const { return is_records_; }
  bool is_varied() const { return is_varied_; }
  bool is_dense() const { return key_width_ == 0; }
  uint32_t key_width() const { return key_width_; }
  uint32_t heap_begin() const { return Load<uint16_t>(page_ + format::kLeafHeapBegin); }
  uint32_t slots_end() const { return Load<uint16_t>(page_ + format::kLeafSlotsEnd); }
  uint32_t heap_dead() const { return Load<uint16_t>(page_ + format::kLeafHeapDead); }

  int64_t KeyAt(uint32_t row) const {
    uint64_t delta = row;
    switch (key_width_) {
      case 1: delta = key_deltas_[row]; break;
      case 2: delta = Load<uint16_t>(key_deltas_ + 2 * size_t{row}); break;
      case 4: delta = Load<uint32_t>(key_deltas_ + 4 * size_t{row}); break;
      case 8: delta = Load<uint64_t>(key_deltas_ + 8 * size_t{row}); break;
      default: break;
    }
    return static_cast<int64_t>(static_cast<uint64_t>(key_base_) + delta);
  }
  int64_t key_base() const { return key_base_; }
  // Rows whose keys are below `key`: the position of `key`, or where it would go.
  uint32_t LowerBound(int64_t key) const;
  void Keys(uint32_t first, uint32_t n, int64_t* out) const;

  // A physical column. REQUIRES: column < physical_columns().
  bool Column(uint32_t column, LeafColumn* out) const;
  // One value; an overflowed one comes as its mark. REQUIRES: row < rows().
  bool ValueAt(const LeafColumn& column, uint32_t row, Cell* out) const {
    switch (column.encoding) {
      case format::LeafEncoding::kEntry: return EntryAt(Load<uint16_t>(column.values + 2 * size_t{row}), out);
      case format::LeafEncoding::kPacked: return PackedAt(column, row, out);
      case format::LeafEncoding::kReal:
        *out = column.IsNull(row) ? Cell() : Cell::Real(Load<double>(column.values + 8 * size_t{row}));
        return true;
      default: *out = column.IsNull(row) ? Cell() : IntAt(column, row); return true;
    }
  }
  bool Get(uint32_t column, uint32_t row, Cell* out) const {
    LeafColumn minipage;
    return Column(column, &minipage) && ValueAt(minipage, row, out);
  }
  // Offset 0 is NULL.
  bool EntryAt(uint32_t offset, Cell* out) const {
    if (offset == 0) {
      *out = Cell();
      return true;
    }
    return ABSL_PREDICT_TRUE(offset >= format::kLeafDirectory && offset < format::kPageBytes) &&
           ReadEntry(page_ + offset, page_ + format::kPageBytes, out) != nullptr;
  }
  bool PackedAt(const LeafColumn& column, uint32_t row, Cell* out) const {
    const uint32_t pack = Load<uint16_t>(column.values + 2 * size_t{row});
    if (ABSL_PREDICT_FALSE(pack < format::kLeafDirectory)) return false;
    const uint32_t at = SkipEntries(page_, pack, column.place);
    return ABSL_PREDICT_TRUE(at < format::kPageBytes) &&
           ReadEntry(page_ + at, page_ + format::kPageBytes, out) != nullptr;
  }
  // How many of the table's columns a row has. REQUIRES: row < rows().
  uint32_t ColumnsOf(uint32_t row) const;

  // Bytes that the rows take, dead entries aside; the room that there is. For deciding on merges. O(1).
  uint32_t LiveBytes() const;
  uint32_t RoomBytes() const { return format::kPageBytes - static_cast<uint32_t>(DirectoryEnd()); }
  size_t DirectoryEnd() const {
    return format::kLeafDirectory + format::kLeafDirectoryEntry * size_t{physical_columns()};
  }

 private:
  static Cell IntAt(const LeafColumn& column, uint32_t row) {
    switch (column.encoding) {
      case format::LeafEncoding::kInt8: return Cell::Integer(static_cast<int8_t>(column.values[row]));
      case format::LeafEncoding::kInt16: return Cell::Integer(Load<int16_t>(column.values + 2 * size_t{row}));
      case format::LeafEncoding::kInt32: return Cell::Integer(Load<int32_t>(column.values + 4 * size_t{row}));
      case format::LeafEncoding::kInt64: return Cell::Integer(Load<int64_t>(column.values + 8 * size_t{row}));
      default: return Cell();
    }
  }

  const uint8_t* page_ = nullptr;
  const uint8_t* key_deltas_ = nullptr;
  int64_t key_base_ = 0;
  uint32_t rows_ = 0;
  uint32_t capacity_ = 0;
  uint32_t columns_ = 0;
  uint8_t key_width_ = 0;
  bool is_records_ = false;
  bool is_varied_ = false;
};

// Makes `page` (its first 16 bytes are left alone but for the kind) a leaf without rows.
void InitialiseRowLeaf(uint8_t* page);

}  // namespace turdb::record
