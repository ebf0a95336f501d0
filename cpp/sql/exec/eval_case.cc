// Evaluators of CASE and coalesce (sql/exec/evaluators.h). Each branch runs for the rows that come to it, no others.
#include "base/status_macros.h"
#include "sql/exec/evaluators.h"

namespace turdb::sql {
namespace {

// Runs an evaluator for some rows of a frame; all of them without a copy.
class Branch {
 public:
  explicit Branch(EvaluatorPtr evaluator) : evaluator_(std::move(evaluator)) {}
  absl::Status Eval(const Frame& frame, const std::vector<uint32_t>& rows, const ColumnVector** value) {
    return evaluator_->Eval(FrameFor(frame, rows), value);
  }
  absl::Status EvalRows(const Frame& frame, const std::vector<uint32_t>& rows, uint32_t* selected, uint32_t* count) {
    return evaluator_->EvalRows(FrameFor(frame, rows), selected, count);
  }

 private:
  const Frame& FrameFor(const Frame& frame, const std::vector<uint32_t>& rows) {
    if (rows.size() == frame.rows) return frame;
    return sub_.Make(frame, rows.data(), static_cast<uint32_t>(rows.size()), evaluator_->slots());
  }
  EvaluatorPtr evaluator_;
  SubFrame sub_;
};

void AllRows(uint32_t rows, std::vector<uint32_t>* list) {
  list->resize(rows);
  for (uint32_t i = 0; i < rows; ++i) (*list)[i] = i;
}

class Case : public Evaluator {
 public:
  explicit Case(std::vector<EvaluatorPtr> args) {
    for (auto& arg : args) branches_.emplace_back(std::move(arg));
  }

  absl::Status Eval(const Frame& frame, const ColumnVector** result) override {
    AllRows(frame.rows, &open_);
    Cell* to = result_.ResetCells(frame.rows);
    for (size_t i = 0; i + 1 < branches_.size() && !open_.empty(); i += 2) {
      selected_.resize(open_.size());
      uint32_t count = 0;
      TURDB_RETURN_IF_ERROR(branches_[i].EvalRows(frame, open_, selected_.data(), &count));
      if (count == 0) continue;
      taken_.clear();
      left_.clear();
      uint32_t next = 0;
      for (uint32_t k = 0; k < open_.size(); ++k) {
        if (next < count && selected_[next] == k) {
          taken_.push_back(open_[k]);
          ++next;
        } else {
          left_.push_back(open_[k]);
        }
      }
      open_.swap(left_);
      TURDB_RETURN_IF_ERROR(Take(frame, &branches_[i + 1], taken_, to));
    }
    if (!open_.empty()) TURDB_RETURN_IF_ERROR(Take(frame, &branches_.back(), open_, to));
    NarrowCells(frame.rows, &result_);
    *result = &result_;
    return absl::OkStatus();
  }

 private:
  absl::Status Take(const Frame& frame, Branch* branch, const std::vector<uint32_t>& rows, Cell* to) {
    const ColumnVector* value = nullptr;
    TURDB_RETURN_IF_ERROR(branch->Eval(frame, rows, &value));
    for (uint32_t k = 0; k < rows.size(); ++k) to[rows[k]] = value->Get(k);
    return absl::OkStatus();
  }

  std::vector<Branch> branches_;
  std::vector<uint32_t> open_, taken_, left_, selected_;
};

class Coalesce : public Evaluator {
 public:
  explicit Coalesce(std::vector<EvaluatorPtr> args) {
    for (auto& arg : args) branches_.emplace_back(std::move(arg));
  }

  absl::Status Eval(const Frame& frame, const ColumnVector** result) override {
    AllRows(frame.rows, &open_);
    Cell* to = result_.ResetCells(frame.rows);
    for (Branch& branch : branches_) {
      const ColumnVector* value = nullptr;
      TURDB_RETURN_IF_ERROR(branch.Eval(frame, open_, &value));
      left_.clear();
      for (uint32_t k = 0; k < open_.size(); ++k) {
        to[open_[k]] = value->Get(k);
        if (to[open_[k]].is_null()) left_.push_back(open_[k]);
      }
      open_.swap(left_);
      if (open_.empty()) break;
    }
    NarrowCells(frame.rows, &result_);
    *result = &result_;
    return absl::OkStatus();
  }

 private:
  std::vector<Branch> branches_;
  std::vector<uint32_t> open_, left_;
};

}  // namespace

EvaluatorPtr MakeCase(std::vector<EvaluatorPtr> args) { return std::make_unique<Case>(std::move(args)); }
EvaluatorPtr MakeCoalesce(std::vector<EvaluatorPtr> args) { return std::make_unique<Coalesce>(std::move(args)); }

}  // namespace turdb::sql
