// What the binder knows of functions, and how an implementation is called. sql/exec registers the built-in ones;
// a connection adds the user's own in front of them.
//
// Row-wise implementations take cells and give a cell; bytes that they make go to context->arena. A batch
// implementation, where there is one, is preferred when all arguments have the layouts it takes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "base/arena.h"
#include "types/column_vector.h"
#include "types/logical_type.h"

namespace turdb::sql {

struct ExecContext;  // sql/exec/exec_context.h

struct FunctionContext {
  Arena* arena = nullptr;                     // for result bytes; lives as long as the batch
  Collation collation = Collation::kBinary;   // of the call (min, max, nullif, ...)
  ExecContext* exec = nullptr;                // changes(), last_insert_rowid(), user data, ...
};

struct ScalarFunction {
  std::string name;  // lower case
  int min_args = 0;
  int max_args = 0;  // -1: any number
  bool is_deterministic = true;  // same arguments, same result within a statement: may be folded
  bool needs_collation = false;
  Affinity result_affinity = Affinity::kNone;
  std::function<absl::Status(FunctionContext*, absl::Span<const Cell> args, Cell* result)> call;
  // Optional. Returns false when it does not take these layouts; then `call` is used row by row.
  bool (*call_batch)(FunctionContext*, absl::Span<const ColumnVector* const> args, uint32_t rows, ColumnVector* out) = nullptr;
};

// One group's running state. Bytes of argument cells live only during Step.
class AggregateState {
 public:
  virtual ~AggregateState() = default;
  virtual absl::Status Step(FunctionContext* context, absl::Span<const Cell> args) = 0;
  virtual absl::Status Inverse(FunctionContext* context, absl::Span<const Cell> args);  // for windows; kUnsupported
  virtual absl::Status Finish(FunctionContext* context, Cell* result) = 0;  // may be called repeatedly (windows)
};

// What the hash aggregation computes by itself, without calls through AggregateState.
enum class NativeAggregate : uint8_t { kNone = 0, kCountStar, kCount, kSum, kTotal, kAvg, kMin, kMax };

struct AggregateFunction {
  std::string name;
  int min_args = 0;
  int max_args = 0;
  bool needs_collation = false;
  bool is_window_only = false;  // row_number(), rank(), lag(), ...
  NativeAggregate native = NativeAggregate::kNone;
  std::function<std::unique_ptr<AggregateState>()> create;
};

// Names are given in lower case. The returned pointers live as long as the set.
class FunctionSet {
 public:
  virtual ~FunctionSet() = default;
  virtual const ScalarFunction* FindScalar(std::string_view name, int arg_count) const = 0;
  virtual const AggregateFunction* FindAggregate(std::string_view name, int arg_count) const = 0;
  virtual bool HasName(std::string_view name) const = 0;  // with any number of arguments
  virtual std::vector<std::string> SimilarNames(std::string_view name) const = 0;
  // User collations: kBinary.. for built-ins, kFirstUser + i for the connection's; -1 when unknown.
  virtual int FindCollation(std::string_view name) const = 0;
};

}  // namespace turdb::sql
