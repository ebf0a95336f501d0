// InsertBatch: rows of parameters for one plain INSERT, gathered and appended as columns.
//
// Only for INSERT INTO t (..) VALUES (?, ?, ..) on a plain table, without conflict clause, RETURNING or vectors. When a
// batch does not go in whole (a constraint, a NULL rowid), the caller inserts its rows one by one, so that what
// executemany leaves behind does not depend on batches.
#pragma once

#include <vector>

#include "engine/append_plain.h"
#include "sql/plan/physical_plan.h"

namespace turdb::engine {

class InsertBatch {
 public:
  static constexpr size_t kRows = 2048;
  static bool Takes(const sql::PhysicalPlan& plan);

  explicit InsertBatch(const sql::PhysicalPlan& plan);
  void Add(const std::vector<Value>& parameters);  // copied
  size_t size() const { return n_; }
  absl::Span<const std::vector<Value>> rows() const { return absl::MakeConstSpan(rows_).first(n_); }
  void Clear() { n_ = 0; }
  absl::Status AppendTo(txn::Transaction* txn, ConnectionState* state);

 private:
  const sql::PhysicalInsert& insert_;
  std::vector<uint32_t> parameters_;  // by target column: parameter number - 1
  std::vector<std::vector<Value>> rows_;  // the first n_; what is behind them is used again
  size_t n_ = 0;
};

}  // namespace turdb::engine
