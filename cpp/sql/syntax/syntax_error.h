// How an error shows its place in the SQL text:
//
//   near "FORM": syntax error at line 1, column 10; did you mean FROM?
//     SELECT * FORM t
//              ^
//
// The binder uses the same for names: NameError(AtPlace("no such column: naem", text, pos)).
#pragma once

#include <string>
#include <string_view>

#include "sql/syntax/ast_base.h"
#include "sql/syntax/token.h"

namespace turdb::sql {

struct LineColumn {
  uint32_t line = 1;    // from 1
  uint32_t column = 1;  // from 1, in characters of UTF-8
};
LineColumn LineColumnAt(std::string_view text, uint32_t offset);

// `message` at line L, column C[; hint], then the line of the text with a caret below the place.
std::string AtPlace(std::string_view message, std::string_view text, uint32_t offset,
                    std::string_view hint = {});

// The first `bytes` of `text` at most, whole characters only: for quoting a token in a message.
std::string_view Shortened(std::string_view text, size_t bytes);

// The nearest word to `word` among `candidates` if near enough to be a slip of the keyboard, else "".
// Candidates are given one by one, so that any container serves.
class NearestWord {
 public:
  explicit NearestWord(std::string_view word);
  void Consider(std::string_view candidate);
  std::string_view best() const { return best_; }

 private:
  std::string_view word_;
  std::string_view best_;
  size_t best_distance_;
};

// Edits (insert, delete, replace, swap of neighbours) from a to b in any case; `limit` if no fewer.
size_t EditDistance(std::string_view a, std::string_view b, size_t limit);

// The keyword that the identifier `word` is a misspelling of, or "".
std::string_view MisspelledKeyword(std::string_view word);

}  // namespace turdb::sql
