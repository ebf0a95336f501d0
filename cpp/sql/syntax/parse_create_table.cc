// CREATE TABLE and CREATE VIRTUAL TABLE.
#include "base/strings.h"
#include "sql/syntax/statement_parser.h"

namespace turdb::sql {

using enum TokenKind;

Statement* StatementParser::ParseCreateTable(size_t first, bool is_temporary) {
  Advance();
  auto* table = New<CreateTable>();
  table->is_temporary = is_temporary;
  if (!ParseIfNotExists(&table->if_not_exists) || !ParseQualifiedName(&table->name)) return nullptr;
  if (Accept(kAs)) {
    table->as_select = ParseSelect();
    return table->as_select != nullptr ? FinishStatement(table, first) : nullptr;
  }
  return ParseTableBody(table) && ParseTableOptions(table) ? FinishStatement(table, first) : nullptr;
}

// ( columns [, constraints] )
bool StatementParser::ParseTableBody(CreateTable* table) {
  if (!Expect(kLeftParen)) return false;
  Items<ColumnDef> columns;
  do {
    if (!columns.empty() && AtTableConstraint()) break;
    if (!ParseColumnDef(&columns.emplace_back())) return false;
  } while (Accept(kComma));
  table->columns = Keep(columns);
  if (!CheckCount(columns.size(), Cat("columns on ", table->name.name.text))) return false;
  Items<Constraint> constraints;
  if (AtTableConstraint() && !ParseTableConstraints(&constraints)) return false;
  table->constraints = Keep(constraints);
  return Expect(kRightParen);
}

// [WITHOUT ROWID | STRICT] , ...
bool StatementParser::ParseTableOptions(CreateTable* table) {
  if (At(kEnd)) return true;
  Accept(kComma);  // SQLite takes one before the first, too
  do {
    const size_t first = at_;
    const bool is_without = Accept(kWithout);
    Name option;
    if (!ParseName(&option)) return false;
    if (is_without && EqualsIgnoreCase(option.text, "rowid")) {
      table->is_without_rowid = true;
    } else if (!is_without && EqualsIgnoreCase(option.text, "strict")) {
      table->is_strict = true;
    } else {
      return Fail(Cat("unknown table option: ", option.text), tokens_[first].offset);
    }
  } while (Accept(kComma));
  return true;
}

bool StatementParser::ParseColumnDef(ColumnDef* column) {
  const size_t first = at_;
  if (!ParseName(&column->name) || !ParseTypeName(&column->type)) return false;
  Items<Constraint> constraints;
  while (!At(kComma) && !At(kRightParen) && !At(kEnd)) {
    if (!ParseColumnConstraint(&constraints)) return false;
  }
  column->constraints = Keep(constraints);
  column->pos = PosFrom(first);
  return true;
}

Statement* StatementParser::ParseCreateVirtualTable(size_t first) {
  Advance();
  auto* table = New<CreateVirtualTable>();
  if (!Expect(kTable) || !ParseIfNotExists(&table->if_not_exists)) return nullptr;
  if (!ParseQualifiedName(&table->name) || !Expect(kUsing) || !ParseName(&table->module)) return nullptr;
  if (At(kLeftParen) && !ParseModuleArguments(table)) return nullptr;
  return FinishStatement(table, first);
}

// Arguments are the module's own language: texts between commas, parentheses balanced.
bool StatementParser::ParseModuleArguments(CreateVirtualTable* table) {
  Advance();
  Items<std::string_view> arguments;
  size_t argument = at_;
  for (int depth = 0; depth >= 0; Advance()) {
    if (At(kEnd) || At(kIllegal)) return Unexpected();
    if (At(kLeftParen)) ++depth;
    if (At(kRightParen)) --depth;
    if (depth > 0 || (!At(kComma) && depth == 0)) continue;
    if (at_ > argument || !arguments.empty() || At(kComma)) arguments.push_back(SliceFrom(argument));
    argument = at_ + 1;
  }
  table->arguments = Keep(arguments);
  return true;
}

}  // namespace turdb::sql
