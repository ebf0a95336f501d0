// PRAGMA, EXPLAIN, ANALYZE, REINDEX, VACUUM, ATTACH and DETACH.
#include "sql/syntax/statement_parser.h"

namespace turdb::sql {

using enum TokenKind;

// A number with its sign, a string, or a word: ON, OFF, WAL, DELETE, DEFAULT, ...
LiteralExpr* StatementParser::ParseSettingValue() {
  const TokenKind kind = Peek().kind;
  if (kind == kPlus || kind == kMinus || kind == kInteger || kind == kReal) return ParseSignedLiteral();
  if (!CanBeName(kind) && kind != kOn && kind != kDelete && kind != kDefault) {
    Unexpected();
    return nullptr;
  }
  const size_t first = at_;
  const Name name = NameOf(Peek());
  Advance();
  return MakeText(name.text, first);
}

// PRAGMA [schema.]name [= value | (value)]
Statement* StatementParser::ParsePragma() {
  const size_t first = at_;
  Advance();
  auto* pragma = New<Pragma>();
  if (!ParseQualifiedName(&pragma->name)) return nullptr;
  pragma->is_call = At(kLeftParen);
  if (Accept(kEqual) || Accept(kLeftParen)) {
    if ((pragma->value = ParseSettingValue()) == nullptr) return nullptr;
    if (pragma->is_call && !Expect(kRightParen)) return nullptr;
  }
  return FinishStatement(pragma, first);
}

// EXPLAIN [QUERY PLAN | ANALYZE] statement. EXPLAIN ANALYZE alone explains the ANALYZE statement.
Statement* StatementParser::ParseExplain() {
  const size_t first = at_;
  Advance();
  auto* explain = New<Explain>();
  if (Accept(kQuery)) {
    explain->mode = ExplainMode::kQueryPlan;
    if (!Expect(kPlan)) return nullptr;
  } else if (At(kAnalyze)) {
    const TokenKind next = Peek(1).kind;
    const bool is_prefix = next == kSelect || next == kValues || next == kWith || next == kInsert ||
                           next == kReplace || next == kUpdate || next == kDelete || next == kCreate;
    if (is_prefix) {
      explain->mode = ExplainMode::kAnalyze;
      Advance();
    }
  }
  if (At(kExplain)) {
    Unexpected();
    return nullptr;
  }
  explain->statement = ParseStatementHere();
  return explain->statement != nullptr ? FinishStatement(explain, first) : nullptr;
}

Statement* StatementParser::ParseAnalyze() {
  const size_t first = at_;
  Advance();
  auto* analyze = New<Analyze>();
  if (!At(kEnd) && !ParseQualifiedName(&analyze->name)) return nullptr;
  return FinishStatement(analyze, first);
}

Statement* StatementParser::ParseReindex() {
  const size_t first = at_;
  Advance();
  auto* reindex = New<Reindex>();
  if (!At(kEnd) && !ParseQualifiedName(&reindex->name)) return nullptr;
  return FinishStatement(reindex, first);
}

Statement* StatementParser::ParseVacuum() {
  const size_t first = at_;
  Advance();
  auto* vacuum = New<Vacuum>();
  if (!At(kEnd) && !At(kInto) && !ParseQualifiedName(&vacuum->name)) return nullptr;
  if (Accept(kInto) && (vacuum->into = ParseExpr()) == nullptr) return nullptr;
  return FinishStatement(vacuum, first);
}

Statement* StatementParser::ParseAttach() {
  const size_t first = at_;
  Advance();
  Accept(kDatabase);
  auto* attach = New<Attach>();
  if ((attach->file = ParseExpr()) == nullptr || !Expect(kAs)) return nullptr;
  if ((attach->schema = ParseExpr()) == nullptr) return nullptr;
  if (Accept(kKey) && (attach->key = ParseExpr()) == nullptr) return nullptr;
  return FinishStatement(attach, first);
}

Statement* StatementParser::ParseDetach() {
  const size_t first = at_;
  Advance();
  Accept(kDatabase);
  auto* detach = New<Detach>();
  if ((detach->schema = ParseExpr()) == nullptr) return nullptr;
  return FinishStatement(detach, first);
}

}  // namespace turdb::sql
