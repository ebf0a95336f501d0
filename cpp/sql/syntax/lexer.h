// Cuts SQL text into tokens by SQLite's rules: -- and /* */ comments (an open one runs to the end),
// 'it''s', "a" [a] `a`, x'ab', 12, 0xff, 1_000, .5, 1e10, ?1 :a @a $a, UTF-8 in identifiers.
// A Lexer only reads the text it was given; tokens are offsets into it.
#pragma once

#include <string_view>

#include "absl/container/inlined_vector.h"
#include "sql/syntax/token.h"

namespace turdb::sql {

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  // The next token; kSemicolon for every semicolon, kEnd at the end of the text.
  Token Next();

 private:
  Token Make(TokenKind kind, size_t length);
  Token Operator();
  Token Word();
  Token Number();
  Token HexNumber();
  Token FinishNumber(TokenKind kind, size_t end);
  Token Quoted(char close, TokenKind kind);
  Token Blob();
  Token Parameter();
  bool SkipBlanks();
  char At(size_t ahead) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  std::string_view text_;
  size_t at_ = 0;
};

// Three kEnd tokens close the list, so that a parser may look two tokens past the last.
using TokenList = absl::InlinedVector<Token, 96>;

// The tokens of the first statement of `text` after leading semicolons; nothing but kEnd for a blank
// one. A trigger's body is part of its statement. Returns the bytes consumed, semicolon included.
size_t LexStatement(std::string_view text, TokenList* tokens);

bool IsIdentifierByte(unsigned char c);  // letters, digits, _ $ and every byte of non-ASCII UTF-8

}  // namespace turdb::sql
