#include "sql/syntax/parser.h"

#include "base/errors.h"
#include "sql/syntax/lexer.h"
#include "sql/syntax/statement_parser.h"

namespace turdb::sql {
namespace {

absl::Status CheckSize(std::string_view sql) {
  if (sql.size() <= kMaxSqlBytes) return absl::OkStatus();
  return TooBigError("SQL text of ", sql.size(), " bytes is longer than the limit of ", kMaxSqlBytes);
}

// Most statements fit one block: the copy of the text, and about as much again for each token's node.
size_t ArenaBytes(size_t text_bytes, size_t tokens) { return text_bytes + tokens * 64 + 256; }

}  // namespace

absl::StatusOr<ParsedStatement> ParseStatement(std::string_view sql, size_t* consumed) {
  *consumed = 0;
  absl::Status size = CheckSize(sql);
  if (!size.ok()) return size;
  TokenList tokens;
  *consumed = LexStatement(sql, &tokens);
  ParsedStatement parsed;
  parsed.arena = std::make_unique<Arena>(ArenaBytes(*consumed, tokens.size()));
  parsed.text = parsed.arena->Copy(sql.substr(0, *consumed));
  if (tokens[0].kind == TokenKind::kEnd) return parsed;
  StatementParser parser(parsed.text, tokens.data(), parsed.arena.get());
  parsed.statement = parser.ParseWholeStatement();
  if (parsed.statement == nullptr) return parser.error();
  parsed.parameter_count = parser.parameter_count();
  parsed.parameter_names = parser.TakeParameterNames();
  parsed.locks_rows = parser.locks_rows();
  return parsed;
}

absl::StatusOr<ParsedExpression> ParseExpression(std::string_view text) {
  absl::Status size = CheckSize(text);
  if (!size.ok()) return size;
  TokenList tokens;
  LexStatement(text, &tokens);
  ParsedExpression parsed;
  parsed.arena = std::make_unique<Arena>(ArenaBytes(text.size(), tokens.size()));
  parsed.text = parsed.arena->Copy(text);
  StatementParser parser(parsed.text, tokens.data(), parsed.arena.get());
  parsed.expr = parser.ParseWholeExpression();
  if (parsed.expr == nullptr) return parser.error();
  return parsed;
}

}  // namespace turdb::sql
