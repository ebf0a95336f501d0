// Evaluators of = <> < <= > >= IS and IS NOT (sql/exec/evaluators.h).
//
// Columns of one number class are compared in typed loops; a real constant with a whole value is compared with
// integers as an integer. Everything else goes cell by cell, with affinity and collation as the comparison says.
#include <cmath>
#include <cstring>

#include "base/status_macros.h"
#include "sql/exec/cell_ops.h"
#include "sql/exec/collation.h"
#include "sql/exec/evaluators.h"
#include "sql/exec/kernels_row.h"

namespace turdb::sql {
namespace {

using Layout = ColumnVector::Layout;

bool Holds(CompareOp op, int order) {
  switch (op) {
    case CompareOp::kEqual:
    case CompareOp::kIs: return order == 0;
    case CompareOp::kNotEqual:
    case CompareOp::kIsNot: return order != 0;
    case CompareOp::kLess: return order < 0;
    case CompareOp::kLessEqual: return order <= 0;
    case CompareOp::kGreater: return order > 0;
    case CompareOp::kGreaterEqual: return order >= 0;
  }
  return false;
}

class Compare : public Evaluator {
 public:
  Compare(const Comparison& comparison, EvaluatorPtr a, EvaluatorPtr b, ExecContext* context)
      : comparison_(comparison), a_(std::move(a)), b_(std::move(b)), context_(context) {
    is_null_safe_ = comparison.op == CompareOp::kIs || comparison.op == CompareOp::kIsNot;
  }

  absl::Status Eval(const Frame& frame, const ColumnVector** result) override {
    TURDB_RETURN_IF_ERROR(Operands(frame));
    *result = &result_;
    if (a_column_->is_constant() && b_column_->is_constant()) {
      const int truth = One(a_column_->Get(0), b_column_->Get(0), frame.arena);
      result_.SetConstant(truth < 0 ? Cell() : Cell::Integer(truth));
      return absl::OkStatus();
    }
    if (Prepare()) {
      int64_t* to = result_.ResetInt64(frame.rows);
      if (is_real_) {
        CompareReals(comparison_.op, a_reals_, b_reals_, frame.rows, to);
      } else {
        CompareInts(comparison_.op, a_ints_, b_ints_, frame.rows, to);
      }
      MergeNulls(*a_column_, *b_column_, frame.rows, &result_);
      return absl::OkStatus();
    }
    ByCells(frame);
    return absl::OkStatus();
  }

  absl::Status EvalRows(const Frame& frame, uint32_t* rows, uint32_t* count) override {
    TURDB_RETURN_IF_ERROR(Operands(frame));
    if ((a_column_->is_constant() && b_column_->is_constant()) || !Prepare()) {
      if (EqualsTextConstant(frame.rows, rows, count)) return absl::OkStatus();
      *count = 0;
      for (uint32_t i = 0; i < frame.rows; ++i) {
        if (One(a_column_->Get(i), b_column_->Get(i), frame.arena) == 1) rows[(*count)++] = i;
      }
      return absl::OkStatus();
    }
    *count = is_real_ ? SelectReals(comparison_.op, a_reals_, b_reals_, frame.rows, rows)
                      : SelectInts(comparison_.op, a_ints_, b_ints_, frame.rows, rows);
    if (!a_column_->has_nulls() && !b_column_->has_nulls()) return absl::OkStatus();
    uint32_t kept = 0;
    for (uint32_t i = 0; i < *count; ++i) {
      if (!a_column_->IsNull(rows[i]) && !b_column_->IsNull(rows[i])) rows[kept++] = rows[i];
    }
    *count = kept;
    return absl::OkStatus();
  }

 private:
  absl::Status Operands(const Frame& frame) {
    TURDB_RETURN_IF_ERROR(a_->Eval(frame, &a_column_));
    return b_->Eval(frame, &b_column_);
  }

