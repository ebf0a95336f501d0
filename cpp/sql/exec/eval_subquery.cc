// Evaluators of (SELECT ...), EXISTS and IN (SELECT ...) (sql/exec/evaluators.h).
//
// A subquery that reads nothing of the queries around it runs once an execution. Another one runs per row with its
// outer columns in registers; its results are remembered by the values of those, as long as that pays.
#include <cstring>
#include <optional>

#include "base/status_macros.h"
#include "sql/exec/evaluators.h"
#include "sql/exec/in_set.h"
#include "sql/exec/operator.h"

namespace turdb::sql {
namespace {

constexpr size_t kMostRemembered = 1 << 16;
constexpr uint64_t kTrial = 1024;  // look-ups before remembering must have paid

class Subquery {
 public:
  Subquery(const BoundSubquery& bound, std::unique_ptr<Operator> plan, ExecContext* context)
      : registers_(bound.registers), outer_slots_(bound.outer_slots), plan_(std::move(plan)), context_(context) {}

  bool is_correlated() const { return !registers_.empty(); }
  ExecContext* context() const { return context_; }
  Operator* plan() const { return plan_.get(); }
  ColumnBatch* batch() { return &batch_; }

  void SetRegisters(const Frame& frame, uint32_t row) {
    for (size_t i = 0; i < registers_.size(); ++i) {
      if (outer_slots_[i] >= 0) SetRegister(context_, registers_[i], frame.columns[outer_slots_[i]].Get(row));
    }
  }

  // True when the last execution is over, so that what was remembered is stale.
  bool IsNewExecution() {
    if (has_run_ && execution_ == context_->execution) return false;
    has_run_ = true;
    execution_ = context_->execution;
    remembered_.clear();
    lookups_ = hits_ = 0;
    return true;
  }

  // The remembered result for the registers as they are, or nullptr.
  const Value* Recall() {
    if (lookups_ > kTrial && hits_ * 8 < lookups_) return nullptr;
    ++lookups_;
    key_.clear();
    for (int index : registers_) {
      const Value& value = context_->registers[index];
      const Cell cell = value.cell();
      key_.push_back(static_cast<char>(cell.type));
      key_.append(reinterpret_cast<const char*>(&cell.integer), cell.has_bytes() ? 0 : 8);
      key_.append(reinterpret_cast<const char*>(&cell.length), 4);
      if (cell.has_bytes()) key_.append(cell.view());
    }
    const auto found = remembered_.find(key_);
    if (found == remembered_.end()) return nullptr;
    ++hits_;
    return &found->second;
  }
  void Remember(Value value) {
    if (lookups_ > kTrial && hits_ * 8 < lookups_) return;
    if (remembered_.size() >= kMostRemembered) remembered_.clear();
    remembered_.insert_or_assign(key_, std::move(value));
  }

 private:
  std::vector<int> registers_, outer_slots_;
  std::unique_ptr<Operator> plan_;
  ExecContext* context_;
  ColumnBatch batch_;
  bool has_run_ = false;
  uint64_t execution_ = 0;
  absl::flat_hash_map<std::string, Value> remembered_;
  uint64_t lookups_ = 0, hits_ = 0;
  std::string key_;
};

// One value a row: the first row's column, or whether there is a row.
class ValueSubquery : public Evaluator {
 public:
  ValueSubquery(const BoundExpr& expr, std::unique_ptr<Operator> plan, ExecContext* context)
      : is_exists_(expr.kind == BoundKind::kExists), is_negated_(expr.is_negated), column_(expr.subquery_column),
        subquery_(*expr.subquery, std::move(plan), context) {}

  absl::Status Eval(const Frame& frame, const ColumnVector** result) override {
    *result = &result_;
    const bool is_new = subquery_.IsNewExecution();
    if (!subquery_.is_correlated()) {
      if (is_new) TURDB_RETURN_IF_ERROR(Run(&value_));
      result_.SetConstant(value_.cell());
      return absl::OkStatus();
    }
    Cell* to = result_.ResetCells(frame.rows);
    for (uint32_t row = 0; row < frame.rows; ++row) {
      subquery_.SetRegisters(frame, row);
      const Value* known = subquery_.Recall();
      if (known == nullptr) {
        TURDB_RETURN_IF_ERROR(Run(&value_));
        subquery_.Remember(value_);
        known = &value_;
      }
      to[row] = known->cell();
      if (to[row].has_bytes()) to[row].bytes = frame.arena->Copy(to[row].view()).data();
    }
    NarrowCells(frame.rows, &result_);
    return absl::OkStatus();
  }

