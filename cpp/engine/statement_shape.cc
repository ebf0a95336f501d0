#include "engine/statement_shape.h"

#include <charconv>

#include "sql/syntax/lexer.h"

namespace turdb::engine {
namespace {

using sql::Token;
using sql::TokenKind;

constexpr size_t kMostValues = 64;  // texts with more are not written again and again

bool IsSign(TokenKind kind) { return kind == TokenKind::kMinus || kind == TokenKind::kPlus; }

// What may follow a literal that is the whole right side of =.
bool EndsOperand(TokenKind kind) {
  switch (kind) {
    case TokenKind::kEnd:
    case TokenKind::kSemicolon:
    case TokenKind::kComma:
    case TokenKind::kRightParen:
    case TokenKind::kAnd:
    case TokenKind::kOr:
    case TokenKind::kFrom:
    case TokenKind::kWhere:
    case TokenKind::kGroup:
    case TokenKind::kOrder:
    case TokenKind::kLimit:
    case TokenKind::kFor:
    case TokenKind::kReturning: return true;
    default: return false;
  }
}

// Numbers in ways that are rarely written, or too large for their type, are left to the parser.
bool ReadNumber(std::string_view digits, bool is_integer, Value* value) {
  const char* const end = digits.data() + digits.size();
  if (is_integer) {
    int64_t integer = 0;
    const auto read = std::from_chars(digits.data(), end, integer);
    if (read.ec != std::errc() || read.ptr != end) return false;
    value->SetInteger(integer);
    return true;
  }
  double real = 0;
  const auto read = std::from_chars(digits.data(), end, real);
  if (read.ec != std::errc() || read.ptr != end) return false;
  value->SetReal(real);
  return true;
}

void ReadString(std::string_view quoted, Value* value) {
  const std::string_view body = quoted.substr(1, quoted.size() - 2);
  if (body.find('\'') == body.npos) return value->SetText(body);
  std::string text;
  for (size_t i = 0; i < body.size(); ++i) {
    text.push_back(body[i]);
    if (body[i] == '\'') ++i;
  }
  value->SetText(text);
}

class ShapeReader {
 public:
  ShapeReader(std::string_view sql, StatementShape* shape) : sql_(sql), shape_(*shape), lexer_(sql) {}

  bool Run() {
    shape_.text.clear();
    shape_.values.clear();
    Token token = lexer_.Next();
    first_ = token.kind;
    if (!IsOfKind()) return false;
    while (token.kind != TokenKind::kEnd) {
      if (token.kind == TokenKind::kSemicolon) return lexer_.Next().kind == TokenKind::kEnd && Finish();
      if (!Enter(token.kind)) return false;
      const Token next = lexer_.Next();
      if (IsValue(token.kind, next.kind) && !Take(token)) return false;
      before_last_ = last_;
      last_ = token.kind;
      token = next;
    }
    return Finish();
  }

 private:
  bool IsOfKind() const {
    return first_ == TokenKind::kSelect || first_ == TokenKind::kInsert || first_ == TokenKind::kReplace ||
           first_ == TokenKind::kUpdate || first_ == TokenKind::kDelete;
  }
  bool is_insert() const { return first_ == TokenKind::kInsert || first_ == TokenKind::kReplace; }

  // False where the statement has something that nobody looks at here.
  bool Enter(TokenKind kind) {
    switch (kind) {
      case TokenKind::kIllegal:
      case TokenKind::kParameter:
      case TokenKind::kWith: return false;
      case TokenKind::kSelect: return last_ == TokenKind::kEnd;  // the first word
      case TokenKind::kLeftParen: ++depth_; break;
      case TokenKind::kRightParen: --depth_; break;
      case TokenKind::kSet:
      case TokenKind::kWhere: is_open_ = is_open_ || !is_insert(); break;
      case TokenKind::kValues: is_open_ = is_insert(); break;
      case TokenKind::kOn:
      case TokenKind::kGroup:
      case TokenKind::kHaving:
      case TokenKind::kWindow:
      case TokenKind::kOrder:
      case TokenKind::kLimit:
      case TokenKind::kReturning: is_closed_ = is_closed_ || is_open_; break;
      default: break;
    }
    return true;
  }

  bool IsValue(TokenKind kind, TokenKind next) const {
    if (!is_open_ || is_closed_) return false;
    if (kind != TokenKind::kInteger && kind != TokenKind::kReal && kind != TokenKind::kString) return false;
    const TokenKind before = IsSign(last_) ? before_last_ : last_;
    if (is_insert()) {
      return depth_ == 1 && (before == TokenKind::kLeftParen || before == TokenKind::kComma) &&
             (next == TokenKind::kComma || next == TokenKind::kRightParen);
    }
    return before == TokenKind::kEqual && EndsOperand(next);
  }

  bool Take(const Token& token) {
    if (shape_.values.size() == kMostValues) return false;
    const std::string_view literal = sql_.substr(token.offset, token.length);
    Value& value = shape_.values.emplace_back();
    if (token.kind == TokenKind::kString) ReadString(literal, &value);
    else if (!ReadNumber(literal, token.kind == TokenKind::kInteger, &value)) return false;
    shape_.text.append(sql_.substr(copied_, token.offset - copied_)).push_back('?');
    copied_ = token.end();
    return true;
  }

  bool Finish() {
    shape_.text.append(sql_.substr(copied_));
    return !shape_.values.empty();
  }

  const std::string_view sql_;
  StatementShape& shape_;
  sql::Lexer lexer_;
  size_t copied_ = 0;
  TokenKind first_ = TokenKind::kEnd, last_ = TokenKind::kEnd, before_last_ = TokenKind::kEnd;
  int depth_ = 0;
  bool is_open_ = false;    // where values may stand
  bool is_closed_ = false;  // and no more from here on
};

}  // namespace

bool FindShape(std::string_view sql, StatementShape* shape) {
  // Most texts without a shape show it before they are cut into tokens.
  const size_t at = sql.find_first_not_of(" \t\r\n");
  if (at == sql.npos) return false;
  const char first = sql[at];
  const bool may_be_insert = first == 'I' || first == 'i' || first == 'R' || first == 'r';
  return (may_be_insert || sql.find('=') != sql.npos) && ShapeReader(sql, shape).Run();
}

}  // namespace turdb::engine
