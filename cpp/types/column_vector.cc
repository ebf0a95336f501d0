#include "types/column_vector.h"

namespace turdb {
namespace {

template <typename T>
void GatherValues(const T* from, const uint32_t* rows, uint32_t n, T* to) {
  for (uint32_t i = 0; i < n; ++i) to[i] = from[rows[i]];
}

}  // namespace

void ColumnVector::Reset(Layout layout, uint32_t rows) {
  layout_ = layout;
  is_constant_ = false;
  has_nulls_ = false;
  capacity_rows_ = rows;
  const size_t words = size_t{rows} * (layout == Layout::kCells ? sizeof(Cell) / 8 : 1);
  if (buffer_ == nullptr || buffer_.use_count() > 1) buffer_ = std::make_shared<Buffer>();
  if (buffer_->size() < words) buffer_->resize(words);
}

int64_t* ColumnVector::ResetInt64(uint32_t rows) {
  Reset(Layout::kInt64, rows);
  return mutable_ints();
}

double* ColumnVector::ResetDouble(uint32_t rows) {
  Reset(Layout::kDouble, rows);
  return mutable_doubles();
}

Cell* ColumnVector::ResetCells(uint32_t rows) {
  Reset(Layout::kCells, rows);
  return mutable_cells();
}

void ColumnVector::SetConstant(const Cell& value) {
  if (value.is_integer()) {
    *ResetInt64(1) = value.integer;
  } else if (value.is_real()) {
    *ResetDouble(1) = value.real;
  } else {
    *ResetCells(1) = value;
  }
  is_constant_ = true;
}

uint64_t* ColumnVector::mutable_validity() {
  if (!has_nulls_) {
    const size_t words = (size_t{capacity_rows_} + 63) / 64;
    if (validity_ == nullptr || validity_.use_count() > 1) validity_ = std::make_shared<Buffer>();
    validity_->assign(words, ~uint64_t{0});
    has_nulls_ = true;
  }
  return validity_->data();
}

void ColumnVector::SetNull(uint32_t row) {
  if (layout_ == Layout::kCells) {
    mutable_cells()[row] = Cell();
    return;
  }
  mutable_validity()[row >> 6] &= ~(uint64_t{1} << (row & 63));
}

void ColumnVector::Gather(const ColumnVector& from, const uint32_t* rows, uint32_t n) {
  if (from.is_constant_) {
    Reference(from);
    return;
  }
  Reset(from.layout_, n);
  switch (from.layout_) {
    case Layout::kCells: GatherValues(from.cells(), rows, n, mutable_cells()); return;
    case Layout::kInt64: GatherValues(from.ints(), rows, n, mutable_ints()); break;
    case Layout::kDouble: GatherValues(from.doubles(), rows, n, mutable_doubles()); break;
  }
  if (!from.has_nulls_) return;
  for (uint32_t i = 0; i < n; ++i) {
    if (from.IsNull(rows[i])) SetNull(i);
  }
}

}  // namespace turdb
