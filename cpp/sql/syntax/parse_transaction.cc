// BEGIN, COMMIT, ROLLBACK and savepoints.
#include "sql/syntax/statement_parser.h"

namespace turdb::sql {

using enum TokenKind;

// BEGIN [DEFERRED | IMMEDIATE | EXCLUSIVE | CONCURRENT] [TRANSACTION [name]] [ISOLATION LEVEL level]
Statement* StatementParser::ParseBegin() {
  const size_t first = at_;
  Advance();
  auto* begin = New<Begin>();
  if (Accept(kDeferred)) {
    begin->mode = BeginMode::kDeferred;
  } else if (Accept(kImmediate)) {
    begin->mode = BeginMode::kImmediate;
  } else if (Accept(kExclusive)) {
    begin->mode = BeginMode::kExclusive;
  } else if (AcceptWord("CONCURRENT")) {
    begin->mode = BeginMode::kConcurrent;
  }
  if (!ParseTransactionWord()) return nullptr;
  if (AcceptWord("ISOLATION") && !ParseIsolation(begin)) return nullptr;
  return FinishStatement(begin, first);
}

// [TRANSACTION [name]]; the name means nothing.
bool StatementParser::ParseTransactionWord() {
  if (!Accept(kTransaction)) return true;
  if (AtWord("ISOLATION") && IsWord(Peek(1), "LEVEL")) return true;
  Name ignored;
  return !CanBeName(Peek().kind) || ParseName(&ignored);
}

bool StatementParser::ParseIsolation(Begin* begin) {
  if (!ExpectWord("LEVEL")) return false;
  if (AcceptWord("READ")) {
    const bool is_committed = AtWord("COMMITTED");
    begin->isolation = is_committed ? Isolation::kReadCommitted : Isolation::kReadUncommitted;
    return AcceptWord("COMMITTED") || ExpectWord("UNCOMMITTED");
  }
  if (AcceptWord("SERIALIZABLE")) {
    begin->isolation = Isolation::kSerializable;
    return true;
  }
  begin->isolation = Isolation::kSnapshot;
  if (AcceptWord("REPEATABLE")) return ExpectWord("READ");
  return ExpectWord("SNAPSHOT");
}

Statement* StatementParser::ParseCommit() {
  const size_t first = at_;
  Advance();
  return ParseTransactionWord() ? FinishStatement(New<Commit>(), first) : nullptr;
}

// ROLLBACK [TRANSACTION [name]] [TO [SAVEPOINT] name]
Statement* StatementParser::ParseRollback() {
  const size_t first = at_;
  Advance();
  auto* rollback = New<Rollback>();
  if (!ParseTransactionWord()) return nullptr;
  if (Accept(kTo)) {
    Accept(kSavepoint);
    if (!ParseName(&rollback->savepoint)) return nullptr;
  }
  return FinishStatement(rollback, first);
}

Statement* StatementParser::ParseSavepoint() {
  const size_t first = at_;
  Advance();
  auto* savepoint = New<Savepoint>();
  return ParseName(&savepoint->name) ? FinishStatement(savepoint, first) : nullptr;
}

Statement* StatementParser::ParseRelease() {
  const size_t first = at_;
  Advance();
  Accept(kSavepoint);
  auto* release = New<Release>();
  return ParseName(&release->name) ? FinishStatement(release, first) : nullptr;
}

}  // namespace turdb::sql
