// SlottedLeaf: the classic row leaf, for the comparison with column-wise leaves only: 2-byte slots in key order, cells of
// key, record header (a varint serial type a column) and record body, growing down from the page's end; as SQLite
// lays its rows out. No bytes of a database are made by it.
#pragma once

#include <cstring>
#include <vector>

#include "absl/types/span.h"
#include "base/coding.h"
#include "format/page.h"
#include "types/column_vector.h"

namespace turdb::slotted {

inline constexpr size_t kCount = 16, kHeapBegin = 18, kSlots = 24;

inline uint32_t SerialType(const Cell& cell) {
  switch (cell.type) {
    case StorageClass::kNull: return 0;
    case StorageClass::kReal: return 7;
    case StorageClass::kText: return 13 + 2 * cell.length;
    case StorageClass::kInteger: {
      const int64_t v = cell.integer;
      if (v == 0) return 8;
      if (v == 1) return 9;
      if (v == static_cast<int8_t>(v)) return 1;
      if (v == static_cast<int16_t>(v)) return 2;
      if (v == static_cast<int32_t>(v)) return 4;
      return 6;
    }
    default: return 12 + 2 * cell.length;
  }
}
inline uint32_t SerialBytes(uint32_t type) {
  constexpr uint8_t kBytes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};
  return type < 12 ? kBytes[type] : (type - 12) / 2;
}

class SlottedLeaf {
 public:
  explicit SlottedLeaf(uint8_t* page) : page_(page) {}
  static void Initialise(uint8_t* page) {
    std::memset(page, 0, format::kPageBytes);
    Store<uint16_t>(page + kHeapBegin, format::kPageBytes);
  }
  uint32_t rows() const { return Load<uint16_t>(page_ + kCount); }
  uint32_t heap_begin() const { return Load<uint16_t>(page_ + kHeapBegin); }
  const uint8_t* CellOf(uint32_t row) const { return page_ + Load<uint16_t>(page_ + kSlots + 2 * size_t{row}); }
  int64_t KeyAt(uint32_t row) const { return Load<int64_t>(CellOf(row)); }
  uint32_t LowerBound(int64_t key) const {
    uint32_t low = 0, high = rows();
    while (low < high) {
      const uint32_t middle = (low + high) / 2;
      if (KeyAt(middle) < key) low = middle + 1; else high = middle;
    }
    return low;
  }
  // Reads columns (ascending numbers) of a row in one walk along its header.
  void Read(uint32_t row, absl::Span<const uint32_t> columns, Cell* out) const {
    const uint8_t* header = CellOf(row) + 8;
    const uint8_t* const end = page_ + format::kPageBytes;
    uint64_t header_bytes = 0;
    const uint8_t* type_at = DecodeVarint(header, end, &header_bytes);
    const uint8_t* body = header + header_bytes;
    uint32_t column = 0;
    for (const uint32_t wanted : columns) {
      uint64_t type = 0;
      for (;; ++column) {
        type_at = DecodeVarint(type_at, end, &type);
        if (column == wanted) break;
        body += SerialBytes(static_cast<uint32_t>(type));
      }
      *out++ = ReadValue(static_cast<uint32_t>(type), body);
      body += SerialBytes(static_cast<uint32_t>(type));
      ++column;
    }
  }
  bool TryInsert(uint32_t at, int64_t key, absl::Span<const Cell> row) {
    uint8_t cell[4096];
    const uint32_t size = Encode(key, row, cell);
    return TryInsertCell(at, cell, size);
  }
  bool TryInsertCell(uint32_t at, const uint8_t* cell, uint32_t size) {
    const uint32_t n = rows();
    if (kSlots + 2 * (n + 1) + size > heap_begin()) return false;
    const uint32_t begin = heap_begin() - size;
    std::memcpy(page_ + begin, cell, size);
    uint8_t* slot = page_ + kSlots + 2 * size_t{at};
    std::memmove(slot + 2, slot, 2 * size_t{n - at});
    Store<uint16_t>(slot, static_cast<uint16_t>(begin));
    Store<uint16_t>(page_ + kHeapBegin, static_cast<uint16_t>(begin));
    Store<uint16_t>(page_ + kCount, static_cast<uint16_t>(n + 1));
    return true;
  }
  uint32_t CellBytes(uint32_t row) const {
    const uint8_t* header = CellOf(row) + 8;
    const uint8_t* const end = page_ + format::kPageBytes;
    uint64_t header_bytes = 0;
    const uint8_t* at = DecodeVarint(header, end, &header_bytes);
    uint32_t size = static_cast<uint32_t>(8 + header_bytes);
    while (at < header + header_bytes) {
      uint64_t type = 0;
      at = DecodeVarint(at, end, &type);
      size += SerialBytes(static_cast<uint32_t>(type));
    }
    return size;
  }

 private:
  static Cell ReadValue(uint32_t type, const uint8_t* body) {
    switch (type) {
      case 0: return Cell();
      case 1: return Cell::Integer(Load<int8_t>(body));
      case 2: return Cell::Integer(Load<int16_t>(body));
      case 4: return Cell::Integer(Load<int32_t>(body));
      case 6: return Cell::Integer(Load<int64_t>(body));
      case 7: return Cell::Real(Load<double>(body));
      case 8: return Cell::Integer(0);
      case 9: return Cell::Integer(1);
      default: return Cell::Text({reinterpret_cast<const char*>(body), (type - 12) / 2});
    }
  }
  static uint32_t Encode(int64_t key, absl::Span<const Cell> row, uint8_t* to) {
    Store<int64_t>(to, key);
    uint8_t types[512];
    uint8_t* type_end = types;
    for (const Cell& cell : row) type_end = EncodeVarint(type_end, SerialType(cell));
    const size_t type_bytes = static_cast<size_t>(type_end - types);
    uint8_t* at = EncodeVarint(to + 8, type_bytes + 1);
    std::memcpy(at, types, type_bytes);
    at += type_bytes;
    for (const Cell& cell : row) {
      const uint32_t bytes = SerialBytes(SerialType(cell));
      std::memcpy(at, cell.has_bytes() ? static_cast<const void*>(cell.bytes) : &cell.integer, bytes);
      at += bytes;
    }
    return static_cast<uint32_t>(at - to);
  }

  uint8_t* page_;
};

}  // namespace turdb::slotted
