#include "sql/exec/aggregate_call.h"

#include <algorithm>

#include "base/status_macros.h"

namespace turdb::sql {

absl::StatusOr<std::unique_ptr<RunningAggregate>> RunningAggregate::Make(const AggregateCall& call, int node_id, Builder* builder) {
  std::unique_ptr<RunningAggregate> made(new RunningAggregate(call, builder->context, node_id));
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

void RunningAggregate::CollectSlots(std::vector<int>* slots) const {
  slots->insert(slots->end(), slots_.begin(), slots_.end());
  if (filter_ != nullptr) slots->insert(slots->end(), filter_->slots().begin(), filter_->slots().end());
}

bool RunningAggregate::picks_rows() const {
  return call_.function != nullptr &&
         (call_.function->native == NativeAggregate::kMin || call_.function->native == NativeAggregate::kMax) &&
         call_.filter == nullptr && !call_.is_distinct && call_.order_by.empty();
}

// By group, then by the arguments or by the keys of ORDER BY; rows that are equal so far as they came.
std::unique_ptr<RowSorter> RunningAggregate::NewSorter(bool by_argument) const {
  std::vector<OrderColumn> order = {{0}};
  if (by_argument) {
    for (size_t a = 0; a < args_.size(); ++a) order.push_back({1 + a, false, true, call_.collation});
  } else {
    const std::vector<OrderColumn> keys = OrderColumns(call_.order_by, 1 + args_.size());
    order.insert(order.end(), keys.begin(), keys.end());
    if (call_.is_distinct) order.push_back({held_width() - 1});
  }
  auto sorter = std::make_unique<RowSorter>(context_, node_id_, std::move(order));
  sorter->Reset(held_width());
  return sorter;
}

void RunningAggregate::Reset() {
  if (accumulator_ != nullptr) accumulator_->Reset();
  if (call_.is_distinct) {
    std::vector<Collation> collations(call_.args.size() + 1, call_.collation);
    seen_key_.resize(collations.size());
    seen_.Reset(std::move(collations), context_->collations);
  }
  held_ = order_.empty() ? nullptr : NewSorter(false);
  candidates_ = nullptr;
  is_postponing_ = feeds_by_group_ = false;
  arrivals_ = 0;
}

void RunningAggregate::Resize(uint32_t groups) {
  if (accumulator_ != nullptr) accumulator_->Resize(groups);
}

uint64_t RunningAggregate::bytes() const {
  return (accumulator_ == nullptr ? 0 : accumulator_->bytes()) + (call_.is_distinct ? seen_.bytes() : 0);
}

void RunningAggregate::Postpone(bool has_groups) {
  if (is_bare() || is_postponing_ || (!call_.is_distinct && !(has_groups && accumulator_->is_growing()))) return;
  is_postponing_ = true;
  if (held_ == nullptr) held_ = NewSorter(false);
  if (call_.is_distinct) candidates_ = NewSorter(true);
}

absl::Status RunningAggregate::Add(const Frame& frame, const uint32_t* groups) {
  if (filter_ == nullptr) return call_.is_distinct ? AddDistinct(frame, groups) : Accumulate(frame, groups);
  const Frame* input = &frame;
  uint32_t count = frame.rows;
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
  return call_.is_distinct ? AddDistinct(*input, groups) : Accumulate(*input, groups);
}

absl::Status RunningAggregate::AddDistinct(const Frame& frame, const uint32_t* groups) {
  if (is_postponing_) return HoldBack(frame, groups, candidates_.get());
  uint32_t count = 0;
  std::vector<uint32_t> fresh(frame.rows);
  TURDB_RETURN_IF_ERROR(Distinct(frame, groups, fresh.data(), &count));
  if (count == 0) return absl::OkStatus();
  std::vector<uint32_t> fresh_groups;
  if (groups != nullptr) {
    for (uint32_t i = 0; i < count; ++i) fresh_groups.push_back(groups[fresh[i]]);
  }
  return Accumulate(distinct_rows_.Make(frame, fresh.data(), count, slots_), groups == nullptr ? nullptr : fresh_groups.data());
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
  if (held_ != nullptr) return HoldBack(frame, groups, held_.get());
  for (size_t a = 0; a < args_.size(); ++a) TURDB_RETURN_IF_ERROR(args_[a]->Eval(frame, &columns_[a]));
  return accumulator_->Add(columns_.data(), frame.rows, groups, frame.arena);
}

absl::Status RunningAggregate::HoldBack(const Frame& frame, const uint32_t* groups, RowSorter* to) {
  held_columns_.resize(held_width());
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
  if (call_.is_distinct) {
    int64_t* arrival = held_columns_[at].ResetInt64(frame.rows);
    for (uint32_t i = 0; i < frame.rows; ++i) arrival[i] = arrivals_++;
  }
  TURDB_RETURN_IF_ERROR(to->Add(held_columns_.data(), nullptr, frame.rows));
  for (size_t i = 1; i < at; ++i) held_columns_[i] = ColumnVector();
  return absl::OkStatus();
}

// Of the rows that DISTINCT put off: the first of each value of a group, unless it was there before.
absl::Status RunningAggregate::RunCandidates() {
  TURDB_RETURN_IF_ERROR(candidates_->Finish());
  RowStore last;
  last.Reset(held_width());
  ColumnBatch batch;
  for (;;) {
    TURDB_RETURN_IF_ERROR(candidates_->Next(held_width(), &batch));
    if (batch.size == 0) break;
    TURDB_RETURN_IF_ERROR(HoldFirstOfEach(batch, &last));
  }
  candidates_ = nullptr;
  return absl::OkStatus();
}

absl::Status RunningAggregate::HoldFirstOfEach(const ColumnBatch& batch, RowStore* last) {
  std::vector<OrderColumn> value = {{0}};
  for (size_t a = 0; a < args_.size(); ++a) value.push_back({1 + a, false, true, call_.collation});
  const RowOrder by_value(std::move(value), context_->collations);
  std::vector<ColumnVector> before(held_width());
  for (size_t c = 0; c < before.size() && last->size() > 0; ++c) last->ReadColumn(c, 0, 1, &before[c]);
  const ColumnVector* columns = batch.columns.data();
  numbers_.resize(batch.size);
  seen_.Find(columns, batch.size, numbers_.data());
  std::vector<uint32_t> firsts;
  for (uint32_t i = 0; i < batch.size; ++i) {
    const bool is_first = i > 0             ? by_value.CompareRows(columns, i, columns, i - 1) != 0
                          : last->size() > 0 ? by_value.CompareRows(columns, 0, before.data(), 0) != 0
                                             : true;
    if (is_first && numbers_[i] == KeyTable::kAbsent) firsts.push_back(i);
  }
  last->Reset(held_width());
  const uint32_t end = batch.size - 1;
  last->AppendRows(columns, &end, 1);
  return held_->Add(columns, firsts.data(), static_cast<uint32_t>(firsts.size()));
}

absl::Status RunningAggregate::Complete() {
  if (held_ == nullptr) return absl::OkStatus();
  if (candidates_ != nullptr) TURDB_RETURN_IF_ERROR(RunCandidates());
  TURDB_RETURN_IF_ERROR(held_->Finish());
  held_rows_.size = held_at_ = 0;
  feeds_by_group_ = is_postponing_ || held_->has_spilled();
  while (!feeds_by_group_) {
    TURDB_RETURN_IF_ERROR(held_->Next(held_width(), &held_rows_));
    if (held_rows_.size == 0) return absl::OkStatus();
    TURDB_RETURN_IF_ERROR(Feed(held_rows_, nullptr, held_rows_.size));
  }
  return absl::OkStatus();
}

// Rows that were held back go to the accumulator.
absl::Status RunningAggregate::Feed(const ColumnBatch& rows, const uint32_t* selected, uint32_t count) {
  std::vector<ColumnVector> values(args_.size());
  std::vector<uint32_t> groups(count);
  for (uint32_t i = 0; i < count; ++i) groups[i] = static_cast<uint32_t>(rows.columns[0].Get(selected == nullptr ? i : selected[i]).integer);
  for (size_t a = 0; a < args_.size(); ++a) {
    if (selected == nullptr) {
      values[a].Reference(rows.columns[1 + a]);
    } else {
      values[a].Gather(rows.columns[1 + a], selected, count);
    }
    columns_[a] = &values[a];
  }
  Arena arena;
  return accumulator_->Add(columns_.data(), count, groups.data(), &arena);
}

absl::Status RunningAggregate::FeedGroup(uint32_t group) {
  std::vector<uint32_t> selected;
  for (;;) {
    if (held_at_ == held_rows_.size) {
      TURDB_RETURN_IF_ERROR(held_->Next(held_width(), &held_rows_));
      held_at_ = 0;
      if (held_rows_.size == 0) return absl::OkStatus();
    }
    selected.clear();
    const uint32_t first = held_at_;
    while (held_at_ < held_rows_.size && held_rows_.columns[0].Get(held_at_).integer == group) selected.push_back(held_at_++);
    if (held_at_ == first) return absl::OkStatus();
    TURDB_RETURN_IF_ERROR(Feed(held_rows_, selected.data(), static_cast<uint32_t>(selected.size())));
  }
}

absl::Status RunningAggregate::Finish(uint32_t group, Arena* arena, Cell* result) {
  if (!feeds_by_group_) return accumulator_->Finish(group, arena, result);
  TURDB_RETURN_IF_ERROR(FeedGroup(group));
  TURDB_RETURN_IF_ERROR(accumulator_->Finish(group, arena, result));
  if (result->has_bytes()) result->bytes = arena->Copy(result->view()).data();
  accumulator_->Release(group);
  return absl::OkStatus();
}

}  // namespace turdb::sql
