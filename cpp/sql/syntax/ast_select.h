// SELECT and VALUES: cores joined by compound operators, the FROM tree, common table expressions.
#pragma once

#include "sql/syntax/ast_expr.h"

namespace turdb::sql {

enum class StatementKind : uint8_t {
  kSelect,
  kInsert,
  kUpdate,
  kDelete,
  kCreateTable,
  kCreateVirtualTable,
  kCreateIndex,
  kCreateView,
  kCreateTrigger,
  kCreateSchema,
  kDrop,
  kAlterTable,
  kBegin,
  kCommit,
  kRollback,
  kSavepoint,
  kRelease,
  kPragma,
  kExplain,
  kAnalyze,
  kReindex,
  kVacuum,
  kAttach,
  kDetach,
};

struct Statement {
  StatementKind kind;
  SourcePos pos;  // the whole statement, without its semicolon

  // REQUIRES: kind is T::kKind.
  template <typename T>
  const T& As() const {
    assert(kind == T::kKind);
    return static_cast<const T&>(*this);
  }

 protected:
  explicit Statement(StatementKind k) : kind(k) {}
};

enum class Materialization : uint8_t { kUnspecified, kMaterialized, kNotMaterialized };

// name[(columns)] AS [[NOT] MATERIALIZED] (select)
struct CommonTable {
  Name name;
  List<Name> columns;
  Materialization materialization = Materialization::kUnspecified;
  Select* select = nullptr;
};
struct WithClause {
  bool is_recursive = false;
  List<CommonTable> tables;
  SourcePos pos;
};

enum class TableRefKind : uint8_t { kTable, kFunction, kSubquery, kJoin };

// One operand of FROM. Joins are left-deep unless parentheses say otherwise.
struct TableRef {
  TableRefKind kind;
  SourcePos pos;
  Name alias;  // empty() when absent; a parenthesised join may have one

  template <typename T>
  const T& As() const {
    assert(kind == T::kKind);
    return static_cast<const T&>(*this);
  }

 protected:
  explicit TableRef(TableRefKind k) : kind(k) {}
};

struct NamedTableRef : TableRef {
  static constexpr TableRefKind kKind = TableRefKind::kTable;
  NamedTableRef() : TableRef(kKind) {}
  QualifiedName name;
  Name indexed_by;              // INDEXED BY, empty() when absent
  bool is_not_indexed = false;  // NOT INDEXED
};

// [schema.]function(arguments)
struct FunctionTableRef : TableRef {
  static constexpr TableRefKind kKind = TableRefKind::kFunction;
  FunctionTableRef() : TableRef(kKind) {}
  QualifiedName name;
  List<Expr*> arguments;
};

struct SubqueryTableRef : TableRef {
  static constexpr TableRefKind kKind = TableRefKind::kSubquery;
  SubqueryTableRef() : TableRef(kKind) {}
  Select* select = nullptr;
};

enum class JoinKind : uint8_t {
  kComma,
  kInner,  // JOIN, INNER JOIN
  kCross,  // CROSS JOIN: the planner keeps the order
  kLeft,
  kRight,
  kFull,
};

struct JoinTableRef : TableRef {
  static constexpr TableRefKind kKind = TableRefKind::kJoin;
  JoinTableRef() : TableRef(kKind) {}
  JoinKind join = JoinKind::kInner;
  bool is_natural = false;
  bool is_parenthesized = false;
  TableRef* left = nullptr;
  TableRef* right = nullptr;
  Expr* on = nullptr;  // or null; SQLite allows ON after any join, a comma too
  List<Name> using_columns;
};

// expr [[AS] alias], * or t.*
struct ResultColumn {
  Expr* expr = nullptr;
  Name alias;
  std::string_view text;  // the expression as written: SQLite's name of an unnamed column
};

enum class CompoundOp : uint8_t { kNone, kUnion, kUnionAll, kIntersect, kExcept };

// SELECT .. up to WINDOW, or VALUES (..), ...
struct SelectCore {
  CompoundOp op = CompoundOp::kNone;  // how it joins what stands before it; kNone for the first
  bool is_values = false;
  bool is_distinct = false;
  List<ResultColumn> columns;
  TableRef* from = nullptr;  // or null
  Expr* where = nullptr;     // or null
  List<Expr*> group_by;
  Expr* having = nullptr;  // or null
  List<WindowSpec*> windows;
  List<List<Expr*>> rows;  // of VALUES; all of one width
  SourcePos pos;
};

enum class RowLockStrength : uint8_t { kShare, kUpdate };
enum class RowLockWait : uint8_t { kWait, kSkipLocked, kNoWait };

// FOR UPDATE | FOR SHARE [OF table, ..] [NOWAIT | SKIP LOCKED]
struct LockingClause {
  RowLockStrength strength = RowLockStrength::kUpdate;
  RowLockWait wait = RowLockWait::kWait;
  List<Name> tables;  // empty: all of FROM
  SourcePos pos;
};

struct Select : Statement {
  static constexpr StatementKind kKind = StatementKind::kSelect;
  Select() : Statement(kKind) {}
  WithClause* with = nullptr;  // or null
  List<SelectCore*> cores;     // one or more, combined from the left
  List<OrderingTerm> order_by;
  Expr* limit = nullptr;   // or null
  Expr* offset = nullptr;  // or null
  List<LockingClause> locking;
  uint16_t height = 1;  // of the expressions in it
};

}  // namespace turdb::sql
