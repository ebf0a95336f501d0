// Trees back to SQL text: canonical spacing, keywords in capitals, only the parentheses that are needed.
// What is printed parses to an equal tree (the tests hold it to that). For EXPLAIN and for storing.
#pragma once

#include <string>

#include "sql/syntax/ast.h"

namespace turdb::sql {

std::string ToSql(const Expr& expr);
std::string ToParenthesizedSql(const Expr& expr);  // ((a + (b * c)) < d): what binds how is plain to see
std::string ToSql(const Select& select);
std::string ToSql(const Statement& statement);

// `name` as SQL can read it back: bare when it may stand so, else in double quotes.
std::string QuoteName(std::string_view name);
std::string QuoteText(std::string_view text);  // 'it''s'

std::string_view OperatorText(BinaryOp op);  // "+", "IS NOT", "<=>"

}  // namespace turdb::sql
