// RowBuffer: rows kept in memory, handed out again in batches: results of PRAGMA and EXPLAIN, RETURNING rows, results
// that outlive their transaction.
#pragma once

#include <vector>

#include "types/column_vector.h"
#include "types/value.h"

namespace turdb::engine {

class RowBuffer {
 public:
  explicit RowBuffer(size_t columns = 0) : columns_(columns) {}
  void Add(std::vector<Value> row) { rows_.push_back(std::move(row)); }
  void AddBatch(const ColumnBatch& batch);  // copies
  // The next rows; size 0 at the end. Cells point into this buffer.
  void Next(ColumnBatch* batch);
  size_t size() const { return rows_.size(); }
  size_t column_count() const { return columns_; }

 private:
  size_t columns_;
  std::vector<std::vector<Value>> rows_;
  size_t next_ = 0;
};

}  // namespace turdb::engine
