// Which conjuncts can become a key of an access path: column op value, where the value does not read the table.
// Source: Selinger et al., "Access path selection in a relational DBMS", SIGMOD 1979.
#pragma once

#include "sql/plan/conjuncts.h"
#include "sql/plan/planner.h"

namespace turdb::sql {

enum class SargKind : uint8_t { kEqual, kIsNull, kNullSafeEqual, kIn, kLower, kUpper };

struct Sarg {
  SargKind kind = SargKind::kEqual;
  int column = 0;                // table column number, or kRowIdColumn (also for the rowid's alias)
  const BoundExpr* column_expr = nullptr;
  const BoundExpr* value = nullptr;  // kEqual, kNullSafeEqual, bounds; kIn: the kInList itself
  bool is_inclusive = true;          // bounds
  Affinity compare_affinity = Affinity::kNone;
  Collation collation = Collation::kBinary;
};

// How `conjunct` restricts a column of `get`, if it does.
bool MatchSarg(const BoundExpr& conjunct, const LogicalGet& get, const ColumnSet& own_columns, Sarg* sarg);

// Whether an index column (or the rowid) orders values as the comparison does, so that it may answer it.
bool IndexColumnAnswers(const catalog::TableDef& table, const catalog::IndexColumn& index_column, const Sarg& sarg);
bool RowIdAnswers(const Sarg& sarg);

// The fraction of rows that pass a conjunct, by its form alone.
double GuessSelectivity(const BoundExpr& conjunct);

}  // namespace turdb::sql
