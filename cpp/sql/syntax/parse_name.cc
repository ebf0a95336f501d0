// Names, lists of names, aliases and type names.
#include <charconv>

#include "sql/syntax/statement_parser.h"

namespace turdb::sql {

using enum TokenKind;

// 'it''s' -> it's; the text itself is used when nothing is doubled.
std::string_view StatementParser::Unquote(std::string_view quoted) {
  const char close = quoted[0] == '[' ? ']' : quoted[0];
  const std::string_view body = quoted.substr(1, quoted.size() - 2);
  if (close == ']' || body.find(close) == body.npos) return body;
  char* out = arena_->Allocate(body.size(), 1);
  size_t length = 0;
  for (size_t i = 0; i < body.size(); ++i) {
    out[length++] = body[i];
    if (body[i] == close) ++i;
  }
  return {out, length};
}

Name StatementParser::NameOf(const Token& token) {
  const std::string_view text = TextOf(token);
  if (token.kind != kQuotedName && token.kind != kString) return {text, {token.offset, token.length}, 0};
  return {Unquote(text), {token.offset, token.length}, text[0]};
}

bool StatementParser::ParseName(Name* name) {
  if (!CanBeName(Peek().kind)) return Unexpected();
  *name = NameOf(Peek());
  Advance();
  return true;
}

bool StatementParser::ParseQualifiedName(QualifiedName* name) {
  const size_t first = at_;
  if (!ParseName(&name->name)) return false;
  if (Accept(kDot)) {
    name->schema = name->name;
    if (!ParseName(&name->name)) return false;
  }
  name->pos = PosFrom(first);
  return true;
}

bool StatementParser::ParseNameList(List<Name>* names) {
  if (!Expect(kLeftParen)) return false;
  Items<Name> items;
  do {
    if (!ParseName(&items.emplace_back())) return false;
  } while (Accept(kComma));
  *names = Keep(items);
  return CheckCount(items.size(), "columns") && Expect(kRightParen);
}

bool StatementParser::ParseAlias(Name* alias) {
  if (Accept(kAs)) return ParseName(alias);
  return !AtBareAlias() || ParseName(alias);
}

bool StatementParser::ParseTypeArgument(Items<TypeArgument>* arguments) {
  const size_t first = at_;
  if (!Accept(kPlus)) Accept(kMinus);
  if (!At(kInteger) && !At(kReal)) return Unexpected();
  Advance();
  TypeArgument argument;
  argument.text = SliceFrom(first);
  std::string_view digits = argument.text;
  if (digits[0] == '+') digits.remove_prefix(1);
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), argument.integer);
  argument.is_integer = code == std::errc() && end == digits.data() + digits.size();
  arguments->push_back(argument);
  return true;
}

// Words, then up to two signed numbers. GENERATED ALWAYS AS begins a constraint, not a type's word.
bool StatementParser::ParseTypeName(TypeName* type) {
  const size_t first = at_;
  const auto at_word = [&] {
    const TokenKind kind = Peek().kind;
    if (kind == kGenerated && NextIs(kAlways) && Peek(2).kind == kAs) return false;
    if (IsKeyword(kind)) return ClassOf(kind) == KeywordClass::kName;
    return kind == kIdentifier || kind == kQuotedName || kind == kString;
  };
  size_t words_length = 0;
  for (; at_word(); Advance()) words_length += Peek().length + 1;
  if (at_ == first) return true;
  const size_t word_count = at_ - first;
  char* words = arena_->Allocate(words_length, 1);
  size_t length = 0;
  for (size_t i = 0; i < word_count; ++i) {
    if (i > 0) words[length++] = ' ';
    const std::string_view word = NameOf(tokens_[first + i]).text;
    std::memcpy(words + length, word.data(), word.size());
    length += word.size();
  }
  type->name = {words, length};
  if (Accept(kLeftParen)) {
    Items<TypeArgument> arguments;
    if (!ParseTypeArgument(&arguments)) return false;
    if (Accept(kComma) && !ParseTypeArgument(&arguments)) return false;
    if (!Expect(kRightParen)) return false;
    type->arguments = Keep(arguments);
  }
  type->text = SliceFrom(first);
  type->pos = PosFrom(first);
  return true;
}

}  // namespace turdb::sql
