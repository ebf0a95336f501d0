// Accumulator: the running states of one aggregate call, one a group, fed column-wise.
//
// count, sum, total, avg, min and max are computed here in typed loops; any other function through AggregateState.
// Sums of reals are compensated (Kahan and Babuska), as SQLite sums since 3.43; a sum of integers that overflows is an
// error. Not thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "sql/bind/bound_expr.h"
#include "sql/exec/exec_context.h"
#include "types/column_vector.h"

namespace turdb::sql {

class Accumulator {
 public:
  virtual ~Accumulator() = default;
  virtual void Reset() = 0;                  // no groups
  virtual void Resize(uint32_t groups) = 0;  // new ones are empty
  // Row i of the arguments goes to group groups[i]; groups == nullptr: all to group 0.
  virtual absl::Status Add(const ColumnVector* const* args, uint32_t rows, const uint32_t* groups, Arena* arena) = 0;
  virtual absl::Status Finish(uint32_t group, Arena* arena, Cell* result) = 0;
  virtual uint64_t bytes() const = 0;  // memory of all states, about
  // States may grow with every row, not with every group alone.
  virtual bool is_growing() const { return false; }
  virtual void Release(uint32_t group) {}  // a state that is not needed any more
  // min and max: appends (group, row) wherever a row of the last Add became a group's extreme.
  struct Winner { uint32_t group, row; };
  void WatchWinners(std::vector<Winner>* winners) { winners_ = winners; }

 protected:
  std::vector<Winner>* winners_ = nullptr;
};

std::unique_ptr<Accumulator> MakeAccumulator(const AggregateFunction& function, size_t arguments, Collation collation,
                                             ExecContext* context);

// SQLite's running sum, also of windows.
struct SumState {
  int64_t integer = 0;
  double real = 0, error = 0;
  int64_t count = 0;
  bool is_real = false, has_overflowed = false;

  void Add(const Cell& value);       // not NULL
  void TakeBack(const Cell& value);  // one that was added
  void AddInteger(int64_t value) {
    ++count;
    if (is_real) return StepInteger(value);
    if (__builtin_add_overflow(integer, value, &integer)) Overflow(value);
  }
  void AddReal(double value) {
    ++count;
    if (!is_real) Turn();
    Step(value);
  }
  absl::Status Sum(Cell* result) const;
  double Total() const;

 private:
  void Step(double value) {
    const double sum = real + value;
    error += (real < 0 ? -real : real) > (value < 0 ? -value : value) ? (real - sum) + value : (value - sum) + real;
    real = sum;
  }
  void StepInteger(int64_t value);
  void Turn();                    // integers so far become the real sum
  void Overflow(int64_t value);
};

}  // namespace turdb::sql
