// Operations on single cells by SQLite's rules: arithmetic, truth, affinities, casts, text forms.
//
// The generic path of the evaluators, and what functions and writes use. Result bytes go to `arena` or are those of an
// operand. Pure functions; any thread.
#pragma once

#include "absl/status/status.h"
#include "base/arena.h"
#include "sql/bind/bound_expr.h"
#include "types/cell.h"
#include "types/logical_type.h"

namespace turdb::sql {

inline constexpr size_t kMaxTextBytes = 1000000000;  // SQLITE_MAX_LENGTH

// +, -, *, /, %, &, |, <<, >>: NULL for NULL operands and division by zero; integers that overflow become reals.
Cell Arithmetic(ArithmeticOp op, const Cell& a, const Cell& b);
Cell Negate(const Cell& a);
Cell BitNot(const Cell& a);
absl::Status Concat(const Cell& a, const Cell& b, Arena* arena, Cell* result);

int Truth(const Cell& cell);  // 1, 0, -1 for NULL
int64_t ToInteger(const Cell& cell);  // as sqlite3_value_int64
double ToReal(const Cell& cell);      // as sqlite3_value_double
std::string_view ToText(const Cell& cell, Arena* arena);  // as sqlite3_value_text; "" for NULL; vectors as JSON

// The affinity of a column on a value to be stored in it.
Cell ApplyAffinity(const Cell& cell, Affinity affinity, Arena* arena);
// The affinity of a comparison (kNone, kNumeric or kText) on one operand.
inline bool NeedsComparisonAffinity(const Cell& cell, Affinity affinity) {
  return affinity == Affinity::kText ? cell.is_numeric() : affinity >= Affinity::kNumeric && cell.is_text();
}
Cell ApplyComparisonAffinity(const Cell& cell, Affinity affinity, Arena* arena);

absl::Status Cast(const Cell& cell, const LogicalType& type, Arena* arena, Cell* result);

// A vector from a vector, a blob of little-endian float32 or JSON text '[1, 2, 3]'. kBadValue, also for NaN and infinity.
absl::Status ToVector(const Cell& cell, Arena* arena, Cell* result);
std::string_view VectorToJson(const Cell& vector, Arena* arena);

}  // namespace turdb::sql
