// Evaluators of + - * / % & | << >> and of unary minus and ~ (sql/exec/evaluators.h).
#include <limits>

#include "base/status_macros.h"
#include "sql/exec/cell_ops.h"
#include "sql/exec/evaluators.h"
#include "sql/exec/kernels_row.h"

namespace turdb::sql {
namespace {

using Layout = ColumnVector::Layout;

template <typename F>
void ByCells(uint32_t rows, ColumnVector* result, F compute) {
  Cell* to = result->ResetCells(rows);
  for (uint32_t i = 0; i < rows; ++i) to[i] = compute(i);
  NarrowCells(rows, result);
}

// An operand as reals; integers are converted into `scratch`.
Operand<double> Reals(const ColumnVector& column, uint32_t rows, std::vector<double>* scratch) {
  if (column.layout() == Layout::kDouble) return {column.doubles(), column.is_constant()};
  scratch->resize(std::max<uint32_t>(rows, 1));
  IntsToReals(column.ints(), column.is_constant() ? 1 : rows, scratch->data());
  return {scratch->data(), column.is_constant()};
}

class BinaryArithmetic : public Evaluator {
 public:
  BinaryArithmetic(ArithmeticOp op, EvaluatorPtr a, EvaluatorPtr b) : op_(op), a_(std::move(a)), b_(std::move(b)) {}

  absl::Status Eval(const Frame& frame, const ColumnVector** result) override {
    const ColumnVector *a = nullptr, *b = nullptr;
    TURDB_RETURN_IF_ERROR(a_->Eval(frame, &a));
    TURDB_RETURN_IF_ERROR(b_->Eval(frame, &b));
    *result = &result_;
    if ((a->is_constant() && b->is_constant()) || IsNullConstant(*a) || IsNullConstant(*b)) {
      result_.SetConstant(IsNullConstant(*a) || IsNullConstant(*b) ? Cell() : Arithmetic(op_, a->Get(0), b->Get(0)));
    } else if (!IsTyped(*a) || !IsTyped(*b) || !Typed(*a, *b, frame.rows)) {
      ByCells(frame.rows, &result_, [&](uint32_t i) { return Arithmetic(op_, a->Get(i), b->Get(i)); });
    }
    return absl::OkStatus();
  }

 private:
  // False when these columns (or an overflow) need the cells' path.
  bool Typed(const ColumnVector& a, const ColumnVector& b, uint32_t rows) {
    const bool is_integer = a.layout() == Layout::kInt64 && b.layout() == Layout::kInt64;
    const bool is_basic = op_ == ArithmeticOp::kAdd || op_ == ArithmeticOp::kSubtract || op_ == ArithmeticOp::kMultiply;
    if (is_integer && !is_basic) return IntegersOnly(a, b, rows);
    if (!is_basic && op_ != ArithmeticOp::kDivide) return false;
    if (is_integer) {
      if (!ArithmeticInts(op_, {a.ints(), a.is_constant()}, {b.ints(), b.is_constant()}, rows, result_.ResetInt64(rows))) {
        return false;
      }
      MergeNulls(a, b, rows, &result_);
      return true;
    }
    const Operand<double> x = Reals(a, rows, &left_), y = Reals(b, rows, &right_);
    double* to = result_.ResetDouble(rows);
    const bool has_bad = ArithmeticReals(op_, x, y, rows, to);
    MergeNulls(a, b, rows, &result_);
    if (!has_bad) return true;
    for (uint32_t i = 0; i < rows; ++i) {
      const double divisor = y.values[y.is_constant ? 0 : i];
      if (to[i] != to[i] || (op_ == ArithmeticOp::kDivide && divisor == 0)) result_.SetNull(i);
    }
    return true;
  }

  // Division, remainder, bits and shifts.
  bool IntegersOnly(const ColumnVector& a, const ColumnVector& b, uint32_t rows) {
    int64_t* to = result_.ResetInt64(rows);
    const int64_t *x = a.ints(), *y = b.ints();
    const uint32_t step_a = a.is_constant() ? 0 : 1, step_b = b.is_constant() ? 0 : 1;
    MergeNulls(a, b, rows, &result_);
    for (uint32_t i = 0; i < rows; ++i, x += step_a, y += step_b) {
      switch (op_) {
        case ArithmeticOp::kBitAnd: to[i] = *x & *y; break;
        case ArithmeticOp::kBitOr: to[i] = *x | *y; break;
        case ArithmeticOp::kDivide:
        case ArithmeticOp::kModulo:
          if (*y == -1 && *x == std::numeric_limits<int64_t>::min()) return false;
          if (*y == 0) {
            to[i] = 0;
            result_.SetNull(i);
          } else {
            to[i] = op_ == ArithmeticOp::kDivide ? *x / *y : *x % *y;
          }
          break;
        default: to[i] = Arithmetic(op_, Cell::Integer(*x), Cell::Integer(*y)).integer;
      }
    }
    return true;
  }

  ArithmeticOp op_;
  EvaluatorPtr a_, b_;
  std::vector<double> left_, right_;
};

class UnaryArithmetic : public Evaluator {
 public:
  UnaryArithmetic(ArithmeticOp op, EvaluatorPtr a) : op_(op), a_(std::move(a)) {}

  absl::Status Eval(const Frame& frame, const ColumnVector** result) override {
    const ColumnVector* a = nullptr;
    TURDB_RETURN_IF_ERROR(a_->Eval(frame, &a));
    *result = &result_;
    auto compute = [&](uint32_t i) { return op_ == ArithmeticOp::kNegate ? Negate(a->Get(i)) : BitNot(a->Get(i)); };
    if (a->is_constant()) {
      result_.SetConstant(compute(0));
    } else {
      ByCells(frame.rows, &result_, compute);
    }
    return absl::OkStatus();
  }

 private:
  ArithmeticOp op_;
  EvaluatorPtr a_;
};

class ConcatText : public Evaluator {
 public:
  ConcatText(EvaluatorPtr a, EvaluatorPtr b) : a_(std::move(a)), b_(std::move(b)) {}

  absl::Status Eval(const Frame& frame, const ColumnVector** result) override {
    const ColumnVector *a = nullptr, *b = nullptr;
    TURDB_RETURN_IF_ERROR(a_->Eval(frame, &a));
    TURDB_RETURN_IF_ERROR(b_->Eval(frame, &b));
    Cell* to = result_.ResetCells(frame.rows);
    for (uint32_t i = 0; i < frame.rows; ++i) {
      TURDB_RETURN_IF_ERROR(Concat(a->Get(i), b->Get(i), frame.arena, &to[i]));
    }
    *result = &result_;
    return absl::OkStatus();
  }

 private:
  EvaluatorPtr a_, b_;
};

}  // namespace

EvaluatorPtr MakeArithmetic(ArithmeticOp op, EvaluatorPtr a, EvaluatorPtr b) {
  return std::make_unique<BinaryArithmetic>(op, std::move(a), std::move(b));
}
EvaluatorPtr MakeUnary(ArithmeticOp op, EvaluatorPtr a) { return std::make_unique<UnaryArithmetic>(op, std::move(a)); }
EvaluatorPtr MakeConcat(EvaluatorPtr a, EvaluatorPtr b) {
  return std::make_unique<ConcatText>(std::move(a), std::move(b));
}

}  // namespace turdb::sql
