// The physical plan: what sql/exec turns into operators, one PhysicalNode kind an operator.
//
// All expressions are resolved: kSlot is a column of the operator's input batch (for a scan: of its own output; for a
// join condition: left's output followed by right's), kRegister a value set by somebody further out. Bounds of scans
// (rowids, index keys, k, limits) hold only constants, parameters and registers: they are evaluated at Open.
// A node may be opened many times (inner side of a nested loop, correlated subquery) with other registers.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sql/bind/bound_expr.h"
#include "sql/bind/logical_plan.h"
#include "table/vector_search.h"

namespace turdb::sql {

enum class PhysicalKind : uint8_t {
  kTableScan, kRowIdLookup, kIndexScan, kVectorSearch, kValues, kTableFunction, kFilter, kProject, kNestedLoopJoin, kHashJoin,
  kAggregate, kWindow, kDistinct, kSort, kLockRows, kLimit, kSetOp, kMaterialize, kCteScan, kRecursiveCte, kInsert, kUpdate, kDelete
};

struct PhysicalNode {
  explicit PhysicalNode(PhysicalKind k) : kind(k) {}
  virtual ~PhysicalNode() = default;
  PhysicalKind kind;
  int id = 0;                     // place in EXPLAIN ANALYZE's counters, from 0
  std::vector<ColumnId> output;
  std::vector<std::unique_ptr<PhysicalNode>> children;
  double estimated_rows = 0;
  template <typename T> T& As() { return static_cast<T&>(*this); }
  template <typename T> const T& As() const { return static_cast<const T&>(*this); }
};
using PhysicalPtr = std::unique_ptr<PhysicalNode>;

struct Bound {
  ExprPtr value;  // null: unbounded. A NULL value makes the range empty.
  bool is_inclusive = true;
};

// Reads columns[i] of the table (see table_reader.h; VectorSlotColumn too) as output[i].
struct PhysicalTableScan : PhysicalNode {
  PhysicalTableScan() : PhysicalNode(PhysicalKind::kTableScan) {}
  const catalog::TableDef* table = nullptr;
  std::string alias;
  std::vector<int> columns;
  Bound lower, upper;  // of the rowid; values of other types compare as SQLite's rules say (1.5 <= rowid means 2 <=)
  bool is_descending = false;
  ExprPtr filter;      // over output; or null
};

// rowid = value, or rowid IN (values): found one by one, in ascending order, duplicates once.
struct PhysicalRowIdLookup : PhysicalNode {
  PhysicalRowIdLookup() : PhysicalNode(PhysicalKind::kRowIdLookup) {}
  const catalog::TableDef* table = nullptr;
  std::string alias;
  std::vector<int> columns;
  std::vector<ExprPtr> values;
  ExprPtr filter;
};

struct PhysicalIndexScan : PhysicalNode {
  PhysicalIndexScan() : PhysicalNode(PhysicalKind::kIndexScan) {}
  const catalog::TableDef* table = nullptr;
  const catalog::IndexDef* index = nullptr;  // nullptr: the primary key of a WITHOUT ROWID table
  std::string alias;
  std::vector<int> columns;
  std::vector<ExprPtr> prefix;               // equal to the first index columns; a NULL makes it empty
  std::vector<bool> prefix_is_null_safe;     // IS: NULL matches NULL
  std::vector<ExprPtr> in_list;              // the column after prefix IN these (then no bounds): one range each,
                                             // values ascending, duplicates once
  Bound lower, upper;                        // of the column after prefix
  bool is_descending = false;
  bool is_covering = false;
  ExprPtr filter;
};

// ORDER BY distance LIMIT k over one table. output = columns of the table, then the distance.
struct PhysicalVectorSearch : PhysicalNode {
  PhysicalVectorSearch() : PhysicalNode(PhysicalKind::kVectorSearch) {}
  const catalog::TableDef* table = nullptr;
  std::string alias;
  const catalog::IndexDef* index = nullptr;  // nullptr: exact scan
  int column = 0;
  catalog::Metric metric = catalog::Metric::kCosine;
  ExprPtr query;                             // vector, blob of float32, or JSON text
  ExprPtr limit, offset;                     // k = limit + offset (the Limit above cuts the offset); null limit: all
  Bound radius;                              // WHERE distance < r; or unbounded
  std::vector<int> columns;                  // read for the hits only
  // children[0], when there is a filter: a scan of the same table whose single output is the slot number of the
  // vectors of the rows that match.
};

struct PhysicalValues : PhysicalNode {
  PhysicalValues() : PhysicalNode(PhysicalKind::kValues) {}
  std::vector<std::vector<ExprPtr>> rows;
};

struct PhysicalTableFunction : PhysicalNode {
  PhysicalTableFunction() : PhysicalNode(PhysicalKind::kTableFunction) {}
  std::string name;
  std::vector<ExprPtr> arguments;
};

struct PhysicalFilter : PhysicalNode {
  PhysicalFilter() : PhysicalNode(PhysicalKind::kFilter) {}
  ExprPtr predicate;
};

struct PhysicalProject : PhysicalNode {
  PhysicalProject() : PhysicalNode(PhysicalKind::kProject) {}
  std::vector<ExprPtr> exprs;
};

// For each left row: sets the registers, opens the right side, joins. Output = left, right (kSemi, kAnti: left).
struct PhysicalNestedLoopJoin : PhysicalNode {
  PhysicalNestedLoopJoin() : PhysicalNode(PhysicalKind::kNestedLoopJoin) {}
  JoinType type = JoinType::kInner;  // not kRight, kFull
  struct Binding { int left_slot; int register_index; };
  std::vector<Binding> bindings;     // none: the right side is the same for all left rows and is kept in memory
  ExprPtr condition;                 // over left ++ right; or null
};

// Builds on the right, probes with the left.
struct PhysicalHashJoin : PhysicalNode {
  PhysicalHashJoin() : PhysicalNode(PhysicalKind::kHashJoin) {}
  JoinType type = JoinType::kInner;
  std::vector<ExprPtr> left_keys, right_keys;  // over left's and right's output; affinities already applied by kCast-like
                                               // nodes where needed
  std::vector<Affinity> key_affinities;        // applied to both sides (kNone, kNumeric, kText)
  std::vector<Collation> key_collations;
  ExprPtr condition;                           // residual, over left ++ right; or null
};

struct PhysicalAggregate : PhysicalNode {
  PhysicalAggregate() : PhysicalNode(PhysicalKind::kAggregate) {}
  std::vector<ExprPtr> groups;
  std::vector<Collation> group_collations;
  std::vector<AggregateCall> aggregates;
  bool is_input_grouped = false;  // equal groups come one after another: streaming
};

struct PhysicalWindow : PhysicalNode {
  PhysicalWindow() : PhysicalNode(PhysicalKind::kWindow) {}
  std::vector<WindowCall> calls;
};

struct PhysicalDistinct : PhysicalNode {
  PhysicalDistinct() : PhysicalNode(PhysicalKind::kDistinct) {}
  std::vector<Collation> collations;
};

struct PhysicalSort : PhysicalNode {
  PhysicalSort() : PhysicalNode(PhysicalKind::kSort) {}
  std::vector<SortKey> keys;
  ExprPtr limit, offset;  // when a limit is above: keep only the first limit + offset rows (a heap)
};

struct PhysicalLockRows : PhysicalNode {
  PhysicalLockRows() : PhysicalNode(PhysicalKind::kLockRows) {}
  std::vector<RowLock> locks;
  bool is_one_by_one = false;
};

struct PhysicalLimit : PhysicalNode {
  PhysicalLimit() : PhysicalNode(PhysicalKind::kLimit) {}
  ExprPtr limit, offset;
};

struct PhysicalSetOp : PhysicalNode {
  PhysicalSetOp() : PhysicalNode(PhysicalKind::kSetOp) {}
  SetOp op = SetOp::kUnionAll;
  std::vector<Collation> collations;
};

// children: definition, body. The definition's rows are computed once per Open, when first read, and kept.
struct PhysicalMaterialize : PhysicalNode {
  PhysicalMaterialize() : PhysicalNode(PhysicalKind::kMaterialize) {}
  int cte_id = 0;
  std::string name;
};
struct PhysicalCteScan : PhysicalNode {
  PhysicalCteScan() : PhysicalNode(PhysicalKind::kCteScan) {}
  int cte_id = 0;
  std::string name;
};
struct PhysicalRecursiveCte : PhysicalNode {
  PhysicalRecursiveCte() : PhysicalNode(PhysicalKind::kRecursiveCte) {}
  int cte_id = 0;  // its recursive child reads the current row(s) through a PhysicalCteScan
  bool is_union_all = true;
  std::vector<SortKey> order_by;
  std::vector<Collation> collations;
  ExprPtr limit, offset;
};

// The RowExpressions, assignments and returning expressions of writes are resolved over this row layout:
// slots [0, n) the table's columns, slot n the rowid, and for upserts slots [n + 1, 2n + 1) excluded columns, 2n + 1
// the excluded rowid.
struct PhysicalInsert : PhysicalNode {
  PhysicalInsert() : PhysicalNode(PhysicalKind::kInsert) {}
  const catalog::TableDef* table = nullptr;
  std::vector<int> target_columns;
  std::vector<ExprPtr> defaults;
  catalog::ConflictAction on_conflict = catalog::ConflictAction::kDefault;
  RowExpressions row_expressions;
  std::vector<ColumnId> excluded_columns;
  std::vector<UpsertClause> upserts;
  Returning returning;
};
struct PhysicalUpdate : PhysicalNode {
  PhysicalUpdate() : PhysicalNode(PhysicalKind::kUpdate) {}
  const catalog::TableDef* table = nullptr;
  std::vector<int> assigned_columns;
  catalog::ConflictAction on_conflict = catalog::ConflictAction::kDefault;
  RowExpressions row_expressions;
  Returning returning;
};
struct PhysicalDelete : PhysicalNode {
  PhysicalDelete() : PhysicalNode(PhysicalKind::kDelete) {}
  const catalog::TableDef* table = nullptr;
  bool is_whole_table = false;
  RowExpressions row_expressions;  // of expression indexes
  Returning returning;
};

// A planned statement: everything exec needs besides parameters and the transaction.
struct PhysicalPlan {
  BoundStatement bound;  // keeps catalog, names and columns; its root is gone
  PhysicalPtr root;
  int register_count = 0;
  int node_count = 0;
};

}  // namespace turdb::sql
