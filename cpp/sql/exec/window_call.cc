#include "sql/exec/window_call.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/exec/cell_ops.h"
#include "sql/exec/collation.h"
#include "sql/exec/functions.h"
#include "sql/exec/window_large.h"
#include "types/number_text.h"

namespace turdb::sql {
namespace {

// row_number() and its kin do not look at frames.
template <typename Rows>
class Ranking {
 public:
  explicit Ranking(Rows* rows) : rows_(*rows) {}

  // False when the function is not one of these.
  absl::StatusOr<bool> Run(std::string_view name) {
    if (name == "row_number") ForEach([&](uint64_t i) { return Cell::Integer(Place(i) + 1); });
    else if (name == "rank") ForEach([&](uint64_t i) { return Cell::Integer(Rank(i)); });
    else if (name == "dense_rank") ForEach([&](uint64_t i) { return Cell::Integer(GroupPlace(i) + 1); });
    else if (name == "percent_rank") ForEach([&](uint64_t i) { return Cell::Real(Size(i) > 1 ? double(Rank(i) - 1) / double(Size(i) - 1) : 0.0); });
    else if (name == "cume_dist") ForEach([&](uint64_t i) { return Cell::Real(double(rows_.peers_end(i) - rows_.partition_start(i)) / double(Size(i))); });
    else if (name == "ntile") return Ntile();
    else if (name == "lag" || name == "lead") Shift(name == "lead");
    else return false;
    return true;
  }

 private:
  template <typename F>
  void ForEach(F value) {
    for (uint64_t i = 0; i < rows_.size(); ++i) rows_.Put(i, value(i));
  }
  int64_t Place(uint64_t i) const { return static_cast<int64_t>(i - rows_.partition_start(i)); }
  int64_t Rank(uint64_t i) const { return static_cast<int64_t>(rows_.peers_start(i) - rows_.partition_start(i)) + 1; }
  int64_t GroupPlace(uint64_t i) const { return static_cast<int64_t>(rows_.group(i) - rows_.group(rows_.partition_start(i))); }
  int64_t Size(uint64_t i) const { return static_cast<int64_t>(rows_.partition_end(i) - rows_.partition_start(i)); }

  absl::StatusOr<bool> Ntile() {
    for (uint64_t i = 0; i < rows_.size(); ++i) {
      const int64_t tiles = ToInteger(rows_.arg(0, rows_.partition_start(i)));
      TURDB_RETURN_IF_ERROR(rows_.status());
      if (tiles <= 0) return BadValueError("argument of ntile must be a positive integer");
      const int64_t size = Size(i), small = size / tiles, large = size % tiles, place = Place(i);
      const int64_t in_large = large * (small + 1);  // the first tiles have one row more
      const int64_t tile = place < in_large ? place / (small + 1) : large + (place - in_large) / std::max<int64_t>(small, 1);
      rows_.Put(i, Cell::Integer(tile + 1));
    }
    return true;
  }

  void Shift(bool is_lead) {
    const size_t args = rows_.args();
    for (uint64_t i = 0; i < rows_.size(); ++i) {
      const Cell offset = args > 1 ? rows_.arg(1, i) : Cell::Integer(1);
      const int64_t by = ToInteger(offset), place = Place(i);
      const int64_t ahead = Size(i) - 1 - place;  // rows before and behind bound what can be added without overflow
      const bool is_inside = !offset.is_null() && (is_lead ? by <= ahead && by >= -place : by <= place && by >= -ahead);
      if (is_inside) rows_.Put(i, rows_.arg(0, static_cast<uint64_t>(static_cast<int64_t>(i) + (is_lead ? by : -by))));
      else rows_.Put(i, args > 2 ? rows_.arg(2, i) : Cell());
    }
  }

