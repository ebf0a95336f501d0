#include "sql/exec/accumulator.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/exec/cell_ops.h"
#include "sql/exec/collation.h"
#include "types/number_text.h"

namespace turdb::sql {

using Layout = ColumnVector::Layout;

namespace {
constexpr int64_t kExact = int64_t{1} << 52;  // integers up to here add to a real sum in one step
constexpr int64_t kLowPart = 16384;           // larger ones in two
}  // namespace

void SumState::StepInteger(int64_t value) {
  if (value <= kExact && value >= -kExact) return Step(static_cast<double>(value));
  const int64_t low = value % kLowPart;
  Step(static_cast<double>(value - low));
  Step(static_cast<double>(low));
}

void SumState::Turn() {
  is_real = true;
  real = static_cast<double>(integer);
  error = 0;
  if (integer > kExact || integer < -kExact) {
    const int64_t low = integer % kLowPart;
    real = static_cast<double>(integer - low);
    error = static_cast<double>(low);
  }
}

// `integer` has wrapped: undo, go on in reals. The sum is an error, avg and total are not.
void SumState::Overflow(int64_t value) {
  integer = static_cast<int64_t>(static_cast<uint64_t>(integer) - static_cast<uint64_t>(value));
  has_overflowed = true;
  Turn();
  StepInteger(value);
}

void SumState::Add(const Cell& value) {
  const Cell number = TextToNumberIfWhole(value);
  if (number.is_integer()) {
    AddInteger(number.integer);
  } else {
    AddReal(ToReal(number));
  }
}

void SumState::TakeBack(const Cell& value) {
  const Cell number = TextToNumberIfWhole(value);
  --count;
  if (!is_real && number.is_integer()) {
    integer = static_cast<int64_t>(static_cast<uint64_t>(integer) - static_cast<uint64_t>(number.integer));
  } else if (number.is_integer() && number.integer != std::numeric_limits<int64_t>::min()) {
    StepInteger(-number.integer);
  } else {
    Step(-ToReal(number));
  }
}

double SumState::Total() const {
  if (!is_real) return static_cast<double>(integer);
  return std::isfinite(error) ? real + error : real;
}

absl::Status SumState::Sum(Cell* result) const {
  if (count == 0) {
    *result = Cell();
  } else if (!is_real) {
    *result = Cell::Integer(integer);
  } else if (has_overflowed) {
    return OverflowError("integer overflow");
  } else {
    *result = Cell::Real(Total());
  }
  return absl::OkStatus();
}

namespace {

class CountAccumulator : public Accumulator {
 public:
  explicit CountAccumulator(bool is_star) : is_star_(is_star) {}
  void Reset() override { counts_.clear(); }
  void Resize(uint32_t groups) override { counts_.resize(groups); }
  absl::Status Add(const ColumnVector* const* args, uint32_t rows, const uint32_t* groups, Arena*) override {
    const bool counts_all = is_star_ || (args[0]->layout() != Layout::kCells && !args[0]->has_nulls());
    if (counts_all && groups == nullptr) {
      counts_[0] += rows;
    } else if (counts_all) {
      for (uint32_t i = 0; i < rows; ++i) ++counts_[groups[i]];
    } else {
      for (uint32_t i = 0; i < rows; ++i) counts_[groups == nullptr ? 0 : groups[i]] += !args[0]->IsNull(i);
    }
    return absl::OkStatus();
  }
  absl::Status Finish(uint32_t group, Arena*, Cell* result) override {
    *result = Cell::Integer(counts_[group]);
    return absl::OkStatus();
  }
  uint64_t bytes() const override { return counts_.size() * sizeof(int64_t); }

 private:
  bool is_star_;
  std::vector<int64_t> counts_;
};

class SumAccumulator : public Accumulator {
 public:
  explicit SumAccumulator(NativeAggregate kind) : kind_(kind) {}
  void Reset() override { sums_.clear(); }
  void Resize(uint32_t groups) override { sums_.resize(groups); }

