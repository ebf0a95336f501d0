// The mathematical functions: acos .. trunc, pi, pow, mod, log (sql/exec/functions.h). An argument that is not a
// number gives NULL, and so does a result that is none.
#include <cmath>

#include "sql/exec/cell_ops.h"
#include "sql/exec/functions.h"
#include "types/number_text.h"

namespace turdb::sql {
namespace {

using Args = absl::Span<const Cell>;

bool Number(const Cell& cell, double* value) {
  const Cell number = TextToNumberIfWhole(cell);
  *value = number.is_integer() ? static_cast<double>(number.integer) : number.real;
  return number.is_numeric();
}

template <double (*kFunction)(double)>
absl::Status Unary(FunctionContext*, Args args, Cell* result) {
  double x;
  if (Number(args[0], &x)) *result = Cell::Real(kFunction(x));
  return absl::OkStatus();
}

template <double (*kFunction)(double, double)>
absl::Status Binary(FunctionContext*, Args args, Cell* result) {
  double x, y;
  if (Number(args[0], &x) && Number(args[1], &y)) *result = Cell::Real(kFunction(x, y));
  return absl::OkStatus();
}

// ceil, floor and trunc leave integers alone.
template <double (*kFunction)(double)>
absl::Status Whole(FunctionContext*, Args args, Cell* result) {
  const Cell number = TextToNumberIfWhole(args[0]);
  if (number.is_integer()) *result = number;
  if (number.is_real()) *result = Cell::Real(kFunction(number.real));
  return absl::OkStatus();
}

double Degrees(double x) { return x * (180.0 / M_PI); }
double Radians(double x) { return x * (M_PI / 180.0); }
double Sqrt(double x) { return std::sqrt(x); }

// Logarithms of what is not positive are NULL.
template <double (*kFunction)(double)>
absl::Status Logarithm(FunctionContext*, Args args, Cell* result) {
  double x;
  if (Number(args[0], &x) && x > 0) *result = Cell::Real(kFunction(x));
  return absl::OkStatus();
}
absl::Status LogOfBase(FunctionContext*, Args args, Cell* result) {
  double base, x;
  if (!Number(args[0], &base) || !Number(args[1], &x) || x <= 0 || base <= 0) return absl::OkStatus();
  const double divisor = std::log(base);
  if (divisor > 0) *result = Cell::Real(std::log(x) / divisor);
  return absl::OkStatus();
}
absl::Status Pi(FunctionContext*, Args, Cell* result) {
  *result = Cell::Real(M_PI);
  return absl::OkStatus();
}

}  // namespace

void AddMathFunctions(FunctionRegistry* r) {
  r->Add("acos", 1, 1, Unary<std::acos>);
  r->Add("acosh", 1, 1, Unary<std::acosh>);
  r->Add("asin", 1, 1, Unary<std::asin>);
  r->Add("asinh", 1, 1, Unary<std::asinh>);
  r->Add("atan", 1, 1, Unary<std::atan>);
  r->Add("atan2", 2, 2, Binary<std::atan2>);
  r->Add("atanh", 1, 1, Unary<std::atanh>);
  r->Add("ceil", 1, 1, Whole<std::ceil>);
  r->Alias("ceiling", "ceil");
  r->Add("cos", 1, 1, Unary<std::cos>);
  r->Add("cosh", 1, 1, Unary<std::cosh>);
  r->Add("degrees", 1, 1, Unary<Degrees>);
  r->Add("exp", 1, 1, Unary<std::exp>);
  r->Add("floor", 1, 1, Whole<std::floor>);
  r->Add("ln", 1, 1, Logarithm<std::log>);
  r->Add("log", 1, 1, Logarithm<std::log10>);
  r->Add("log", 2, 2, LogOfBase);
  r->Add("log10", 1, 1, Logarithm<std::log10>);
  r->Add("log2", 1, 1, Logarithm<std::log2>);
  r->Add("mod", 2, 2, Binary<std::fmod>);
  r->Add("pi", 0, 0, Pi);
  r->Add("pow", 2, 2, Binary<std::pow>);
  r->Alias("power", "pow");
  r->Add("radians", 1, 1, Unary<Radians>);
  r->Add("sin", 1, 1, Unary<std::sin>);
  r->Add("sinh", 1, 1, Unary<std::sinh>);
  r->Add("sqrt", 1, 1, Unary<Sqrt>);
  r->Add("tan", 1, 1, Unary<std::tan>);
  r->Add("tanh", 1, 1, Unary<std::tanh>);
  r->Add("trunc", 1, 1, Whole<std::trunc>);
}

}  // namespace turdb::sql
