// From SQL text to a syntax tree, one statement at a time.
//
// The text is copied into the tree's arena as far as the statement goes, so a ParsedStatement stands
// alone: it may outlive the text it came from. Parsing has no state and is safe on any thread.
// Syntax errors carry line, column, the token and an excerpt (syntax_error.h). Limits as in SQLite.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/arena.h"
#include "sql/syntax/ast.h"

namespace turdb::sql {

inline constexpr int kMaxExprDepth = 1000;       // also of nested selects, parentheses and joins
inline constexpr int kMaxColumns = 2000;         // of a table, a result, an ORDER BY, an UPDATE's SET
inline constexpr int kMaxCompoundTerms = 500;    // SELECTs in one UNION chain
inline constexpr int kMaxFunctionArguments = 127;
inline constexpr uint32_t kMaxParameterNumber = 32766;
inline constexpr size_t kMaxSqlBytes = 1'000'000'000;

// A statement with the arena that holds it. Movable; the tree does not move with it.
struct ParsedStatement {
  std::unique_ptr<Arena> arena;
  std::string_view text;           // the source from its first byte to the statement's end, a copy in the arena
  Statement* statement = nullptr;  // null when the text was blank, comments or a lone semicolon
  uint32_t parameter_count = 0;    // the highest parameter number
  List<std::string_view> parameter_names;  // [number - 1], with their sign; "" for a bare ?
  bool locks_rows = false;         // has a FOR UPDATE or FOR SHARE, in a nested select perhaps

  std::string_view Slice(SourcePos pos) const { return text.substr(pos.offset, pos.length); }
};

struct ParsedExpression {
  std::unique_ptr<Arena> arena;
  std::string_view text;
  Expr* expr = nullptr;

  std::string_view Slice(SourcePos pos) const { return text.substr(pos.offset, pos.length); }
};

// Parses the first statement of `sql` and sets *consumed to the bytes up to and including its
// semicolon (on a syntax error too, so that a script may go on after it; a token that is no SQL ends it).
// Errors: kSyntax; kTooBig for a text or a nesting over its limit.
absl::StatusOr<ParsedStatement> ParseStatement(std::string_view sql, size_t* consumed);

// Parses a whole text as one expression: stored defaults, CHECKs, index expressions. Same errors.
absl::StatusOr<ParsedExpression> ParseExpression(std::string_view text);

// sqlite3_complete(): whether the text ends in a semicolon that closes a statement (CREATE TRIGGER
// bodies, strings and comments are understood). Blank text is not complete.
bool IsComplete(std::string_view sql);

}  // namespace turdb::sql