  absl::Status Add(const ColumnVector* const* args, uint32_t rows, const uint32_t* groups, Arena*) override {
    const ColumnVector& column = *args[0];
    const bool is_plain = !column.has_nulls() && !column.is_constant();
    if (is_plain && column.layout() == Layout::kInt64) {
      const int64_t* values = column.ints();
      if (groups == nullptr) {
        SumState sum = sums_[0];
        for (uint32_t i = 0; i < rows; ++i) sum.AddInteger(values[i]);
        sums_[0] = sum;
      } else {
        for (uint32_t i = 0; i < rows; ++i) sums_[groups[i]].AddInteger(values[i]);
      }
    } else if (is_plain && column.layout() == Layout::kDouble) {
      const double* values = column.doubles();
      if (groups == nullptr) {
        SumState sum = sums_[0];
        for (uint32_t i = 0; i < rows; ++i) sum.AddReal(values[i]);
        sums_[0] = sum;
      } else {
        for (uint32_t i = 0; i < rows; ++i) sums_[groups[i]].AddReal(values[i]);
      }
    } else {
      for (uint32_t i = 0; i < rows; ++i) {
        const Cell value = column.Get(i);
        if (!value.is_null()) sums_[groups == nullptr ? 0 : groups[i]].Add(value);
      }
    }
    return absl::OkStatus();
  }

  absl::Status Finish(uint32_t group, Arena*, Cell* result) override {
    const SumState& sum = sums_[group];
    if (kind_ == NativeAggregate::kSum) return sum.Sum(result);
    if (kind_ == NativeAggregate::kTotal) {
      *result = Cell::Real(sum.Total());
    } else {
      *result = sum.count == 0 ? Cell() : Cell::Real(sum.Total() / static_cast<double>(sum.count));
    }
    return absl::OkStatus();
  }
  uint64_t bytes() const override { return sums_.size() * sizeof(SumState); }

 private:
  NativeAggregate kind_;
  std::vector<SumState> sums_;
};

class ExtremeAccumulator : public Accumulator {
 public:
  ExtremeAccumulator(bool is_min, Collation collation, ExecContext* context)
      : is_min_(is_min), collation_(collation), context_(context) {}
  void Reset() override {
    best_.clear();
    room_.clear();
    arena_.Reset();
  }
  void Resize(uint32_t groups) override {
    best_.resize(groups);
    room_.resize(groups);
  }

  absl::Status Add(const ColumnVector* const* args, uint32_t rows, const uint32_t* groups, Arena*) override {
    const ColumnVector& column = *args[0];
    if (column.layout() == Layout::kInt64 && !column.has_nulls() && !column.is_constant()) {
      const int64_t* values = column.ints();
      for (uint32_t i = 0; i < rows; ++i) {
        const uint32_t group = groups == nullptr ? 0 : groups[i];
        const Cell& best = best_[group];
        if (best.is_integer() && (is_min_ ? values[i] >= best.integer : values[i] <= best.integer)) continue;
        Offer(group, i, Cell::Integer(values[i]));
      }
      return absl::OkStatus();
    }
    if (column.layout() == Layout::kDouble && !column.has_nulls() && !column.is_constant()) {
      const double* values = column.doubles();
      for (uint32_t i = 0; i < rows; ++i) {
        const uint32_t group = groups == nullptr ? 0 : groups[i];
        const Cell& best = best_[group];
        if (best.is_real() && (is_min_ ? values[i] >= best.real : values[i] <= best.real)) continue;
        Offer(group, i, Cell::Real(values[i]));
      }
      return absl::OkStatus();
    }
    for (uint32_t i = 0; i < rows; ++i) {
      const Cell value = column.Get(i);
      if (!value.is_null()) Offer(groups == nullptr ? 0 : groups[i], i, value);
    }
    return absl::OkStatus();
  }

  absl::Status Finish(uint32_t group, Arena* arena, Cell* result) override {
    *result = best_[group];
    if (result->has_bytes()) result->bytes = arena->Copy(result->view()).data();
    return absl::OkStatus();
  }
  uint64_t bytes() const override { return best_.size() * (sizeof(Cell) + 4) + arena_.used_bytes(); }

