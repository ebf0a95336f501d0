#include "sql/exec/aggregate_call.h"

#include <algorithm>

#include "base/status_macros.h"

namespace turdb::sql {

absl::StatusOr<std::unique_ptr<RunningAggregate>> RunningAggregate::Make(const AggregateCall& call, Builder* builder) {
  std::unique_ptr<RunningAggregate> made(new RunningAggregate(call, builder->context));
  TURDB_ASSIGN_OR_RETURN(made->args_, CompileAll(call.args, builder));
  TURDB_ASSIGN_OR_RETURN(made->filter_, CompileOptional(call.filter, builder));
  for (const SortKey& key : call.order_by) {
    TURDB_ASSIGN_OR_RETURN(EvaluatorPtr compiled, Compile(*key.expr, builder));
    made->order_.push_back(std::move(compiled));
  }
  for (const auto* list : {&made->args_, &made->order_}) {
    for (const EvaluatorPtr& e : *list) made->slots_.insert(made->slots_.end(), e->slots().begin(), e->slots().end());
  }
  std::sort(made->slots_.begin(), made->slots_.end());
  made->slots_.erase(std::unique(made->slots_.begin(), made->slots_.end()), made->slots_.end());
  if (call.function != nullptr) {
    made->accumulator_ = MakeAccumulator(*call.function, call.args.size(), call.collation, builder->context);
  }
  made->columns_.resize(call.args.size());
  return made;
}

bool RunningAggregate::picks_rows() const {
  return call_.function != nullptr &&
         (call_.function->native == NativeAggregate::kMin || call_.function->native == NativeAggregate::kMax) &&
         call_.filter == nullptr && !call_.is_distinct && call_.order_by.empty();
}

void RunningAggregate::Reset() {
  if (accumulator_ != nullptr) accumulator_->Reset();
  if (call_.is_distinct) {
    std::vector<Collation> collations(call_.args.size() + 1, call_.collation);
    seen_key_.resize(collations.size());
    seen_.Reset(std::move(collations), context_->collations);
  }
  if (!order_.empty()) held_.Reset(1 + args_.size() + order_.size());
}

void RunningAggregate::Resize(uint32_t groups) {
  if (accumulator_ != nullptr) accumulator_->Resize(groups);
}

absl::Status RunningAggregate::Add(const Frame& frame, const uint32_t* groups) {
  if (filter_ == nullptr && !call_.is_distinct) return Accumulate(frame, groups);
  const Frame* input = &frame;
  uint32_t count = frame.rows;
  if (filter_ != nullptr) {
    rows_.resize(frame.rows);
    TURDB_RETURN_IF_ERROR(filter_->EvalRows(frame, rows_.data(), &count));
    if (count == 0) return absl::OkStatus();
    if (count < frame.rows) {
      input = &filtered_.Make(frame, rows_.data(), count, slots_);
      if (groups != nullptr) {
        sub_groups_.resize(count);
        for (uint32_t i = 0; i < count; ++i) sub_groups_[i] = groups[rows_[i]];
        groups = sub_groups_.data();
      }
    }
  }
  if (!call_.is_distinct) return Accumulate(*input, groups);
  std::vector<uint32_t> fresh(input->rows);
  TURDB_RETURN_IF_ERROR(Distinct(*input, groups, fresh.data(), &count));
  if (count == 0) return absl::OkStatus();
  std::vector<uint32_t> fresh_groups;
  if (groups != nullptr) {
    for (uint32_t i = 0; i < count; ++i) fresh_groups.push_back(groups[fresh[i]]);
  }
  return Accumulate(distinct_rows_.Make(*input, fresh.data(), count, slots_), groups == nullptr ? nullptr : fresh_groups.data());
}

// The rows whose (group, arguments) have not been seen.
absl::Status RunningAggregate::Distinct(const Frame& frame, const uint32_t* groups, uint32_t* rows, uint32_t* count) {
  int64_t* group_column = seen_key_[0].ResetInt64(frame.rows);
  for (uint32_t i = 0; i < frame.rows; ++i) group_column[i] = groups == nullptr ? 0 : groups[i];
  for (size_t a = 0; a < args_.size(); ++a) {
    const ColumnVector* value = nullptr;
    TURDB_RETURN_IF_ERROR(args_[a]->Eval(frame, &value));
    seen_key_[a + 1].Reference(*value);
  }
  numbers_.resize(frame.rows);
  is_new_ = std::make_unique<bool[]>(frame.rows);
  seen_.FindOrAdd(seen_key_.data(), frame.rows, numbers_.data(), is_new_.get());
  *count = 0;
  for (uint32_t i = 0; i < frame.rows; ++i) {
    if (is_new_[i]) rows[(*count)++] = i;
  }
  for (size_t a = 0; a < args_.size(); ++a) seen_key_[a + 1] = ColumnVector();
  return absl::OkStatus();
}

absl::Status RunningAggregate::Accumulate(const Frame& frame, const uint32_t* groups) {
  if (!order_.empty()) return HoldBack(frame, groups);
  for (size_t a = 0; a < args_.size(); ++a) TURDB_RETURN_IF_ERROR(args_[a]->Eval(frame, &columns_[a]));
  return accumulator_->Add(columns_.data(), frame.rows, groups, frame.arena);
}

absl::Status RunningAggregate::HoldBack(const Frame& frame, const uint32_t* groups) {
  held_columns_.resize(1 + args_.size() + order_.size());
  int64_t* group_column = held_columns_[0].ResetInt64(frame.rows);
  for (uint32_t i = 0; i < frame.rows; ++i) group_column[i] = groups == nullptr ? 0 : groups[i];
  size_t at = 1;
  for (auto* list : {&args_, &order_}) {
    for (const EvaluatorPtr& evaluator : *list) {
      const ColumnVector* value = nullptr;
      TURDB_RETURN_IF_ERROR(evaluator->Eval(frame, &value));
      held_columns_[at++].Reference(*value);
    }
  }
  held_.Append(held_columns_.data(), frame.rows);
  for (size_t i = 1; i < at; ++i) held_columns_[i] = ColumnVector();
  return absl::OkStatus();
}

absl::Status RunningAggregate::Complete() {
  if (order_.empty()) return absl::OkStatus();
  std::vector<OrderColumn> columns = OrderColumns(call_.order_by, 1 + args_.size());
  columns.insert(columns.begin(), OrderColumn{0});
  std::vector<uint64_t> order(held_.size());
  for (uint64_t i = 0; i < order.size(); ++i) order[i] = i;
  RowOrder(std::move(columns), context_->collations).Sort(held_, &order);
  std::vector<ColumnVector> values(args_.size());
  std::vector<uint32_t> groups;
  for (size_t first = 0; first < order.size(); first += kBatchRows) {
    const uint32_t n = static_cast<uint32_t>(std::min<size_t>(kBatchRows, order.size() - first));
    groups.clear();
    for (uint32_t i = 0; i < n; ++i) groups.push_back(static_cast<uint32_t>(held_.ints(0)[order[first + i]]));
    for (size_t a = 0; a < args_.size(); ++a) {
      held_.GatherColumn(1 + a, &order[first], n, &values[a]);
      columns_[a] = &values[a];
    }
    Arena arena;
    TURDB_RETURN_IF_ERROR(accumulator_->Add(columns_.data(), n, groups.data(), &arena));
  }
  return absl::OkStatus();
}

}  // namespace turdb::sql
