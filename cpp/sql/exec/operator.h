// Operator: a node of a running plan. Batches are pulled from the root.
//
// Life: Open (may be called again for another pass, with other registers), Next until a batch of size 0, Close.
// A batch handed out stays valid until the next call on the same operator. Not thread-safe.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "sql/exec/exec_context.h"
#include "types/column_vector.h"

namespace turdb::sql {

class Operator {
 public:
  virtual ~Operator() = default;
  virtual absl::Status Open() = 0;
  // Fills up to kBatchRows rows; first batches may be small, so that a first row comes early. size 0: the end.
  virtual absl::Status Next(ColumnBatch* batch) = 0;
  virtual void Close() {}
};

// The operators of a plan. `plan` and `context` outlive them.
absl::StatusOr<std::unique_ptr<Operator>> BuildOperators(const PhysicalNode& plan, ExecContext* context);

// Evaluates an expression without input: constants, parameters, registers, uncorrelated subqueries.
absl::StatusOr<Value> EvaluateScalar(const BoundExpr& expr, ExecContext* context);

// The built-in functions, shared by all connections.
const FunctionSet& BuiltinFunctions();

}  // namespace turdb::sql
