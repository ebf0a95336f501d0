#include "engine/row_buffer.h"

#include <algorithm>

namespace turdb::engine {

void RowBuffer::AddBatch(const ColumnBatch& batch) {
  for (uint32_t row = 0; row < batch.size; ++row) {
    std::vector<Value> values;
    values.reserve(batch.columns.size());
    for (const ColumnVector& column : batch.columns) values.push_back(Value::FromCell(column.Get(row)));
    rows_.push_back(std::move(values));
  }
}

void RowBuffer::Next(ColumnBatch* batch) {
  const size_t n = std::min<size_t>(kBatchRows, rows_.size() - next_);
  batch->columns.resize(columns_);
  batch->size = static_cast<uint32_t>(n);
  for (size_t c = 0; c < columns_; ++c) {
    Cell* cells = batch->columns[c].ResetCells(static_cast<uint32_t>(n));
    for (size_t i = 0; i < n; ++i) cells[i] = rows_[next_ + i][c].cell();
  }
  next_ += n;
}

}  // namespace turdb::engine
