// Constraints of columns and of tables.
#include "base/strings.h"
#include "sql/syntax/statement_parser.h"

namespace turdb::sql {

using enum TokenKind;

// ( expr ): the tree and the text between the parentheses.
bool StatementParser::ParseParenthesizedText(Expr** expr, std::string_view* text) {
  if (!Expect(kLeftParen)) return false;
  const size_t first = at_;
  *expr = ParseExpr();
  if (*expr == nullptr) return false;
  *text = SliceFrom(first);
  return Expect(kRightParen);
}

// One constraint of a column. A trailing CONSTRAINT name that names nothing is passed over, as in SQLite.
bool StatementParser::ParseColumnConstraint(Items<Constraint>* constraints) {
  const size_t first = at_;
  Constraint made;
  if (Accept(kConstraint)) {
    if (!ParseName(&made.name)) return false;
    if (At(kComma) || At(kRightParen) || At(kConstraint)) return true;
  }
  if (At(kDeferrable) || (At(kNot) && NextIs(kDeferrable))) return ParseDeferrable(constraints);
  if (!ParseColumnConstraintBody(&made)) return false;
  made.pos = PosFrom(first);
  constraints->push_back(made);
  return true;
}

bool StatementParser::ParseColumnConstraintBody(Constraint* made) {
  switch (Peek().kind) {
    case kReferences:
      made->type = ConstraintType::kReferences;
      return (made->foreign_key = ParseReferences()) != nullptr;
    case kGenerated:
    case kAs: return ParseGenerated(made);
    case kDefault: return ParseDefault(made);
    case kPrimary: return ParseColumnPrimaryKey(made);
    case kNull:
      Advance();
      made->type = ConstraintType::kNull;
      return ParseOnConflict(&made->on_conflict);
    case kNot:
      Advance();
      made->type = ConstraintType::kNotNull;
      return Expect(kNull) && ParseOnConflict(&made->on_conflict);
    case kUnique:
      Advance();
      made->type = ConstraintType::kUnique;
      return ParseOnConflict(&made->on_conflict);
    case kCheck:
      Advance();
      made->type = ConstraintType::kCheck;
      return ParseParenthesizedText(&made->expr, &made->expr_text);
    case kCollate:
      Advance();
      made->type = ConstraintType::kCollate;
      return ParseName(&made->collation);
    default: return Unexpected();
  }
}

// PRIMARY KEY [ASC|DESC] [ON CONFLICT ..] [AUTOINCREMENT]
bool StatementParser::ParseColumnPrimaryKey(Constraint* made) {
  Advance();
  made->type = ConstraintType::kPrimaryKey;
  if (!Expect(kKey)) return false;
  if (Accept(kAsc)) {
    made->order = SortOrder::kAscending;
  } else if (Accept(kDesc)) {
    made->order = SortOrder::kDescending;
  }
  if (!ParseOnConflict(&made->on_conflict)) return false;
  made->is_autoincrement = Accept(kAutoincrement);
  return true;
}

// DEFAULT literal | [+|-] literal | name (taken as text) | ( expr )
bool StatementParser::ParseDefault(Constraint* constraint) {
  Advance();
  constraint->type = ConstraintType::kDefault;
  if (At(kLeftParen)) return ParseParenthesizedText(&constraint->expr, &constraint->expr_text);
  const size_t first = at_;
  constraint->expr = ParseDefaultValue();
  if (constraint->expr == nullptr) return false;
  constraint->expr_text = SliceFrom(first);
  return true;
}

Expr* StatementParser::ParseDefaultValue() {
  const size_t first = at_;
  const TokenKind kind = Peek().kind;
  if (kind == kPlus || kind == kMinus) {
    Advance();
    if (ParseLiteral() == nullptr) return nullptr;  // only a literal may follow the sign
    at_ = first;
    return ParseUnary(kind == kPlus ? UnaryOp::kPlus : UnaryOp::kMinus);
  }
  const bool is_time = kind == kCurrentDate || kind == kCurrentTime || kind == kCurrentTimestamp;
  if (kind == kString || is_time || !CanBeName(kind)) return ParseLiteral();
  if (AtWord("TRUE") || AtWord("FALSE")) return ParseNameOperand();
  const Name name = NameOf(Peek());
  Advance();
  return MakeText(name.text, first);
}

// [GENERATED ALWAYS] AS ( expr ) [STORED | VIRTUAL]
bool StatementParser::ParseGenerated(Constraint* constraint) {
  constraint->type = ConstraintType::kGenerated;
  if (Accept(kGenerated) && !Expect(kAlways)) return false;
  if (!Expect(kAs) || !ParseParenthesizedText(&constraint->expr, &constraint->expr_text)) return false;
  if (Accept(kVirtual)) return true;
  constraint->is_stored = AcceptWord("STORED");
  return true;
}

ForeignKeyClause* StatementParser::ParseReferences() {
  Advance();
  auto* key = New<ForeignKeyClause>();
  if (!ParseName(&key->table) || !ParseOptionalNameList(&key->columns)) return nullptr;
  while (At(kOn) || At(kMatch)) {
    if (Accept(kMatch)) {
      if (!ParseName(&key->match)) return nullptr;
      continue;
    }
    Advance();
    ForeignKeyAction action = ForeignKeyAction::kNoAction;
    const bool is_delete = At(kDelete);
    const bool is_insert = At(kInsert);  // SQLite takes ON INSERT and means nothing by it
    if (!is_delete && !is_insert && !At(kUpdate) && !Unexpected()) return nullptr;
    Advance();
    if (!ParseForeignKeyAction(&action)) return nullptr;
    if (!is_insert) (is_delete ? key->on_delete : key->on_update) = action;
  }
  return key;
}

bool StatementParser::ParseForeignKeyAction(ForeignKeyAction* action) {
  if (Accept(kSet)) {
    *action = At(kNull) ? ForeignKeyAction::kSetNull : ForeignKeyAction::kSetDefault;
    return Accept(kNull) || Expect(kDefault);
  }
  if (Accept(kNo)) {
    *action = ForeignKeyAction::kNoAction;
    return Expect(kAction);
  }
  *action = At(kCascade) ? ForeignKeyAction::kCascade : ForeignKeyAction::kRestrict;
  return Accept(kCascade) || Expect(kRestrict);
}

// [NOT] DEFERRABLE [INITIALLY DEFERRED | IMMEDIATE]
bool StatementParser::ParseDeferrable(ForeignKeyClause* key) {
  key->is_deferrable = !Accept(kNot);
  if (!Expect(kDeferrable)) return false;
  if (!Accept(kInitially)) return true;
  key->is_initially_deferred = At(kDeferred) && key->is_deferrable;
  return Accept(kDeferred) || Expect(kImmediate);
}

// Of a column it belongs to the last REFERENCES before it.
bool StatementParser::ParseDeferrable(Items<Constraint>* constraints) {
  ForeignKeyClause unowned;
  ForeignKeyClause* key = &unowned;
  for (Constraint& constraint : *constraints) {
    if (constraint.foreign_key != nullptr) key = constraint.foreign_key;
  }
  return ParseDeferrable(key);
}

bool StatementParser::AtTableConstraint() const {
  return At(kConstraint) || At(kPrimary) || At(kUnique) || At(kCheck) || At(kForeign);
}

// Commas between them are optional, as in SQLite.
bool StatementParser::ParseTableConstraints(Items<Constraint>* constraints) {
  do {
    if (!AtTableConstraint()) return Unexpected();
    Constraint made;
    const size_t first = at_;
    if (Accept(kConstraint)) {
      if (!ParseName(&made.name)) return false;
      if (At(kComma) || At(kRightParen) || At(kConstraint)) continue;
    }
    if (!ParseTableConstraint(&made)) return false;
    made.pos = PosFrom(first);
    constraints->push_back(made);
  } while (Accept(kComma) || AtTableConstraint());
  return true;
}

bool StatementParser::ParseTableConstraint(Constraint* made) {
  const TokenKind kind = Peek().kind;
  if (kind == kCheck) {
    Advance();
    made->type = ConstraintType::kCheck;
    return ParseParenthesizedText(&made->expr, &made->expr_text) && ParseOnConflict(&made->on_conflict);
  }
  if (kind == kForeign) {
    Advance();
    made->type = ConstraintType::kForeignKey;
    if (!Expect(kKey) || !ParseNameList(&made->key_columns)) return false;
    if (!At(kReferences)) return Unexpected();
    if ((made->foreign_key = ParseReferences()) == nullptr) return false;
    const bool has_timing = At(kDeferrable) || (At(kNot) && NextIs(kDeferrable));
    return !has_timing || ParseDeferrable(made->foreign_key);
  }
  if (kind != kPrimary && kind != kUnique) return Unexpected();
  Advance();
  made->type = kind == kPrimary ? ConstraintType::kPrimaryKey : ConstraintType::kUnique;
  if (kind == kPrimary && !Expect(kKey)) return false;
  if (!Expect(kLeftParen) || !ParseOrderingTerms(&made->columns)) return false;
  if (kind == kPrimary) made->is_autoincrement = Accept(kAutoincrement);
  return Expect(kRightParen) && ParseOnConflict(&made->on_conflict);
}

}  // namespace turdb::sql
