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
  const TokenKind kind = Peek().kind;
  if (kind == kDeferrable || (kind == kNot && NextIs(kDeferrable))) return ParseDeferrable(constraints);
  if (kind == kReferences) {
    made.type = ConstraintType::kReferences;
    if ((made.foreign_key = ParseReferences()) == nullptr) return false;
  } else if (kind == kGenerated || kind == kAs) {
    if (!ParseGenerated(&made)) return false;
  } else if (kind == kDefault) {
    if (!ParseDefault(&made)) return false;
  } else {
    Advance();
    switch (kind) {
      case kNull:
        made.type = ConstraintType::kNull;
        if (!ParseOnConflict(&made.on_conflict)) return false;
        break;
      case kNot:
        made.type = ConstraintType::kNotNull;
        if (!Expect(kNull) || !ParseOnConflict(&made.on_conflict)) return false;
        break;
      case kPrimary:
        made.type = ConstraintType::kPrimaryKey;
        if (!Expect(kKey)) return false;
        if (At(kAsc) || At(kDesc)) {
          made.order = At(kAsc) ? SortOrder::kAscending : SortOrder::kDescending;
          Advance();
        }
        if (!ParseOnConflict(&made.on_conflict)) return false;
        made.is_autoincrement = Accept(kAutoincrement);
        break;
      case kUnique:
        made.type = ConstraintType::kUnique;
        if (!ParseOnConflict(&made.on_conflict)) return false;
        break;
      case kCheck:
        made.type = ConstraintType::kCheck;
        if (!ParseParenthesizedText(&made.expr, &made.expr_text)) return false;
        break;
      case kCollate:
        made.type = ConstraintType::kCollate;
        if (!ParseName(&made.collation)) return false;
        break;
      default: return UnexpectedAt(at_ - 1);
    }
  }
  made.pos = PosFrom(first);
  constraints->push_back(made);
  return true;
}

// DEFAULT literal | [+|-] literal | name (taken as text) | ( expr )
bool StatementParser::ParseDefault(Constraint* constraint) {
  Advance();
  constraint->type = ConstraintType::kDefault;
  if (At(kLeftParen)) return ParseParenthesizedText(&constraint->expr, &constraint->expr_text);
  const size_t first = at_;
  const TokenKind kind = Peek().kind;
  if (kind == kPlus || kind == kMinus) {
    Advance();
    LiteralExpr* literal = ParseLiteral();
    if (literal == nullptr) return false;
    at_ = first;  // once more as an expression of sign and operand
    constraint->expr = ParseUnary(kind == kPlus ? UnaryOp::kPlus : UnaryOp::kMinus);
    if (constraint->expr == nullptr) return false;
  } else if (kind != kString && kind != kCurrentDate && kind != kCurrentTime && kind != kCurrentTimestamp &&
             CanBeName(kind)) {
    const bool is_boolean = AtWord("TRUE") || AtWord("FALSE");
    const Name name = NameOf(Peek());
    if (is_boolean) {
      constraint->expr = ParseNameOperand();
    } else {
      Advance();
      constraint->expr = MakeText(name.text, first);
    }
  } else {
    constraint->expr = ParseLiteral();
    if (constraint->expr == nullptr) return false;
  }
  constraint->expr_text = SliceFrom(first);
  return true;
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
