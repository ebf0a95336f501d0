// RunningAggregate: one aggregate call of an operator: its arguments, FILTER, DISTINCT, ORDER BY and accumulator.
//
// Rows that ORDER BY holds back are sorted by group and key (held_). When memory is used up, a call whose state grows with
// every row (Postpone) holds all later rows back in the same way, and each group gets its own when it is finished; those of
// DISTINCT are first brought together by group and value to lose their duplicates (candidates_). A row held back is: group,
// arguments, keys, and for DISTINCT its number in order of arrival. Not thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "sql/exec/accumulator.h"
#include "sql/exec/evaluator.h"
#include "sql/exec/key_table.h"
#include "sql/exec/row_sorter.h"

namespace turdb::sql {

class RunningAggregate {
 public:
  static absl::StatusOr<std::unique_ptr<RunningAggregate>> Make(const AggregateCall& call, int node_id, Builder* builder);

  void Reset();
  void Resize(uint32_t groups);
  // Rows of the frame go to groups[i] (nullptr: group 0).
  absl::Status Add(const Frame& frame, const uint32_t* groups);
  // Before the first Finish: runs what was held back.
  absl::Status Complete();
  // Groups in ascending order, each once.
  absl::Status Finish(uint32_t group, Arena* arena, Cell* result);

  uint64_t bytes() const;  // memory of the states
  // From now on the memory does not grow with the rows, if it did. `has_groups`: there may be more groups than one.
  void Postpone(bool has_groups);

  // A bare column: the value of the winning row (of min or max), else of the group's first row.
  bool is_bare() const { return call_.function == nullptr; }
  bool picks_rows() const;  // a plain min() or max()
  void WatchWinners(std::vector<Accumulator::Winner>* winners) { accumulator_->WatchWinners(winners); }
  const AggregateCall& call() const { return call_; }
  // The input's columns that the call reads.
  void CollectSlots(std::vector<int>* slots) const;

 private:
  RunningAggregate(const AggregateCall& call, ExecContext* context, int node_id)
      : call_(call), context_(context), node_id_(node_id) {}
  absl::Status Distinct(const Frame& frame, const uint32_t* groups, uint32_t* rows, uint32_t* count);
  absl::Status AddDistinct(const Frame& frame, const uint32_t* groups);
  absl::Status Accumulate(const Frame& frame, const uint32_t* groups);
  absl::Status HoldBack(const Frame& frame, const uint32_t* groups, RowSorter* to);
  absl::Status RunCandidates();
  absl::Status HoldFirstOfEach(const ColumnBatch& batch, RowStore* last);
  absl::Status Feed(const ColumnBatch& rows, const uint32_t* selected, uint32_t count);
  absl::Status FeedGroup(uint32_t group);
  size_t held_width() const { return 1 + args_.size() + order_.size() + (call_.is_distinct ? 1 : 0); }
  std::unique_ptr<RowSorter> NewSorter(bool by_argument) const;

  const AggregateCall& call_;
  ExecContext* context_;
  int node_id_;
  std::vector<EvaluatorPtr> args_, order_;
  EvaluatorPtr filter_;
  std::vector<int> slots_;  // that arguments and order read
  std::unique_ptr<Accumulator> accumulator_;
  std::vector<const ColumnVector*> columns_;
  std::vector<uint32_t> rows_, sub_groups_, numbers_;
  std::unique_ptr<bool[]> is_new_;
  SubFrame filtered_, distinct_rows_;
  KeyTable seen_;       // DISTINCT: (group, arguments...)
  std::vector<ColumnVector> seen_key_;
  std::unique_ptr<RowSorter> held_, candidates_;
  std::vector<ColumnVector> held_columns_;
  bool is_postponing_ = false;
  int64_t arrivals_ = 0;       // rows held back so far
  ColumnBatch held_rows_;      // of held_, being given to their groups
  uint32_t held_at_ = 0;
  bool feeds_by_group_ = false;
};

}  // namespace turdb::sql
