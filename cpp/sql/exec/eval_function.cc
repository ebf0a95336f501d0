// Evaluators of function calls, CAST and RAISE (sql/exec/evaluators.h).
//
// A function's batch form is tried first; otherwise it is called row by row with cells. A deterministic call with
// constant arguments is made once a batch.
#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/exec/cell_ops.h"
#include "sql/exec/evaluators.h"

namespace turdb::sql {
namespace {

class Call : public Evaluator {
 public:
  Call(const BoundExpr& expr, std::vector<EvaluatorPtr> args, ExecContext* context)
      : function_(*expr.function), args_(std::move(args)), columns_(args_.size()), cells_(args_.size()) {
    function_context_.collation = expr.compare_collation;
    function_context_.exec = context;
  }

  absl::Status Eval(const Frame& frame, const ColumnVector** result) override {
    bool is_constant = function_.is_deterministic;
    for (size_t i = 0; i < args_.size(); ++i) {
      TURDB_RETURN_IF_ERROR(args_[i]->Eval(frame, &columns_[i]));
      is_constant = is_constant && columns_[i]->is_constant();
    }
    function_context_.arena = frame.arena;
    *result = &result_;
    if (is_constant) {
      Cell value;
      TURDB_RETURN_IF_ERROR(CallRow(0, &value));
      result_.SetConstant(value);
      return absl::OkStatus();
    }
    if (function_.call_batch != nullptr && function_.call_batch(&function_context_, columns_, frame.rows, &result_)) {
      return absl::OkStatus();
    }
    Cell* to = result_.ResetCells(frame.rows);
    for (uint32_t row = 0; row < frame.rows; ++row) TURDB_RETURN_IF_ERROR(CallRow(row, &to[row]));
    NarrowCells(frame.rows, &result_);
    return absl::OkStatus();
  }

 private:
  absl::Status CallRow(uint32_t row, Cell* value) {
    for (size_t i = 0; i < cells_.size(); ++i) cells_[i] = columns_[i]->Get(row);
    *value = Cell();
    return function_.call(&function_context_, cells_, value);
  }

  const ScalarFunction& function_;
  std::vector<EvaluatorPtr> args_;
  std::vector<const ColumnVector*> columns_;
  std::vector<Cell> cells_;
  FunctionContext function_context_;
};

class CastTo : public Evaluator {
 public:
  CastTo(const LogicalType& type, EvaluatorPtr arg) : type_(type), arg_(std::move(arg)) {}
  absl::Status Eval(const Frame& frame, const ColumnVector** result) override {
    const ColumnVector* value = nullptr;
    TURDB_RETURN_IF_ERROR(arg_->Eval(frame, &value));
    const bool keeps_integers = !type_.is_vector() && (type_.affinity == Affinity::kInteger || type_.affinity == Affinity::kNumeric);
    if (value->layout() == ColumnVector::Layout::kInt64 && keeps_integers) {
      *result = value;
      return absl::OkStatus();
    }
    *result = &result_;
    if (value->is_constant()) {
      Cell cell;
      TURDB_RETURN_IF_ERROR(Cast(value->Get(0), type_, frame.arena, &cell));
      result_.SetConstant(cell);
      return absl::OkStatus();
    }
    Cell* to = result_.ResetCells(frame.rows);
    for (uint32_t i = 0; i < frame.rows; ++i) TURDB_RETURN_IF_ERROR(Cast(value->Get(i), type_, frame.arena, &to[i]));
    NarrowCells(frame.rows, &result_);
    return absl::OkStatus();
  }

 private:
  LogicalType type_;
  EvaluatorPtr arg_;
};

class ApplyColumnAffinity : public Evaluator {
 public:
  ApplyColumnAffinity(Affinity affinity, EvaluatorPtr arg) : affinity_(affinity), arg_(std::move(arg)) {}
  bool GetAtOnce(Arena* arena, Cell* value) override {
    if (!arg_->GetAtOnce(arena, value)) return false;
    *value = ApplyAffinity(*value, affinity_, arena);
    return true;
  }
  absl::Status Eval(const Frame& frame, const ColumnVector** result) override {
    const ColumnVector* value = nullptr;
    TURDB_RETURN_IF_ERROR(arg_->Eval(frame, &value));
    if (value->is_constant()) {
      result_.SetConstant(ApplyAffinity(value->Get(0), affinity_, frame.arena));
    } else {
      Cell* to = result_.ResetCells(frame.rows);
      for (uint32_t i = 0; i < frame.rows; ++i) to[i] = ApplyAffinity(value->Get(i), affinity_, frame.arena);
      NarrowCells(frame.rows, &result_);
    }
    *result = &result_;
    return absl::OkStatus();
  }

 private:
  Affinity affinity_;
  EvaluatorPtr arg_;
};

class Raise : public Evaluator {
 public:
  explicit Raise(EvaluatorPtr message) : message_(std::move(message)) {}
  absl::Status Eval(const Frame& frame, const ColumnVector** result) override {
    if (message_ == nullptr) return ConstraintError(ConstraintKind::kNone, "raised");
    TURDB_RETURN_IF_ERROR(message_->Eval(frame, result));
    return ConstraintError(ConstraintKind::kNone, ToText((*result)->Get(0), frame.arena));
  }

 private:
  EvaluatorPtr message_;
};

}  // namespace

EvaluatorPtr MakeCast(const LogicalType& type, EvaluatorPtr arg) { return std::make_unique<CastTo>(type, std::move(arg)); }
EvaluatorPtr MakeAffinity(Affinity affinity, EvaluatorPtr arg) {
  return std::make_unique<ApplyColumnAffinity>(affinity, std::move(arg));
}
EvaluatorPtr MakeCall(const BoundExpr& expr, std::vector<EvaluatorPtr> args, ExecContext* context) {
  return std::make_unique<Call>(expr, std::move(args), context);
}
EvaluatorPtr MakeRaise(EvaluatorPtr message) { return std::make_unique<Raise>(std::move(message)); }

}  // namespace turdb::sql
