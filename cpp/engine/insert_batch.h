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
  void Add(std::vector<Value> parameters) { rows_.push_back(std::move(parameters)); }
  size_t size() const { return rows_.size(); }
  const std::vector<std::vector<Value>>& rows() const { return rows_; }
  void Clear() { rows_.clear(); }
  absl::Status AppendTo(txn::Transaction* txn, ConnectionState* state);

 private:
  const sql::PhysicalInsert& insert_;
  std::vector<uint32_t> parameters_;  // by target column: parameter number - 1
  std::vector<std::vector<Value>> rows_;
};

}  // namespace turdb::engine
