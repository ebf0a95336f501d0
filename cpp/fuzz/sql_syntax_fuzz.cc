// LINKS: sql/syntax
// The parser on any text: as a script, statement by statement, and as one expression.
#include "fuzz/target.h"
#include "sql/syntax/parser.h"

namespace turdb::fuzz {

void FuzzSqlSyntax(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string_view rest = text;
  while (!rest.empty()) {
    size_t consumed = 0;
    (void)sql::ParseStatement(rest, &consumed);
    FUZZ_CHECK(consumed <= rest.size());
    if (consumed == 0) break;
    rest.remove_prefix(consumed);
  }
  (void)sql::ParseExpression(text);
}

}  // namespace turdb::fuzz
