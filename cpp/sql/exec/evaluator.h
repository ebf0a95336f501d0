// Evaluator: an expression compiled for one operator, run over batches.
//
// Compile() turns a BoundExpr into a tree of evaluators. Each owns the column of its result and its scratch space, so
// a tree that runs again allocates nothing; slots hand on the input's columns without a copy. Columns that hold only
// integers or only reals are computed in typed loops, all others cell by cell.
// A Frame is the input of one evaluation. Where SQL evaluates lazily (AND, OR, CASE, coalesce) a frame of just the rows
// that need it is made (SubFrame); it knows its parent, so that values computed once a row stay the same.
// Invariants: (1) a result is valid until the next Eval of the same node; (2) its bytes live as long as frame.arena,
// the input's bytes, or the compiled tree; (3) results have frame.rows rows or are constant. Not thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sql/bind/bound_expr.h"
#include "sql/exec/exec_context.h"
#include "types/column_vector.h"

namespace turdb::sql {

class Operator;
struct CteState;  // exec/cte.h

struct Frame {
  const ColumnVector* columns = nullptr;
  uint32_t rows = 0;
  Arena* arena = nullptr;
  uint64_t serial = NextSerial();           // tells evaluations apart, for kOnce
  const Frame* parent = nullptr;            // when this frame holds some rows of another
  const uint32_t* parent_rows = nullptr;    // row i here is row parent_rows[i] there

  static uint64_t NextSerial();
};
inline Frame FrameOf(const ColumnBatch& batch) {
  Frame frame;
  frame.columns = batch.columns.data();
  frame.rows = batch.size;
  frame.arena = batch.arena.get();
  return frame;
}

class Evaluator {
 public:
  virtual ~Evaluator() = default;
  virtual absl::Status Eval(const Frame& frame, const ColumnVector** result) = 0;
  // The value, if that takes no frame and next to no work: of a parameter, or a literal.
  virtual bool GetAtOnce(Arena*, Cell*) { return false; }
  // The rows where the value is true, ascending, into `rows` (room for frame.rows).
  virtual absl::Status EvalRows(const Frame& frame, uint32_t* rows, uint32_t* count);
  bool is_cheap() const { return is_cheap_; }  // cannot fail, has no subquery, costs little
  const std::vector<int>& slots() const { return slots_; }  // that it reads, ascending

 protected:
  friend class Compiler;
  bool is_cheap_ = false;
  std::vector<int> slots_;
  ColumnVector result_;
};
using EvaluatorPtr = std::unique_ptr<Evaluator>;

// What building one plan's operators and expressions shares.
struct Builder {
  ExecContext* context = nullptr;
  absl::flat_hash_map<int, std::shared_ptr<CteState>> ctes;  // by cte_id
  absl::StatusOr<std::unique_ptr<Operator>> Build(const PhysicalNode& node);
};

absl::StatusOr<EvaluatorPtr> Compile(const BoundExpr& expr, Builder* builder);
absl::StatusOr<EvaluatorPtr> CompileOptional(const ExprPtr& expr, Builder* builder);  // nullptr for none
absl::StatusOr<std::vector<EvaluatorPtr>> CompileAll(const std::vector<ExprPtr>& exprs, Builder* builder);

// The value of an expression that reads no slots. Bytes live in `arena` or in the evaluator.
absl::Status EvalScalar(Evaluator* evaluator, Arena* arena, Cell* value);

// A frame of some rows of another; keeps its columns for the next time.
class SubFrame {
 public:
  // Gathers the columns in `slots`. The frame lives until the next Make.
  const Frame& Make(const Frame& parent, const uint32_t* rows, uint32_t count, const std::vector<int>& slots);

 private:
  std::vector<ColumnVector> columns_;
  std::unique_ptr<Frame> frame_;
};

// --- pieces that evaluators share ------------------------------------------------------------------------------
// Integer columns of 0, 1 and NULL are SQL's booleans. The rows that are true of any column.
void TrueRows(const ColumnVector& column, uint32_t rows, uint32_t* selected, uint32_t* count);
// 1, 0 or -1 for NULL, for every row.
void ToTruth(const ColumnVector& column, uint32_t rows, int8_t* truth);
void FromTruth(const int8_t* truth, uint32_t rows, ColumnVector* column);
// NULL wherever a or b is. REQUIRES: result, a and b are kInt64 or kDouble; a constant one is not NULL.
void MergeNulls(const ColumnVector& a, const ColumnVector& b, uint32_t rows, ColumnVector* result);
// Cells that are all integers or NULL (or all reals or NULL) become a typed column.
void NarrowCells(uint32_t rows, ColumnVector* column);
inline bool IsNullConstant(const ColumnVector& c) { return c.is_constant() && c.IsNull(0); }
inline bool IsTyped(const ColumnVector& c) { return c.layout() != ColumnVector::Layout::kCells; }

}  // namespace turdb::sql
