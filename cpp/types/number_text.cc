#include "types/number_text.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

namespace turdb {
namespace {

constexpr int kDigits = 15;       // SQLite prints so many significant digits
constexpr int kExactDigits = 19;  // and rounds them half up from so many
constexpr double kTwo63 = 9223372036854775808.0;

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Appends digits with a point after the first `whole` of them, at least one digit on each side.
char* AppendPlain(char* to, const char* digits, int count, int whole) {
  if (whole <= 0) {
    *to++ = '0';
    *to++ = '.';
    for (int i = whole; i < 0; ++i) *to++ = '0';
    std::memcpy(to, digits, count);
    return to + count;
  }
  for (int i = 0; i < whole; ++i) *to++ = i < count ? digits[i] : '0';
  *to++ = '.';
  if (count <= whole) {
    *to++ = '0';
    return to;
  }
  std::memcpy(to, digits + whole, count - whole);
  return to + (count - whole);
}

char* AppendExponent(char* to, const char* digits, int count, int exponent) {
  to = AppendPlain(to, digits, count, 1);
  *to++ = 'e';
  *to++ = exponent < 0 ? '-' : '+';
  const int magnitude = std::abs(exponent);
  if (magnitude < 10) *to++ = '0';
  return std::to_chars(to, to + 4, magnitude).ptr;
}

// Adds one to the last of kDigits digits; 1 when they grew a place.
int RoundUp(char* digits) {
  int i = kDigits - 1;
  while (i >= 0 && digits[i] == '9') digits[i--] = '0';
  if (i >= 0) {
    ++digits[i];
    return 0;
  }
  digits[0] = '1';
  return 1;
}

// from_chars leaves its result alone when it is out of range: infinity or zero, told by the decimal exponent.
double OutOfRange(std::string_view number) {
  long exponent = 0;
  const size_t e = number.find_first_of("eE");
  if (e != std::string_view::npos) {
    const char* first = number.data() + e + 1;
    const char* last = number.data() + number.size();
    const bool is_negative = first != last && *first == '-';
    if (first != last && (*first == '-' || *first == '+')) ++first;
    if (std::from_chars(first, last, exponent).ec != std::errc()) exponent = 1000000;
    if (is_negative) exponent = -exponent;
  }
  const std::string_view mantissa = number.substr(0, e);
  const size_t point = std::min(mantissa.find('.'), mantissa.size());
  const size_t first_nonzero = mantissa.find_first_of("123456789");
  if (first_nonzero == std::string_view::npos) return 0;
  const long place = static_cast<long>(point) - static_cast<long>(first_nonzero);
  return exponent + place > 0 ? std::numeric_limits<double>::infinity() : 0.0;
}

double ReadReal(std::string_view number, bool is_negative) {
  double value = 0;
  const auto result = std::from_chars(number.data(), number.data() + number.size(), value);
  if (result.ec == std::errc::result_out_of_range) value = OutOfRange(number);
  return is_negative ? -value : value;
}

// Digits to an integer, clamped.
bool ReadInteger(std::string_view digits, bool is_negative, int64_t* value) {
  uint64_t magnitude = 0;
  const uint64_t limit = uint64_t{1} << 63;
  for (char c : digits) {
    const uint64_t digit = static_cast<uint64_t>(c - '0');
    if (magnitude > (limit - digit) / 10) {
      *value = is_negative ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
      return false;
    }
    magnitude = magnitude * 10 + digit;
  }
  if (magnitude == limit && !is_negative) {
    *value = std::numeric_limits<int64_t>::max();
    return false;
  }
  *value = static_cast<int64_t>(is_negative ? ~magnitude + 1 : magnitude);
  return true;
}

}  // namespace

size_t IntegerToText(int64_t value, char* buffer) {
  return std::to_chars(buffer, buffer + kNumberTextBytes, value).ptr - buffer;
}

size_t RealToText(double value, char* buffer) {
  char* to = buffer;
  if (value < 0) {
    *to++ = '-';
    value = -value;
  }
  if (std::isinf(value)) {
    std::memcpy(to, "Inf", 3);
    return to + 3 - buffer;
  }
  if (value == 0 || value != value) {
    std::memcpy(to, "0.0", 3);
    return to + 3 - buffer;
  }
  char text[kNumberTextBytes];  // d.dddddddddddddddddde[+-]dd
  const char* end = std::to_chars(text, text + sizeof(text), value, std::chars_format::scientific, kExactDigits - 1).ptr;
  char digits[kDigits + 1];
  digits[0] = text[0];
  std::memcpy(digits + 1, text + 2, kDigits);
  int exponent = 0;
  const char* e = text + kExactDigits + 2;
  std::from_chars(e + (*e == '+' ? 1 : 0), end, exponent);
  if (digits[kDigits] >= '5') exponent += RoundUp(digits);
  int count = kDigits;
  while (count > 1 && digits[count - 1] == '0') --count;
  to = exponent < -4 || exponent >= kDigits ? AppendExponent(to, digits, count, exponent)
                                            : AppendPlain(to, digits, count, exponent + 1);
  return to - buffer;
}

std::string RealToText(double value) {
  char buffer[kNumberTextBytes];
  return std::string(buffer, RealToText(value, buffer));
}

ParsedNumber ParseNumber(std::string_view text) {
  ParsedNumber parsed;
  size_t at = 0;
  const size_t size = text.size();
  while (at < size && IsSpace(text[at])) ++at;
  bool is_negative = false;
  if (at < size && (text[at] == '-' || text[at] == '+')) is_negative = text[at++] == '-';
  const size_t start = at;
  while (at < size && IsDigit(text[at])) ++at;
  const std::string_view whole = text.substr(start, at - start);
  size_t fraction = 0;
  bool is_complete = true;
  if (at < size && text[at] == '.') {
    const size_t after = at + 1;
    size_t end = after;
    while (end < size && IsDigit(text[end])) ++end;
    fraction = end - after;
    if (whole.empty() && fraction == 0) return parsed;
    parsed.is_real = true;
    at = end;
  }
  if (whole.empty() && fraction == 0) return parsed;
  parsed.has_digits = true;
  if (at < size && (text[at] == 'e' || text[at] == 'E')) {
    size_t end = at + 1;
    if (end < size && (text[end] == '-' || text[end] == '+')) ++end;
    const size_t first = end;
    while (end < size && IsDigit(text[end])) ++end;
    if (end > first) {
      parsed.is_real = true;
      at = end;
    } else {
      is_complete = false;
    }
  }
  const std::string_view number = text.substr(start, at - start);
  while (at < size && IsSpace(text[at])) ++at;
  parsed.is_whole = is_complete && at == size;
  const bool fits = ReadInteger(whole, is_negative, &parsed.integer);
  parsed.fits = fits && !parsed.is_real;
  parsed.real = parsed.fits ? static_cast<double>(parsed.integer) : ReadReal(number, is_negative);
  return parsed;
}

int64_t TextToInteger(std::string_view text) { return ParseNumber(text).integer; }
double TextToReal(std::string_view text) { return ParseNumber(text).real; }

int64_t RealToInteger(double value) {
  if (value <= -kTwo63) return std::numeric_limits<int64_t>::min();
  if (value >= kTwo63) return std::numeric_limits<int64_t>::max();
  return static_cast<int64_t>(value);
}

bool RealIsInteger(double value, int64_t* integer) {
  if (!(value > -kTwo63 && value < kTwo63)) return false;
  *integer = static_cast<int64_t>(value);
  return static_cast<double>(*integer) == value && *integer < std::numeric_limits<int64_t>::max();
}

Cell ToNumber(const Cell& cell) {
  if (!cell.has_bytes()) return cell;
  if (cell.is_vector()) return Cell::Integer(0);
  const ParsedNumber parsed = ParseNumber(cell.view());
  if (!parsed.has_digits) return Cell::Integer(0);
  return parsed.fits ? Cell::Integer(parsed.integer) : Cell::Real(parsed.real);
}

Cell TextToNumberIfWhole(const Cell& cell) {
  if (!cell.is_text() || cell.length == 0) return cell;
  const char first = cell.bytes[0];
  if (!(IsDigit(first) || first == '-' || first == '+' || first == '.' || IsSpace(first))) return cell;
  const ParsedNumber parsed = ParseNumber(cell.view());
  if (!parsed.is_whole) return cell;
  if (parsed.fits) return Cell::Integer(parsed.integer);
  int64_t integer;
  if (RealIsInteger(parsed.real, &integer)) return Cell::Integer(integer);
  return Cell::Real(parsed.real);
}

}  // namespace turdb
