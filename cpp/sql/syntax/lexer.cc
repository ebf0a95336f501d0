#include "sql/syntax/lexer.h"

#include <array>

namespace turdb::sql {
namespace {

using enum TokenKind;

constexpr uint8_t kSpaceBit = 1;
constexpr uint8_t kDigitBit = 2;
constexpr uint8_t kWordBit = 4;       // may continue an identifier
constexpr uint8_t kWordStartBit = 8;  // may begin one
constexpr uint8_t kHexBit = 16;

constexpr auto kBytes = [] {
  std::array<uint8_t, 256> bits{};
  for (int c : {' ', '\t', '\n', '\f', '\r'}) bits[c] |= kSpaceBit;
  for (int c = '0'; c <= '9'; ++c) bits[c] |= kDigitBit | kWordBit | kHexBit;
  for (int c = 0; c < 26; ++c) {
    bits['a' + c] |= kWordBit | kWordStartBit | (c < 6 ? kHexBit : 0);
    bits['A' + c] |= kWordBit | kWordStartBit | (c < 6 ? kHexBit : 0);
  }
  bits['_'] |= kWordBit | kWordStartBit;
  bits['$'] |= kWordBit;
  for (int c = 128; c < 256; ++c) bits[c] |= kWordBit | kWordStartBit;
  return bits;
}();

bool Is(char c, uint8_t bit) { return (kBytes[static_cast<unsigned char>(c)] & bit) != 0; }

}  // namespace

bool IsIdentifierByte(unsigned char c) { return (kBytes[c] & kWordBit) != 0; }

Token Lexer::Make(TokenKind kind, size_t length) {
  const Token token{static_cast<uint32_t>(at_), static_cast<uint32_t>(length), kind};
  at_ += length;
  return token;
}

// Skips one run of white space, a comment or a byte order mark; false when at a token or the end.
bool Lexer::SkipBlanks() {
  const char c = At(0);
  if (Is(c, kSpaceBit)) {
    while (at_ < text_.size() && Is(text_[at_], kSpaceBit)) ++at_;
    return true;
  }
  if (c == '-' && At(1) == '-') {
    const size_t newline = text_.find('\n', at_);
    at_ = newline == text_.npos ? text_.size() : newline;
    return true;
  }
  if (c == '/' && At(1) == '*' && at_ + 2 < text_.size()) {
    const size_t close = text_.find("*/", at_ + 2);
    at_ = close == text_.npos ? text_.size() : close + 2;
    return true;
  }
  if (c == '\xef' && At(1) == '\xbb' && At(2) == '\xbf') {
    at_ += 3;
    return true;
  }
  return false;
}

Token Lexer::Next() {
  while (SkipBlanks()) {
  }
  if (at_ >= text_.size()) return Make(kEnd, 0);
  const char c = text_[at_];
  if (Is(c, kWordStartBit)) {
    if ((c == 'x' || c == 'X') && At(1) == '\'') return Blob();
    return Word();
  }
  if (Is(c, kDigitBit) || (c == '.' && Is(At(1), kDigitBit))) return Number();
  switch (c) {
    case '\'': return Quoted('\'', kString);
    case '"': return Quoted('"', kQuotedName);
    case '`': return Quoted('`', kQuotedName);
    case '[': return Quoted(']', kQuotedName);
    case '?':
    case ':':
    case '@':
    case '$': return Parameter();
    default: return Operator();
  }
}

Token Lexer::Word() {
  size_t length = 1;
  while (at_ + length < text_.size() && Is(text_[at_ + length], kWordBit)) ++length;
  return Make(LookupKeyword(text_.substr(at_, length)), length);
}

// `x'` has been seen. An odd number of digits or anything but hex is illegal as a whole.
Token Lexer::Blob() {
  size_t length = 2;
  while (Is(At(length), kHexBit)) ++length;
  if (At(length) == '\'' && length % 2 == 0) return Make(kBlob, length + 1);
  while (at_ + length < text_.size() && At(length) != '\'') ++length;
  if (at_ + length < text_.size()) ++length;
  return Make(kIllegal, length);
}

// A doubled closing quote stands for itself, except in [].
Token Lexer::Quoted(char close, TokenKind kind) {
  size_t end = at_ + 1;
  while (true) {
    end = text_.find(close, end);
    if (end == text_.npos) return Make(kIllegal, text_.size() - at_);
    ++end;
    if (close == ']' || end >= text_.size() || text_[end] != close) return Make(kind, end - at_);
    ++end;
  }
}

// `end` counts from at_. A number that runs into a word is no token: 12ab, 0x, 1e.
Token Lexer::FinishNumber(TokenKind kind, size_t end) {
  while (Is(At(end), kWordBit)) {
    kind = kIllegal;
    ++end;
  }
  return Make(kind, end);
}

Token Lexer::HexNumber() {
  size_t end = 2;
  while (Is(At(end), kHexBit) || (At(end) == '_' && Is(At(end - 1), kHexBit) && Is(At(end + 1), kHexBit))) ++end;
  return FinishNumber(end == 2 ? kIllegal : kInteger, end);
}

Token Lexer::Number() {
  if (At(0) == '0' && (At(1) == 'x' || At(1) == 'X')) return HexNumber();
  size_t end = 0;
  const auto digits = [&] {  // 1_000: an underscore stands between two digits
    while (Is(At(end), kDigitBit) ||
           (At(end) == '_' && end > 0 && Is(At(end - 1), kDigitBit) && Is(At(end + 1), kDigitBit))) {
      ++end;
    }
  };
  TokenKind kind = kInteger;
  digits();
  if (At(end) == '.') {
    kind = kReal;
    ++end;
    digits();
  }
  if (At(end) == 'e' || At(end) == 'E') {
    const size_t sign = At(end + 1) == '+' || At(end + 1) == '-' ? 1 : 0;
    if (Is(At(end + 1 + sign), kDigitBit)) {
      kind = kReal;
      end += 1 + sign;
      digits();
    }
  }
  return FinishNumber(kind, end);
}

// ?, ?12, :name, @name, $name; names may hold Tcl's :: and end in one (...).
Token Lexer::Parameter() {
  size_t end = 1;
  if (At(0) == '?') {
    while (Is(At(end), kDigitBit)) ++end;
    return Make(kParameter, end);
  }
  size_t letters = 0;
  while (at_ + end < text_.size()) {
    const char c = At(end);
    if (Is(c, kWordBit)) {
      ++letters;
      ++end;
    } else if (c == ':' && At(end + 1) == ':') {
      end += 2;
    } else if (c == '(' && letters > 0) {
      size_t close = end + 1;
      while (at_ + close < text_.size() && At(close) != ')' && !Is(At(close), kSpaceBit)) ++close;
      if (At(close) != ')') return Make(kIllegal, end);
      end = close + 1;
      break;
    } else {
      break;
    }
  }
  return Make(letters == 0 ? kIllegal : kParameter, end);
}

Token Lexer::Operator() {
  const char next = At(1);
  const char third = At(2);
  switch (text_[at_]) {
    case '(': return Make(kLeftParen, 1);
    case ')': return Make(kRightParen, 1);
    case ',': return Make(kComma, 1);
    case '.': return Make(kDot, 1);
    case ';': return Make(kSemicolon, 1);
    case '*': return Make(kStar, 1);
    case '+': return Make(kPlus, 1);
    case '/': return Make(kSlash, 1);
    case '%': return Make(kPercent, 1);
    case '~': return Make(kTilde, 1);
    case '&': return Make(kAmpersand, 1);
    case '|': return next == '|' ? Make(kConcat, 2) : Make(kPipe, 1);
    case '=': return Make(kEqual, next == '=' ? 2 : 1);
    case '!': return next == '=' ? Make(kNotEqual, 2) : Make(kIllegal, 1);
    case '-':
      if (next == '>') return third == '>' ? Make(kLongArrow, 3) : Make(kArrow, 2);
      return Make(kMinus, 1);
    case '>':
      if (next == '=') return Make(kGreaterEqual, 2);
      return next == '>' ? Make(kShiftRight, 2) : Make(kGreater, 1);
    case '<':
      if (third == '>') {
        if (next == '-') return Make(TokenKind::kDistanceL2, 3);
        if (next == '=') return Make(TokenKind::kDistanceCosine, 3);
        if (next == '#') return Make(TokenKind::kNegativeInnerProduct, 3);
        if (next == '+') return Make(TokenKind::kDistanceL1, 3);
        if (next == '~') return Make(TokenKind::kDistanceHamming, 3);
      }
      if (next == '=') return Make(kLessEqual, 2);
      if (next == '>') return Make(kNotEqual, 2);
      return next == '<' ? Make(kShiftLeft, 2) : Make(kLess, 1);
    default: break;
  }
  return Make(kIllegal, 1);
}

namespace {

// Follows the tokens of one statement to tell which semicolon ends it.
class StatementEnd {
 public:
  // True when `token` is the semicolon that ends the statement.
  bool IsAt(TokenKind kind) {
    if (kind != kSemicolon) {
      Track(kind);
      return false;
    }
    if (!in_trigger_) return true;
    if (body_ == Body::kSemicolonEnd) return true;
    body_ = Body::kSemicolon;
    return false;
  }