  Rows& rows_;
};

// Functions of a frame.
template <typename Rows>
class Framed {
 public:
  Framed(const WindowInput& input, const WindowSpec& spec, WindowFrames<Rows> frames, Rows* rows)
      : in_(input), exclude_(spec.exclude), frames_(std::move(frames)), rows_(*rows), cells_(rows->args()) {
    function_context_.arena = &scratch_;
    function_context_.collation = input.call->call.collation;
    function_context_.exec = input.context;
  }

  absl::StatusOr<bool> RunValue(std::string_view name) {
    if (name != "first_value" && name != "last_value" && name != "nth_value") return false;
    for (uint64_t i = 0; i < rows_.size(); ++i) {
      int64_t n = 1;
      if (name == "nth_value") {
        const Cell given = TextToNumberIfWhole(rows_.arg(1, i));
        TURDB_RETURN_IF_ERROR(rows_.status());
        n = given.integer;
        if (!(given.is_integer() || (given.is_real() && RealIsInteger(given.real, &n))) || n <= 0) {
          return BadValueError("second argument to nth_value must be a positive integer");
        }
      }
      uint64_t at = 0;
      rows_.Put(i, Nth(i, n, name == "last_value", &at) ? rows_.arg(0, at) : Cell());
    }
    return true;
  }

  absl::Status RunAggregate() {
    const AggregateFunction& function = *in_.call->call.function;
    const bool is_extreme = function.native == NativeAggregate::kMin || function.native == NativeAggregate::kMax;
    if (exclude_ == FrameExclude::kNoOthers && is_extreme) {
      RunExtreme(function.native == NativeAggregate::kMin);
      return absl::OkStatus();
    }
    if (!function.create) return UnsupportedError(function.name, "() cannot be used as a window function");
    return exclude_ == FrameExclude::kNoOthers ? RunSliding(function) : RunExcluding(function);
  }

 private:
  bool IsExcluded(uint64_t i, uint64_t at) const {
    switch (exclude_) {
      case FrameExclude::kNoOthers: return false;
      case FrameExclude::kCurrentRow: return at == i;
      case FrameExclude::kGroup: return at >= rows_.peers_start(i) && at < rows_.peers_end(i);
      case FrameExclude::kTies: return at != i && at >= rows_.peers_start(i) && at < rows_.peers_end(i);
    }
    return false;
  }

