// FROM: tables, table-valued functions, subqueries and joins.
#include <algorithm>

#include "base/strings.h"
#include "sql/syntax/statement_parser.h"

namespace turdb::sql {

using enum TokenKind;

namespace {

constexpr unsigned kInnerBit = 1;
constexpr unsigned kCrossBit = 2;
constexpr unsigned kNaturalBit = 4;
constexpr unsigned kLeftBit = 8;
constexpr unsigned kRightBit = 16;
constexpr unsigned kOuterBit = 32;

unsigned JoinWordBits(TokenKind kind) {
  switch (kind) {
    case TokenKind::kNatural: return kNaturalBit;
    case TokenKind::kLeft: return kLeftBit | kOuterBit;
    case TokenKind::kRight: return kRightBit | kOuterBit;
    case TokenKind::kFull: return kLeftBit | kRightBit | kOuterBit;
    case TokenKind::kOuter: return kOuterBit;
    case TokenKind::kInner: return kInnerBit;
    case TokenKind::kCross: return kInnerBit | kCrossBit;
    default: return 0;
  }
}

JoinKind JoinKindOf(unsigned bits) {
  if ((bits & kLeftBit) != 0) return (bits & kRightBit) != 0 ? JoinKind::kFull : JoinKind::kLeft;
  if ((bits & kRightBit) != 0) return JoinKind::kRight;
  return (bits & kCrossBit) != 0 ? JoinKind::kCross : JoinKind::kInner;
}

// At the operator of a join, as opposed to an end of the FROM clause.
bool IsJoinStart(TokenKind kind) {
  return kind == TokenKind::kComma || kind == TokenKind::kJoin || JoinWordBits(kind) != 0;
}

}  // namespace

// Operands joined from the left; FROM itself, or a parenthesis, has been passed.
TableRef* StatementParser::ParseFrom() {
  const Nesting nesting(this);
  if (!nesting) return nullptr;
  const size_t first = at_;
  TableRef* left = ParseTableRef();
  if (left == nullptr) return nullptr;
  if (At(kOn) || At(kUsing)) {
    const bool is_upsert = At(kOn) && NextIs(kConflict);  // INSERT .. SELECT .. ON CONFLICT is ambiguous
    FailHere(Cat("a JOIN clause is required before ", At(kOn) ? "ON" : "USING",
                 is_upsert ? " (write WHERE true before ON CONFLICT)" : ""));
    return nullptr;
  }
  for (int joins = 1; IsJoinStart(Peek().kind); ++joins) {
    if (joins >= kMaxExprDepth && !FailDepth()) return nullptr;
    left = ParseJoin(left, first);
    if (left == nullptr) return nullptr;
  }
  return left;
}

JoinTableRef* StatementParser::ParseJoin(TableRef* left, size_t first) {
  auto* join = New<JoinTableRef>();
  join->left = left;
  if (!ParseJoinOperator(join)) return nullptr;
  join->right = ParseTableRef();
  if (join->right == nullptr || !ParseJoinCondition(join)) return nullptr;
  join->pos = PosFrom(first);
  return join;
}

// A comma, or up to three words and JOIN; SQLite takes the words in any order.
bool StatementParser::ParseJoinOperator(JoinTableRef* join) {
  if (Accept(kComma)) {
    join->join = JoinKind::kComma;
    return true;
  }
  const size_t first = at_;
  unsigned bits = 0;
  bool is_known = true;
  for (; at_ - first < 3 && CanBeName(Peek().kind); Advance()) {
    const unsigned word_bits = JoinWordBits(Peek().kind);
    is_known = is_known && word_bits != 0;
    bits |= word_bits;
  }
  const std::string_view words = SliceFrom(first);
  if (!Expect(kJoin)) return false;
  const bool is_mixed = (bits & kInnerBit) != 0 && (bits & kOuterBit) != 0;
  const bool is_bare_outer = (bits & kOuterBit) != 0 && (bits & (kLeftBit | kRightBit)) == 0;
  if (!is_known || is_mixed || is_bare_outer) {
    return Fail(Cat("unknown join type: ", words), tokens_[first].offset);
  }
  join->join = JoinKindOf(bits);
  join->is_natural = (bits & kNaturalBit) != 0;
  return true;
}

bool StatementParser::ParseJoinCondition(JoinTableRef* join) {
  const uint32_t place = Peek().offset;
  if (Accept(kOn)) {
    join->on = ParseExpr();
    if (join->on == nullptr) return false;
  } else if (Accept(kUsing)) {
    if (!ParseNameList(&join->using_columns)) return false;
  } else {
    return true;
  }
  return !join->is_natural || Fail("a NATURAL join may not have an ON or USING clause", place);
}

TableRef* StatementParser::ParseTableRef() {
  const size_t first = at_;
  if (At(kLeftParen)) return ParseParenthesizedTableRef();
  QualifiedName name;
  if (!ParseQualifiedName(&name)) return nullptr;
  if (!Accept(kLeftParen)) return ParseNamedTable(name, first);
  auto* function = New<FunctionTableRef>();
  function->name = name;
  if (!At(kRightParen) && !ParseExprList(&function->arguments)) return nullptr;
  if (!Expect(kRightParen) || !ParseAlias(&function->alias)) return nullptr;
  function->pos = PosFrom(first);
  return function;
}

NamedTableRef* StatementParser::ParseNamedTable(const QualifiedName& name, size_t first) {
  auto* table = New<NamedTableRef>();
  table->name = name;
  if (!ParseAlias(&table->alias) || !ParseIndexedBy(table)) return nullptr;
  table->pos = PosFrom(first);
  return table;
}

// INDEXED BY index | NOT INDEXED, or nothing
bool StatementParser::ParseIndexedBy(NamedTableRef* table) {
  if (At(kIndexed)) {
    Advance();
    return Expect(kBy) && ParseName(&table->indexed_by);
  }
  if (!At(kNot)) return true;
  Advance();
  table->is_not_indexed = true;
  return Expect(kIndexed);
}

// (select) [alias], or a FROM clause in parentheses
TableRef* StatementParser::ParseParenthesizedTableRef() {
  const size_t first = at_;
  Advance();
  if (AtSelect()) {
    auto* subquery = New<SubqueryTableRef>();
    subquery->select = ParseSelect();
    if (subquery->select == nullptr || !Expect(kRightParen)) return nullptr;
    if (!ParseAlias(&subquery->alias)) return nullptr;
    subquery->pos = PosFrom(first);
    return subquery;
  }
  TableRef* inner = ParseFrom();
  if (inner == nullptr || !Expect(kRightParen)) return nullptr;
  if (inner->kind == TableRefKind::kJoin) static_cast<JoinTableRef*>(inner)->is_parenthesized = true;
  Name alias;
  if (!ParseAlias(&alias)) return nullptr;
  if (!alias.empty()) inner->alias = alias;
  return inner;
}

}  // namespace turdb::sql
