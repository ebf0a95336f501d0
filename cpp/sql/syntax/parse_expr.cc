// Operators by precedence climbing. From loose to tight, as in SQLite; the distance operators stand
// where PostgreSQL has them, tighter than comparisons and looser than + and -.
#include <array>

#include "sql/syntax/statement_parser.h"

namespace turdb::sql {

using enum TokenKind;

namespace {

enum Precedence : uint8_t {
  kNoOperator = 0,
  kOrLevel,
  kAndLevel,
  kNotLevel,
  kEqualityLevel,  // = <> IS IN LIKE BETWEEN ISNULL ...
  kComparisonLevel,
  kBitLevel,  // & | << >> <-> <=> <#> <+> <~>
  kSumLevel,
  kProductLevel,
  kConcatLevel,  // || -> ->>
  kCollateLevel,
};

struct OperatorRow {
  uint8_t precedence = kNoOperator;
  bool is_simple = false;  // left op right, nothing more
  BinaryOp op = BinaryOp::kOr;
};

constexpr auto kOperators = [] {
  std::array<OperatorRow, 256> rows{};
  const auto simple = [&](TokenKind kind, Precedence precedence, BinaryOp op) {
    rows[static_cast<size_t>(kind)] = {precedence, true, op};
  };
  const auto special = [&](TokenKind kind, Precedence precedence) {
    rows[static_cast<size_t>(kind)].precedence = precedence;
  };
  simple(kOr, kOrLevel, BinaryOp::kOr);
  simple(kAnd, kAndLevel, BinaryOp::kAnd);
  simple(kEqual, kEqualityLevel, BinaryOp::kEqual);
  simple(kNotEqual, kEqualityLevel, BinaryOp::kNotEqual);
  simple(kLess, kComparisonLevel, BinaryOp::kLess);
  simple(kLessEqual, kComparisonLevel, BinaryOp::kLessEqual);
  simple(kGreater, kComparisonLevel, BinaryOp::kGreater);
  simple(kGreaterEqual, kComparisonLevel, BinaryOp::kGreaterEqual);
  simple(kAmpersand, kBitLevel, BinaryOp::kBitAnd);
  simple(kPipe, kBitLevel, BinaryOp::kBitOr);
  simple(kShiftLeft, kBitLevel, BinaryOp::kShiftLeft);
  simple(kShiftRight, kBitLevel, BinaryOp::kShiftRight);
  simple(TokenKind::kDistanceL2, kBitLevel, BinaryOp::kDistanceL2);
  simple(TokenKind::kDistanceCosine, kBitLevel, BinaryOp::kDistanceCosine);
  simple(TokenKind::kNegativeInnerProduct, kBitLevel, BinaryOp::kNegativeInnerProduct);
  simple(TokenKind::kDistanceL1, kBitLevel, BinaryOp::kDistanceL1);
  simple(TokenKind::kDistanceHamming, kBitLevel, BinaryOp::kDistanceHamming);
  simple(kPlus, kSumLevel, BinaryOp::kAdd);
  simple(kMinus, kSumLevel, BinaryOp::kSubtract);
  simple(kStar, kProductLevel, BinaryOp::kMultiply);
  simple(kSlash, kProductLevel, BinaryOp::kDivide);
  simple(kPercent, kProductLevel, BinaryOp::kModulo);
  simple(kConcat, kConcatLevel, BinaryOp::kConcat);
  simple(kArrow, kConcatLevel, BinaryOp::kJsonGet);
  simple(kLongArrow, kConcatLevel, BinaryOp::kJsonGetText);
  for (TokenKind kind : {kIs, kLike, kGlob, kRegexp, kMatch, kBetween, kIn, kIsNull, kNotNull, kNot}) {
    special(kind, kEqualityLevel);
  }
  special(kCollate, kCollateLevel);
  return rows;
}();

const OperatorRow& RowOf(TokenKind kind) { return kOperators[static_cast<size_t>(kind)]; }

}  // namespace

Expr* StatementParser::ParseExpr() {
  Expr* expr = ParseOperators(kOrLevel);
  if (expr != nullptr && expr->height > height_) height_ = expr->height;
  return expr;
}

Expr* StatementParser::ParseOperators(int lowest_precedence) {
  const size_t first = at_;
  Expr* left = ParseOperand();
  while (left != nullptr) {
    const OperatorRow& row = RowOf(Peek().kind);
    if (row.precedence == kNoOperator || row.precedence < lowest_precedence) break;
    left = row.is_simple ? ParseSimpleBinary(left, first, row.op, row.precedence + 1)
                         : ParseOperator(left, first);
  }
  return left;
}

Expr* StatementParser::ParseSimpleBinary(Expr* left, size_t first, BinaryOp op, int right_precedence) {
  const SourcePos op_pos{Peek().offset, Peek().length};
  Advance();
  Expr* right = ParseOperators(right_precedence);
  if (right == nullptr) return nullptr;
  auto* node = New<BinaryExpr>();
  node->op = op;
  node->op_pos = op_pos;
  node->left = left;
  node->right = right;
  node->height = 0;
  Raise(node, left);
  Raise(node, right);
  return Finish(node, first);
}

Expr* StatementParser::ParseOperator(Expr* left, size_t first) {
  switch (Peek().kind) {
    case kIs: return ParseIs(left, first);
    case kCollate: return ParseCollate(left, first);
    case kIsNull: Advance(); return MakeIsNull(left, first, false);
    case kNotNull: Advance(); return MakeIsNull(left, first, true);
    default: return ParseNegatable(left, first);
  }
}

// [NOT] LIKE | GLOB | REGEXP | MATCH | BETWEEN | IN, and NOT NULL
Expr* StatementParser::ParseNegatable(Expr* left, size_t first) {
  const bool is_negated = Accept(kNot);
  switch (Peek().kind) {
    case kLike:
    case kGlob:
    case kRegexp:
    case kMatch: return ParseLike(left, first, is_negated);
    case kBetween: return ParseBetween(left, first, is_negated);
    case kIn: return ParseIn(left, first, is_negated);
    case kNull:
      if (is_negated) {
        Advance();
        return MakeIsNull(left, first, true);
      }
      [[fallthrough]];
    default: Unexpected(); return nullptr;
  }
}

Expr* StatementParser::MakeIsNull(Expr* left, size_t first, bool is_negated) {
  auto* node = New<IsNullExpr>();
  node->operand = left;
  node->is_negated = is_negated;
  node->height = left->height;
  return Finish(node, first);
}

// IS [NOT] x, IS [NOT] DISTINCT FROM x. With a bare NULL it is a null test.
Expr* StatementParser::ParseIs(Expr* left, size_t first) {
  const SourcePos op_pos{Peek().offset, Peek().length};
  Advance();
  bool is_negated = Accept(kNot);
  if (Accept(kDistinct)) {
    if (!Expect(kFrom)) return nullptr;
    is_negated = !is_negated;
  }
  Expr* right = ParseOperators(kComparisonLevel);
  if (right == nullptr) return nullptr;
  if (right->kind == ExprKind::kLiteral && right->As<LiteralExpr>().literal == LiteralKind::kNull) {
    return MakeIsNull(left, first, is_negated);
  }
  auto* node = New<BinaryExpr>();
  node->op = is_negated ? BinaryOp::kIsNot : BinaryOp::kIs;
  node->op_pos = op_pos;
  node->left = left;
  node->right = right;
  node->height = 0;
  Raise(node, left);
  Raise(node, right);
  return Finish(node, first);
}

Expr* StatementParser::ParseLike(Expr* left, size_t first, bool is_negated) {
  auto* node = New<LikeExpr>();
  switch (Peek().kind) {
    case kLike: node->op = LikeOp::kLike; break;
    case kGlob: node->op = LikeOp::kGlob; break;
    case kRegexp: node->op = LikeOp::kRegexp; break;
    default: node->op = LikeOp::kMatch; break;
  }
  Advance();
  node->is_negated = is_negated;
  node->operand = left;
  node->pattern = ParseOperators(kComparisonLevel);
  if (node->pattern == nullptr) return nullptr;
  if (Accept(kEscape)) {
    node->escape = ParseOperators(kComparisonLevel);
    if (node->escape == nullptr) return nullptr;
  }
  node->height = left->height;
  Raise(node, node->pattern);
  Raise(node, node->escape);
  return Finish(node, first);
}

Expr* StatementParser::ParseBetween(Expr* left, size_t first, bool is_negated) {
  Advance();
  auto* node = New<BetweenExpr>();
  node->is_negated = is_negated;
  node->operand = left;
  node->low = ParseOperators(kNotLevel);
  if (node->low == nullptr || !Expect(kAnd)) return nullptr;
  node->high = ParseOperators(kComparisonLevel);
  if (node->high == nullptr) return nullptr;
  node->height = left->height;
  Raise(node, node->low);
  Raise(node, node->high);
  return Finish(node, first);
}

Expr* StatementParser::ParseIn(Expr* left, size_t first, bool is_negated) {
  Advance();
  auto* node = New<InExpr>();
  node->is_negated = is_negated;
  node->operand = left;
  if (!ParseInSource(node)) return nullptr;
  Raise(node, left);
  RaiseAll(node, node->list);
  if (node->select != nullptr && node->select->height > node->height) node->height = node->select->height;
  return Finish(node, first);
}

bool StatementParser::ParseInSource(InExpr* in) {
  if (At(kLeftParen)) {
    Advance();
    if (AtSelect()) {
      in->form = InExpr::Form::kSelect;
      in->select = ParseSelect();
      return in->select != nullptr && Expect(kRightParen);
    }
    if (Accept(kRightParen)) return true;
    return ParseExprList(&in->list) && Expect(kRightParen);
  }
  in->form = InExpr::Form::kTable;
  if (!ParseQualifiedName(&in->table)) return false;
  if (!Accept(kLeftParen)) return true;
  in->form = InExpr::Form::kTableFunction;
  if (Accept(kRightParen)) return true;
  return ParseExprList(&in->list) && Expect(kRightParen);
}

Expr* StatementParser::ParseCollate(Expr* left, size_t first) {
  Advance();
  auto* node = New<CollateExpr>();
  node->operand = left;
  node->height = left->height;
  return ParseName(&node->collation) ? Finish(node, first) : nullptr;
}

bool StatementParser::ParseExprList(List<Expr*>* list) {
  absl::InlinedVector<Expr*, 8> items;
  do {
    Expr* expr = ParseExpr();
    if (expr == nullptr) return false;
    items.push_back(expr);
  } while (Accept(kComma));
  Expr** kept = arena_->AllocateArray<Expr*>(items.size());
  std::copy(items.begin(), items.end(), kept);
  *list = {kept, static_cast<uint32_t>(items.size())};
  return true;
}

}  // namespace turdb::sql
