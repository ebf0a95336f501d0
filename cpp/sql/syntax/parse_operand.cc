// What operators stand between: literals, names, parameters, calls, parentheses, CASE, CAST, ...
#include <charconv>

#include "base/strings.h"
#include "sql/syntax/statement_parser.h"

namespace turdb::sql {

using enum TokenKind;

bool StatementParser::AtSelect() const { return At(kSelect) || At(kValues) || At(kWith); }

Expr* StatementParser::ParseOperand() {
  const Nesting nesting(this);
  if (!nesting) return nullptr;
  switch (Peek().kind) {
    case kIdentifier:
    case kQuotedName: return NextIs(kLeftParen) ? ParseFunction() : ParseNameOperand();
    case kString:
      if (NextIs(kDot)) return ParseNameOperand();
      [[fallthrough]];
    case kInteger:
    case kReal:
    case kBlob:
    case kNull:
    case kCurrentDate:
    case kCurrentTime:
    case kCurrentTimestamp: return ParseLiteral();
    case kParameter: return ParseParameter();
    case kLeftParen: return ParseParenthesized();
    case kMinus: return ParseUnary(UnaryOp::kMinus);
    case kPlus: return ParseUnary(UnaryOp::kPlus);
    case kTilde: return ParseUnary(UnaryOp::kBitNot);
    case kNot: return ParseUnary(UnaryOp::kNot);
    default: return ParseKeywordOperand();
  }
}

Expr* StatementParser::ParseKeywordOperand() {
  const TokenKind kind = Peek().kind;
  switch (kind) {
    case kCase: return ParseCase();
    case kCast: return ParseCast();
    case kExists: return ParseExists();
    case kRaise: return ParseRaise();
    default: break;
  }
  if (!CanBeName(kind)) {
    Unexpected();
    return nullptr;
  }
  return NextIs(kLeftParen) ? ParseFunction() : ParseNameOperand();
}

// NOT takes comparisons along (NOT a = b is NOT (a = b)); the signs bind tightest of all.
Expr* StatementParser::ParseUnary(UnaryOp op) {
  constexpr int kEqualityLevel = 4;  // as in parse_expr.cc
  const size_t first = at_;
  Advance();
  Expr* operand = op == UnaryOp::kNot ? ParseOperators(kEqualityLevel) : ParseOperand();
  if (operand == nullptr) return nullptr;
  // 9223372036854775808 alone does not fit an integer, its negation does.
  if (op == UnaryOp::kMinus && operand->kind == ExprKind::kLiteral) {
    auto& literal = operand->As<LiteralExpr>();
    if (literal.literal == LiteralKind::kReal && Negate(&literal)) {
      literal.pos = PosFrom(first);
      return operand;
    }
  }
  auto* node = New<UnaryExpr>();
  node->op = op;
  node->operand = operand;
  node->height = operand->height;
  return Finish(node, first);
}

// (expr), (select) or (a, b)
Expr* StatementParser::ParseParenthesized() {
  const size_t first = at_;
  Advance();
  if (AtSelect()) {
    auto* node = New<SubqueryExpr>();
    node->select = ParseSelect();
    if (node->select == nullptr || !Expect(kRightParen)) return nullptr;
    node->height = node->select->height;
    return Finish(node, first);
  }
  Expr* expr = ParseExpr();
  if (expr == nullptr) return nullptr;
  if (!At(kComma)) return Expect(kRightParen) ? expr : nullptr;
  Items<Expr*> items{expr};
  while (Accept(kComma)) {
    expr = ParseExpr();
    if (expr == nullptr) return nullptr;
    items.push_back(expr);
  }
  if (!Expect(kRightParen)) return nullptr;
  auto* row = New<RowExpr>();
  row->items = Keep(items);
  RaiseAll(row, row->items);
  return Finish(row, first);
}

// column, table.column, schema.table.column, and the words TRUE and FALSE
Expr* StatementParser::ParseNameOperand() {
  const size_t first = at_;
  const Token& token = Peek();
  if (token.kind == kIdentifier && !NextIs(kDot)) {
    const bool is_true = IsWord(token, "TRUE");
    if (is_true || IsWord(token, "FALSE")) {
      Advance();
      LiteralExpr* literal = MakeText(TextOf(token), first);
      literal->literal = is_true ? LiteralKind::kTrue : LiteralKind::kFalse;
      return literal;
    }
  }
  auto* node = New<ColumnExpr>();
  if (!ParseName(&node->column)) return nullptr;
  for (int dots = 0; dots < 2 && Accept(kDot); ++dots) {
    node->schema = node->table;
    node->table = node->column;
    if (!ParseName(&node->column)) return nullptr;
  }
  node->pos = PosFrom(first);
  return node;
}

// 0 when the name has not appeared.
uint32_t StatementParser::NumberOfParameter(std::string_view name) const {
  if (!parameter_numbers_.empty()) {
    const auto found = parameter_numbers_.find(name);
    return found == parameter_numbers_.end() ? 0 : found->second;
  }
  for (const NamedParameter& known : named_parameters_) {
    if (known.name == name) return known.number;
  }
  return 0;
}

void StatementParser::AddParameter(std::string_view name, uint32_t number) {
  constexpr size_t kFewParameters = 16;  // up to which a walk is faster than a hash
  named_parameters_.push_back({number, name});
  if (named_parameters_.size() < kFewParameters) return;
  if (parameter_numbers_.empty()) {
    for (const NamedParameter& known : named_parameters_) parameter_numbers_[known.name] = known.number;
  }
  parameter_numbers_[name] = number;
}

// A bare ? is the next number, ?NNN that number, a name the number of its first appearance.
Expr* StatementParser::ParseParameter() {
  const Token& token = Peek();
  const std::string_view name = TextOf(token);
  auto* node = New<ParameterExpr>();
  if (name.size() > 1) node->name = name;
  if (name.size() > 1 && name[0] == '?') {
    const auto [end, code] = std::from_chars(name.data() + 1, name.data() + name.size(), node->number);
    if (code != std::errc() || node->number == 0 || node->number > kMaxParameterNumber) {
      FailHere(Cat("variable number must be between ?1 and ?", kMaxParameterNumber));
      return nullptr;
    }
  }
  const uint32_t known = node->name.empty() ? 0 : NumberOfParameter(name);
  if (node->number == 0) node->number = known != 0 ? known : parameter_count_ + 1;
  if (node->number > kMaxParameterNumber) {
    FailHere("too many SQL variables");
    return nullptr;
  }
  if (!node->name.empty() && known == 0) AddParameter(name, node->number);
  if (node->number > parameter_count_) parameter_count_ = node->number;
  const size_t first = at_;
  Advance();
  node->pos = PosFrom(first);
  return node;
}

Expr* StatementParser::ParseCase() {
  const size_t first = at_;
  Advance();
  auto* node = New<CaseExpr>();
  if (!At(kWhen)) {
    node->operand = ParseExpr();
    if (node->operand == nullptr) return nullptr;
    Raise(node, node->operand);
  }
  Items<CaseBranch> branches;
  while (At(kWhen) || branches.empty()) {
    CaseBranch branch;
    if (!Expect(kWhen) || (branch.when = ParseExpr()) == nullptr) return nullptr;
    if (!Expect(kThen) || (branch.then = ParseExpr()) == nullptr) return nullptr;
    Raise(node, branch.when);
    Raise(node, branch.then);
    branches.push_back(branch);
  }
  node->branches = Keep(branches);
  if (Accept(kElse)) {
    node->otherwise = ParseExpr();
    if (node->otherwise == nullptr) return nullptr;
    Raise(node, node->otherwise);
  }
  return Expect(kEndKeyword) ? Finish(node, first) : nullptr;
}

Expr* StatementParser::ParseCast() {
  const size_t first = at_;
  Advance();
  auto* node = New<CastExpr>();
  if (!Expect(kLeftParen) || (node->operand = ParseExpr()) == nullptr) return nullptr;
  if (!Expect(kAs) || !ParseTypeName(&node->type) || !Expect(kRightParen)) return nullptr;
  Raise(node, node->operand);
  return Finish(node, first);
}

Expr* StatementParser::ParseExists() {
  const size_t first = at_;
  Advance();
  auto* node = New<ExistsExpr>();
  if (!Expect(kLeftParen) || (node->select = ParseSelect()) == nullptr) return nullptr;
  if (!Expect(kRightParen)) return nullptr;
  node->height = node->select->height;
  return Finish(node, first);
}

Expr* StatementParser::ParseRaise() {
  const size_t first = at_;
  Advance();
  auto* node = New<RaiseExpr>();
  if (!Expect(kLeftParen)) return nullptr;
  if (!Accept(kIgnore)) {
    switch (Peek().kind) {
      case kRollback: node->action = ConflictAction::kRollback; break;
      case kAbort: node->action = ConflictAction::kAbort; break;
      case kFail: node->action = ConflictAction::kFail; break;
      default: Unexpected(); return nullptr;
    }
    Advance();
    if (!Expect(kComma) || (node->message = ParseExpr()) == nullptr) return nullptr;
    Raise(node, node->message);
  }
  return Expect(kRightParen) ? Finish(node, first) : nullptr;
}

}  // namespace turdb::sql
