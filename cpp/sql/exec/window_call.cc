#include "sql/exec/window_call.h"

#include <deque>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/exec/cell_ops.h"
#include "sql/exec/collation.h"
#include "sql/exec/functions.h"
#include "sql/exec/row_shaper.h"
#include "types/number_text.h"

namespace turdb::sql {
namespace {

// row_number() and its kin do not look at frames.
class Ranking {
 public:
  Ranking(const WindowInput& input, std::vector<Cell>* results) : in_(input), order_(*input.order), results_(results) {}

  // False when the function is not one of these.
  absl::StatusOr<bool> Run(std::string_view name) {
    if (name == "row_number") ForEach([&](uint64_t i) { return Cell::Integer(Place(i) + 1); });
    else if (name == "rank") ForEach([&](uint64_t i) { return Cell::Integer(Rank(i)); });
    else if (name == "dense_rank") ForEach([&](uint64_t i) { return Cell::Integer(GroupPlace(i) + 1); });
    else if (name == "percent_rank") ForEach([&](uint64_t i) { return Cell::Real(Size(i) > 1 ? double(Rank(i) - 1) / double(Size(i) - 1) : 0.0); });
    else if (name == "cume_dist") ForEach([&](uint64_t i) { return Cell::Real(double(order_.peers_end[i] - order_.partition_start[i]) / double(Size(i))); });
    else if (name == "ntile") return Ntile();
    else if (name == "lag" || name == "lead") Shift(name == "lead");
    else return false;
    return true;
  }

 private:
  template <typename F>
  void ForEach(F value) {
    for (uint64_t i = 0; i < order_.rows.size(); ++i) (*results_)[order_.rows[i]] = value(i);
  }
  int64_t Place(uint64_t i) const { return static_cast<int64_t>(i - order_.partition_start[i]); }
  int64_t Rank(uint64_t i) const { return static_cast<int64_t>(order_.peers_start[i] - order_.partition_start[i]) + 1; }
  int64_t GroupPlace(uint64_t i) const { return static_cast<int64_t>(order_.group[i] - order_.group[order_.partition_start[i]]); }
  int64_t Size(uint64_t i) const { return static_cast<int64_t>(order_.partition_end[i] - order_.partition_start[i]); }

  absl::StatusOr<bool> Ntile() {
    for (uint64_t i = 0; i < order_.rows.size(); ++i) {
      const int64_t tiles = ToInteger(in_.args->Get(0, order_.rows[order_.partition_start[i]]));
      if (tiles <= 0) return BadValueError("argument of ntile must be a positive integer");
      const int64_t size = Size(i), small = size / tiles, large = size % tiles, place = Place(i);
      const int64_t in_large = large * (small + 1);  // the first tiles have one row more
      const int64_t tile = place < in_large ? place / (small + 1) : large + (place - in_large) / std::max<int64_t>(small, 1);
      (*results_)[order_.rows[i]] = Cell::Integer(tile + 1);
    }
    return true;
  }

  void Shift(bool is_lead) {
    const RowStore& args = *in_.args;
    for (uint64_t i = 0; i < order_.rows.size(); ++i) {
      const uint64_t row = order_.rows[i];
      const Cell offset = args.columns() > 1 ? args.Get(1, row) : Cell::Integer(1);
      const int64_t by = ToInteger(offset), place = Place(i);
      const int64_t ahead = Size(i) - 1 - place;  // rows before and behind bound what can be added without overflow
      const bool is_inside = !offset.is_null() && (is_lead ? by <= ahead && by >= -place : by <= place && by >= -ahead);
      const int64_t to = is_inside ? (is_lead ? place + by : place - by) : 0;
      if (is_inside) {
        (*results_)[row] = args.Get(0, order_.rows[order_.partition_start[i] + static_cast<uint64_t>(to)]);
      } else if (args.columns() > 2) {
        (*results_)[row] = args.Get(2, row);
      }
    }
  }

  const WindowInput& in_;
  const WindowOrder& order_;
  std::vector<Cell>* results_;
};

// Functions of a frame.
class Framed {
 public:
  Framed(const WindowInput& input, Arena* arena, std::vector<Cell>* results)
      : in_(input), order_(*input.order), frames_(*input.frames), arena_(arena), results_(results),
        cells_(input.args->columns()) {
    function_context_.arena = &scratch_;
    function_context_.collation = input.call->call.collation;
    function_context_.exec = input.context;
  }

