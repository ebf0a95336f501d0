// Typed loops over columns for arithmetic and comparisons: what the evaluators call when both operands are integers
// or reals throughout. A constant operand is read at [0] for every row.
//
// Compiled with -O3 (flags.cmake) and cloned for AVX2 where the platform resolves clones. Values of NULL rows are
// computed too and mean nothing; overflow seen in one only costs the slow path. Pure functions.
#pragma once

#include <cstdint>

#include "sql/bind/bound_expr.h"

namespace turdb::sql {

template <typename T>
struct Operand {
  const T* values;
  bool is_constant;
};

// False when some row overflowed. REQUIRES: op is +, - or *.
bool ArithmeticInts(ArithmeticOp op, Operand<int64_t> a, Operand<int64_t> b, uint32_t rows, int64_t* result);
// True when some result is NaN (or, for kDivide, some divisor is 0): such rows are NULL.
bool ArithmeticReals(ArithmeticOp op, Operand<double> a, Operand<double> b, uint32_t rows, double* result);
void IntsToReals(const int64_t* from, uint32_t rows, double* to);

// 0 or 1 a row. op is =, <>, <, <=, >, >=.
void CompareInts(CompareOp op, Operand<int64_t> a, Operand<int64_t> b, uint32_t rows, int64_t* result);
void CompareReals(CompareOp op, Operand<double> a, Operand<double> b, uint32_t rows, int64_t* result);
// The rows where it holds; how many.
uint32_t SelectInts(CompareOp op, Operand<int64_t> a, Operand<int64_t> b, uint32_t rows, uint32_t* selected);
uint32_t SelectReals(CompareOp op, Operand<double> a, Operand<double> b, uint32_t rows, uint32_t* selected);

}  // namespace turdb::sql
