#include "record/leaf_entry.h"

#include <cstring>

namespace turdb::record {
namespace {

using namespace format;  // kEntry...

bool HasPlainTag(const Cell& cell) {
  return (cell.type == StorageClass::kText || cell.type == StorageClass::kBlob) && cell.subtype == 0;
}

// The fewest bytes (0..8) that sign-extend to the value.
uint32_t SignedBytes(int64_t value) {
  if (value == 0) return 0;
  const uint64_t magnitude = static_cast<uint64_t>(value < 0 ? ~value : value);
  return static_cast<uint32_t>(std::bit_width(magnitude) / 8 + 1);
}

const uint8_t* ReadBytes(const uint8_t* at, const uint8_t* end, uint32_t length, StorageClass type, Cell* cell) {
  if (static_cast<size_t>(end - at) < length) return nullptr;
  *cell = Cell::Bytes(type, {reinterpret_cast<const char*>(at), length});
  return at + length;
}

bool IsBytesType(uint8_t type) {
  return type >= static_cast<uint8_t>(StorageClass::kText) && type <= static_cast<uint8_t>(StorageClass::kVector);
}

const uint8_t* ReadOverflow(const uint8_t* at, const uint8_t* end, Cell* cell) {
  if (static_cast<size_t>(end - at) < kEntryOverflowBytes || !IsBytesType(at[1])) return nullptr;
  *cell = Cell();
  cell->type = static_cast<StorageClass>(at[1]);
  cell->subtype = at[2];
  cell->length = Load<uint32_t>(at + 3);
  cell->integer = Load<uint32_t>(at + 7);
  cell->reserved = kOverflowMark;
  return at + kEntryOverflowBytes;
}

const uint8_t* ReadInteger(const uint8_t* at, const uint8_t* end, Cell* cell) {
  const uint32_t bytes = *at - kEntryInteger;
  if (bytes > 8 || static_cast<size_t>(end - at) < 1 + bytes) return nullptr;
  uint64_t bits = 0;
  std::memcpy(&bits, at + 1, bytes);
  const int shift = 64 - 8 * static_cast<int>(bytes);
  *cell = Cell::Integer(bytes == 0 ? 0 : static_cast<int64_t>(bits << shift) >> shift);
  return at + 1 + bytes;
}

}  // namespace

uint32_t EntrySize(const Cell& cell) {
  if (IsOverflowCell(cell)) return kEntryOverflowBytes;
  switch (cell.type) {
    case StorageClass::kNull: return 1;
    case StorageClass::kInteger: return 1 + SignedBytes(cell.integer);
    case StorageClass::kReal: return 9;
    default: break;
  }
  return (IsShortText(cell) ? 1 : HasPlainTag(cell) ? 3 : 5) + cell.length;
}

uint8_t* WriteEntry(uint8_t* to, const Cell& cell) {
  if (IsOverflowCell(cell)) {
    to[0] = kEntryOverflow;
    to[1] = static_cast<uint8_t>(cell.type);
    to[2] = cell.subtype;
    Store<uint32_t>(to + 3, cell.length);
    Store<uint32_t>(to + 7, static_cast<uint32_t>(cell.integer));
    return to + kEntryOverflowBytes;
  }
  switch (cell.type) {
    case StorageClass::kNull: *to = kEntryNull; return to + 1;
    case StorageClass::kInteger: {
      const uint32_t bytes = SignedBytes(cell.integer);
      *to = static_cast<uint8_t>(kEntryInteger + bytes);
      std::memcpy(to + 1, &cell.integer, bytes);
      return to + 1 + bytes;
    }
    case StorageClass::kReal: *to = kEntryReal; Store<double>(to + 1, cell.real); return to + 9;
    default: break;
  }
  if (IsShortText(cell)) {
    *to++ = static_cast<uint8_t>(cell.length);
  } else if (HasPlainTag(cell)) {
    *to = cell.type == StorageClass::kText ? kEntryText : kEntryBlob;
    Store<uint16_t>(to + 1, static_cast<uint16_t>(cell.length));
    to += 3;
  } else {
    to[0] = kEntryBytes;
    to[1] = static_cast<uint8_t>(cell.type);
    to[2] = cell.subtype;
    Store<uint16_t>(to + 3, static_cast<uint16_t>(cell.length));
    to += 5;
  }
  if (cell.length > 0) std::memcpy(to, cell.bytes, cell.length);
  return to + cell.length;
}

uint32_t LongEntryBytes(const uint8_t* page, uint32_t at) {
  const uint32_t left = static_cast<uint32_t>(kPageBytes) - at;
  const uint8_t tag = page[at];
  switch (tag) {
    case kEntryText:
    case kEntryBlob: return left < 3 ? kPageBytes + 1 : 3u + Load<uint16_t>(page + at + 1);
    case kEntryBytes: return left < 5 ? kPageBytes + 1 : 5u + Load<uint16_t>(page + at + 3);
    case kEntryOverflow: return kEntryOverflowBytes;
    case kEntryReal: return 9;
    case kEntryNull: return 1;
    default: return tag >= kEntryInteger && tag <= kEntryInteger + 8 ? 1u + tag - kEntryInteger : kPageBytes + 1;
  }
}

const uint8_t* ReadLongEntry(const uint8_t* at, const uint8_t* end, Cell* cell) {
  const size_t left = static_cast<size_t>(end - at);
  switch (*at) {
    case kEntryText:
    case kEntryBlob: {
      if (left < 3) return nullptr;
      const StorageClass type = *at == kEntryText ? StorageClass::kText : StorageClass::kBlob;
      return ReadBytes(at + 3, end, Load<uint16_t>(at + 1), type, cell);
    }
    case kEntryBytes: {
      if (left < 5 || !IsBytesType(at[1])) return nullptr;
      const uint8_t* after =
          ReadBytes(at + 5, end, Load<uint16_t>(at + 3), static_cast<StorageClass>(at[1]), cell);
      if (after != nullptr) cell->subtype = at[2];
      return after;
    }
    case kEntryOverflow: return ReadOverflow(at, end, cell);
    case kEntryReal:
      if (left < 9) return nullptr;
      *cell = Cell::Real(Load<double>(at + 1));
      return at + 9;
    case kEntryNull: *cell = Cell(); return at + 1;
    default: return *at >= kEntryInteger ? ReadInteger(at, end, cell) : nullptr;
  }
}

}  // namespace turdb::record
