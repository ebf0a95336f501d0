// The token cursor, failures and the dispatch on a statement's first word.
#include "sql/syntax/statement_parser.h"

#include <algorithm>

#include "base/errors.h"
#include "sql/syntax/syntax_error.h"

namespace turdb::sql {

using enum TokenKind;

bool StatementParser::IsWord(const Token& token, std::string_view upper) const {
  return token.kind == kIdentifier && EqualsIgnoreCase(TextOf(token), upper);
}

bool StatementParser::AcceptWord(std::string_view upper) {
  if (!AtWord(upper)) return false;
  Advance();
  return true;
}

SourcePos StatementParser::PosFrom(size_t first_token) const {
  const uint32_t begin = tokens_[first_token].offset;
  return {begin, at_ > first_token ? tokens_[at_ - 1].end() - begin : 0};
}

std::string_view StatementParser::SliceFrom(size_t first_token) const {
  const SourcePos pos = PosFrom(first_token);
  return text_.substr(pos.offset, pos.length);
}

bool StatementParser::CanBeName(TokenKind kind) {
  if (IsKeyword(kind)) return ClassOf(kind) != KeywordClass::kReserved;
  return kind == kIdentifier || kind == kQuotedName || kind == kString;
}

// An alias without AS: words that go on with the statement here do not count.
bool StatementParser::AtBareAlias() const {
  const TokenKind kind = Peek().kind;
  if (!IsKeyword(kind)) return kind == kIdentifier || kind == kQuotedName || kind == kString;
  if (AtLockingClause()) return false;
  if (kind == kWindow && AtWindowClause()) return false;
  return ClassOf(kind) == KeywordClass::kName;
}

bool StatementParser::Fail(std::string_view message, uint32_t offset) {
  if (error_.ok()) error_ = SyntaxError(AtPlace(message, text_, offset));
  return false;
}

bool StatementParser::FailDepth() {
  if (error_.ok()) {
    error_ = TooBigError(AtPlace(Cat("Expression tree is too large (maximum depth ", kMaxExprDepth, ")"),
                                 text_, Peek().offset));
  }
  return false;
}

bool StatementParser::CheckCount(size_t count, std::string_view what) {
  return count <= static_cast<size_t>(kMaxColumns) ||
         FailHere(Cat("too many ", what, " (maximum ", kMaxColumns, ")"));
}

bool StatementParser::Unexpected() { return UnexpectedAt(at_); }

bool StatementParser::UnexpectedAt(size_t index) {
  if (!error_.ok()) return false;
  const Token& token = tokens_[index];
  const std::string_view word = TextOf(token);
  if (token.kind == kIllegal) {
    const bool is_open = word[0] == '\'' || word[0] == '"' || word[0] == '`' || word[0] == '[';
    return Fail(Cat("unrecognized token: \"", Shortened(word, 40), "\"", is_open ? " (its quote is never closed)" : ""),
                token.offset);
  }
  if (token.kind == kEnd && token.length == 0) return Fail("incomplete input", token.offset);
  // The slip is at this word, or at the one before that was taken for a name: SELECT a FORM t.
  std::string hint;
  for (size_t back = 0; back < 2 && back <= index && hint.empty(); ++back) {
    const Token& suspect = tokens_[index - back];
    if (suspect.kind != kIdentifier) continue;
    const std::string_view keyword = MisspelledKeyword(TextOf(suspect));
    if (!keyword.empty()) hint = Cat("did you mean ", keyword, "?");
  }
  if (hint.empty() && IsKeyword(token.kind) && ClassOf(token.kind) == KeywordClass::kReserved && index > 0 &&
      (tokens_[index - 1].kind == kDot || tokens_[index - 1].kind == kAs || tokens_[index - 1].kind == kTable)) {
    hint = Cat("a name that is a keyword is written \"", word, "\" with its quotes");
  }
  error_ = SyntaxError(AtPlace(Cat("near \"", Shortened(word, 80), "\": syntax error"), text_, token.offset, hint));
  return false;
}

Statement* StatementParser::ParseWholeStatement() {
  Statement* statement = ParseStatementHere();
  if (statement == nullptr) return nullptr;
  return At(kEnd) || Unexpected() ? statement : nullptr;
}

Expr* StatementParser::ParseWholeExpression() {
  Expr* expr = ParseExpr();
  if (expr == nullptr) return nullptr;
  return (At(kEnd) && Peek().length == 0) || Unexpected() ? expr : nullptr;
}

Statement* StatementParser::ParseStatementHere() {
  switch (Peek().kind) {
    case kSelect:
    case kValues: return ParseSelect();
    case kWith: return ParseWithStatement();
    case kInsert:
    case kReplace: return ParseInsert(nullptr);
    case kUpdate: return ParseUpdate(nullptr);
    case kDelete: return ParseDelete(nullptr);
    case kCreate: return ParseCreate();
    case kDrop: return ParseDrop();
    case kAlter: return ParseAlter();
    case kBegin: return ParseBegin();
    case kCommit:
    case kEndKeyword: return ParseCommit();
    case kRollback: return ParseRollback();
    case kSavepoint: return ParseSavepoint();
    case kRelease: return ParseRelease();
    case kPragma: return ParsePragma();
    case kExplain: return ParseExplain();
    case kAnalyze: return ParseAnalyze();
    case kReindex: return ParseReindex();
    case kVacuum: return ParseVacuum();
    case kAttach: return ParseAttach();
    case kDetach: return ParseDetach();
    default: Unexpected(); return nullptr;
  }
}

List<std::string_view> StatementParser::TakeParameterNames() {
  if (parameter_count_ == 0) return {};
  auto* names = arena_->AllocateArray<std::string_view>(parameter_count_);
  std::fill_n(names, parameter_count_, std::string_view());
  for (const NamedParameter& parameter : named_parameters_) names[parameter.number - 1] = parameter.name;
  return {names, parameter_count_};
}

}  // namespace turdb::sql
