// RowBuffer: rows handed out again in batches: results of PRAGMA and EXPLAIN, RETURNING rows, results that outlive their
// transaction. Those of a connection's statements go to disk when they are more than its statement_memory.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "types/column_vector.h"
#include "types/value.h"

namespace turdb::engine {

class ConnectionState;

class RowBuffer {
 public:
  // Without a connection everything stays in memory.
  explicit RowBuffer(size_t columns = 0, const ConnectionState* state = nullptr);
  RowBuffer(RowBuffer&&) noexcept;
  RowBuffer& operator=(RowBuffer&&) noexcept;
  ~RowBuffer();
  void Add(const std::vector<Value>& row);  // of few rows: never written to disk
  absl::Status AddBatch(const ColumnBatch& batch);
  // The next rows; size 0 at the end.
  absl::Status Next(ColumnBatch* batch);
  size_t column_count() const { return columns_; }

 private:
  struct Rows;
  Rows* Kept();

  size_t columns_;
  const ConnectionState* state_;  // read while rows are added
  std::unique_ptr<Rows> rows_;    // null: none yet
  uint64_t next_ = 0;
};

}  // namespace turdb::engine