  absl::StatusOr<bool> RunValue(std::string_view name) {
    if (name != "first_value" && name != "last_value" && name != "nth_value") return false;
    for (uint64_t i = 0; i < order_.rows.size(); ++i) {
      const uint64_t row = order_.rows[i];
      int64_t n = 1;
      if (name == "nth_value") {
        const Cell given = TextToNumberIfWhole(in_.args->Get(1, row));
        n = given.integer;
        if (!(given.is_integer() || (given.is_real() && RealIsInteger(given.real, &n))) || n <= 0) {
          return BadValueError("second argument to nth_value must be a positive integer");
        }
      }
      uint64_t at = 0;
      if (Nth(i, n, name == "last_value", &at)) (*results_)[row] = in_.args->Get(0, order_.rows[at]);
    }
    return true;
  }

  absl::Status RunAggregate() {
    const AggregateFunction& function = *in_.call->call.function;
    const bool is_extreme = function.native == NativeAggregate::kMin || function.native == NativeAggregate::kMax;
    if (in_.exclude == FrameExclude::kNoOthers && is_extreme) {
      RunExtreme(function.native == NativeAggregate::kMin);
      return absl::OkStatus();
    }
    if (!function.create) return UnsupportedError(function.name, "() cannot be used as a window function");
    return in_.exclude == FrameExclude::kNoOthers ? RunSliding(function) : RunExcluding(function);
  }

 private:
  bool IsExcluded(uint64_t i, uint64_t at) const {
    switch (in_.exclude) {
      case FrameExclude::kNoOthers: return false;
      case FrameExclude::kCurrentRow: return at == i;
      case FrameExclude::kGroup: return at >= order_.peers_start[i] && at < order_.peers_end[i];
      case FrameExclude::kTies: return at != i && at >= order_.peers_start[i] && at < order_.peers_end[i];
    }
    return false;
  }

  // The n-th position of a frame from its front or back.
  bool Nth(uint64_t i, int64_t n, bool from_back, uint64_t* found) const {
    const uint64_t start = frames_.start[i], end = frames_.end[i];
    if (start >= end) return false;
    if (in_.exclude == FrameExclude::kNoOthers) {
      if (static_cast<uint64_t>(n) > end - start) return false;
      *found = from_back ? end - static_cast<uint64_t>(n) : start + static_cast<uint64_t>(n) - 1;
      return true;
    }
    for (uint64_t k = 0; k < end - start; ++k) {
      *found = from_back ? end - 1 - k : start + k;
      if (!IsExcluded(i, *found) && --n == 0) return true;
    }
    return false;
  }

  bool Load(uint64_t at) {
    const uint64_t row = order_.rows[at];
    if (in_.passes_filter != nullptr && !(*in_.passes_filter)[row]) return false;
    for (size_t a = 0; a < cells_.size(); ++a) cells_[a] = in_.args->Get(a, row);
    return true;
  }
  absl::Status Step(AggregateState* state, uint64_t at) {
    return Load(at) ? state->Step(&function_context_, cells_) : absl::OkStatus();
  }
  absl::Status Inverse(AggregateState* state, uint64_t at) {
    return Load(at) ? state->Inverse(&function_context_, cells_) : absl::OkStatus();
  }
  absl::Status Finish(AggregateState* state, uint64_t i) {
    Cell value;
    TURDB_RETURN_IF_ERROR(state->Finish(&function_context_, &value));
    (*results_)[order_.rows[i]] = KeepCell(value, arena_);
    if (scratch_.used_bytes() > (1 << 16)) scratch_.Reset();
    return absl::OkStatus();
  }

  // Both ends of a frame only move forward within a partition: rows are added and taken back. A function that cannot
  // take rows back begins anew.
  absl::Status RunSliding(const AggregateFunction& function) {
    std::unique_ptr<AggregateState> state;
    uint64_t start = 0, end = 0, partition = ~uint64_t{0};
    for (uint64_t i = 0; i < order_.rows.size(); ++i) {
      if (i % kBatchRows == 0) TURDB_RETURN_IF_ERROR(in_.context->CheckInterrupt());
      const uint64_t first = frames_.start[i], last = std::max(frames_.end[i], first);
      bool starts_anew = partition != order_.partition_start[i] || first > end || first < start || last < end;
      partition = order_.partition_start[i];
      for (; !starts_anew && start < first; ++start) {
        const absl::Status taken = Inverse(state.get(), start);
        if (taken.ok()) continue;
        if (KindOf(taken) != ErrorKind::kUnsupported) return taken;
        starts_anew = true;
      }
      if (starts_anew) {
        state = function.create();
        start = end = first;
      }
      for (; end < last; ++end) TURDB_RETURN_IF_ERROR(Step(state.get(), end));
      TURDB_RETURN_IF_ERROR(Finish(state.get(), i));
    }
    return absl::OkStatus();
  }

