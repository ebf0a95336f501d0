#include "sql/exec/evaluator.h"

#include "base/status_macros.h"
#include "sql/exec/cell_ops.h"

namespace turdb::sql {

uint64_t Frame::NextSerial() {
  thread_local uint64_t serial = 0;
  return ++serial;
}

absl::Status Evaluator::EvalRows(const Frame& frame, uint32_t* rows, uint32_t* count) {
  const ColumnVector* value = nullptr;
  TURDB_RETURN_IF_ERROR(Eval(frame, &value));
  TrueRows(*value, frame.rows, rows, count);
  return absl::OkStatus();
}

absl::Status EvalScalar(Evaluator* evaluator, Arena* arena, Cell* value) {
  if (evaluator->GetAtOnce(arena, value)) return absl::OkStatus();
  Frame frame;
  frame.rows = 1;
  frame.arena = arena;
  const ColumnVector* result = nullptr;
  TURDB_RETURN_IF_ERROR(evaluator->Eval(frame, &result));
  *value = result->Get(0);
  return absl::OkStatus();
}

const Frame& SubFrame::Make(const Frame& parent, const uint32_t* rows, uint32_t count, const std::vector<int>& slots) {
  if (!slots.empty() && columns_.size() <= static_cast<size_t>(slots.back())) columns_.resize(slots.back() + 1);
  for (int slot : slots) {
    columns_[slot] = ColumnVector();
    columns_[slot].Gather(parent.columns[slot], rows, count);
  }
  if (frame_ == nullptr) frame_ = std::make_unique<Frame>();
  frame_->columns = columns_.data();
  frame_->rows = count;
  frame_->arena = parent.arena;
  frame_->serial = Frame::NextSerial();
  frame_->parent = &parent;
  frame_->parent_rows = rows;
  return *frame_;
}

namespace {

template <typename T>
void TrueRowsOf(const T* values, const ColumnVector& column, uint32_t rows, uint32_t* selected, uint32_t* count) {
  uint32_t n = 0;
  if (!column.has_nulls()) {
    for (uint32_t i = 0; i < rows; ++i) {
      selected[n] = i;
      n += values[i] != 0;
    }
  } else {
    const uint64_t* valid = column.validity();
    for (uint32_t i = 0; i < rows; ++i) {
      selected[n] = i;
      n += (values[i] != 0) & ((valid[i >> 6] >> (i & 63)) & 1);
    }
  }
  *count = n;
}

}  // namespace

void TrueRows(const ColumnVector& column, uint32_t rows, uint32_t* selected, uint32_t* count) {
  if (column.is_constant()) {
    *count = Truth(column.Get(0)) == 1 ? rows : 0;
    for (uint32_t i = 0; i < *count; ++i) selected[i] = i;
    return;
  }
  switch (column.layout()) {
    case ColumnVector::Layout::kInt64: return TrueRowsOf(column.ints(), column, rows, selected, count);
    case ColumnVector::Layout::kDouble: return TrueRowsOf(column.doubles(), column, rows, selected, count);
    case ColumnVector::Layout::kCells: break;
  }
  uint32_t n = 0;
  for (uint32_t i = 0; i < rows; ++i) {
    if (Truth(column.cells()[i]) == 1) selected[n++] = i;
  }
  *count = n;
}

void ToTruth(const ColumnVector& column, uint32_t rows, int8_t* truth) {
  if (column.is_constant()) {
    std::fill(truth, truth + rows, static_cast<int8_t>(Truth(column.Get(0))));
    return;
  }
  switch (column.layout()) {
    case ColumnVector::Layout::kInt64:
      for (uint32_t i = 0; i < rows; ++i) truth[i] = column.ints()[i] != 0;
      break;
    case ColumnVector::Layout::kDouble:
      for (uint32_t i = 0; i < rows; ++i) truth[i] = column.doubles()[i] != 0;
      break;
    case ColumnVector::Layout::kCells:
      for (uint32_t i = 0; i < rows; ++i) truth[i] = static_cast<int8_t>(Truth(column.cells()[i]));
      return;
  }
  if (!column.has_nulls()) return;
  for (uint32_t i = 0; i < rows; ++i) {
    if (column.IsNull(i)) truth[i] = -1;
  }
}

void FromTruth(const int8_t* truth, uint32_t rows, ColumnVector* column) {
  int64_t* values = column->ResetInt64(rows);
  int8_t lowest = 0;
  for (uint32_t i = 0; i < rows; ++i) {
    values[i] = truth[i];
    lowest = std::min(lowest, truth[i]);
  }
  if (lowest == 0) return;
  for (uint32_t i = 0; i < rows; ++i) {
    if (truth[i] < 0) column->SetNull(i);
  }
}

void MergeNulls(const ColumnVector& a, const ColumnVector& b, uint32_t rows, ColumnVector* result) {
  const bool from_a = a.has_nulls() && !a.is_constant();
  const bool from_b = b.has_nulls() && !b.is_constant();
  if (!from_a && !from_b) return;
  uint64_t* valid = result->mutable_validity();
  const uint32_t words = (rows + 63) / 64;
  for (uint32_t w = 0; w < words; ++w) {
    if (from_a) valid[w] &= a.validity()[w];
    if (from_b) valid[w] &= b.validity()[w];
  }
}

void NarrowCells(uint32_t rows, ColumnVector* column) {
  if (column->is_constant() || IsTyped(*column) || rows == 0) return;
  const Cell* cells = column->cells();
  StorageClass type = StorageClass::kNull;
  for (uint32_t i = 0; i < rows; ++i) {
    if (cells[i].is_null()) continue;
    if (!cells[i].is_numeric() || (type != StorageClass::kNull && cells[i].type != type)) return;
    type = cells[i].type;
  }
  if (type == StorageClass::kNull) return;
  ColumnVector typed;
  if (type == StorageClass::kInteger) {
    int64_t* to = typed.ResetInt64(rows);
    for (uint32_t i = 0; i < rows; ++i) to[i] = cells[i].integer;
  } else {
    double* to = typed.ResetDouble(rows);
    for (uint32_t i = 0; i < rows; ++i) to[i] = cells[i].real;
  }
  for (uint32_t i = 0; i < rows; ++i) {
    if (cells[i].is_null()) typed.SetNull(i);
  }
  *column = std::move(typed);
}

}  // namespace turdb::sql
