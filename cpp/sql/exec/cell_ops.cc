#include "sql/exec/cell_ops.h"

#include <cmath>
#include <limits>

#include "base/errors.h"
#include "base/status_macros.h"
#include "types/number_text.h"

namespace turdb::sql {
namespace {

constexpr int64_t kSmallest = std::numeric_limits<int64_t>::min();

int64_t ShiftLeft(int64_t value, int64_t by) {
  if (by < 0) {  // a shift the other way
    if (by <= -64) return value < 0 ? -1 : 0;
    return value >> -by;
  }
  return by >= 64 ? 0 : static_cast<int64_t>(static_cast<uint64_t>(value) << by);
}
int64_t ShiftRight(int64_t value, int64_t by) {
  if (by < 0) return by <= -64 ? 0 : static_cast<int64_t>(static_cast<uint64_t>(value) << -by);
  if (by >= 64) return value < 0 ? -1 : 0;
  return value >> by;
}

Cell Modulo(const Cell& a, const Cell& b) {
  const int64_t left = ToInteger(a);
  int64_t right = ToInteger(b);
  if (right == 0) return Cell();
  if (right == -1) right = 1;  // the smallest integer % -1 traps
  const int64_t rest = left % right;
  return a.is_integer() && b.is_integer() ? Cell::Integer(rest) : Cell::Real(static_cast<double>(rest));
}

// False when the result does not fit.
bool IntegerArithmetic(ArithmeticOp op, int64_t a, int64_t b, Cell* result) {
  int64_t value = 0;
  switch (op) {
    case ArithmeticOp::kAdd: if (__builtin_add_overflow(a, b, &value)) return false; break;
    case ArithmeticOp::kSubtract: if (__builtin_sub_overflow(a, b, &value)) return false; break;
    case ArithmeticOp::kMultiply: if (__builtin_mul_overflow(a, b, &value)) return false; break;
    default:  // kDivide
      if (b == 0) {
        *result = Cell();
        return true;
      }
      if (a == kSmallest && b == -1) return false;
      value = a / b;
  }
  *result = Cell::Integer(value);
  return true;
}

Cell RealArithmetic(ArithmeticOp op, double a, double b) {
  switch (op) {
    case ArithmeticOp::kAdd: return Cell::Real(a + b);
    case ArithmeticOp::kSubtract: return Cell::Real(a - b);
    case ArithmeticOp::kMultiply: return Cell::Real(a * b);
    default: return b == 0 ? Cell() : Cell::Real(a / b);
  }
}

double NumberToReal(const Cell& cell) { return cell.is_integer() ? static_cast<double>(cell.integer) : cell.real; }

Cell RealToIntegerIfExact(const Cell& cell) {
  int64_t integer;
  if (cell.is_real() && RealIsInteger(cell.real, &integer)) return Cell::Integer(integer);
  return cell;
}

// CAST(text AS NUMERIC): the prefix, as an integer when it is one.
Cell TextToNumeric(std::string_view text) {
  const ParsedNumber parsed = ParseNumber(text);
  if (!parsed.has_digits) return Cell::Integer(0);
  if (parsed.fits) return Cell::Integer(parsed.integer);
  constexpr double kMostExact = 2251799813685248.0;  // 2^51, as SQLite
  const Cell real = Cell::Real(parsed.real);
  return parsed.real >= -kMostExact && parsed.real < kMostExact ? RealToIntegerIfExact(real) : real;
}

absl::Status CastToVector(const Cell& cell, const LogicalType& type, Arena* arena, Cell* result) {
  TURDB_RETURN_IF_ERROR(ToVector(cell, arena, result));
  if (type.dim != 0 && result->dim() != type.dim) {
    return DimensionError("cannot cast to VECTOR(", type.dim, "): got ", result->dim(), " dimensions");
  }
  return absl::OkStatus();
}

}  // namespace

Cell Arithmetic(ArithmeticOp op, const Cell& a, const Cell& b) {
  if (a.is_null() || b.is_null()) return Cell();
  switch (op) {
    case ArithmeticOp::kBitAnd: return Cell::Integer(ToInteger(a) & ToInteger(b));
    case ArithmeticOp::kBitOr: return Cell::Integer(ToInteger(a) | ToInteger(b));
    case ArithmeticOp::kShiftLeft: return Cell::Integer(ShiftLeft(ToInteger(a), ToInteger(b)));
    case ArithmeticOp::kShiftRight: return Cell::Integer(ShiftRight(ToInteger(a), ToInteger(b)));
    default: break;
  }
  const Cell x = ToNumber(a);
  const Cell y = ToNumber(b);
  if (op == ArithmeticOp::kModulo) {  // integers by their own prefix, the result's class by the numbers'
    Cell left = Cell::Integer(ToInteger(a)), right = Cell::Integer(ToInteger(b));
    Cell rest = Modulo(left, right);
    if (rest.is_null() || (x.is_integer() && y.is_integer())) return rest;
    return Cell::Real(static_cast<double>(rest.integer));
  }
  Cell result;
  if (x.is_integer() && y.is_integer() && IntegerArithmetic(op, x.integer, y.integer, &result)) return result;
  return RealArithmetic(op, NumberToReal(x), NumberToReal(y));
}

Cell Negate(const Cell& a) {
  if (a.is_null()) return a;
  const Cell number = ToNumber(a);
  if (number.is_real()) return Cell::Real(-number.real);
  if (number.integer == kSmallest) return Cell::Real(9223372036854775808.0);
  return Cell::Integer(-number.integer);
}

Cell BitNot(const Cell& a) { return a.is_null() ? a : Cell::Integer(~ToInteger(a)); }

absl::Status Concat(const Cell& a, const Cell& b, Arena* arena, Cell* result) {
  *result = Cell();
  if (a.is_null() || b.is_null()) return absl::OkStatus();
  const std::string_view left = ToText(a, arena);
  const std::string_view right = ToText(b, arena);
  const size_t size = left.size() + right.size();
  if (size > kMaxTextBytes) return TooBigError("string or blob too big: ", size, " bytes");
  char* to = arena->Allocate(size, 1);
  if (!left.empty()) std::memcpy(to, left.data(), left.size());
  if (!right.empty()) std::memcpy(to + left.size(), right.data(), right.size());
  *result = Cell::Text({to, size});
  return absl::OkStatus();
}

int Truth(const Cell& cell) {
  switch (cell.type) {
    case StorageClass::kNull: return -1;
    case StorageClass::kInteger: return cell.integer != 0;
    case StorageClass::kReal: return cell.real != 0;
    case StorageClass::kVector: return 0;
    default: return TextToReal(cell.view()) != 0;
  }
}

int64_t ToInteger(const Cell& cell) {
  switch (cell.type) {
    case StorageClass::kInteger: return cell.integer;
    case StorageClass::kReal: return RealToInteger(cell.real);
    case StorageClass::kText:
    case StorageClass::kBlob: return TextToInteger(cell.view());
    default: return 0;
  }
}

double ToReal(const Cell& cell) {
  switch (cell.type) {
    case StorageClass::kInteger: return static_cast<double>(cell.integer);
    case StorageClass::kReal: return cell.real;
    case StorageClass::kText:
    case StorageClass::kBlob: return TextToReal(cell.view());
    default: return 0;
  }
}

std::string_view ToText(const Cell& cell, Arena* arena) {
  if (cell.is_null()) return {};
  if (cell.is_vector()) return VectorToJson(cell, arena);
  if (cell.has_bytes()) return cell.view();
  char* to = arena->Allocate(kNumberTextBytes, 1);
  return {to, cell.is_integer() ? IntegerToText(cell.integer, to) : RealToText(cell.real, to)};
}

Cell ApplyAffinity(const Cell& cell, Affinity affinity, Arena* arena) {
  switch (affinity) {
    case Affinity::kNone:
    case Affinity::kBlob: return cell;
    case Affinity::kText: return cell.is_numeric() ? Cell::Text(ToText(cell, arena)) : cell;
    case Affinity::kNumeric:
    case Affinity::kInteger: return RealToIntegerIfExact(TextToNumberIfWhole(cell));
    case Affinity::kReal: {
      const Cell number = TextToNumberIfWhole(cell);
      return number.is_integer() ? Cell::Real(static_cast<double>(number.integer)) : number;
    }
  }
  return cell;
}

Cell ApplyComparisonAffinity(const Cell& cell, Affinity affinity, Arena* arena) {
  if (affinity == Affinity::kText) return cell.is_numeric() ? Cell::Text(ToText(cell, arena)) : cell;
  if (affinity >= Affinity::kNumeric) return TextToNumberIfWhole(cell);
  return cell;
}

absl::Status Cast(const Cell& cell, const LogicalType& type, Arena* arena, Cell* result) {
  *result = Cell();
  if (cell.is_null()) return absl::OkStatus();
  if (type.is_vector()) return CastToVector(cell, type, arena, result);
  const bool is_text = cell.is_text() || cell.is_blob();
  switch (type.affinity) {
    case Affinity::kNone: *result = cell; break;
    case Affinity::kBlob:
      *result = Cell::Blob(cell.is_vector() ? cell.view() : ToText(cell, arena));
      break;
    case Affinity::kText: *result = Cell::Text(ToText(cell, arena)); break;
    case Affinity::kInteger: *result = Cell::Integer(ToInteger(cell)); break;
    case Affinity::kReal: *result = Cell::Real(ToReal(cell)); break;
    case Affinity::kNumeric: *result = is_text ? TextToNumeric(cell.view()) : cell; break;
  }
  return absl::OkStatus();
}

}  // namespace turdb::sql