  absl::Status RunExcluding(const AggregateFunction& function) {
    for (uint64_t i = 0; i < order_.rows.size(); ++i) {
      TURDB_RETURN_IF_ERROR(in_.context->CheckInterrupt());
      auto state = function.create();
      for (uint64_t at = frames_.start[i]; at < frames_.end[i]; ++at) {
        if (!IsExcluded(i, at)) TURDB_RETURN_IF_ERROR(Step(state.get(), at));
      }
      TURDB_RETURN_IF_ERROR(Finish(state.get(), i));
    }
    return absl::OkStatus();
  }

  // The front of a queue of ever worse candidates is the extreme of a sliding frame.
  void RunExtreme(bool is_min) {
    std::deque<uint64_t> best;
    uint64_t end = 0, partition = ~uint64_t{0};
    auto value = [&](uint64_t at) { return in_.args->Get(0, order_.rows[at]); };
    for (uint64_t i = 0; i < order_.rows.size(); ++i) {
      if (partition != order_.partition_start[i]) {
        partition = end = order_.partition_start[i];
        best.clear();
      }
      for (; end < frames_.end[i]; ++end) {
        if (!Load(end) || cells_[0].is_null()) continue;
        while (!best.empty()) {
          const int order = CompareCollated(value(best.back()), cells_[0], in_.call->call.collation, in_.context->collations);
          if (is_min ? order <= 0 : order >= 0) break;
          best.pop_back();
        }
        best.push_back(end);
      }
      while (!best.empty() && best.front() < frames_.start[i]) best.pop_front();
      if (!best.empty() && frames_.start[i] < frames_.end[i]) (*results_)[order_.rows[i]] = value(best.front());
    }
  }

  const WindowInput& in_;
  const WindowOrder& order_;
  const FrameBounds& frames_;
  Arena* arena_;
  std::vector<Cell>* results_;
  std::vector<Cell> cells_;
  Arena scratch_;
  FunctionContext function_context_;
};

}  // namespace

absl::Status RunWindowCall(const WindowInput& input, Arena* arena, std::vector<Cell>* results) {
  const std::string& name = input.call->call.function->name;
  if (input.call->call.function->is_window_only) {
    TURDB_ASSIGN_OR_RETURN(bool is_done, Ranking(input, results).Run(name));
    if (is_done) return absl::OkStatus();
    TURDB_ASSIGN_OR_RETURN(is_done, Framed(input, arena, results).RunValue(name));
    if (is_done) return absl::OkStatus();
  }
  return Framed(input, arena, results).RunAggregate();
}

absl::Status RunFramedCall(WindowInput input, const RowStore& keys, size_t order_column, Evaluator* start, Evaluator* end,
                           Arena* arena, std::vector<Cell>* results) {
  static const WindowSpec kDefault;
  const WindowSpec& spec = input.call->frame != nullptr ? *input.call->frame : kDefault;
  Cell first, last;
  if (start != nullptr) TURDB_RETURN_IF_ERROR(EvalScalar(start, arena, &first));
  if (end != nullptr) TURDB_RETURN_IF_ERROR(EvalScalar(end, arena, &last));
  TURDB_ASSIGN_OR_RETURN(const FrameBounds frames, MakeFrames(*input.order, spec, first, last, keys, order_column, input.call->order_by));
  input.frames = &frames;
  input.exclude = spec.exclude;
  return RunWindowCall(input, arena, results);
}

void AddWindowFunctions(FunctionRegistry* r) {
  struct Signature { std::string_view name; int min_args, max_args; };
  for (const Signature& s : {Signature{"row_number", 0, 0}, {"rank", 0, 0}, {"dense_rank", 0, 0}, {"percent_rank", 0, 0},
                             {"cume_dist", 0, 0}, {"ntile", 1, 1}, {"lag", 1, 3}, {"lead", 1, 3}, {"first_value", 1, 1},
                             {"last_value", 1, 1}, {"nth_value", 2, 2}}) {
    r->AddNative(s.name, s.min_args, s.max_args, NativeAggregate::kNone)->is_window_only = true;
  }
}

}  // namespace turdb::sql
