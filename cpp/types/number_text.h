// Numbers to text and back by SQLite's rules (https://www.sqlite.org/datatype3.html, lang_expr.html#castexpr).
//
// A REAL prints as "%!.15g": fifteen significant digits, trailing zeros cut, always a point or an exponent with one
// ("1.0", "1.0e+20", "Inf"). Text reads as the longest numeric prefix; whether the whole text was a number decides
// if an affinity converts it. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "types/cell.h"
#include "types/logical_type.h"

namespace turdb {

inline constexpr size_t kNumberTextBytes = 32;  // room enough for any integer or real

size_t IntegerToText(int64_t value, char* buffer);
size_t RealToText(double value, char* buffer);
std::string RealToText(double value);

// The numeric prefix of a text.
struct ParsedNumber {
  bool has_digits = false;  // else everything is zero
  bool is_real = false;     // it has a point or an exponent
  bool is_whole = false;    // nothing but white space around it
  bool fits = false;        // !is_real: the integer is within 64 bits
  int64_t integer = 0;      // the digits before point or exponent; clamped when they do not fit
  double real = 0;
};
ParsedNumber ParseNumber(std::string_view text);

// What CAST(text AS INTEGER) and CAST(text AS REAL) take of a text.
int64_t TextToInteger(std::string_view text);
double TextToReal(std::string_view text);

int64_t RealToInteger(double value);  // towards zero, clamped to 64 bits
// True and the integer when the real is one exactly and within the range that affinities convert.
bool RealIsInteger(double value, int64_t* integer);

// An operand of arithmetic as a number: text and blobs by their prefix; NULL stays NULL.
Cell ToNumber(const Cell& cell);
// Text that is a number as a whole becomes it ('1.0' and '1e0' become 1); everything else stays.
Cell TextToNumberIfWhole(const Cell& cell);

}  // namespace turdb
