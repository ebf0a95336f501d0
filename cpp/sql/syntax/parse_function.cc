// Function calls: arguments, FILTER and OVER.
#include "base/strings.h"
#include "sql/syntax/statement_parser.h"

namespace turdb::sql {

using enum TokenKind;

// At a name that a parenthesis follows.
Expr* StatementParser::ParseFunction() {
  const size_t first = at_;
  auto* node = New<FunctionExpr>();
  if (!ParseName(&node->name) || !Expect(kLeftParen) || !ParseFunctionArguments(node)) return nullptr;
  if (!Expect(kRightParen)) return nullptr;
  // FILTER and OVER are plain names unless what follows shows otherwise.
  if (At(kFilter) && NextIs(kLeftParen)) {
    at_ += 2;
    if (!Expect(kWhere) || (node->filter = ParseExpr()) == nullptr || !Expect(kRightParen)) return nullptr;
    Raise(node, node->filter);
  }
  if (At(kOver) && (NextIs(kLeftParen) || CanBeName(Peek(1).kind))) {
    if (!ParseOver(node)) return nullptr;
  }
  RaiseAll(node, node->arguments);
  for (const OrderingTerm& term : node->order_by) Raise(node, term.expr);
  return Finish(node, first);
}

bool StatementParser::ParseFunctionArguments(FunctionExpr* function) {
  if (At(kStar)) {
    Advance();
    function->is_star = true;
    return true;
  }
  if (Accept(kDistinct)) {
    function->is_distinct = true;
  } else {
    Accept(kAll);
  }
  if (At(kRightParen)) return true;
  if (!At(kOrder) && !ParseExprList(&function->arguments)) return false;
  if (function->arguments.size() > static_cast<size_t>(kMaxFunctionArguments)) {
    return FailHere(Cat("too many arguments on function ", function->name.text));
  }
  return ParseOrderBy(&function->order_by);
}

}  // namespace turdb::sql
