// Tokens: what the lexer makes of the text. Keywords are listed once, in TURDB_KEYWORDS.
//
// A keyword's class says where it may serve as a plain name (as SQLite's grammar has it):
//   kReserved  never
//   kName      wherever it is not itself expected there
//   kJoinName  as a table's or column's name, never as an alias without AS
#pragma once

#include <cstdint>
#include <string_view>

namespace turdb::sql {

enum class KeywordClass : uint8_t { kReserved, kName, kJoinName };

// clang-format off
#define TURDB_KEYWORDS(K) \
  K(Abort, "ABORT", kName) K(Action, "ACTION", kName) K(Add, "ADD", kReserved) \
  K(After, "AFTER", kName) K(All, "ALL", kReserved) K(Alter, "ALTER", kReserved) \
  K(Always, "ALWAYS", kName) K(Analyze, "ANALYZE", kName) K(And, "AND", kReserved) \
  K(As, "AS", kReserved) K(Asc, "ASC", kName) K(Attach, "ATTACH", kName) \
  K(Autoincrement, "AUTOINCREMENT", kReserved) K(Before, "BEFORE", kName) K(Begin, "BEGIN", kName) \
  K(Between, "BETWEEN", kReserved) K(By, "BY", kName) K(Cascade, "CASCADE", kName) \
  K(Case, "CASE", kReserved) K(Cast, "CAST", kName) K(Check, "CHECK", kReserved) \
  K(Collate, "COLLATE", kReserved) K(Column, "COLUMN", kName) K(Commit, "COMMIT", kReserved) \
  K(Conflict, "CONFLICT", kName) K(Constraint, "CONSTRAINT", kReserved) K(Create, "CREATE", kReserved) \
  K(Cross, "CROSS", kJoinName) K(Current, "CURRENT", kName) K(CurrentDate, "CURRENT_DATE", kName) \
  K(CurrentTime, "CURRENT_TIME", kName) K(CurrentTimestamp, "CURRENT_TIMESTAMP", kName) \
  K(Database, "DATABASE", kName) K(Default, "DEFAULT", kReserved) K(Deferrable, "DEFERRABLE", kReserved) \
  K(Deferred, "DEFERRED", kName) K(Delete, "DELETE", kReserved) K(Desc, "DESC", kName) \
  K(Detach, "DETACH", kName) K(Distinct, "DISTINCT", kReserved) K(Do, "DO", kName) \
  K(Drop, "DROP", kReserved) K(Each, "EACH", kName) K(Else, "ELSE", kReserved) K(EndKeyword, "END", kName) \
  K(Escape, "ESCAPE", kReserved) K(Except, "EXCEPT", kReserved) K(Exclude, "EXCLUDE", kName) \
  K(Exclusive, "EXCLUSIVE", kName) K(Exists, "EXISTS", kReserved) K(Explain, "EXPLAIN", kName) \
  K(Fail, "FAIL", kName) K(Filter, "FILTER", kName) K(First, "FIRST", kName) \
  K(Following, "FOLLOWING", kName) K(For, "FOR", kName) K(Foreign, "FOREIGN", kReserved) \
  K(From, "FROM", kReserved) K(Full, "FULL", kJoinName) K(Generated, "GENERATED", kName) \
  K(Glob, "GLOB", kName) K(Group, "GROUP", kReserved) K(Groups, "GROUPS", kName) \
  K(Having, "HAVING", kReserved) K(If, "IF", kName) K(Ignore, "IGNORE", kName) \
  K(Immediate, "IMMEDIATE", kName) K(In, "IN", kReserved) K(Index, "INDEX", kReserved) \
  K(Indexed, "INDEXED", kJoinName) K(Initially, "INITIALLY", kName) K(Inner, "INNER", kJoinName) \
  K(Insert, "INSERT", kReserved) K(Instead, "INSTEAD", kName) K(Intersect, "INTERSECT", kReserved) \
  K(Into, "INTO", kReserved) K(Is, "IS", kReserved) K(IsNull, "ISNULL", kReserved) \
  K(Join, "JOIN", kReserved) K(Key, "KEY", kName) K(Last, "LAST", kName) K(Left, "LEFT", kJoinName) \
  K(Like, "LIKE", kName) K(Limit, "LIMIT", kReserved) K(Match, "MATCH", kName) \
  K(Materialized, "MATERIALIZED", kName) K(Natural, "NATURAL", kJoinName) K(No, "NO", kName) \
  K(Not, "NOT", kReserved) K(Nothing, "NOTHING", kReserved) K(NotNull, "NOTNULL", kReserved) \
  K(Null, "NULL", kReserved) K(Nulls, "NULLS", kName) K(Of, "OF", kName) K(Offset, "OFFSET", kName) \
  K(On, "ON", kReserved) K(Or, "OR", kReserved) K(Order, "ORDER", kReserved) K(Others, "OTHERS", kName) \
  K(Outer, "OUTER", kJoinName) K(Over, "OVER", kName) K(Partition, "PARTITION", kName) \
  K(Plan, "PLAN", kName) K(Pragma, "PRAGMA", kName) K(Preceding, "PRECEDING", kName) \
  K(Primary, "PRIMARY", kReserved) K(Query, "QUERY", kName) K(Raise, "RAISE", kName) \
  K(Range, "RANGE", kName) K(Recursive, "RECURSIVE", kName) K(References, "REFERENCES", kReserved) \
  K(Regexp, "REGEXP", kName) K(Reindex, "REINDEX", kName) K(Release, "RELEASE", kName) \
  K(Rename, "RENAME", kName) K(Replace, "REPLACE", kName) K(Restrict, "RESTRICT", kName) \
  K(Returning, "RETURNING", kReserved) K(Right, "RIGHT", kJoinName) K(Rollback, "ROLLBACK", kName) \
  K(Row, "ROW", kName) K(Rows, "ROWS", kName) K(Savepoint, "SAVEPOINT", kName) \
  K(Select, "SELECT", kReserved) K(Set, "SET", kReserved) K(Table, "TABLE", kReserved) \
  K(Temp, "TEMP", kName) K(Temporary, "TEMPORARY", kName) K(Then, "THEN", kReserved) \
  K(Ties, "TIES", kName) K(To, "TO", kReserved) K(Transaction, "TRANSACTION", kReserved) \
  K(Trigger, "TRIGGER", kName) K(Unbounded, "UNBOUNDED", kName) K(Union, "UNION", kReserved) \
  K(Unique, "UNIQUE", kReserved) K(Update, "UPDATE", kReserved) K(Using, "USING", kReserved) \
  K(Vacuum, "VACUUM", kName) K(Values, "VALUES", kReserved) K(View, "VIEW", kName) \
  K(Virtual, "VIRTUAL", kName) K(When, "WHEN", kReserved) K(Where, "WHERE", kReserved) \
  K(Window, "WINDOW", kName) K(With, "WITH", kName) K(Without, "WITHOUT", kName)
// clang-format on

enum class TokenKind : uint8_t {
  kEnd,      // of the statement: its semicolon, or the end of the text (length 0)
  kIllegal,  // nothing that SQL knows; the lexer stops there
  kIdentifier,
  kQuotedName,  // "a" [a] `a`
  kString,
  kBlob,
  kInteger,  // decimal or hex
  kReal,
  kParameter,
  kLeftParen,
  kRightParen,
  kComma,
  kDot,
  kSemicolon,  // inside a trigger's body
  kStar,
  kPlus,
  kMinus,
  kSlash,
  kPercent,
  kTilde,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kAmpersand,
  kPipe,
  kConcat,
  kShiftLeft,
  kShiftRight,
  kArrow,
  kLongArrow,
  kDistanceL2,
  kDistanceCosine,
  kNegativeInnerProduct,
  kDistanceL1,
  kDistanceHamming,
#define TURDB_KEYWORD_KIND(Name, text, cls) k##Name,
  TURDB_KEYWORDS(TURDB_KEYWORD_KIND)
#undef TURDB_KEYWORD_KIND
};
inline constexpr TokenKind kFirstKeyword = TokenKind::kAbort;

struct Token {
  uint32_t offset = 0;
  uint32_t length = 0;
  TokenKind kind = TokenKind::kEnd;

  uint32_t end() const { return offset + length; }
};

// The keyword that `word` is in any case, or kIdentifier.
TokenKind LookupKeyword(std::string_view word);

inline bool IsKeyword(TokenKind kind) { return kind >= kFirstKeyword; }
KeywordClass ClassOf(TokenKind keyword);
std::string_view KeywordText(TokenKind keyword);

}  // namespace turdb::sql
