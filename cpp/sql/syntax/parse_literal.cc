// Numbers, strings, blobs and the words that stand for a value.
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "base/strings.h"
#include "sql/syntax/statement_parser.h"

namespace turdb::sql {

using enum TokenKind;

namespace {

constexpr std::string_view kMinusMinInteger = "9223372036854775808";

int HexDigit(char c) { return c <= '9' ? c - '0' : AsciiLower(c) - 'a' + 10; }

}  // namespace

LiteralExpr* StatementParser::MakeText(std::string_view text, size_t first) {
  auto* literal = New<LiteralExpr>();
  literal->literal = LiteralKind::kText;
  literal->text = text;
  literal->pos = PosFrom(first);
  return literal;
}

LiteralExpr* StatementParser::ParseLiteral() {
  const size_t first = at_;
  const Token& token = Peek();
  const std::string_view text = TextOf(token);
  auto* literal = New<LiteralExpr>();
  switch (token.kind) {
    case kNull: literal->literal = LiteralKind::kNull; break;
    case kCurrentDate: literal->literal = LiteralKind::kCurrentDate; break;
    case kCurrentTime: literal->literal = LiteralKind::kCurrentTime; break;
    case kCurrentTimestamp: literal->literal = LiteralKind::kCurrentTimestamp; break;
    case kInteger:
      if (!ReadInteger(text, literal)) return nullptr;
      break;
    case kReal:
      if (!ReadReal(text, literal)) return nullptr;
      break;
    case kBlob:
      literal->literal = LiteralKind::kBlob;
      literal->text = DecodeBlob(text);
      break;
    case kString:
      literal->literal = LiteralKind::kText;
      literal->text = Unquote(text);
      break;
    default: Unexpected(); return nullptr;
  }
  Advance();
  literal->pos = PosFrom(first);
  return literal;
}

// Hex wraps into the sign as in SQLite; decimal digits beyond int64 make a real.
bool StatementParser::ReadInteger(std::string_view digits, LiteralExpr* literal) {
  if (digits.find('_') != digits.npos) {
    std::string plain;
    for (char c : digits) {
      if (c != '_') plain.push_back(c);
    }
    digits = arena_->Copy(plain);
  }
  if (digits.size() > 2 && (digits[1] == 'x' || digits[1] == 'X')) {
    uint64_t bits = 0;
    const auto [end, code] = std::from_chars(digits.data() + 2, digits.data() + digits.size(), bits, 16);
    if (code != std::errc()) return FailHere(Cat("hex literal too big: ", digits.substr(0, 80)));
    literal->literal = LiteralKind::kInteger;
    literal->integer = static_cast<int64_t>(bits);
    return true;
  }
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), literal->integer);
  if (code != std::errc()) return ReadReal(digits, literal);
  literal->literal = LiteralKind::kInteger;
  return true;
}

bool StatementParser::ReadReal(std::string_view digits, LiteralExpr* literal) {
  std::string plain;
  literal->literal = LiteralKind::kReal;
  literal->text = digits;
  if (digits.find('_') != digits.npos) {
    for (char c : digits) {
      if (c != '_') plain.push_back(c);
    }
    digits = plain;
  }
  double value = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (code == std::errc::result_out_of_range) {
    // Too large is infinity, too small is zero: the exponent's sign tells which.
    const size_t exponent = digits.find_first_of("eE");
    const bool is_tiny = (exponent != digits.npos && digits.find('-', exponent) != digits.npos) ||
                         (exponent == digits.npos && digits.find_first_not_of("0.") > digits.find('.'));
    value = is_tiny ? 0.0 : std::numeric_limits<double>::infinity();
  }
  literal->real = value;
  return true;
}

// Turns the real that 9223372036854775808 was read as into the smallest integer.
bool StatementParser::Negate(LiteralExpr* literal) {
  std::string_view digits = literal->text;
  while (digits.size() > 1 && digits[0] == '0') digits.remove_prefix(1);
  if (digits != kMinusMinInteger) return false;
  literal->literal = LiteralKind::kInteger;
  literal->integer = std::numeric_limits<int64_t>::min();
  literal->text = {};
  return true;
}

std::string_view StatementParser::DecodeBlob(std::string_view token) {
  const std::string_view digits = token.substr(2, token.size() - 3);
  char* bytes = arena_->Allocate(digits.size() / 2, 1);
  for (size_t i = 0; i < digits.size(); i += 2) {
    bytes[i / 2] = static_cast<char>(HexDigit(digits[i]) * 16 + HexDigit(digits[i + 1]));
  }
  return {bytes, digits.size() / 2};
}

// [+|-] number, folded into one literal (PRAGMA values, index options).
LiteralExpr* StatementParser::ParseSignedLiteral() {
  const size_t first = at_;
  const bool is_negative = At(kMinus);
  if (!Accept(kPlus)) Accept(kMinus);
  if (at_ != first && !At(kInteger) && !At(kReal)) {
    Unexpected();
    return nullptr;
  }
  LiteralExpr* literal = ParseLiteral();
  if (literal == nullptr) return nullptr;
  literal->pos = PosFrom(first);
  if (!is_negative) return literal;
  if (literal->literal == LiteralKind::kInteger) {
    literal->integer = static_cast<int64_t>(-static_cast<uint64_t>(literal->integer));
  } else if (!Negate(literal)) {
    literal->real = -literal->real;
    literal->text = SliceFrom(first);
  }
  return literal;
}

}  // namespace turdb::sql
