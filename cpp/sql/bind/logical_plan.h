// The logical plan that the binder makes of SELECT, INSERT, UPDATE and DELETE, and that the rules of sql/plan rewrite.
//
// A tree of LogicalNode; each kind is a struct derived from it. `output` are the ColumnIds a node produces, in order.
// The binder makes the direct translation (FROM as joins, one Filter for WHERE, Aggregate, Filter for HAVING, Project,
// Distinct, Sort, Limit); choosing access paths and join orders is the planner's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "sql/bind/bound_expr.h"
#include "sql/syntax/ast_select.h"

namespace turdb::sql {

enum class LogicalKind : uint8_t {
  kGet, kValues, kTableFunction, kFilter, kProject, kJoin, kAggregate, kWindow, kDistinct, kSort, kLockRows, kLimit, kSetOp,
  kCte, kRecursiveCte, kCteRef, kInsert, kUpdate, kDelete
};

struct LogicalNode {
  explicit LogicalNode(LogicalKind k) : kind(k) {}
  virtual ~LogicalNode() = default;
  LogicalKind kind;
  std::vector<ColumnId> output;
  std::vector<std::unique_ptr<LogicalNode>> children;
  template <typename T> T& As() { return static_cast<T&>(*this); }
  template <typename T> const T& As() const { return static_cast<const T&>(*this); }
};
using LogicalPtr = std::unique_ptr<LogicalNode>;

// A table. `columns[i]` is the table's column number (or catalog::kRowIdColumn) of output[i]; all columns that the
// statement mentions are in it, the rowid too when it is mentioned.
struct LogicalGet : LogicalNode {
  LogicalGet() : LogicalNode(LogicalKind::kGet) {}
  const catalog::TableDef* table = nullptr;
  std::string alias;
  std::vector<int> columns;
  const catalog::IndexDef* indexed_by = nullptr;  // INDEXED BY
  bool is_not_indexed = false;
};

struct LogicalValues : LogicalNode {  // also the single row without columns of a SELECT without FROM
  LogicalValues() : LogicalNode(LogicalKind::kValues) {}
  std::vector<std::vector<ExprPtr>> rows;
};

// generate_series, pragma_..., json_each; rows come from sql/exec by name. output has all columns of the function, hidden
// ones (its arguments) last: sql/bind/table_functions.h. Arguments may read columns of what stands left of it in FROM:
// then the join above is a dependent one.
struct LogicalTableFunction : LogicalNode {
  LogicalTableFunction() : LogicalNode(LogicalKind::kTableFunction) {}
  std::string name;
  std::vector<ExprPtr> arguments;
  std::vector<std::string> column_names;
};

struct LogicalFilter : LogicalNode {
  LogicalFilter() : LogicalNode(LogicalKind::kFilter) {}
  ExprPtr predicate;
};

struct LogicalProject : LogicalNode {  // output[i] = exprs[i]
  LogicalProject() : LogicalNode(LogicalKind::kProject) {}
  std::vector<ExprPtr> exprs;
};

enum class JoinType : uint8_t { kInner, kCross, kLeft, kRight, kFull, kSemi, kAnti };
struct LogicalJoin : LogicalNode {  // children: left, right; output = left's + right's (kSemi, kAnti: left's)
  LogicalJoin() : LogicalNode(LogicalKind::kJoin) {}
  JoinType type = JoinType::kInner;  // kCross: CROSS JOIN as written, whose order the planner keeps
  ExprPtr condition;                 // or null
};

struct LogicalAggregate : LogicalNode {  // output = groups, then aggregates
  LogicalAggregate() : LogicalNode(LogicalKind::kAggregate) {}
  std::vector<ExprPtr> groups;           // empty: one row for the whole input
  std::vector<Collation> group_collations;
  std::vector<AggregateCall> aggregates;
};

struct WindowCall {
  AggregateCall call;
  std::vector<ExprPtr> partition_by;
  std::vector<SortKey> order_by;
  const WindowSpec* frame = nullptr;  // syntax of the frame; its offsets are in start_offset and end_offset
  ExprPtr start_offset, end_offset;
};
struct LogicalWindow : LogicalNode {  // output = child's, then one a call
  LogicalWindow() : LogicalNode(LogicalKind::kWindow) {}
  std::vector<WindowCall> calls;
};

struct LogicalDistinct : LogicalNode {
  LogicalDistinct() : LogicalNode(LogicalKind::kDistinct) {}
  std::vector<Collation> collations;  // of output
};

struct LogicalSort : LogicalNode {
  LogicalSort() : LogicalNode(LogicalKind::kSort) {}
  std::vector<SortKey> keys;  // over the child's output
};

// What FOR UPDATE or FOR SHARE locks of one table.
struct RowLock {
  const catalog::TableDef* table = nullptr;
  std::string alias;
  RowLockStrength strength = RowLockStrength::kShare;
  RowLockWait wait = RowLockWait::kWait;
  std::vector<ExprPtr> key;  // columns of the child: the rowid, or the primary key's columns in its order
};
struct LogicalLockRows : LogicalNode {  // output = child's; SKIP LOCKED leaves rows out
  LogicalLockRows() : LogicalNode(LogicalKind::kLockRows) {}
  std::vector<RowLock> locks;
  bool is_one_by_one = false;  // somebody above may want only some of the rows: no others are to be locked
};

struct LogicalLimit : LogicalNode {  // negative limit: all; negative offset: 0 (SQLite's rules)
  LogicalLimit() : LogicalNode(LogicalKind::kLimit) {}
  ExprPtr limit, offset;  // either may be null
};

enum class SetOp : uint8_t { kUnionAll, kUnion, kIntersect, kExcept };
struct LogicalSetOp : LogicalNode {  // children: left, right; output[i] takes left.output[i] and right.output[i]
  LogicalSetOp() : LogicalNode(LogicalKind::kSetOp) {}
  SetOp op = SetOp::kUnionAll;
  std::vector<Collation> collations;
};

// children: definition, body; the body reads it through LogicalCteRef of cte_id (output[i]: the definition's output[i]).
struct LogicalCte : LogicalNode {
  LogicalCte() : LogicalNode(LogicalKind::kCte) {}
  int cte_id = 0;
  std::string name;
};
// children: initial, recursive (reads the row taken from the queue through LogicalCteRef). output[i] takes both children's
// output[i]; order_by is over output.
struct LogicalRecursiveCte : LogicalNode {
  LogicalRecursiveCte() : LogicalNode(LogicalKind::kRecursiveCte) {}
  int cte_id = 0;
  bool is_union_all = true;
  std::vector<Collation> collations;  // of output, for UNION
  std::vector<SortKey> order_by;      // of the queue
  ExprPtr limit, offset;
};
struct LogicalCteRef : LogicalNode {
  LogicalCteRef() : LogicalNode(LogicalKind::kCteRef) {}
  int cte_id = 0;
  std::string name;
};

// Expressions over a table's row, for writes: CHECKs, generated columns, index expressions, partial index predicates.
// They read the ColumnIds of `row_columns` (one a table column, then the rowid).
struct RowExpressions {
  std::vector<ColumnId> row_columns;
  std::vector<std::pair<std::string, ExprPtr>> checks;                // constraint name (or text) and expression
  std::vector<std::pair<int, ExprPtr>> generated;                     // column number, in dependency order
  struct IndexExprs {
    const catalog::IndexDef* index = nullptr;
    std::vector<ExprPtr> columns;  // per index column; null for plain columns
    ExprPtr where;                 // or null
  };
  std::vector<IndexExprs> indexes;  // only indexes that have expressions
};

struct UpsertClause {
  const catalog::IndexDef* index = nullptr;  // conflict target; nullptr and !is_rowid: any
  bool is_rowid = false;  // the table's own key: the rowid, or the primary key of a WITHOUT ROWID table
  bool is_any = false;
  bool is_update = false;
  std::vector<std::pair<int, ExprPtr>> assignments;  // column number (kRowIdColumn for the rowid), value; over
                                                     // row_columns (the existing row) and excluded_columns
  ExprPtr where;
};

struct Returning {
  std::vector<ExprPtr> exprs;  // over row_columns
  bool is_present = false;
};

// children[0] gives the source rows: output[i] of it goes to target_columns[i].
struct LogicalInsert : LogicalNode {
  LogicalInsert() : LogicalNode(LogicalKind::kInsert) {}
  const catalog::TableDef* table = nullptr;
  std::vector<int> target_columns;              // column numbers; kRowIdColumn for rowid
  std::vector<ExprPtr> defaults;                // per table column; null: NULL
  catalog::ConflictAction on_conflict = catalog::ConflictAction::kDefault;
  RowExpressions row_expressions;
  std::vector<ColumnId> excluded_columns;       // per table column, then the rowid
  std::vector<UpsertClause> upserts;
  Returning returning;
};

// children[0] gives, per row to change: the old row's columns in order of row_columns (all table columns, then the
// rowid, NULL for WITHOUT ROWID tables), then one value per assignment. A row comes once. Vector columns that neither
// row_expressions nor `returning` read come as NULL: those that are not assigned stay as they are in the table.
struct LogicalUpdate : LogicalNode {
  LogicalUpdate() : LogicalNode(LogicalKind::kUpdate) {}
  const catalog::TableDef* table = nullptr;
  std::vector<int> assigned_columns;            // kRowIdColumn for the rowid
  catalog::ConflictAction on_conflict = catalog::ConflictAction::kDefault;
  RowExpressions row_expressions;
  Returning returning;
};

// children[0] gives the rowid (WITHOUT ROWID: the primary key columns), and when `returning` is present the whole row
// in order of row_columns instead (WITHOUT ROWID: NULL for the rowid).
struct LogicalDelete : LogicalNode {
  LogicalDelete() : LogicalNode(LogicalKind::kDelete) {}
  const catalog::TableDef* table = nullptr;
  bool is_whole_table = false;                  // no WHERE, no RETURNING: children is empty
  std::vector<ColumnId> row_columns;
  RowExpressions row_expressions;               // of expression indexes only; the same row_columns
  Returning returning;
};

struct ResultColumnInfo {
  std::string name;
  std::string declared_type;  // of a plain column, else empty
  LogicalType type;
  std::string table, column;  // origin of a plain column
  Affinity affinity = Affinity::kNone;
};

// A statement that has a plan. Keeps what its plan points into.
struct BoundStatement {
  std::shared_ptr<const catalog::CatalogSnapshot> catalog;
  std::vector<std::shared_ptr<const catalog::TableDef>> own_tables;  // made for this statement (system tables, ...)
  LogicalPtr root;
  std::vector<ResultColumnInfo> columns;  // empty for writes without RETURNING
  uint32_t parameter_count = 0;
  std::vector<std::string> parameter_names;  // [number - 1], with sign, "" for ?
  bool is_read_only = true;
  uint32_t column_id_count = 0;           // ColumnIds below it are taken
  int cte_count = 0;
  int shared_count = 0;                   // kOnce expressions
  std::vector<std::string> column_names;  // by ColumnId, for EXPLAIN
  std::vector<std::unique_ptr<WindowSpec>> frames;  // what WindowCall::frame points to
};

// The tree as indented text, for EXPLAIN and tests.
std::string LogicalText(const LogicalNode& root, const std::vector<std::string>& column_names);

}  // namespace turdb::sql
