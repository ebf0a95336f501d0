// GroupStates: the aggregate calls of one operator, by group number: running states, and the bare columns beside them.
//
// A bare column has the value of the row that a plain min() or max() picked, else of the group's first row. Not thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "sql/exec/aggregate_call.h"
#include "sql/plan/physical_plan.h"

namespace turdb::sql {

class GroupStates {
 public:
  absl::Status Compile(const PhysicalAggregate& node, Builder* builder);
  size_t columns() const { return calls_.size(); }
  void CollectSlots(std::vector<int>* slots) const;  // of the input

  void Reset();                  // no groups
  void Resize(uint32_t groups);  // new ones are empty
  uint32_t size() const { return size_; }
  // Row i of the frame goes to group numbers[i] (nullptr: all to group 0). Groups from `before` on are new, and their first
  // rows come in the order of their numbers.
  absl::Status Add(const Frame& frame, const uint32_t* numbers, uint32_t before);
  uint64_t bytes() const;
  void Postpone(bool has_groups);  // RunningAggregate::Postpone of all calls
  absl::Status Complete();         // before the first Finish
  // Results of groups [first, first + count) into to[0..columns()). Groups in ascending order, each once.
  absl::Status Finish(uint32_t first, uint32_t count, Arena* arena, ColumnVector* to);

 private:
  absl::Status KeepBare(const Frame& frame, const uint32_t* numbers, uint32_t before);

  std::vector<EvaluatorPtr> bare_;
  std::vector<std::unique_ptr<RunningAggregate>> calls_;
  std::vector<std::vector<Value>> bare_values_;  // by call, then group
  uint64_t bare_bytes_ = 0;
  RunningAggregate* picker_ = nullptr;           // the min() or max() that bare columns follow
  bool has_bare_ = false, is_first_input_ = true;
  std::vector<Accumulator::Winner> winners_, firsts_;
  uint32_t size_ = 0;
};

}  // namespace turdb::sql