  // Sets up the typed loops' operands, or false when the columns need the cells' path.
  bool Prepare() {
    const ColumnVector &a = *a_column_, &b = *b_column_;
    if (!IsTyped(a) || !IsTyped(b)) return false;
    if (is_null_safe_ && (a.has_nulls() || b.has_nulls())) return false;
    is_real_ = false;
    if (a.layout() == b.layout()) {
      is_real_ = a.layout() == Layout::kDouble;
      if (is_real_) {
        a_reals_ = {a.doubles(), a.is_constant()};
        b_reals_ = {b.doubles(), b.is_constant()};
      } else {
        a_ints_ = {a.ints(), a.is_constant()};
        b_ints_ = {b.ints(), b.is_constant()};
      }
      return true;
    }
    if (a.layout() == Layout::kInt64) return WholeConstant(b, &b_ints_) && (a_ints_ = {a.ints(), a.is_constant()}, true);
    return WholeConstant(a, &a_ints_) && (b_ints_ = {b.ints(), b.is_constant()}, true);
  }
  bool WholeConstant(const ColumnVector& column, Operand<int64_t>* operand) {
    if (!column.is_constant() || std::abs(column.doubles()[0]) >= 9e15) return false;
    whole_ = static_cast<int64_t>(column.doubles()[0]);
    *operand = {&whole_, true};
    return static_cast<double>(whole_) == column.doubles()[0];
  }

  int One(Cell a, Cell b, Arena* arena) {
    if (a.is_null() || b.is_null()) {
      if (!is_null_safe_) return -1;
      return (a.is_null() && b.is_null()) == (comparison_.op == CompareOp::kIs);
    }
    const Affinity affinity = comparison_.affinity;
    const bool applies = affinity != Affinity::kText || a.is_text() || b.is_text();
    if (!applies) return Holds(comparison_.op, CompareCollated(a, b, comparison_.collation, context_->collations));
    if (NeedsComparisonAffinity(a, affinity)) a = ApplyComparisonAffinity(a, affinity, arena);
    if (NeedsComparisonAffinity(b, affinity)) b = ApplyComparisonAffinity(b, affinity, arena);
    return Holds(comparison_.op, CompareCollated(a, b, comparison_.collation, context_->collations));
  }

  void ByCells(const Frame& frame) {
    int64_t* to = result_.ResetInt64(frame.rows);
    for (uint32_t i = 0; i < frame.rows; ++i) {
      const int truth = One(a_column_->Get(i), b_column_->Get(i), frame.arena);
      to[i] = truth;
      if (truth < 0) result_.SetNull(i);
    }
  }

  // column = 'text' under BINARY: the common filter on text, by length and bytes.
  bool EqualsTextConstant(uint32_t n, uint32_t* rows, uint32_t* count) {
    const ColumnVector *column = a_column_, *constant = b_column_;
    if (column->is_constant()) std::swap(column, constant);
    if (comparison_.op != CompareOp::kEqual || comparison_.collation != Collation::kBinary ||
        comparison_.affinity >= Affinity::kNumeric || column->is_constant() || IsTyped(*column) || !constant->is_constant()) {
      return false;
    }
    const Cell wanted = constant->Get(0);
    if (!wanted.is_text()) return false;
    const Cell* cells = column->cells();
    uint32_t found = 0;
    for (uint32_t i = 0; i < n; ++i) {
      const Cell& c = cells[i];
      if (comparison_.affinity == Affinity::kText && c.is_numeric()) return false;
      if (c.is_text() && c.length == wanted.length && std::memcmp(c.bytes, wanted.bytes, c.length) == 0) rows[found++] = i;
    }
    *count = found;
    return true;
  }

  Comparison comparison_;
  bool is_null_safe_ = false;
  EvaluatorPtr a_, b_;
  ExecContext* context_;
  const ColumnVector *a_column_ = nullptr, *b_column_ = nullptr;
  bool is_real_ = false;
  Operand<int64_t> a_ints_{}, b_ints_{};
  Operand<double> a_reals_{}, b_reals_{};
  int64_t whole_ = 0;
};

}  // namespace

EvaluatorPtr MakeCompare(const Comparison& comparison, EvaluatorPtr a, EvaluatorPtr b, ExecContext* context) {
  return std::make_unique<Compare>(comparison, std::move(a), std::move(b), context);
}

}  // namespace turdb::sql
