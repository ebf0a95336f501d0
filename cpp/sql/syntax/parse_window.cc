// OVER, window definitions and frames; ORDER BY terms.
#include "base/strings.h"
#include "sql/syntax/statement_parser.h"

namespace turdb::sql {

using enum TokenKind;

// OVER name | OVER ( window )
bool StatementParser::ParseOver(FunctionExpr* function) {
  Advance();
  auto* window = New<WindowSpec>();
  function->over = window;
  const size_t first = at_;
  if (At(kLeftParen)) {
    if (!ParseWindowBody(window)) return false;
  } else {
    window->is_reference = true;
    if (!ParseName(&window->name)) return false;
  }
  window->pos = PosFrom(first);
  RaiseAll(function, window->partition_by);
  for (const OrderingTerm& term : window->order_by) Raise(function, term.expr);
  Raise(function, window->start.offset);
  Raise(function, window->end.offset);
  return true;
}

// ( [base] [PARTITION BY ..] [ORDER BY ..] [frame] )
bool StatementParser::ParseWindowBody(WindowSpec* window) {
  if (!Expect(kLeftParen)) return false;
  const bool at_clause = At(kPartition) || At(kRange) || At(kRows) || At(kGroups);
  if (!at_clause && CanBeName(Peek().kind) && !ParseName(&window->base)) return false;
  if (Accept(kPartition)) {
    if (!Expect(kBy) || !ParseExprList(&window->partition_by)) return false;
  }
  if (!ParseOrderBy(&window->order_by)) return false;
  if ((At(kRange) || At(kRows) || At(kGroups)) && !ParseFrame(window)) return false;
  return Expect(kRightParen);
}

bool StatementParser::ParseFrame(WindowSpec* window) {
  window->has_frame = true;
  window->mode = At(kRange) ? FrameMode::kRange : At(kRows) ? FrameMode::kRows : FrameMode::kGroups;
  const size_t first = at_;
  Advance();
  if (Accept(kBetween)) {
    if (!ParseFrameBound(&window->start, true) || !Expect(kAnd)) return false;
    if (!ParseFrameBound(&window->end, false)) return false;
  } else {
    if (!ParseFrameBound(&window->start, true)) return false;
  }
  // A frame cannot end before it starts, whatever the rows.
  const bool is_backwards =
      window->start.kind > window->end.kind &&
      !(window->start.kind == FrameBoundKind::kFollowing && window->end.kind == FrameBoundKind::kFollowing);
  if (is_backwards) return Fail("unsupported frame specification", tokens_[first].offset);
  return !Accept(kExclude) || ParseFrameExclude(window);
}

bool StatementParser::ParseFrameBound(FrameBound* bound, bool is_start) {
  if (Accept(kUnbounded)) {
    const TokenKind side = is_start ? kPreceding : kFollowing;
    bound->kind = is_start ? FrameBoundKind::kUnboundedPreceding : FrameBoundKind::kUnboundedFollowing;
    return Expect(side);
  }
  if (Accept(kCurrent)) {
    bound->kind = FrameBoundKind::kCurrentRow;
    return Expect(kRow);
  }
  bound->offset = ParseExpr();
  if (bound->offset == nullptr) return false;
  bound->kind = At(kPreceding) ? FrameBoundKind::kPreceding : FrameBoundKind::kFollowing;
  return Accept(kPreceding) || Expect(kFollowing);
}

bool StatementParser::ParseFrameExclude(WindowSpec* window) {
  if (Accept(kNo)) {
    window->exclude = FrameExclude::kNoOthers;
    return Expect(kOthers);
  }
  if (Accept(kCurrent)) {
    window->exclude = FrameExclude::kCurrentRow;
    return Expect(kRow);
  }
  window->exclude = At(kGroup) ? FrameExclude::kGroup : FrameExclude::kTies;
  return Accept(kGroup) || Expect(kTies);
}

// WINDOW is a plain name unless `name AS` follows.
bool StatementParser::AtWindowClause() const {
  return At(kWindow) && CanBeName(Peek(1).kind) && Peek(1).kind != kEnd && Peek(2).kind == kAs;
}

bool StatementParser::ParseWindowClause(List<WindowSpec*>* windows) {
  if (!AtWindowClause()) return true;
  Advance();
  Items<WindowSpec*> items;
  do {
    const size_t first = at_;
    auto* window = New<WindowSpec>();
    if (!ParseName(&window->name) || !Expect(kAs) || !ParseWindowBody(window)) return false;
    window->pos = PosFrom(first);
    items.push_back(window);
  } while (Accept(kComma));
  *windows = Keep(items);
  return true;
}

bool StatementParser::ParseOrderBy(List<OrderingTerm>* terms) {
  if (!Accept(kOrder)) return true;
  return Expect(kBy) && ParseOrderingTerms(terms);
}

bool StatementParser::ParseOrderingTerms(List<OrderingTerm>* terms) {
  Items<OrderingTerm> items;
  do {
    if (!ParseOrderingTerm(&items.emplace_back())) return false;
  } while (Accept(kComma));
  *terms = Keep(items);
  return CheckCount(items.size(), "terms in ORDER BY clause");
}

bool StatementParser::ParseOrderingTerm(OrderingTerm* term) {
  term->expr = ParseExpr();
  return term->expr != nullptr && ParseSortOrder(&term->order, &term->nulls);
}

bool StatementParser::ParseSortOrder(SortOrder* order, NullsOrder* nulls) {
  if (Accept(kAsc)) {
    *order = SortOrder::kAscending;
  } else if (Accept(kDesc)) {
    *order = SortOrder::kDescending;
  }
  if (!Accept(kNulls)) return true;
  *nulls = At(kFirst) ? NullsOrder::kFirst : NullsOrder::kLast;
  return Accept(kFirst) || Expect(kLast);
}

}  // namespace turdb::sql
