// BoundExpr: an expression whose names are resolved and whose SQLite type rules are written out.
//
// Every column that any table reference or operator of a statement produces has a ColumnId of its own. The binder
// makes kColumn nodes; the last step of planning turns each into kSlot (a column of the operator's input batch) or
// kRegister (a value that an outer query or the outer side of a join sets before the inner side is opened).
// Affinities and collations of comparisons are decided here: the executor applies what the node says.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/strong_id.h"
#include "sql/bind/function.h"
#include "sql/syntax/ast_base.h"
#include "types/logical_type.h"
#include "types/value.h"

namespace turdb::sql {

using ColumnId = StrongId<struct ColumnIdTag, uint32_t>;

struct LogicalNode;   // sql/bind/logical_plan.h
struct PhysicalNode;  // sql/plan/physical_plan.h

enum class BoundKind : uint8_t {
  kConstant,     // constant
  kParameter,    // parameter, from 1
  kColumn,       // column (binder and planner only)
  kSlot,         // slot of the input batch (executor only)
  kRegister,     // register_index of ExecContext (executor only)
  kArithmetic,   // args[0] op args[1]: + - * / % & | << >> ||, and unary minus, ~ (one argument)
  kCompare,      // args[0] op args[1]: = <> < <= > >=, IS, IS NOT; compare_affinity, compare_collation
  kAnd,          // any number of args, SQL's three values
  kOr,
  kNot,
  kIsNull,       // is_negated: IS NOT NULL
  kCase,         // [when, then]..., else (always there); searched form: CASE x WHEN is bound to kCompare over a kOnce
  kCast,         // to cast_type
  kCollate,      // args[0], only carries a collation
  kFunction,     // function(args); compare_collation is the call's (FunctionContext::collation)
  kInList,       // args[0] [NOT] IN (args[1..]); compare_affinity, compare_collation
  kInSubquery,   // args (one, or several for a row value) [NOT] IN subquery; args[i] is compared with result column i
                 // under subquery->compare_affinities[i] and compare_collations[i]
  kExists,       // [NOT] EXISTS subquery
  kScalarSubquery,  // first row, column subquery_column; NULL when empty
  kOnce,         // a value used in several places of one expression, evaluated once a row: shared_index tells which.
                 // Inside one kCase the first in evaluation order has args[0], later ones have no args. Elsewhere every
                 // place has it, so the parts of a kAnd or kOr are whole and may always be taken apart (there only
                 // random() and subqueries are shared: deterministic operands are simply repeated)
  kAffinity,     // args[0] with `affinity` applied, as storing it in such a column would
  kRaise,        // error with message args[0]
};

enum class ArithmeticOp : uint8_t {
  kAdd, kSubtract, kMultiply, kDivide, kModulo, kBitAnd, kBitOr, kShiftLeft, kShiftRight, kConcat, kNegate, kBitNot
};
enum class CompareOp : uint8_t { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual, kIs, kIsNot };

// A nested select. The binder sets `logical`, the planner replaces it by `physical`.
// `outer_columns` are the columns of enclosing queries that it reads; empty means it is evaluated once a statement.
struct BoundSubquery {
  BoundSubquery();
  ~BoundSubquery();
  std::unique_ptr<LogicalNode> logical;
  std::shared_ptr<PhysicalNode> physical;  // shared only because its type is unknown in this room
  std::vector<ColumnId> outer_columns;
  std::vector<int> registers;       // set by the planner: register of each outer column
  std::vector<int> outer_slots;     // set by the planner: slot of each in the input of the expression, or -1 when the
                                    // value is already in its register (a column of a query further out)
  std::vector<Affinity> affinities; // of its result columns
  std::vector<Collation> collations;
  std::vector<Affinity> compare_affinities;    // kInSubquery: kNone, kNumeric or kText, an argument each
  std::vector<Collation> compare_collations;
};

struct BoundExpr {
  explicit BoundExpr(BoundKind k) : kind(k) {}

  BoundKind kind;
  bool is_negated = false;               // kIsNull, kInList, kInSubquery, kExists
  Affinity affinity = Affinity::kNone;   // of the result: a column's or a cast's; kNone for computed values
  Collation collation = Collation::kBinary;
  bool has_collation = false;            // a column's or an explicit COLLATE (not the default)
  bool has_explicit_collation = false;   // COLLATE, which wins
  ArithmeticOp arithmetic = ArithmeticOp::kAdd;
  CompareOp compare = CompareOp::kEqual;
  // Applied to both operands before comparing, as SQLite's comparison opcodes do: kNone; kNumeric (texts that look like
  // numbers become numbers); kText (a number becomes text, when the other operand is text).
  Affinity compare_affinity = Affinity::kNone;
  Collation compare_collation = Collation::kBinary;
  SourcePos pos;
  uint32_t parameter = 0;
  ColumnId column;
  int slot = -1;
  int register_index = -1;
  int shared_index = -1;
  int subquery_column = 0;               // kScalarSubquery: which result column, from 0
  LogicalType type;                      // kColumn: declared type (vector dimensions); kCast: target
  Value constant;
  const ScalarFunction* function = nullptr;
  std::vector<std::unique_ptr<BoundExpr>> args;
  std::unique_ptr<BoundSubquery> subquery;
};

using ExprPtr = std::unique_ptr<BoundExpr>;

struct SortKey {
  ExprPtr expr;
  bool is_descending = false;
  bool nulls_first = true;
  Collation collation = Collation::kBinary;
};

struct AggregateCall {
  const AggregateFunction* function = nullptr;  // nullptr: a bare column, taken from the row that min() or max() picked
  std::vector<ExprPtr> args;
  bool is_distinct = false;
  ExprPtr filter;                               // or null
  std::vector<SortKey> order_by;
  Collation collation = Collation::kBinary;
  ColumnId output;
};

// Deep copy (subqueries are not copied: REQUIRES none, or logical plans are cloned by the planner).
ExprPtr CloneExpr(const BoundExpr& expr);
bool HasSubquery(const BoundExpr& expr);
// Same structure and meaning; false whenever a subquery is in it.
bool ExprEquals(const BoundExpr& a, const BoundExpr& b);
bool IsDeterministic(const BoundExpr& expr);
// Calls visit for every kColumn node below, outer columns of subqueries included.
void CollectColumns(const BoundExpr& expr, std::vector<ColumnId>* columns);
// As SQL-like text, for EXPLAIN: columns are named by `names`.
std::string ExprText(const BoundExpr& expr, const std::function<std::string(ColumnId)>& names);

}  // namespace turdb::sql
