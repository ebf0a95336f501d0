#include "engine/row_buffer.h"

#include <limits>

#include "engine/connection_state.h"
#include "sql/exec/kept_rows.h"

namespace turdb::engine {

struct RowBuffer::Rows {
  sql::ExecContext context;
  sql::KeptRows kept{&context, sql::RowSpill::kNoNode};
};

RowBuffer::RowBuffer(size_t columns, const ConnectionState* state) : columns_(columns), state_(state) {}
RowBuffer::RowBuffer(RowBuffer&&) noexcept = default;
RowBuffer& RowBuffer::operator=(RowBuffer&&) noexcept = default;
RowBuffer::~RowBuffer() = default;

RowBuffer::Rows* RowBuffer::Kept() {
  if (rows_ != nullptr) return rows_.get();
  rows_ = std::make_unique<Rows>();
  rows_->context.memory.set_limit(std::numeric_limits<int64_t>::max());
  if (state_ != nullptr) {
    rows_->context.memory.set_limit(state_->settings.statement_memory);
    rows_->context.temp_place = state_->TempPlace();
  }
  rows_->kept.Reset(columns_);
  return rows_.get();
}

void RowBuffer::Add(const std::vector<Value>& row) {
  std::vector<Cell> cells;
  for (const Value& value : row) cells.push_back(value.cell());
  Kept()->kept.AppendRow(cells.data()).IgnoreError();
}

absl::Status RowBuffer::AddBatch(const ColumnBatch& batch) {
  return batch.size == 0 ? absl::OkStatus() : Kept()->kept.Append(batch);
}

absl::Status RowBuffer::Next(ColumnBatch* batch) {
  batch->size = 0;
  batch->columns.resize(columns_);
  if (rows_ == nullptr) return absl::OkStatus();
  absl::Status status = rows_->kept.Read(next_, batch);
  next_ += batch->size;
  return status;
}

}  // namespace turdb::engine
