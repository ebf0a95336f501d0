// Evaluators of AND, OR, NOT and IS NULL (sql/exec/evaluators.h).
//
// AND and OR look at an argument that may fail, costs much or has a subquery only for the rows that the arguments
// before it did not decide.
#include "base/status_macros.h"
#include "sql/exec/evaluators.h"

namespace turdb::sql {
namespace {

class Logic : public Evaluator {
 public:
  Logic(bool is_and, std::vector<EvaluatorPtr> args) : deciding_(is_and ? 0 : 1), args_(std::move(args)) {
    sub_frames_.resize(args_.size());
  }

  absl::Status Eval(const Frame& frame, const ColumnVector** result) override {
    *result = &result_;
    const ColumnVector* value = nullptr;
    TURDB_RETURN_IF_ERROR(args_[0]->Eval(frame, &value));
    truth_.resize(frame.rows);
    other_.resize(frame.rows);
    ToTruth(*value, frame.rows, truth_.data());
    for (size_t i = 1; i < args_.size(); ++i) TURDB_RETURN_IF_ERROR(Combine(frame, i));
    FromTruth(truth_.data(), frame.rows, &result_);
    return absl::OkStatus();
  }

  // AND as a filter: each argument sees only the rows that passed those before it.
  absl::Status EvalRows(const Frame& frame, uint32_t* rows, uint32_t* count) override {
    if (deciding_ == 1) return Evaluator::EvalRows(frame, rows, count);
    TURDB_RETURN_IF_ERROR(args_[0]->EvalRows(frame, rows, count));
    for (size_t i = 1; i < args_.size() && *count > 0; ++i) {
      if (*count == frame.rows) {
        TURDB_RETURN_IF_ERROR(args_[i]->EvalRows(frame, rows, count));
        continue;
      }
      parent_rows_.assign(rows, rows + *count);
      const Frame& sub = sub_frames_[i].Make(frame, parent_rows_.data(), *count, args_[i]->slots());
      selected_.resize(*count);
      uint32_t kept = 0;
      TURDB_RETURN_IF_ERROR(args_[i]->EvalRows(sub, selected_.data(), &kept));
      for (uint32_t k = 0; k < kept; ++k) rows[k] = parent_rows_[selected_[k]];
      *count = kept;
    }
    return absl::OkStatus();
  }

 private:
  int8_t Join(int8_t a, int8_t b) const {
    if (a == deciding_ || b == deciding_) return deciding_;
    return a < 0 || b < 0 ? -1 : 1 - deciding_;
  }

  absl::Status Combine(const Frame& frame, size_t i) {
    const ColumnVector* value = nullptr;
    if (args_[i]->is_cheap()) {
      TURDB_RETURN_IF_ERROR(args_[i]->Eval(frame, &value));
      ToTruth(*value, frame.rows, other_.data());
      for (uint32_t r = 0; r < frame.rows; ++r) truth_[r] = Join(truth_[r], other_[r]);
      return absl::OkStatus();
    }
    parent_rows_.clear();
    for (uint32_t r = 0; r < frame.rows; ++r) {
      if (truth_[r] != deciding_) parent_rows_.push_back(r);
    }
    const uint32_t open = static_cast<uint32_t>(parent_rows_.size());
    if (open == 0) return absl::OkStatus();
    const Frame* input = &frame;
    if (open != frame.rows) input = &sub_frames_[i].Make(frame, parent_rows_.data(), open, args_[i]->slots());
    TURDB_RETURN_IF_ERROR(args_[i]->Eval(*input, &value));
    ToTruth(*value, open, other_.data());
    for (uint32_t k = 0; k < open; ++k) truth_[parent_rows_[k]] = Join(truth_[parent_rows_[k]], other_[k]);
    return absl::OkStatus();
  }

  int8_t deciding_;  // the value of an argument that decides the whole: 0 for AND, 1 for OR
  std::vector<EvaluatorPtr> args_;
  std::vector<SubFrame> sub_frames_;
  std::vector<int8_t> truth_, other_;
  std::vector<uint32_t> parent_rows_, selected_;
};

class Not : public Evaluator {
 public:
  explicit Not(EvaluatorPtr arg) : arg_(std::move(arg)) {}
  absl::Status Eval(const Frame& frame, const ColumnVector** result) override {
    const ColumnVector* value = nullptr;
    TURDB_RETURN_IF_ERROR(arg_->Eval(frame, &value));
    truth_.resize(frame.rows);
    ToTruth(*value, frame.rows, truth_.data());
    for (int8_t& t : truth_) t = t < 0 ? t : static_cast<int8_t>(1 - t);
    FromTruth(truth_.data(), frame.rows, &result_);
    *result = &result_;
    return absl::OkStatus();
  }

 private:
  EvaluatorPtr arg_;
  std::vector<int8_t> truth_;
};

class IsNull : public Evaluator {
 public:
  IsNull(bool is_negated, EvaluatorPtr arg) : is_negated_(is_negated), arg_(std::move(arg)) {}
  absl::Status Eval(const Frame& frame, const ColumnVector** result) override {
    const ColumnVector* value = nullptr;
    TURDB_RETURN_IF_ERROR(arg_->Eval(frame, &value));
    int64_t* to = result_.ResetInt64(frame.rows);
    *result = &result_;
    if (IsTyped(*value) && !value->has_nulls()) {
      std::fill(to, to + frame.rows, is_negated_);
    } else {
      for (uint32_t i = 0; i < frame.rows; ++i) to[i] = value->IsNull(i) != is_negated_;
    }
    return absl::OkStatus();
  }

 private:
  bool is_negated_;
  EvaluatorPtr arg_;
};

}  // namespace

EvaluatorPtr MakeLogic(bool is_and, std::vector<EvaluatorPtr> args) {
  return std::make_unique<Logic>(is_and, std::move(args));
}
EvaluatorPtr MakeNot(EvaluatorPtr arg) { return std::make_unique<Not>(std::move(arg)); }
EvaluatorPtr MakeIsNull(bool is_negated, EvaluatorPtr arg) { return std::make_unique<IsNull>(is_negated, std::move(arg)); }

}  // namespace turdb::sql
