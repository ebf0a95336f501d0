// Aggregate functions (sql/exec/functions.h). count, sum, total, avg, min and max run natively in hash aggregation
// (accumulator.h); the states here are what window frames use, and group_concat.
#include <algorithm>
#include <deque>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/exec/accumulator.h"
#include "sql/exec/cell_ops.h"
#include "sql/exec/collation.h"
#include "sql/exec/functions.h"
#include "types/number_text.h"

namespace turdb::sql {
namespace {

using Args = absl::Span<const Cell>;

class CountState : public AggregateState {
 public:
  absl::Status Step(FunctionContext*, Args args) override {
    count_ += args.empty() || !args[0].is_null();
    return absl::OkStatus();
  }
  absl::Status Inverse(FunctionContext*, Args args) override {
    count_ -= args.empty() || !args[0].is_null();
    return absl::OkStatus();
  }
  absl::Status Finish(FunctionContext*, Cell* result) override {
    *result = Cell::Integer(count_);
    return absl::OkStatus();
  }

 private:
  int64_t count_ = 0;
};

template <NativeAggregate kKind>
class SumOfState : public AggregateState {
 public:
  absl::Status Step(FunctionContext*, Args args) override {
    if (!args[0].is_null()) sum_.Add(args[0]);
    return absl::OkStatus();
  }
  absl::Status Inverse(FunctionContext*, Args args) override {
    if (!args[0].is_null()) sum_.TakeBack(args[0]);
    return absl::OkStatus();
  }
  absl::Status Finish(FunctionContext*, Cell* result) override {
    if (kKind == NativeAggregate::kSum) return sum_.Sum(result);
    if (kKind == NativeAggregate::kTotal) {
      *result = Cell::Real(sum_.Total());
    } else {
      *result = sum_.count == 0 ? Cell() : Cell::Real(sum_.Total() / static_cast<double>(sum_.count));
    }
    return absl::OkStatus();
  }

 private:
  SumState sum_;
};

template <bool kIsMin>
class ExtremeState : public AggregateState {
 public:
  absl::Status Step(FunctionContext* context, Args args) override {
    if (args[0].is_null()) return absl::OkStatus();
    if (!best_.is_null()) {
      const int order = CompareCollated(args[0], best_.cell(), context->collation,
                                        context->exec == nullptr ? nullptr : context->exec->collations);
      if (kIsMin ? order >= 0 : order <= 0) return absl::OkStatus();
    }
    best_ = Value::FromCell(args[0]);
    return absl::OkStatus();
  }
  absl::Status Finish(FunctionContext*, Cell* result) override {
    *result = best_.cell();
    return absl::OkStatus();
  }

 private:
  Value best_;
};

// Each value with the separator before it; taking back drops the front.
class ConcatState : public AggregateState {
 public:
  absl::Status Step(FunctionContext* context, Args args) override {
    if (args[0].is_null()) return absl::OkStatus();
    const std::string_view separator = args.size() == 2 ? ToText(args[1], context->arena) : ",";
    const std::string_view text = ToText(args[0], context->arena);
    const size_t before = text_.size();
    if (!lengths_.empty()) text_.append(separator);
    lengths_.push_back({text_.size() - before, text.size()});
    text_.append(text);
    if (text_.size() > kMaxTextBytes) return TooBigError("string or blob too big");
    return absl::OkStatus();
  }
  absl::Status Inverse(FunctionContext*, Args args) override {
    if (args[0].is_null() || lengths_.empty()) return absl::OkStatus();
    first_ += lengths_.front().text;
    lengths_.pop_front();
    if (!lengths_.empty()) {  // its separator goes too
      first_ += lengths_.front().separator;
      lengths_.front().separator = 0;
    }
    if (first_ > text_.size() / 2) {
      text_.erase(0, first_);
      first_ = 0;
    }
    return absl::OkStatus();
  }
  absl::Status Finish(FunctionContext* context, Cell* result) override {
    *result = lengths_.empty() ? Cell() : Cell::Text(context->arena->Copy(std::string_view(text_).substr(first_)));
    return absl::OkStatus();
  }

 private:
  struct Piece { size_t separator, text; };
  std::string text_;
  size_t first_ = 0;
  std::deque<Piece> lengths_;
};

}  // namespace

void AddAggregateFunctions(FunctionRegistry* r) {
  auto native = [](AggregateFunction* function, NativeAggregate kind) { function->native = kind; };
  native(r->AddAggregate<CountState>("count", 0, 0), NativeAggregate::kCountStar);
  native(r->AddAggregate<CountState>("count", 1, 1), NativeAggregate::kCount);
  native(r->AddAggregate<SumOfState<NativeAggregate::kSum>>("sum", 1, 1), NativeAggregate::kSum);
  native(r->AddAggregate<SumOfState<NativeAggregate::kTotal>>("total", 1, 1), NativeAggregate::kTotal);
  native(r->AddAggregate<SumOfState<NativeAggregate::kAvg>>("avg", 1, 1), NativeAggregate::kAvg);
  AggregateFunction* min = r->AddAggregate<ExtremeState<true>>("min", 1, 1);
  AggregateFunction* max = r->AddAggregate<ExtremeState<false>>("max", 1, 1);
  native(min, NativeAggregate::kMin);
  native(max, NativeAggregate::kMax);
  min->needs_collation = max->needs_collation = true;
  r->AddAggregate<ConcatState>("group_concat", 1, 2);
  r->AddAggregate<ConcatState>("string_agg", 2, 2);
}

}  // namespace turdb::sql