  // The n-th position of a frame from its front or back.
  bool Nth(uint64_t i, int64_t n, bool from_back, uint64_t* found) {
    const auto [start, end] = frames_.At(i);
    if (start >= end) return false;
    if (exclude_ == FrameExclude::kNoOthers) {
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
    if (!rows_.passes(at)) return false;
    for (size_t a = 0; a < cells_.size(); ++a) cells_[a] = rows_.arg(a, at);
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
    rows_.PutMade(i, value);
    if (scratch_.used_bytes() > (1 << 16)) scratch_.Reset();
    return absl::OkStatus();
  }
  absl::Status Look() {
    TURDB_RETURN_IF_ERROR(rows_.status());
    return in_.context->CheckInterrupt();
  }

  // Both ends of a frame only move forward within a partition: rows are added and taken back. A function that cannot
  // take rows back begins anew.
  absl::Status RunSliding(const AggregateFunction& function) {
    std::unique_ptr<AggregateState> state;
    uint64_t start = 0, end = 0, partition = ~uint64_t{0};
    for (uint64_t i = 0; i < rows_.size(); ++i) {
      if (i % kBatchRows == 0) TURDB_RETURN_IF_ERROR(Look());
      const auto frame = frames_.At(i);
      const uint64_t first = frame.start, last = std::max(frame.end, first);
      bool starts_anew = partition != rows_.partition_start(i) || first > end || first < start || last < end;
      partition = rows_.partition_start(i);
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
    for (uint64_t i = 0; i < rows_.size(); ++i) {
      TURDB_RETURN_IF_ERROR(Look());
      auto state = function.create();
      const auto [start, end] = frames_.At(i);
      for (uint64_t at = start; at < end; ++at) {
        if (!IsExcluded(i, at)) TURDB_RETURN_IF_ERROR(Step(state.get(), at));
      }
      TURDB_RETURN_IF_ERROR(Finish(state.get(), i));
    }
    return absl::OkStatus();
  }

  // The front of a queue of ever worse candidates is the extreme of a sliding frame.
  void RunExtreme(bool is_min) {
    auto best = rows_.NewDeque();
    uint64_t end = 0, partition = ~uint64_t{0};
    for (uint64_t i = 0; i < rows_.size(); ++i) {
      const auto frame = frames_.At(i);
      if (partition != rows_.partition_start(i)) {
        partition = end = rows_.partition_start(i);
        best.clear();
      }
      for (; end < frame.end; ++end) {
        if (!Load(end) || cells_[0].is_null()) continue;
        while (!best.empty()) {
          const int order = CompareCollated(rows_.arg(0, best.back()), rows_.arg(0, end), in_.call->call.collation, in_.context->collations);
          if (is_min ? order <= 0 : order >= 0) break;
          best.pop_back();
        }
        best.push_back(end);
      }
      while (!best.empty() && best.front() < frame.start) best.pop_front();
      rows_.Put(i, !best.empty() && frame.start < frame.end ? rows_.arg(0, best.front()) : Cell());
    }
  }

  const WindowInput& in_;
  const FrameExclude exclude_;
  WindowFrames<Rows> frames_;
  Rows& rows_;
  std::vector<Cell> cells_;
  Arena scratch_;
  FunctionContext function_context_;
};

template <typename Rows>
absl::StatusOr<bool> RunOwnFunction(const std::string& name, Rows* rows, Framed<Rows>* framed) {
  TURDB_ASSIGN_OR_RETURN(const bool is_done, Ranking<Rows>(rows).Run(name));
  if (is_done) return true;
  return framed->RunValue(name);
}

}  // namespace

template <typename Rows>
absl::Status RunWindowCall(const WindowInput& input, Rows* rows) {
  static const WindowSpec kDefault;
  const WindowCall& call = *input.call;
  const WindowSpec& spec = call.frame != nullptr ? *call.frame : kDefault;
  Arena arena;
  Cell start, end;
  if (input.start != nullptr) TURDB_RETURN_IF_ERROR(EvalScalar(input.start, &arena, &start));
  if (input.end != nullptr) TURDB_RETURN_IF_ERROR(EvalScalar(input.end, &arena, &end));
  TURDB_RETURN_IF_ERROR(CheckFrameOffsets(spec, &start, &end));
  const bool is_descending = !call.order_by.empty() && call.order_by[0].is_descending;
  Framed<Rows> framed(input, spec, WindowFrames<Rows>(rows, spec, start, end, is_descending), rows);
  bool is_done = false;
  if (call.call.function->is_window_only) {
    TURDB_ASSIGN_OR_RETURN(is_done, RunOwnFunction(call.call.function->name, rows, &framed));
  }
  if (!is_done) TURDB_RETURN_IF_ERROR(framed.RunAggregate());
  return rows->status();
}

template absl::Status RunWindowCall(const WindowInput& input, MemoryWindow* rows);
template absl::Status RunWindowCall(const WindowInput& input, LargeWindow* rows);

void AddWindowFunctions(FunctionRegistry* r) {
  struct Signature { std::string_view name; int min_args, max_args; };
  for (const Signature& s : {Signature{"row_number", 0, 0}, {"rank", 0, 0}, {"dense_rank", 0, 0}, {"percent_rank", 0, 0},
                             {"cume_dist", 0, 0}, {"ntile", 1, 1}, {"lag", 1, 3}, {"lead", 1, 3}, {"first_value", 1, 1},
                             {"last_value", 1, 1}, {"nth_value", 2, 2}}) {
    r->AddNative(s.name, s.min_args, s.max_args, NativeAggregate::kNone)->is_window_only = true;
  }
}

}  // namespace turdb::sql
