// What every syntax tree node is made of: source positions, names and arena lists.
//
// 1. Nodes live in the arena of their ParsedStatement (parser.h), are trivially destructible and never
//    freed one by one. Pointers and string_views in them are good as long as that ParsedStatement.
// 2. After parsing a tree is immutable, so any number of threads may read it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace turdb::sql {

// A run of bytes of the statement's text; ParsedStatement::Slice() gets it. Line and column are
// computed only when an error is reported (LineColumn in syntax_error.h).
struct SourcePos {
  uint32_t offset = 0;
  uint32_t length = 0;

  uint32_t end() const { return offset + length; }
};

// An array in the statement's arena. Copying copies the reference, not the items.
template <typename T>
struct List {
  T* items = nullptr;
  uint32_t count = 0;

  T* begin() const { return items; }
  T* end() const { return items + count; }
  size_t size() const { return count; }
  bool empty() const { return count == 0; }
  T& operator[](size_t i) const { return items[i]; }
  T& front() const { return items[0]; }
  T& back() const { return items[count - 1]; }
};

// An identifier, unquoted ("a""b" is a"b) in the case it was written; compare with EqualsIgnoreCase.
struct Name {
  std::string_view text;
  SourcePos pos;
  // 0 for a bare word, else its opening quote: " [ ` or ' (SQLite takes 'x' as a name where only a
  // name can stand). A column written "x" that names nothing is the string 'x'.
  char quote = 0;

  bool empty() const { return text.empty() && pos.length == 0; }  // absent; "" is a present name
};

// [schema.]name
struct QualifiedName {
  Name schema;
  Name name;
  SourcePos pos;
};

// OR ROLLBACK, ON CONFLICT IGNORE, ...
enum class ConflictAction : uint8_t { kDefault, kRollback, kAbort, kFail, kIgnore, kReplace };

struct Expr;
struct Select;

}  // namespace turdb::sql
