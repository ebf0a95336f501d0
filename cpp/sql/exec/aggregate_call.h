// RunningAggregate: one aggregate call of an operator: its arguments, FILTER, DISTINCT, ORDER BY and accumulator.
// Not thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "sql/exec/accumulator.h"
#include "sql/exec/evaluator.h"
#include "sql/exec/key_table.h"
#include "sql/exec/row_order.h"

namespace turdb::sql {

class RunningAggregate {
 public:
  static absl::StatusOr<std::unique_ptr<RunningAggregate>> Make(const AggregateCall& call, Builder* builder);

  void Reset();
  void Resize(uint32_t groups);
  // Rows of the frame go to groups[i] (nullptr: group 0).
  absl::Status Add(const Frame& frame, const uint32_t* groups);
  // Before the first Finish: runs what ORDER BY held back.
  absl::Status Complete();
  absl::Status Finish(uint32_t group, Arena* arena, Cell* result) { return accumulator_->Finish(group, arena, result); }

  // A bare column: the value of the winning row (of min or max), else of the group's first row.
  bool is_bare() const { return call_.function == nullptr; }
  bool picks_rows() const;  // a plain min() or max()
  void WatchWinners(std::vector<Accumulator::Winner>* winners) { accumulator_->WatchWinners(winners); }
  const AggregateCall& call() const { return call_; }

 private:
  RunningAggregate(const AggregateCall& call, ExecContext* context) : call_(call), context_(context) {}
  absl::Status Distinct(const Frame& frame, const uint32_t* groups, uint32_t* rows, uint32_t* count);
  absl::Status Accumulate(const Frame& frame, const uint32_t* groups);
  absl::Status HoldBack(const Frame& frame, const uint32_t* groups);

  const AggregateCall& call_;
  ExecContext* context_;
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
  RowStore held_;       // ORDER BY: group, arguments, keys
  std::vector<ColumnVector> held_columns_;
};

}  // namespace turdb::sql
