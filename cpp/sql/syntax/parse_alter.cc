// DROP and ALTER TABLE.
#include "sql/syntax/statement_parser.h"

namespace turdb::sql {

using enum TokenKind;

Statement* StatementParser::ParseDrop() {
  const size_t first = at_;
  Advance();
  auto* drop = New<Drop>();
  if (AcceptWord("SCHEMA")) {
    drop->object = ObjectType::kSchema;
  } else {
    switch (Peek().kind) {
      case kTable: drop->object = ObjectType::kTable; break;
      case kIndex: drop->object = ObjectType::kIndex; break;
      case kView: drop->object = ObjectType::kView; break;
      case kTrigger: drop->object = ObjectType::kTrigger; break;
      default: Unexpected(); return nullptr;
    }
    Advance();
  }
  if (Accept(kIf)) {
    drop->if_exists = true;
    if (!Expect(kExists)) return nullptr;
  }
  if (drop->object != ObjectType::kSchema) {
    return ParseQualifiedName(&drop->name) ? FinishStatement(drop, first) : nullptr;
  }
  const size_t name = at_;
  if (!ParseName(&drop->name.name)) return nullptr;
  drop->name.pos = PosFrom(name);
  drop->is_cascade = Accept(kCascade);
  if (!drop->is_cascade) Accept(kRestrict);
  return FinishStatement(drop, first);
}

Statement* StatementParser::ParseAlter() {
  const size_t first = at_;
  Advance();
  auto* alter = New<AlterTable>();
  if (!Expect(kTable) || !ParseQualifiedName(&alter->table)) return nullptr;
  return ParseAlterAction(alter) ? FinishStatement(alter, first) : nullptr;
}

bool StatementParser::ParseAlterAction(AlterTable* alter) {
  if (Accept(kRename)) {
    if (Accept(kTo)) {
      alter->action = AlterAction::kRenameTable;
      return ParseName(&alter->new_name);
    }
    alter->action = AlterAction::kRenameColumn;
    Accept(kColumn);
    return ParseName(&alter->column) && Expect(kTo) && ParseName(&alter->new_name);
  }
  if (Accept(kAdd)) {
    alter->action = AlterAction::kAddColumn;
    Accept(kColumn);
    alter->column_def = New<ColumnDef>();
    return ParseColumnDef(alter->column_def);
  }
  alter->action = AlterAction::kDropColumn;
  if (!Expect(kDrop)) return false;
  Accept(kColumn);
  return ParseName(&alter->column);
}

}  // namespace turdb::sql
