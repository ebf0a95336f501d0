// Evaluator of x [NOT] IN (list) (sql/exec/evaluators.h).
//
// A list that is the same for all rows becomes a hash set, once an execution; another list is compared value by value.
#include "base/status_macros.h"
#include "sql/exec/cell_ops.h"
#include "sql/exec/evaluators.h"
#include "sql/exec/in_set.h"

namespace turdb::sql {
namespace {

// The same for all rows of an execution.
bool IsConstantExpr(const BoundExpr& expr) {
  switch (expr.kind) {
    case BoundKind::kConstant:
    case BoundKind::kParameter: return true;
    case BoundKind::kArithmetic:
    case BoundKind::kCast:
    case BoundKind::kCollate:
      for (const auto& arg : expr.args) {
        if (!IsConstantExpr(*arg)) return false;
      }
      return true;
    default: return false;
  }
}

class InList : public Evaluator {
 public:
  InList(const BoundExpr& expr, std::vector<EvaluatorPtr> args, ExecContext* context)
      : is_negated_(expr.is_negated), affinity_(expr.compare_affinity), collation_(expr.compare_collation),
        args_(std::move(args)), context_(context), columns_(args_.size()) {
    for (size_t i = 1; i < expr.args.size(); ++i) is_constant_ = is_constant_ && IsConstantExpr(*expr.args[i]);
    if (is_constant_) set_ = InSet::New(context);
  }

  absl::Status Eval(const Frame& frame, const ColumnVector** result) override {
    *result = &result_;
    TURDB_RETURN_IF_ERROR(args_[0]->Eval(frame, &columns_[0]));
    if (!is_constant_) return ByComparison(frame);
    if (!is_built_ || built_for_ != context_->execution) TURDB_RETURN_IF_ERROR(Build());
    truth_.resize(frame.rows);
    TURDB_RETURN_IF_ERROR(set_->Contains(columns_.data(), frame.rows, frame.arena, truth_.data()));
    Finish(frame.rows);
    return absl::OkStatus();
  }

 private:
  absl::Status Build() {
    arena_.Reset();
    set_->Reset({affinity_}, {collation_});
    for (size_t i = 1; i < args_.size(); ++i) {
      Cell cell;
      TURDB_RETURN_IF_ERROR(EvalScalar(args_[i].get(), &arena_, &cell));
      ColumnVector column;
      column.SetConstant(cell);
      TURDB_RETURN_IF_ERROR(set_->Add(&column, 1));
    }
    is_built_ = true;
    built_for_ = context_->execution;
    return absl::OkStatus();
  }

  absl::Status ByComparison(const Frame& frame) {
    for (size_t i = 1; i < args_.size(); ++i) TURDB_RETURN_IF_ERROR(args_[i]->Eval(frame, &columns_[i]));
    truth_.assign(frame.rows, 0);
    for (uint32_t row = 0; row < frame.rows; ++row) {
      const Cell x = ApplyComparisonAffinity(columns_[0]->Get(row), affinity_, frame.arena);
      for (size_t i = 1; i < args_.size() && truth_[row] != 1; ++i) {
        const Cell y = ApplyComparisonAffinity(columns_[i]->Get(row), affinity_, frame.arena);
        if (x.is_null() || y.is_null()) {
          truth_[row] = -1;
        } else if (CompareCollated(x, y, collation_, context_->collations) == 0) {
          truth_[row] = 1;
        }
      }
    }
    Finish(frame.rows);
    return absl::OkStatus();
  }

  void Finish(uint32_t rows) {
    if (is_negated_) {
      for (int8_t& t : truth_) t = t < 0 ? t : static_cast<int8_t>(1 - t);
    }
    FromTruth(truth_.data(), rows, &result_);
  }

  bool is_negated_;
  Affinity affinity_;
  Collation collation_;
  std::vector<EvaluatorPtr> args_;
  ExecContext* context_;
  std::vector<const ColumnVector*> columns_;
  bool is_constant_ = true;
  bool is_built_ = false;
  uint64_t built_for_ = 0;
  std::shared_ptr<InSet> set_;
  Arena arena_;
  std::vector<int8_t> truth_;
};

}  // namespace

EvaluatorPtr MakeInList(const BoundExpr& expr, std::vector<EvaluatorPtr> args, ExecContext* context) {
  return std::make_unique<InList>(expr, std::move(args), context);
}

}  // namespace turdb::sql
