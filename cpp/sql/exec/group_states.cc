#include "sql/exec/group_states.h"

#include "base/errors.h"
#include "base/status_macros.h"

namespace turdb::sql {

absl::Status GroupStates::Compile(const PhysicalAggregate& node, Builder* builder) {
  for (const AggregateCall& call : node.aggregates) {
    TURDB_ASSIGN_OR_RETURN(auto running, RunningAggregate::Make(call, node.id, builder));
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

void GroupStates::CollectSlots(std::vector<int>* slots) const {
  for (const auto& call : calls_) call->CollectSlots(slots);
  for (const EvaluatorPtr& bare : bare_) {
    if (bare != nullptr) slots->insert(slots->end(), bare->slots().begin(), bare->slots().end());
  }
}

void GroupStates::Reset() {
  for (auto& call : calls_) call->Reset();
  for (auto& values : bare_values_) values.clear();
  bare_bytes_ = 0;
  size_ = 0;
  is_first_input_ = true;
}

void GroupStates::Resize(uint32_t groups) {
  size_ = groups;
  for (size_t i = 0; i < calls_.size(); ++i) {
    calls_[i]->Resize(groups);
    if (calls_[i]->is_bare()) bare_values_[i].resize(groups);
  }
}

uint64_t GroupStates::bytes() const {
  uint64_t bytes = bare_bytes_;
  for (const auto& call : calls_) bytes += call->is_bare() ? size_ * sizeof(Value) : call->bytes();
  return bytes;
}

void GroupStates::Postpone(bool has_groups) {
  for (auto& call : calls_) call->Postpone(has_groups);
}

absl::Status GroupStates::Add(const Frame& frame, const uint32_t* numbers, uint32_t before) {
  winners_.clear();
  for (auto& call : calls_) {
    if (!call->is_bare()) TURDB_RETURN_IF_ERROR(call->Add(frame, numbers));
  }
  return has_bare_ ? KeepBare(frame, numbers, before) : absl::OkStatus();
}

absl::Status GroupStates::KeepBare(const Frame& frame, const uint32_t* numbers, uint32_t before) {
  firsts_.clear();
  if (numbers == nullptr) {
    if (is_first_input_) firsts_.push_back({0, 0});
    is_first_input_ = false;
  } else {
    uint32_t next = before;
    for (uint32_t i = 0; i < frame.rows && next < size_; ++i) {
      if (numbers[i] == next) firsts_.push_back({next++, i});
    }
  }
  for (size_t c = 0; c < calls_.size(); ++c) {
    if (bare_[c] == nullptr || (firsts_.empty() && winners_.empty())) continue;
    const ColumnVector* value = nullptr;
    TURDB_RETURN_IF_ERROR(bare_[c]->Eval(frame, &value));
    for (const auto* list : {&firsts_, &winners_}) {
      for (const Accumulator::Winner& w : *list) {
        const Cell cell = value->Get(w.row);
        if (list == &firsts_ && cell.has_bytes()) bare_bytes_ += cell.length;
        bare_values_[c][w.group] = Value::FromCell(cell);
      }
    }
  }
  return absl::OkStatus();
}

absl::Status GroupStates::Complete() {
  for (auto& call : calls_) {
    if (!call->is_bare()) TURDB_RETURN_IF_ERROR(call->Complete());
  }
  return absl::OkStatus();
}

absl::Status GroupStates::Finish(uint32_t first, uint32_t count, Arena* arena, ColumnVector* to) {
  for (size_t c = 0; c < calls_.size(); ++c) {
    Cell* cells = to[c].ResetCells(count);
    for (uint32_t i = 0; i < count; ++i) {
      if (calls_[c]->is_bare()) {
        cells[i] = bare_values_[c][first + i].cell();
        if (cells[i].has_bytes()) cells[i].bytes = arena->Copy(cells[i].view()).data();
      } else {
        TURDB_RETURN_IF_ERROR(calls_[c]->Finish(first + i, arena, &cells[i]));
      }
    }
    NarrowCells(count, &to[c]);
  }
  return absl::OkStatus();
}

}  // namespace turdb::sql
