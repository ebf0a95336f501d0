// INSERT, REPLACE, UPDATE and DELETE, with or without WITH.
#include "sql/syntax/statement_parser.h"

namespace turdb::sql {

using enum TokenKind;

Statement* StatementParser::ParseWithStatement() {
  const size_t first = at_;
  WithClause* with = ParseWith();
  if (with == nullptr) return nullptr;
  Statement* statement = nullptr;
  switch (Peek().kind) {
    case kInsert:
    case kReplace: statement = ParseInsert(with); break;
    case kUpdate: statement = ParseUpdate(with); break;
    case kDelete: statement = ParseDelete(with); break;
    default: {
      auto* select = New<Select>();
      select->with = with;
      if (!ParseSelectBody(select)) return nullptr;
      select->height = height_;
      statement = select;
    }
  }
  return statement == nullptr ? nullptr : FinishStatement(statement, first);
}

bool StatementParser::ParseConflictAction(ConflictAction* action) {
  switch (Peek().kind) {
    case kRollback: *action = ConflictAction::kRollback; break;
    case kAbort: *action = ConflictAction::kAbort; break;
    case kFail: *action = ConflictAction::kFail; break;
    case kIgnore: *action = ConflictAction::kIgnore; break;
    case kReplace: *action = ConflictAction::kReplace; break;
    default: return Unexpected();
  }
  Advance();
  return true;
}

bool StatementParser::ParseOrAction(ConflictAction* action) {
  return !Accept(kOr) || ParseConflictAction(action);
}

bool StatementParser::ParseOnConflict(ConflictAction* action) {
  return !Accept(kOn) || (Expect(kConflict) && ParseConflictAction(action));
}

Statement* StatementParser::ParseInsert(WithClause* with) {
  const size_t first = at_;
  auto* insert = New<Insert>();
  insert->with = with;
  if (Accept(kReplace)) {
    insert->on_conflict = ConflictAction::kReplace;
  } else {
    Advance();
    if (!ParseOrAction(&insert->on_conflict)) return nullptr;
  }
  if (!Expect(kInto) || !ParseQualifiedName(&insert->table)) return nullptr;
  if (Accept(kAs) && !ParseName(&insert->alias)) return nullptr;
  if (!ParseOptionalNameList(&insert->columns)) return nullptr;
  if (Accept(kDefault)) {
    insert->has_default_values = true;
    if (!Expect(kValues)) return nullptr;
  } else {
    if (!AtSelect() && !Unexpected()) return nullptr;
    insert->source = ParseSelect();
    if (insert->source == nullptr || !ParseUpserts(insert)) return nullptr;
  }
  return ParseReturning(&insert->returning) ? FinishStatement(insert, first) : nullptr;
}

// Only the last ON CONFLICT may leave out its target.
bool StatementParser::ParseUpserts(Insert* insert) {
  Items<Upsert> upserts;
  while (At(kOn)) {
    if (!upserts.empty() && upserts.back().target.empty()) return Unexpected();
    if (!ParseUpsert(&upserts.emplace_back())) return false;
  }
  insert->upserts = Keep(upserts);
  return true;
}

bool StatementParser::ParseUpsert(Upsert* upsert) {
  const size_t first = at_;
  Advance();
  if (!Expect(kConflict)) return false;
  if (Accept(kLeftParen)) {
    if (!ParseOrderingTerms(&upsert->target) || !Expect(kRightParen)) return false;
    if (!ParseOptionalWhere(&upsert->target_where)) return false;
  }
  if (!Expect(kDo)) return false;
  if (!Accept(kNothing)) {
    upsert->is_update = true;
    if (!Expect(kUpdate) || !Expect(kSet) || !ParseAssignments(&upsert->assignments)) return false;
    if (!ParseOptionalWhere(&upsert->where)) return false;
  }
  upsert->pos = PosFrom(first);
  return true;
}

// [schema.]table [AS alias] [INDEXED BY i | NOT INDEXED]: here an alias needs its AS.
NamedTableRef* StatementParser::ParseModifiedTable() {
  const size_t first = at_;
  auto* table = New<NamedTableRef>();
  if (!ParseQualifiedName(&table->name)) return nullptr;
  if (Accept(kAs) && !ParseName(&table->alias)) return nullptr;
  if (!ParseIndexedBy(table)) return nullptr;
  table->pos = PosFrom(first);
  return table;
}

Statement* StatementParser::ParseUpdate(WithClause* with) {
  const size_t first = at_;
  Advance();
  auto* update = New<Update>();
  update->with = with;
  if (!ParseOrAction(&update->on_conflict)) return nullptr;
  if ((update->table = ParseModifiedTable()) == nullptr) return nullptr;
  if (!Expect(kSet) || !ParseAssignments(&update->assignments)) return nullptr;
  if (Accept(kFrom) && (update->from = ParseFrom()) == nullptr) return nullptr;
  if (!ParseOptionalWhere(&update->where) || !ParseReturning(&update->returning)) return nullptr;
  if (!ParseOrderBy(&update->order_by) || !ParseLimit(&update->limit, &update->offset)) return nullptr;
  if (update->returning.empty() && !ParseReturning(&update->returning)) return nullptr;
  return FinishStatement(update, first);
}

Statement* StatementParser::ParseDelete(WithClause* with) {
  const size_t first = at_;
  Advance();
  auto* statement = New<Delete>();
  statement->with = with;
  if (!Expect(kFrom) || (statement->table = ParseModifiedTable()) == nullptr) return nullptr;
  if (!ParseOptionalWhere(&statement->where) || !ParseReturning(&statement->returning)) return nullptr;
  if (!ParseOrderBy(&statement->order_by)) return nullptr;
  if (!ParseLimit(&statement->limit, &statement->offset)) return nullptr;
  if (statement->returning.empty() && !ParseReturning(&statement->returning)) return nullptr;
  return FinishStatement(statement, first);
}

bool StatementParser::ParseAssignments(List<Assignment>* assignments) {
  Items<Assignment> items;
  do {
    if (!ParseAssignment(&items.emplace_back())) return false;
  } while (Accept(kComma));
  *assignments = Keep(items);
  return CheckCount(items.size(), "columns in set list");
}

// a = expr | (a, b) = expr
bool StatementParser::ParseAssignment(Assignment* assignment) {
  if (At(kLeftParen)) {
    assignment->is_row = true;
    if (!ParseNameList(&assignment->columns)) return false;
  } else {
    Items<Name> column(1);
    if (!ParseName(&column[0])) return false;
    assignment->columns = Keep(column);
  }
  return Expect(kEqual) && (assignment->value = ParseExpr()) != nullptr;
}

bool StatementParser::ParseReturning(List<ResultColumn>* columns) {
  return !Accept(kReturning) || ParseResultColumns(columns);
}

}  // namespace turdb::sql
