// See payload.h.

#include "table/payload.h"

#include <cmath>

#include "base/coding.h"
#include "base/errors.h"

namespace turdb::table {
namespace {

const uint8_t* Begin(std::string_view s) { return reinterpret_cast<const uint8_t*>(s.data()); }

bool TakeVarint(std::string_view* bytes, uint64_t* value) {
  const uint8_t* end = Begin(*bytes) + bytes->size();
  const uint8_t* next = DecodeVarint(Begin(*bytes), end, value);
  if (next == nullptr) return false;
  bytes->remove_prefix(next - Begin(*bytes));
  return true;
}

bool TakeBytes(std::string_view* bytes, StorageClass type, Cell* cell) {
  uint64_t length = 0;
  if (!TakeVarint(bytes, &length) || length > bytes->size()) return false;
  *cell = Cell::Bytes(type, bytes->substr(0, length));
  bytes->remove_prefix(length);
  return true;
}

bool TakeInteger(std::string_view* bytes, Cell* cell) {
  uint64_t value = 0;
  if (!TakeVarint(bytes, &value)) return false;
  *cell = Cell::Integer(UnZigZag(value));
  return true;
}

constexpr uint8_t kShortText = 0x07;
constexpr uint8_t kWithOneByte = 0x40;
constexpr uint8_t kAlone = 0x80;
constexpr uint8_t kWithTwoBytes = 0xc0;
constexpr uint8_t kHighBits = 0x3f;

// True when the integer went into a tag.
bool AppendTagged(int64_t value, std::string* to) {
  if (value < 0 || value >> 22 != 0) return false;
  const auto bytes = static_cast<uint32_t>(value);
  if (value <= kHighBits) {
    to->push_back(static_cast<char>(kAlone | bytes));
    return true;
  }
  const bool has_two = value >> 14 != 0;
  to->push_back(static_cast<char>(has_two ? kWithTwoBytes | bytes >> 16 : kWithOneByte | bytes >> 8));
  if (has_two) to->push_back(static_cast<char>(bytes >> 8));
  to->push_back(static_cast<char>(bytes));
  return true;
}

// The integer of a tag from kWithOneByte on, which has been taken.
bool TakeTagged(uint8_t tag, std::string_view* bytes, Cell* cell) {
  const uint8_t kind = tag & ~kHighBits;
  const size_t more = kind == kAlone ? 0 : kind == kWithOneByte ? 1 : 2;
  if (bytes->size() < more) return false;
  int64_t value = tag & kHighBits;
  for (size_t i = 0; i < more; ++i) value = value << 8 | static_cast<uint8_t>((*bytes)[i]);
  bytes->remove_prefix(more);
  *cell = Cell::Integer(value);
  return true;
}

// The text of a tag below kWithOneByte, which has been taken.
bool TakeShortText(uint8_t tag, std::string_view* bytes, Cell* cell) {
  const size_t length = tag - kShortText;
  if (bytes->size() < length) return false;
  *cell = Cell::Bytes(StorageClass::kText, bytes->substr(0, length));
  bytes->remove_prefix(length);
  return true;
}

bool TakeReal(std::string_view* bytes, Cell* cell) {
  if (bytes->size() < sizeof(double)) return false;
  *cell = Cell::Real(Load<double>(bytes->data()));
  bytes->remove_prefix(sizeof(double));
  return true;
}

}  // namespace

bool IsExactInKey(const Cell& cell, Collation collation) {
  if (cell.is_text()) return collation == Collation::kBinary;
  if (cell.is_real()) return std::trunc(cell.real) != cell.real;
  return true;
}

void AppendPayloadCount(std::string* to, uint32_t count) { AppendVarint(to, count); }

void AppendInKey(std::string* to) { to->push_back(static_cast<char>(PayloadTag::kInKey)); }

void AppendPayloadCell(std::string* to, const Cell& cell) {
  if (cell.is_integer() && AppendTagged(cell.integer, to)) return;
  // Tags are the storage classes up to kVector.
  to->push_back(static_cast<char>(cell.type));
  switch (cell.type) {
    case StorageClass::kNull: break;
    case StorageClass::kInteger: AppendVarint(to, ZigZag(cell.integer)); break;
    case StorageClass::kReal: AppendFixed(to, cell.real); break;
    case StorageClass::kText:
    case StorageClass::kBlob:
    case StorageClass::kVector:
      AppendVarint(to, cell.length);
      to->append(cell.view());
      break;
  }
}

void AppendRowCell(std::string* to, const Cell& cell) {
  if (!cell.is_text() || cell.length >= kWithOneByte - kShortText) return AppendPayloadCell(to, cell);
  to->push_back(static_cast<char>(kShortText + cell.length));
  to->append(cell.view());
}

PayloadReader::PayloadReader(std::string_view payload) : rest_(payload) {
  uint64_t count = 0;
  // Each cell takes a byte at least, so a count beyond the bytes is damage: Next() then runs out of input and says so.
  if (!rest_.empty() && TakeVarint(&rest_, &count)) count_ = static_cast<uint32_t>(count);
}

PayloadReader PayloadReader::OfCells(std::string_view cells) {
  PayloadReader reader;
  reader.rest_ = cells;
  return reader;
}

absl::Status PayloadReader::Next(Cell* cell, bool* is_given) {
  *is_given = true;
  bool is_whole = !rest_.empty();
  if (is_whole) {
    const auto tag = static_cast<PayloadTag>(rest_.front());
    rest_.remove_prefix(1);
    switch (tag) {
      case PayloadTag::kNull: *cell = Cell(); break;
      case PayloadTag::kInteger: is_whole = TakeInteger(&rest_, cell); break;
      case PayloadTag::kReal: is_whole = TakeReal(&rest_, cell); break;
      case PayloadTag::kText: is_whole = TakeBytes(&rest_, StorageClass::kText, cell); break;
      case PayloadTag::kBlob: is_whole = TakeBytes(&rest_, StorageClass::kBlob, cell); break;
      case PayloadTag::kVector: is_whole = TakeBytes(&rest_, StorageClass::kVector, cell); break;
      case PayloadTag::kInKey: *is_given = false; break;
      default: {
        const auto byte = static_cast<uint8_t>(tag);
        is_whole = byte >= kWithOneByte ? TakeTagged(byte, &rest_, cell) : TakeShortText(byte, &rest_, cell);
      }
    }
  }
  if (!is_whole) return CorruptionError("the payload of an index entry is damaged");
  return absl::OkStatus();
}

}  // namespace turdb::table