 private:
  void Offer(uint32_t group, uint32_t row, const Cell& value) {
    Cell& best = best_[group];
    if (!best.is_null()) {
      const int order = CompareCollated(value, best, collation_, context_->collations);
      if (is_min_ ? order >= 0 : order <= 0) return;
    }
    if (winners_ != nullptr) winners_->push_back({group, row});
    char* room = best.has_bytes() ? const_cast<char*>(best.bytes) : nullptr;
    best = value;
    if (!value.has_bytes()) return;
    if (room == nullptr || room_[group] < value.length) {
      room_[group] = value.length * 2;
      room = arena_.Allocate(std::max<uint32_t>(room_[group], 1), 8);
    }
    if (value.length != 0) std::memcpy(room, value.bytes, value.length);
    best.bytes = room;
  }

  bool is_min_;
  Collation collation_;
  ExecContext* context_;
  std::vector<Cell> best_;       // NULL: none yet
  std::vector<uint32_t> room_;   // bytes allocated for each
  Arena arena_;
};

// Any other function: a state object a group.
class StateAccumulator : public Accumulator {
  static constexpr uint64_t kStateBytes = 96;

 public:
  StateAccumulator(const AggregateFunction& function, Collation collation, ExecContext* context) : function_(function) {
    context_.collation = collation;
    context_.exec = context;
  }
  void Reset() override {
    states_.clear();
    fed_bytes_ = 0;
  }
  void Resize(uint32_t groups) override {
    while (states_.size() < groups) states_.push_back(function_.create());
  }
  absl::Status Add(const ColumnVector* const* args, uint32_t rows, const uint32_t* groups, Arena* arena) override {
    context_.arena = arena;
    for (uint32_t i = 0; i < rows; ++i) {
      for (size_t a = 0; a < cells_.size(); ++a) {
        cells_[a] = args[a]->Get(i);
        fed_bytes_ += 16 + (cells_[a].has_bytes() ? cells_[a].length : 0);
      }
      TURDB_RETURN_IF_ERROR(states_[groups == nullptr ? 0 : groups[i]]->Step(&context_, cells_));
    }
    return absl::OkStatus();
  }
  absl::Status Finish(uint32_t group, Arena* arena, Cell* result) override {
    context_.arena = arena;
    *result = Cell();
    return states_[group]->Finish(&context_, result);
  }
  // What a state keeps is its own affair: taken to be all that it was given.
  uint64_t bytes() const override { return states_.size() * kStateBytes + fed_bytes_; }
  bool is_growing() const override { return true; }
  void Release(uint32_t group) override { states_[group] = nullptr; }
  void set_arguments(size_t count) { cells_.resize(count); }

 private:
  const AggregateFunction& function_;
  FunctionContext context_;
  std::vector<std::unique_ptr<AggregateState>> states_;
  uint64_t fed_bytes_ = 0;
  std::vector<Cell> cells_;
};

}  // namespace

std::unique_ptr<Accumulator> MakeAccumulator(const AggregateFunction& function, size_t arguments, Collation collation,
                                             ExecContext* context) {
  switch (function.native) {
    case NativeAggregate::kCountStar: return std::make_unique<CountAccumulator>(true);
    case NativeAggregate::kCount: return std::make_unique<CountAccumulator>(arguments == 0);
    case NativeAggregate::kSum:
    case NativeAggregate::kTotal:
    case NativeAggregate::kAvg: return std::make_unique<SumAccumulator>(function.native);
    case NativeAggregate::kMin: return std::make_unique<ExtremeAccumulator>(true, collation, context);
    case NativeAggregate::kMax: return std::make_unique<ExtremeAccumulator>(false, collation, context);
    case NativeAggregate::kNone: break;
  }
  auto made = std::make_unique<StateAccumulator>(function, collation, context);
  made->set_arguments(arguments);
  return made;
}

}  // namespace turdb::sql
