// Every number begins with a code that gives the sign and byte length of u, where m = 2 * floor(x) + (x has a fraction)
// is u or ~u; an odd m is followed by the ordered bits of the double itself. So integers cost 1 + length bytes,
// equal numbers encode alike, and reals fall between the integers around them. Numbers beyond int64 have codes of
// their own at both ends. Bytes of text and blobs end in 0x00; 0x00 and 0x01 in them become 0x01 0x01 and 0x01 0x02.
#include "record/key_encoding.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "base/coding.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "format/key.h"

namespace turdb::record {
namespace {

using namespace format;  // the code bytes

constexpr double kTwo63 = 9223372036854775808.0;
constexpr uint64_t kSignBit = uint64_t{1} << 63;

uint64_t OrderedBits(double value) {
  const uint64_t bits = std::bit_cast<uint64_t>(value);
  return bits & kSignBit ? ~bits : bits | kSignBit;
}
double FromOrderedBits(uint64_t bits) {
  return std::bit_cast<double>(bits & kSignBit ? bits & ~kSignBit : ~bits);
}

int ByteLength(uint64_t value) { return (std::bit_width(value) + 7) / 8; }

// The low `length` bytes of value, most significant first. Writes 8 bytes; only `length` count.
void StoreBigEndian(uint8_t* to, uint64_t value, int length) {
  if (length == 0) return;
  Store<uint64_t>(to, __builtin_bswap64(value << (64 - 8 * length)));
}

// `magnitude` is u, or for the negative side u with m = ~u. Returns the end.
uint8_t* EncodeMagnitude(uint8_t* to, bool is_negative, uint64_t magnitude, uint8_t zero_code) {
  const int length = ByteLength(magnitude);
  if (is_negative) {
    *to = static_cast<uint8_t>(zero_code - 1 - length);
    StoreBigEndian(to + 1, ~magnitude, length);
  } else {
    *to = static_cast<uint8_t>(zero_code + length);
    StoreBigEndian(to + 1, magnitude, length);
  }
  return to + 1 + length;
}

uint8_t* EncodeInteger(uint8_t* to, int64_t value) {
  const bool is_negative = value < 0;
  const uint64_t doubled = static_cast<uint64_t>(value) << 1;  // m modulo 2^64; its sign is kept apart
  return EncodeMagnitude(to, is_negative, is_negative ? ~doubled : doubled, kKeyNumberZero);
}

uint8_t* EncodeReal(uint8_t* to, double value) {
  if (value >= kTwo63 || value < -kTwo63) {
    *to = value > 0 ? kKeyNumberHuge : kKeyNumberHugeNegative;
    StoreBigEndian(to + 1, OrderedBits(value), 8);
    return to + 9;
  }
  const double whole = std::floor(value);
  const int64_t floor = static_cast<int64_t>(whole);
  if (whole == value) return EncodeInteger(to, floor);
  const uint64_t odd = (static_cast<uint64_t>(floor) << 1) | 1;
  to = EncodeMagnitude(to, floor < 0, floor < 0 ? ~odd : odd, kKeyNumberZero);
  StoreBigEndian(to, OrderedBits(value), 8);
  return to + 8;
}

bool NeedsEscape(std::string_view bytes) {
  uint8_t any = 0;
  for (const char c : bytes) any |= static_cast<uint8_t>(static_cast<uint8_t>(c) <= kKeyEscape);
  return any != 0;
}

void AppendBytes(std::string* key, uint8_t code, std::string_view bytes) {
  key->push_back(static_cast<char>(code));
  if (!NeedsEscape(bytes)) {
    key->append(bytes);
  } else {
    for (const char c : bytes) {
      if (static_cast<uint8_t>(c) <= kKeyEscape) {
        key->push_back(static_cast<char>(kKeyEscape));
        key->push_back(static_cast<char>(c + 1));
      } else {
        key->push_back(c);
      }
    }
  }
  key->push_back(static_cast<char>(kKeyTerminator));
}

void AppendText(std::string* key, std::string_view text, Collation collation) {
  if (collation == Collation::kRtrim) {
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  }
  const size_t start = key->size() + 1;
  AppendBytes(key, kKeyText, text);
  if (collation == Collation::kNocase) {  // escapes and the terminator are no letters
    for (size_t i = start; i < key->size(); ++i) (*key)[i] = AsciiLower((*key)[i]);
  }
}

absl::Status Damaged(std::string_view what) { return CorruptionError("an index key is damaged: ", what); }

// Reads from ascending or complemented bytes.
class Reader {
 public:
  Reader(std::string_view key, bool is_descending) : key_(key), flip_(is_descending ? 0xff : 0) {}
  size_t left() const { return key_.size() - at_; }
  size_t at() const { return at_; }
  uint8_t Byte() { return static_cast<uint8_t>(key_[at_++]) ^ flip_; }
  uint64_t BigEndian(int length) {  // REQUIRES: left() >= length
    if (length == 0) return 0;
    uint64_t value = 0;
    if (left() >= 8) {  // one load; what lies behind the number is shifted out
      value = __builtin_bswap64(Load<uint64_t>(key_.data() + at_)) ^ (flip_ != 0 ? ~uint64_t{0} : 0);
      at_ += static_cast<size_t>(length);
      return value >> (64 - 8 * length);
    }
    for (int i = 0; i < length; ++i) value = value << 8 | Byte();
    return value;
  }