 private:
  enum class Head { kStart, kExplain, kCreate, kDone };
  enum class Body { kText, kSemicolon, kSemicolonEnd };

  // [EXPLAIN ...] CREATE [TEMP] TRIGGER ... ; END ;
  void Track(TokenKind kind) {
    if (in_trigger_) {
      body_ = body_ == Body::kSemicolon && kind == TokenKind::kEndKeyword ? Body::kSemicolonEnd : Body::kText;
    } else if (head_ == Head::kStart || head_ == Head::kExplain) {
      const bool explains = kind == kExplain || kind == kQuery || kind == kPlan || kind == kAnalyze;
      head_ = kind == kCreate ? Head::kCreate : explains ? Head::kExplain : Head::kDone;
    } else if (head_ == Head::kCreate && kind != kTemp && kind != kTemporary) {
      in_trigger_ = kind == kTrigger;
      head_ = Head::kDone;
    }
  }

  Head head_ = Head::kStart;
  Body body_ = Body::kText;
  bool in_trigger_ = false;
};

}  // namespace

size_t LexStatement(std::string_view text, TokenList* tokens) {
  Lexer lexer(text);
  StatementEnd statement_end;
  Token token = lexer.Next();
  while (token.kind == kSemicolon) token = lexer.Next();
  while (token.kind != kEnd && !statement_end.IsAt(token.kind)) {
    tokens->push_back(token);
    if (token.kind == kIllegal) break;
    token = lexer.Next();
  }
  const size_t consumed = token.end();
  token.kind = kEnd;
  if (!tokens->empty() && tokens->back().kind == kIllegal) token = {token.end(), 0, kEnd};
  for (int i = 0; i < 3; ++i) tokens->push_back(token);
  return consumed;
}

}  // namespace turdb::sql
