// FOR UPDATE and FOR SHARE at the end of a SELECT. Their words stay names wherever no such clause can begin.
#include "sql/syntax/statement_parser.h"

namespace turdb::sql {

using enum TokenKind;

bool StatementParser::AtLockingClause() const { return At(kFor) && (NextIs(kUpdate) || IsWord(Peek(1), "SHARE")); }

bool StatementParser::ParseLocking(List<LockingClause>* clauses) {
  if (!AtLockingClause()) return true;
  Items<LockingClause> items;
  while (AtLockingClause()) {
    if (!ParseLockingClause(&items.emplace_back())) return false;
  }
  *clauses = Keep(items);
  locks_rows_ = true;
  return true;
}

bool StatementParser::ParseLockingClause(LockingClause* clause) {
  const size_t first = at_;
  Advance();
  clause->strength = At(kUpdate) ? RowLockStrength::kUpdate : RowLockStrength::kShare;
  Advance();
  if (Accept(kOf)) {
    Items<Name> tables;
    do {
      if (!ParseName(&tables.emplace_back())) return false;
    } while (Accept(kComma));
    clause->tables = Keep(tables);
  }
  if (AcceptWord("NOWAIT")) {
    clause->wait = RowLockWait::kNoWait;
  } else if (AcceptWord("SKIP")) {
    if (!ExpectWord("LOCKED")) return false;
    clause->wait = RowLockWait::kSkipLocked;
  }
  clause->pos = PosFrom(first);
  return true;
}

}  // namespace turdb::sql
