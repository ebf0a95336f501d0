// Aggregate: GROUP BY by hashing (sql/exec/operators.h). Groups come out in the order in which they first came in.
//
// Keys live in a KeyTable, states in accumulators by group number. The table is the seam where partitions go to disk.
#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/exec/aggregate_call.h"
#include "sql/exec/operators.h"

namespace turdb::sql {
namespace {

class Aggregate : public Operator {
 public:
  Aggregate(const PhysicalAggregate& node, OperatorPtr child, ExecContext* context)
      : node_(node), child_(std::move(child)), context_(context), keys_(node.groups.size()) {}

  absl::Status Compile(Builder* builder) {
    TURDB_ASSIGN_OR_RETURN(groups_, CompileAll(node_.groups, builder));
    for (const AggregateCall& call : node_.aggregates) {
      TURDB_ASSIGN_OR_RETURN(auto running, RunningAggregate::Make(call, builder));
      EvaluatorPtr bare;
      if (running->is_bare()) {
        if (call.args.empty()) return InternalError("a bare column without its expression");
        TURDB_ASSIGN_OR_RETURN(bare, sql::Compile(*call.args[0], builder));
        has_bare_ = true;
      }
      bare_.push_back(std::move(bare));
      calls_.push_back(std::move(running));
    }
    bare_values_.resize(calls_.size());
    if (!has_bare_) return absl::OkStatus();
    for (auto& call : calls_) {
      if (picker_ == nullptr && call->picks_rows()) picker_ = call.get();
    }
    if (picker_ != nullptr) picker_->WatchWinners(&winners_);
    return absl::OkStatus();
  }

  absl::Status Open() override {
    ResetStates();
    has_run_ = false;
    is_first_input_ = true;
    emitted_ = 0;
    return child_->Open();
  }

  absl::Status Next(ColumnBatch* batch) override {
    if (!has_run_) {
      TURDB_RETURN_IF_ERROR(Run());
      has_run_ = true;
    }
    return Emit(batch);
  }
  void Close() override { child_->Close(); }

 private:
  void ResetStates() {
    table_.Reset(node_.group_collations, context_->collations);
    for (auto& call : calls_) call->Reset();
    for (auto& values : bare_values_) values.clear();
    group_count_ = 0;
  }

  absl::Status Run() {
    if (groups_.empty()) AddGroups(1);
    for (;;) {
      TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
      TURDB_RETURN_IF_ERROR(child_->Next(&input_));
      if (input_.size == 0) break;
      TURDB_RETURN_IF_ERROR(Add());
    }
    for (auto& call : calls_) {
      if (!call->is_bare()) TURDB_RETURN_IF_ERROR(call->Complete());
    }
    return absl::OkStatus();
  }

  void AddGroups(uint32_t count) {
    group_count_ = count;
    for (size_t i = 0; i < calls_.size(); ++i) {
      calls_[i]->Resize(count);
      if (calls_[i]->is_bare()) bare_values_[i].resize(count);
    }
  }

  absl::Status Add() {
    const Frame frame = FrameOf(input_);
    const uint32_t before = group_count_;
    const uint32_t* numbers = nullptr;
    if (!groups_.empty()) {
      for (size_t i = 0; i < groups_.size(); ++i) {
        const ColumnVector* value = nullptr;
        TURDB_RETURN_IF_ERROR(groups_[i]->Eval(frame, &value));
        keys_[i].Reference(*value);
      }
      numbers_.resize(input_.size);
      table_.FindOrAdd(keys_.data(), input_.size, numbers_.data());
      for (ColumnVector& key : keys_) key = ColumnVector();
      if (table_.size() != group_count_) AddGroups(table_.size());
      numbers = numbers_.data();
    }
    winners_.clear();
    for (auto& call : calls_) {
      if (!call->is_bare()) TURDB_RETURN_IF_ERROR(call->Add(frame, numbers));
    }
    if (has_bare_) TURDB_RETURN_IF_ERROR(KeepBare(frame, numbers, before));
    return absl::OkStatus();
  }

  // Bare columns: of a new group's first row, and of every row that min() or max() picked.
  absl::Status KeepBare(const Frame& frame, const uint32_t* numbers, uint32_t before) {
    firsts_.clear();
    if (numbers == nullptr) {
      if (is_first_input_) firsts_.push_back({0, 0});
      is_first_input_ = false;
    } else {
      uint32_t next = before;
      for (uint32_t i = 0; i < frame.rows && next < group_count_; ++i) {
        if (numbers[i] == next) firsts_.push_back({next++, i});
      }
    }
    for (size_t c = 0; c < calls_.size(); ++c) {
      if (bare_[c] == nullptr || (firsts_.empty() && winners_.empty())) continue;
      const ColumnVector* value = nullptr;
      TURDB_RETURN_IF_ERROR(bare_[c]->Eval(frame, &value));
      for (const auto* list : {&firsts_, &winners_}) {
        for (const Accumulator::Winner& w : *list) bare_values_[c][w.group] = Value::FromCell(value->Get(w.row));
      }
    }
    return absl::OkStatus();
  }

  absl::Status Emit(ColumnBatch* batch) {
    Arena* arena = FreshArena(batch);
    const uint32_t n = std::min<uint32_t>(kBatchRows, group_count_ - emitted_);
    batch->size = n;
    batch->columns.resize(node_.groups.size() + calls_.size());
    if (n == 0) return absl::OkStatus();
    if (!groups_.empty()) table_.keys().Read(emitted_, n, batch);
    for (size_t c = 0; c < calls_.size(); ++c) {
      ColumnVector& column = batch->columns[groups_.size() + c];
      Cell* to = column.ResetCells(n);
      for (uint32_t i = 0; i < n; ++i) {
        if (calls_[c]->is_bare()) {
          to[i] = bare_values_[c][emitted_ + i].cell();
        } else {
          TURDB_RETURN_IF_ERROR(calls_[c]->Finish(emitted_ + i, arena, &to[i]));
        }
      }
      NarrowCells(n, &column);
    }
    emitted_ += n;
    return absl::OkStatus();
  }

  const PhysicalAggregate& node_;
  OperatorPtr child_;
  ExecContext* context_;
  std::vector<EvaluatorPtr> groups_, bare_;
  std::vector<std::unique_ptr<RunningAggregate>> calls_;
  std::vector<std::vector<Value>> bare_values_;  // by call, then group
  RunningAggregate* picker_ = nullptr;           // the min() or max() that bare columns follow
  bool has_bare_ = false;
  std::vector<Accumulator::Winner> winners_, firsts_;
  KeyTable table_;
  std::vector<ColumnVector> keys_;
  std::vector<uint32_t> numbers_;
  ColumnBatch input_;
  uint32_t group_count_ = 0, emitted_ = 0;
  bool has_run_ = false, is_first_input_ = true;
};

}  // namespace

BuiltOperator BuildAggregate(const PhysicalAggregate& node, Builder* builder) {
  TURDB_ASSIGN_OR_RETURN(OperatorPtr child, builder->Build(*node.children[0]));
  auto aggregate = std::make_unique<Aggregate>(node, std::move(child), builder->context);
  TURDB_RETURN_IF_ERROR(aggregate->Compile(builder));
  return OperatorPtr(std::move(aggregate));
}

}  // namespace turdb::sql