 private:
  const std::string_view key_;
  const uint8_t flip_;
  size_t at_ = 0;
};

absl::StatusOr<Cell> DecodeNumber(Reader* reader, uint8_t code) {
  if (code == kKeyNumberHuge || code == kKeyNumberHugeNegative) {
    if (reader->left() < 8) return Damaged("a real number is cut short");
    return Cell::Real(FromOrderedBits(reader->BigEndian(8)));
  }
  const bool is_negative = code < kKeyNumberZero;
  const int length = is_negative ? kKeyNumberZero - 1 - code : code - kKeyNumberZero;
  if (reader->left() < static_cast<size_t>(length)) return Damaged("a number is cut short");
  uint64_t m = reader->BigEndian(length);
  if (is_negative && length < 8) m |= ~uint64_t{0} << (8 * length);
  if (m & 1) {
    if (reader->left() < 8) return Damaged("a fraction is cut short");
    return Cell::Real(FromOrderedBits(reader->BigEndian(8)));
  }
  return Cell::Integer(static_cast<int64_t>((m >> 1) | (is_negative ? kSignBit : 0)));
}

// The bytes up to the terminator; a view of the key when they stand there as they are.
absl::StatusOr<std::string_view> DecodeBytes(std::string_view key, Reader* reader, bool is_descending, Arena* arena) {
  const size_t start = reader->at();
  bool is_plain = !is_descending;
  size_t length = 0;
  for (;;) {
    if (reader->left() == 0) return Damaged("text has no end");
    const uint8_t byte = reader->Byte();
    if (byte == kKeyTerminator) break;
    if (byte == kKeyEscape) {
      if (reader->left() == 0) return Damaged("text has no end");
      const uint8_t escaped = reader->Byte();
      if (escaped != 1 && escaped != 2) return Damaged("text has an unknown escape");
      is_plain = false;
    }
    ++length;
  }
  if (is_plain) return key.substr(start, length);
  char* bytes = arena->Allocate(length, 8);
  Reader again(key, is_descending);
  for (size_t i = 0; i < start; ++i) again.Byte();
  for (size_t i = 0; i < length; ++i) {
    uint8_t byte = again.Byte();
    if (byte == kKeyEscape) byte = static_cast<uint8_t>(again.Byte() - 1);
    bytes[i] = static_cast<char>(byte);
  }
  return std::string_view(bytes, length);
}

absl::StatusOr<Cell> DecodeOne(std::string_view key, Reader* reader, bool is_descending, Arena* arena) {
  if (reader->left() == 0) return Damaged("it ends early");
  const uint8_t code = reader->Byte();
  if (code == kKeyNull) return Cell();
  if (code >= kKeyNumberHugeNegative && code <= kKeyNumberHuge) return DecodeNumber(reader, code);
  StorageClass type;
  switch (code) {
    case kKeyText: type = StorageClass::kText; break;
    case kKeyBlob: type = StorageClass::kBlob; break;
    case kKeyVector: type = StorageClass::kVector; break;
    default: return Damaged("it has an unknown type");
  }
  TURDB_ASSIGN_OR_RETURN(const std::string_view bytes, DecodeBytes(key, reader, is_descending, arena));
  return Cell::Bytes(type, bytes);
}

}  // namespace

void AppendKey(std::string* key, const Cell& cell, KeyColumn column) {
  const size_t start = key->size();
  uint8_t buffer[24];
  switch (cell.type) {
    case StorageClass::kNull: key->push_back(static_cast<char>(kKeyNull)); break;
    case StorageClass::kInteger:
      key->append(reinterpret_cast<char*>(buffer), EncodeInteger(buffer, cell.integer) - buffer);
      break;
    case StorageClass::kReal:
      key->append(reinterpret_cast<char*>(buffer), EncodeReal(buffer, cell.real) - buffer);
      break;
    case StorageClass::kText: AppendText(key, cell.view(), column.collation); break;
    case StorageClass::kBlob: AppendBytes(key, kKeyBlob, cell.view()); break;
    case StorageClass::kVector: AppendBytes(key, kKeyVector, cell.view()); break;
  }
  if (column.is_descending) {
    for (size_t i = start; i < key->size(); ++i) (*key)[i] = static_cast<char>(~(*key)[i]);
  }
}

void AppendRowId(std::string* key, RowId rowid) {
  uint8_t buffer[24];
  const int64_t value = rowid.value();
  const uint64_t bits = static_cast<uint64_t>(value);
  const uint8_t* end = EncodeMagnitude(buffer, value < 0, value < 0 ? ~bits : bits, kKeyRowIdZero);
  key->append(reinterpret_cast<char*>(buffer), end - buffer);
}

absl::StatusOr<Cell> DecodeKey(std::string_view* key, KeyColumn column, Arena* arena) {
  Reader reader(*key, column.is_descending);
  absl::StatusOr<Cell> cell = DecodeOne(*key, &reader, column.is_descending, arena);
  if (cell.ok()) key->remove_prefix(reader.at());
  return cell;
}

absl::StatusOr<RowId> DecodeRowId(std::string_view* key) {
  if (key->empty()) return Damaged("it has no row id");
  Reader reader(*key, false);
  const uint8_t code = reader.Byte();
  const bool is_negative = code < kKeyRowIdZero;
  const int length = is_negative ? kKeyRowIdZero - 1 - code : code - kKeyRowIdZero;
  if (length < 0 || length > 8) return Damaged("its row id has an unknown length");
  if (reader.left() < static_cast<size_t>(length)) return Damaged("its row id is cut short");
  uint64_t bits = reader.BigEndian(length);
  if (is_negative && length < 8) bits |= ~uint64_t{0} << (8 * length);
  key->remove_prefix(reader.at());
  return RowId(static_cast<int64_t>(bits));
}

std::string AfterPrefix(std::string_view prefix) {
  std::string after(prefix);
  while (!after.empty() && static_cast<uint8_t>(after.back()) == 0xff) after.pop_back();
  if (!after.empty()) after.back() = static_cast<char>(after.back() + 1);
  return after;
}

}  // namespace turdb::record
