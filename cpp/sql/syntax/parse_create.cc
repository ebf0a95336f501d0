// CREATE INDEX, VIEW, TRIGGER and SCHEMA.
#include "sql/syntax/statement_parser.h"

namespace turdb::sql {

using enum TokenKind;

Statement* StatementParser::ParseCreate() {
  const size_t first = at_;
  Advance();
  if (At(kVirtual)) return ParseCreateVirtualTable(first);
  if (AtWord("SCHEMA")) return ParseCreateSchema(first);
  if (At(kUnique) || At(kIndex)) return ParseCreateIndex(first, Accept(kUnique));
  const bool is_temporary = Accept(kTemp) || Accept(kTemporary);
  switch (Peek().kind) {
    case kTable: return ParseCreateTable(first, is_temporary);
    case kView: return ParseCreateView(first, is_temporary);
    case kTrigger: return ParseCreateTrigger(first, is_temporary);
    default: Unexpected(); return nullptr;
  }
}

bool StatementParser::ParseIfNotExists(bool* if_not_exists) {
  if (!Accept(kIf)) return true;
  *if_not_exists = true;
  return Expect(kNot) && Expect(kExists);
}

// CREATE [UNIQUE] INDEX [IF NOT EXISTS] name ON table [USING method] (columns) [WITH (..)] [WHERE ..]
Statement* StatementParser::ParseCreateIndex(size_t first, bool is_unique) {
  auto* index = New<CreateIndex>();
  index->is_unique = is_unique;
  if (!Expect(kIndex) || !ParseIfNotExists(&index->if_not_exists)) return nullptr;
  if (!ParseQualifiedName(&index->name) || !Expect(kOn) || !ParseName(&index->table)) return nullptr;
  if (Accept(kUsing) && !ParseName(&index->method)) return nullptr;
  if (!Expect(kLeftParen)) return nullptr;
  Items<IndexedColumn> columns;
  do {
    if (!ParseIndexedColumn(&columns.emplace_back(), !index->method.empty())) return nullptr;
  } while (Accept(kComma));
  index->columns = Keep(columns);
  if (!CheckCount(columns.size(), "columns in index") || !Expect(kRightParen)) return nullptr;
  if (Accept(kWith) && !ParseIndexOptions(&index->options)) return nullptr;
  if (Accept(kWhere)) {
    const size_t where = at_;
    if ((index->where = ParseExpr()) == nullptr) return nullptr;
    index->where_text = SliceFrom(where);
  }
  return FinishStatement(index, first);
}

// expr [COLLATE c] [operator_class] [ASC|DESC] [NULLS ..]; a class only after USING.
bool StatementParser::ParseIndexedColumn(IndexedColumn* column, bool may_have_class) {
  const size_t first = at_;
  column->expr = ParseExpr();
  if (column->expr == nullptr) return false;
  column->expr_text = SliceFrom(first);
  const bool has_class = may_have_class && (At(kIdentifier) || At(kQuotedName));
  if (has_class && !ParseName(&column->op_class)) return false;
  return ParseSortOrder(&column->order, &column->nulls);
}

// ( name = value, ... )
bool StatementParser::ParseIndexOptions(List<IndexOption>* options) {
  if (!Expect(kLeftParen)) return false;
  Items<IndexOption> items;
  do {
    IndexOption& option = items.emplace_back();
    if (!ParseName(&option.name) || !Expect(kEqual)) return false;
    if ((option.value = ParseSettingValue()) == nullptr) return false;
  } while (Accept(kComma));
  *options = Keep(items);
  return Expect(kRightParen);
}

Statement* StatementParser::ParseCreateView(size_t first, bool is_temporary) {
  Advance();
  auto* view = New<CreateView>();
  view->is_temporary = is_temporary;
  if (!ParseIfNotExists(&view->if_not_exists) || !ParseQualifiedName(&view->name)) return nullptr;
  if (!ParseOptionalNameList(&view->columns) || !Expect(kAs)) return nullptr;
  const size_t body = at_;
  if ((view->select = ParseSelect()) == nullptr) return nullptr;
  if (locks_rows_ && !FailHere("FOR UPDATE and FOR SHARE are not allowed in a view")) return nullptr;
  view->select_text = SliceFrom(body);
  return FinishStatement(view, first);
}

Statement* StatementParser::ParseCreateTrigger(size_t first, bool is_temporary) {
  Advance();
  auto* trigger = New<CreateTrigger>();
  trigger->is_temporary = is_temporary;
  if (!ParseIfNotExists(&trigger->if_not_exists) || !ParseQualifiedName(&trigger->name)) return nullptr;
  if (!ParseTriggerEvent(trigger) || !Expect(kOn) || !ParseQualifiedName(&trigger->table)) return nullptr;
  if (Accept(kFor)) {
    trigger->is_for_each_row = true;
    if (!Expect(kEach) || !Expect(kRow)) return nullptr;
  }
  if (Accept(kWhen) && (trigger->when = ParseExpr()) == nullptr) return nullptr;
  return ParseTriggerBody(trigger) ? FinishStatement(trigger, first) : nullptr;
}

// [BEFORE | AFTER | INSTEAD OF] DELETE | INSERT | UPDATE [OF columns]
bool StatementParser::ParseTriggerEvent(CreateTrigger* trigger) {
  if (Accept(kBefore)) {
    trigger->time = TriggerTime::kBefore;
  } else if (Accept(kAfter)) {
    trigger->time = TriggerTime::kAfter;
  } else if (Accept(kInstead)) {
    trigger->time = TriggerTime::kInsteadOf;
    if (!Expect(kOf)) return false;
  }
  if (Accept(kDelete)) {
    trigger->event = TriggerEvent::kDelete;
    return true;
  }
  if (Accept(kInsert)) {
    trigger->event = TriggerEvent::kInsert;
    return true;
  }
  trigger->event = TriggerEvent::kUpdate;
  if (!Expect(kUpdate)) return false;
  if (!Accept(kOf)) return true;
  Items<Name> columns;
  do {
    if (!ParseName(&columns.emplace_back())) return false;
  } while (Accept(kComma));
  trigger->update_columns = Keep(columns);
  return true;
}

// BEGIN statement; ... END
bool StatementParser::ParseTriggerBody(CreateTrigger* trigger) {
  if (!Expect(kBegin)) return false;
  Items<Statement*> body;
  do {
    const TokenKind kind = Peek().kind;
    const bool is_allowed = kind == kSelect || kind == kValues || kind == kWith || kind == kInsert ||
                            kind == kReplace || kind == kUpdate || kind == kDelete;
    if (!is_allowed) return Unexpected();
    Statement* statement = ParseStatementHere();
    if (statement == nullptr || !Expect(kSemicolon)) return false;
    body.push_back(statement);
  } while (!Accept(kEndKeyword));
  trigger->body = Keep(body);
  return true;
}

Statement* StatementParser::ParseCreateSchema(size_t first) {
  Advance();
  auto* schema = New<CreateSchema>();
  if (!ParseIfNotExists(&schema->if_not_exists) || !ParseName(&schema->name)) return nullptr;
  return FinishStatement(schema, first);
}

}  // namespace turdb::sql
