// Expressions. Each kind is a plain struct derived from Expr; switch over `kind`, then As<BinaryExpr>().
//
// Parentheses leave no node: (a) is a with the position of a alone; (a, b) is a RowExpr.
// `height` is that of the tree below, at most kMaxExprDepth (parser.h), subqueries included, so
// recursion over a tree that parsed needs no guard of its own.
#pragma once

#include <cassert>

#include "sql/syntax/ast_base.h"

namespace turdb::sql {

enum class ExprKind : uint8_t {
  kLiteral,
  kColumn,
  kStar,  // only as a result column: * and t.*
  kParameter,
  kUnary,
  kBinary,
  kLike,
  kBetween,
  kIn,
  kIsNull,
  kCase,
  kCast,
  kCollate,
  kFunction,
  kExists,
  kSubquery,
  kRow,
  kRaise,
};

struct Expr {
  ExprKind kind;
  uint16_t height = 1;
  SourcePos pos;

  // REQUIRES: kind is T::kKind.
  template <typename T>
  const T& As() const {
    assert(kind == T::kKind);
    return static_cast<const T&>(*this);
  }
  template <typename T>
  T& As() {
    assert(kind == T::kKind);
    return static_cast<T&>(*this);
  }

 protected:
  explicit Expr(ExprKind k) : kind(k) {}
};

enum class LiteralKind : uint8_t {
  kNull,
  kInteger,  // integer; a minus sign before it is a UnaryExpr, except -9223372036854775808
  kReal,     // real; also decimal digits beyond int64
  kText,     // text
  kBlob,     // text holds the decoded bytes
  kTrue,     // TRUE and FALSE; the bare words are columns first if a column of that name exists
  kFalse,
  kCurrentTime,
  kCurrentDate,
  kCurrentTimestamp,
};

struct LiteralExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kLiteral;
  LiteralExpr() : Expr(kKind) {}
  LiteralKind literal = LiteralKind::kNull;
  union {
    int64_t integer = 0;
    double real;
  };
  std::string_view text;
};

// [schema.][table.]column
struct ColumnExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kColumn;
  ColumnExpr() : Expr(kKind) {}
  Name schema;  // empty() when absent
  Name table;
  Name column;  // column.quote == '"' and no table: falls back to a string literal
};

// * or table.*
struct StarExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kStar;
  StarExpr() : Expr(kKind) {}
  Name table;  // empty() for a plain *
};

// ?, ?NNN, :name, @name, $name
struct ParameterExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kParameter;
  ParameterExpr() : Expr(kKind) {}
  uint32_t number = 0;    // from 1, as SQLite numbers them
  std::string_view name;  // with its sign (":a", "?12"), empty for a bare ?
};

enum class UnaryOp : uint8_t { kMinus, kPlus, kBitNot, kNot };

struct UnaryExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kUnary;
  UnaryExpr() : Expr(kKind) {}
  UnaryOp op = UnaryOp::kMinus;
  Expr* operand = nullptr;
};

enum class BinaryOp : uint8_t {
  kOr,
  kAnd,
  kEqual,  // = and ==
  kNotEqual,
  kIs,     // also IS NOT DISTINCT FROM
  kIsNot,  // also IS DISTINCT FROM
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kBitAnd,
  kBitOr,
  kShiftLeft,
  kShiftRight,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kConcat,
  kJsonGet,                // ->
  kJsonGetText,            // ->>
  kDistanceL2,             // <->
  kDistanceCosine,         // <=>
  kNegativeInnerProduct,   // <#>
  kDistanceL1,             // <+>
  kDistanceHamming,        // <~>
};

struct BinaryExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kBinary;
  BinaryExpr() : Expr(kKind) {}
  BinaryOp op = BinaryOp::kOr;
  SourcePos op_pos;
  Expr* left = nullptr;
  Expr* right = nullptr;
};

enum class LikeOp : uint8_t { kLike, kGlob, kRegexp, kMatch };

// operand [NOT] LIKE pattern [ESCAPE escape]
struct LikeExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kLike;
  LikeExpr() : Expr(kKind) {}
  LikeOp op = LikeOp::kLike;
  bool is_negated = false;
  Expr* operand = nullptr;
  Expr* pattern = nullptr;
  Expr* escape = nullptr;  // or null
};

// operand [NOT] BETWEEN low AND high
struct BetweenExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kBetween;
  BetweenExpr() : Expr(kKind) {}
  bool is_negated = false;
  Expr* operand = nullptr;
  Expr* low = nullptr;
  Expr* high = nullptr;
};