 private:
  absl::Status Run(Value* value) {
    Operator* plan = subquery_.plan();
    ColumnBatch* batch = subquery_.batch();
    TURDB_RETURN_IF_ERROR(plan->Open());
    absl::Status status = plan->Next(batch);
    if (status.ok() && is_exists_) {
      *value = Value::Integer((batch->size > 0) != is_negated_);
    } else if (status.ok()) {
      *value = batch->size > 0 ? Value::FromCell(batch->columns[column_].Get(0)) : Value();
    }
    plan->Close();
    return status;
  }

  bool is_exists_, is_negated_;
  int column_;
  Subquery subquery_;
  Value value_;
};

class InSubquery : public Evaluator {
 public:
  InSubquery(const BoundExpr& expr, std::vector<EvaluatorPtr> args, std::unique_ptr<Operator> plan, ExecContext* context)
      : is_negated_(expr.is_negated), args_(std::move(args)), subquery_(*expr.subquery, std::move(plan), context),
        columns_(args_.size()), affinities_(expr.subquery->compare_affinities),
        collations_(expr.subquery->compare_collations), set_(InSet::New(context)) {
    affinities_.resize(args_.size(), Affinity::kNone);
    collations_.resize(args_.size(), Collation::kBinary);
  }

  absl::Status Eval(const Frame& frame, const ColumnVector** result) override {
    *result = &result_;
    for (size_t i = 0; i < args_.size(); ++i) TURDB_RETURN_IF_ERROR(args_[i]->Eval(frame, &columns_[i]));
    truth_.resize(frame.rows);
    const bool is_new = subquery_.IsNewExecution();
    if (!subquery_.is_correlated()) {
      if (is_new) TURDB_RETURN_IF_ERROR(Fill());
      TURDB_RETURN_IF_ERROR(set_->Contains(columns_.data(), frame.rows, frame.arena, truth_.data()));
    } else {
      TURDB_RETURN_IF_ERROR(RowByRow(frame));
    }
    if (is_negated_) {
      for (int8_t& t : truth_) t = t < 0 ? t : static_cast<int8_t>(1 - t);
    }
    FromTruth(truth_.data(), frame.rows, &result_);
    return absl::OkStatus();
  }

 private:
  absl::Status RowByRow(const Frame& frame) {
    std::vector<ColumnVector> row_columns(args_.size());
    std::vector<const ColumnVector*> pointers(args_.size());
    for (uint32_t row = 0; row < frame.rows; ++row) {
      subquery_.SetRegisters(frame, row);
      TURDB_RETURN_IF_ERROR(Fill());
      for (size_t i = 0; i < args_.size(); ++i) {
        row_columns[i].SetConstant(columns_[i]->Get(row));
        pointers[i] = &row_columns[i];
      }
      TURDB_RETURN_IF_ERROR(set_->Contains(pointers.data(), 1, frame.arena, &truth_[row]));
    }
    return absl::OkStatus();
  }

  absl::Status Fill() {
    set_->Reset(affinities_, collations_);
    Operator* plan = subquery_.plan();
    ColumnBatch* batch = subquery_.batch();
    TURDB_RETURN_IF_ERROR(plan->Open());
    absl::Status status = plan->Next(batch);
    while (status.ok() && batch->size > 0) {
      status = set_->Add(batch->columns.data(), batch->size);
      if (status.ok()) status = plan->Next(batch);
    }
    plan->Close();
    return status;
  }

  bool is_negated_;
  std::vector<EvaluatorPtr> args_;
  Subquery subquery_;
  std::vector<const ColumnVector*> columns_;
  std::vector<Affinity> affinities_;
  std::vector<Collation> collations_;
  std::shared_ptr<InSet> set_;
  std::vector<int8_t> truth_;
};

}  // namespace

EvaluatorPtr MakeScalarSubquery(const BoundExpr& expr, std::unique_ptr<Operator> plan, ExecContext* context) {
  return std::make_unique<ValueSubquery>(expr, std::move(plan), context);
}
EvaluatorPtr MakeExists(const BoundExpr& expr, std::unique_ptr<Operator> plan, ExecContext* context) {
  return std::make_unique<ValueSubquery>(expr, std::move(plan), context);
}
EvaluatorPtr MakeInSubquery(const BoundExpr& expr, std::vector<EvaluatorPtr> args, std::unique_ptr<Operator> plan,
                            ExecContext* context) {
  return std::make_unique<InSubquery>(expr, std::move(args), std::move(plan), context);
}

}  // namespace turdb::sql
