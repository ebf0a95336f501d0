#include "sql/exec/kernels_row.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__) && \
    !defined(__SANITIZE_ADDRESS__)
#define TURDB_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define TURDB_CLONES
#endif

namespace turdb::sql {
namespace {

// Calls loop(a, b) with functions of the row, so that the compiler sees which side is constant.
template <typename T, typename Loop>
[[gnu::always_inline]] inline auto WithOperands(Operand<T> a, Operand<T> b, Loop loop) {
  const T* x = a.values;
  const T* y = b.values;
  const T x0 = a.is_constant ? *x : T{}, y0 = b.is_constant ? *y : T{};
  if (a.is_constant) return loop([x0](uint32_t) { return x0; }, [y](uint32_t i) { return y[i]; });
  if (b.is_constant) return loop([x](uint32_t i) { return x[i]; }, [y0](uint32_t) { return y0; });
  return loop([x](uint32_t i) { return x[i]; }, [y](uint32_t i) { return y[i]; });
}

template <typename Loop>
[[gnu::always_inline]] inline auto WithCompare(CompareOp op, Loop loop) {
  switch (op) {
    case CompareOp::kNotEqual:
    case CompareOp::kIsNot: return loop([](auto a, auto b) { return a != b; });
    case CompareOp::kLess: return loop([](auto a, auto b) { return a < b; });
    case CompareOp::kLessEqual: return loop([](auto a, auto b) { return a <= b; });
    case CompareOp::kGreater: return loop([](auto a, auto b) { return a > b; });
    case CompareOp::kGreaterEqual: return loop([](auto a, auto b) { return a >= b; });
    default: return loop([](auto a, auto b) { return a == b; });
  }
}

template <typename T>
[[gnu::always_inline]] inline void CompareLoop(CompareOp op, Operand<T> a, Operand<T> b, uint32_t rows, int64_t* result) {
  WithCompare(op, [&](auto compare) {
    WithOperands(a, b, [&](auto x, auto y) {
      for (uint32_t i = 0; i < rows; ++i) result[i] = compare(x(i), y(i));
    });
  });
}

template <typename T>
[[gnu::always_inline]] inline uint32_t SelectLoop(CompareOp op, Operand<T> a, Operand<T> b, uint32_t rows, uint32_t* selected) {
  return WithCompare(op, [&](auto compare) {
    return WithOperands(a, b, [&](auto x, auto y) {
      uint32_t n = 0;
      for (uint32_t i = 0; i < rows; ++i) {
        selected[n] = i;
        n += compare(x(i), y(i));
      }
      return n;
    });
  });
}

}  // namespace

TURDB_CLONES
bool ArithmeticInts(ArithmeticOp op, Operand<int64_t> a, Operand<int64_t> b, uint32_t rows, int64_t* result) {
  return WithOperands(a, b, [&](auto x, auto y) {
    uint64_t overflow = 0;  // in the sign bit
    if (op == ArithmeticOp::kAdd) {
      for (uint32_t i = 0; i < rows; ++i) {
        const uint64_t u = static_cast<uint64_t>(x(i)), v = static_cast<uint64_t>(y(i)), r = u + v;
        overflow |= (u ^ r) & (v ^ r);
        result[i] = static_cast<int64_t>(r);
      }
    } else if (op == ArithmeticOp::kSubtract) {
      for (uint32_t i = 0; i < rows; ++i) {
        const uint64_t u = static_cast<uint64_t>(x(i)), v = static_cast<uint64_t>(y(i)), r = u - v;
        overflow |= (u ^ v) & (u ^ r);
        result[i] = static_cast<int64_t>(r);
      }
    } else {
      bool wrapped = false;
      for (uint32_t i = 0; i < rows; ++i) wrapped |= __builtin_mul_overflow(x(i), y(i), &result[i]);
      return !wrapped;
    }
    return (overflow >> 63) == 0;
  });
}

TURDB_CLONES
bool ArithmeticReals(ArithmeticOp op, Operand<double> a, Operand<double> b, uint32_t rows, double* result) {
  return WithOperands(a, b, [&](auto x, auto y) {
    auto run = [&](auto apply) {
      int64_t bad = 0;
      for (uint32_t i = 0; i < rows; ++i) {
        const double r = apply(x(i), y(i));
        result[i] = r;
        bad |= r != r;
      }
      return bad != 0;
    };
    switch (op) {
      case ArithmeticOp::kAdd: return run([](double u, double v) { return u + v; });
      case ArithmeticOp::kSubtract: return run([](double u, double v) { return u - v; });
      case ArithmeticOp::kMultiply: return run([](double u, double v) { return u * v; });
      default: break;
    }
    int64_t bad = 0;
    for (uint32_t i = 0; i < rows; ++i) {
      const double divisor = y(i), r = x(i) / divisor;
      result[i] = r;
      bad |= (r != r) | (divisor == 0);
    }
    return bad != 0;
  });
}

TURDB_CLONES
void IntsToReals(const int64_t* from, uint32_t rows, double* to) {
  for (uint32_t i = 0; i < rows; ++i) to[i] = static_cast<double>(from[i]);
}

TURDB_CLONES
void CompareInts(CompareOp op, Operand<int64_t> a, Operand<int64_t> b, uint32_t rows, int64_t* result) {
  CompareLoop(op, a, b, rows, result);
}
TURDB_CLONES
void CompareReals(CompareOp op, Operand<double> a, Operand<double> b, uint32_t rows, int64_t* result) {
  CompareLoop(op, a, b, rows, result);
}
TURDB_CLONES
uint32_t SelectInts(CompareOp op, Operand<int64_t> a, Operand<int64_t> b, uint32_t rows, uint32_t* selected) {
  return SelectLoop(op, a, b, rows, selected);
}
TURDB_CLONES
uint32_t SelectReals(CompareOp op, Operand<double> a, Operand<double> b, uint32_t rows, uint32_t* selected) {
  return SelectLoop(op, a, b, rows, selected);
}

}  // namespace turdb::sql