// operand [NOT] IN (list) | (select) | [schema.]table | function(arguments)
struct InExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kIn;
  enum class Form : uint8_t { kList, kSelect, kTable, kTableFunction };
  InExpr() : Expr(kKind) {}
  bool is_negated = false;
  Form form = Form::kList;
  Expr* operand = nullptr;
  List<Expr*> list;         // of kList (may be empty), or the arguments of kTableFunction
  Select* select = nullptr;  // of kSelect
  QualifiedName table;      // of kTable and kTableFunction
};

// operand IS NULL, ISNULL, IS NOT NULL, NOTNULL, NOT NULL
struct IsNullExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kIsNull;
  IsNullExpr() : Expr(kKind) {}
  bool is_negated = false;
  Expr* operand = nullptr;
};

struct CaseBranch {
  Expr* when = nullptr;
  Expr* then = nullptr;
};
struct CaseExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kCase;
  CaseExpr() : Expr(kKind) {}
  Expr* operand = nullptr;  // or null: CASE WHEN condition
  List<CaseBranch> branches;
  Expr* otherwise = nullptr;  // ELSE, or null
};

// A type as written: UNSIGNED BIG INT, VARCHAR(10), DECIMAL(10,5), VECTOR(384).
struct TypeArgument {
  std::string_view text;  // as written, its sign included
  int64_t integer = 0;    // when is_integer
  bool is_integer = false;
};
struct TypeName {
  std::string_view text;  // the whole, as written; empty when a column has no type
  std::string_view name;  // the words alone, one space between
  List<TypeArgument> arguments;
  SourcePos pos;

  bool empty() const { return text.empty(); }
};

struct CastExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kCast;
  CastExpr() : Expr(kKind) {}
  Expr* operand = nullptr;
  TypeName type;
};

struct CollateExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kCollate;
  CollateExpr() : Expr(kKind) {}
  Expr* operand = nullptr;
  Name collation;
};

enum class SortOrder : uint8_t { kUnspecified, kAscending, kDescending };
enum class NullsOrder : uint8_t { kUnspecified, kFirst, kLast };

// expr [COLLATE c] [ASC|DESC] [NULLS FIRST|LAST]; COLLATE is part of the expression.
struct OrderingTerm {
  Expr* expr = nullptr;
  SortOrder order = SortOrder::kUnspecified;
  NullsOrder nulls = NullsOrder::kUnspecified;
};

enum class FrameMode : uint8_t { kRange, kRows, kGroups };
enum class FrameBoundKind : uint8_t {
  kUnboundedPreceding,
  kPreceding,
  kCurrentRow,
  kFollowing,
  kUnboundedFollowing,
};
enum class FrameExclude : uint8_t { kNoOthers, kCurrentRow, kGroup, kTies };

struct FrameBound {
  FrameBoundKind kind = FrameBoundKind::kCurrentRow;
  Expr* offset = nullptr;  // of kPreceding and kFollowing
};

// ( [base] [PARTITION BY ..] [ORDER BY ..] [frame] ), or `OVER name` alone.
struct WindowSpec {
  Name name;  // of WINDOW name AS (..); or the window that a bare OVER name refers to
  Name base;  // of OVER (base ...)
  bool is_reference = false;  // OVER name
  List<Expr*> partition_by;
  List<OrderingTerm> order_by;
  bool has_frame = false;  // otherwise the default: RANGE UNBOUNDED PRECEDING TO CURRENT ROW
  FrameMode mode = FrameMode::kRange;
  FrameBound start{FrameBoundKind::kUnboundedPreceding, nullptr};
  FrameBound end{FrameBoundKind::kCurrentRow, nullptr};
  FrameExclude exclude = FrameExclude::kNoOthers;
  SourcePos pos;
};

// name([DISTINCT] arguments [ORDER BY ..]) [FILTER (WHERE ..)] [OVER ..]
struct FunctionExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kFunction;
  FunctionExpr() : Expr(kKind) {}
  bool is_distinct = false;
  bool is_star = false;  // count(*)
  Name name;
  List<Expr*> arguments;
  List<OrderingTerm> order_by;
  Expr* filter = nullptr;      // or null
  WindowSpec* over = nullptr;  // or null
};

// EXISTS (select); NOT EXISTS is a UnaryExpr above it.
struct ExistsExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kExists;
  ExistsExpr() : Expr(kKind) {}
  Select* select = nullptr;
};

// (select) as a value
struct SubqueryExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kSubquery;
  SubqueryExpr() : Expr(kKind) {}
  Select* select = nullptr;
};

// (a, b, ...): two or more
struct RowExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kRow;
  RowExpr() : Expr(kKind) {}
  List<Expr*> items;
};

// RAISE(IGNORE) or RAISE(ROLLBACK|ABORT|FAIL, message), in triggers
struct RaiseExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kRaise;
  RaiseExpr() : Expr(kKind) {}
  ConflictAction action = ConflictAction::kIgnore;
  Expr* message = nullptr;  // null for IGNORE
};

}  // namespace turdb::sql
