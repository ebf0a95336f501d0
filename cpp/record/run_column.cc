#include "record/run_column.h"

#include <algorithm>

#include "record/widen.h"

namespace turdb::record {
namespace {

using format::LeafEncoding;

RunColumn::Kind KindOfCell(const Cell& cell) {
  if (cell.is_null()) return RunColumn::Kind::kNull;
  if (cell.is_integer()) return RunColumn::Kind::kInts;
  return cell.is_real() ? RunColumn::Kind::kReals : RunColumn::Kind::kCells;
}

uint32_t ColumnsOfRun(const RowRun& run) { return run.leaf != nullptr ? run.leaf->columns() : run.column_count; }

}  // namespace

bool RunColumn::Open(const RowRun& run, uint32_t column, bool is_hidden) {
  run_ = &run;
  first_ = run.first;
  count_ = run.count;
  vector_ = nullptr;
  leaf_column_ = LeafColumn();
  is_constant_ = false;
  if (is_hidden) {
    if (run.leaf != nullptr && run.leaf->is_varied()) {
      column = run.leaf->columns();
    } else {
      constant_ = Cell::Integer(ColumnsOfRun(run));
      is_constant_ = true;
    }
  } else if (column >= ColumnsOfRun(run)) {
    constant_ = Cell();
    is_constant_ = true;
  }
  if (!is_constant_ && run.row != nullptr) {
    constant_ = run.row[column];
    is_constant_ = true;
  }
  if (!is_constant_ && run.columns != nullptr) {
    vector_ = &run.columns[column];
    if (vector_->is_constant()) {
      constant_ = vector_->Get(0);
      is_constant_ = true;
    }
  }
  if (is_constant_) {
    kind_ = KindOfCell(constant_);
    if (kind_ == Kind::kReals && count_ > 1) kind_ = Kind::kCells;  // rare: by the cell
    reals_ = reinterpret_cast<const uint8_t*>(&constant_.real);
    return true;
  }
  if (vector_ != nullptr) {
    switch (vector_->layout()) {
      case ColumnVector::Layout::kInt64: kind_ = Kind::kInts; break;
      case ColumnVector::Layout::kDouble:
        kind_ = Kind::kReals;
        reals_ = reinterpret_cast<const uint8_t*>(vector_->doubles() + first_);
        break;
      case ColumnVector::Layout::kCells: kind_ = Kind::kCells; break;
    }
    return true;
  }
  if (!run.leaf->Column(column, &leaf_column_)) return false;
  switch (leaf_column_.encoding) {
    case LeafEncoding::kNull: kind_ = Kind::kNull; break;
    case LeafEncoding::kReal:
      kind_ = Kind::kReals;
      reals_ = leaf_column_.values + 8 * size_t{first_};
      break;
    case LeafEncoding::kEntry: kind_ = Kind::kOffsets; break;
    case LeafEncoding::kPacked: kind_ = Kind::kCells; break;
    default: kind_ = Kind::kInts;
  }
  return true;
}

bool RunColumn::IsNull(uint32_t i) const {
  if (is_constant_) return constant_.is_null();
  if (vector_ != nullptr) return vector_->IsNull(first_ + i);
  return leaf_column_.IsNull(first_ + i);
}

bool RunColumn::has_nulls() const {
  if (is_constant_) return constant_.is_null();
  if (vector_ != nullptr) return vector_->has_nulls();
  return leaf_column_.nulls != nullptr;
}

void RunColumn::Ints(uint32_t i, uint32_t n, int64_t* out) const {
  if (is_constant_) {
    std::fill_n(out, n, constant_.integer);
  } else if (vector_ != nullptr) {
    std::copy_n(vector_->ints() + first_ + i, n, out);
  } else {
    const uint32_t width = format::LeafWidth(leaf_column_.encoding);
    WidenInts(leaf_column_.values + size_t{width} * (first_ + i), width, n, out);
  }
}

bool RunColumn::CellAt(uint32_t i, Cell* out) const {
  if (is_constant_) {
    *out = constant_;
    return true;
  }
  if (vector_ != nullptr) {
    *out = vector_->Get(first_ + i);
    return true;
  }
  return run_->leaf->ValueAt(leaf_column_, first_ + i, out);
}

}  // namespace turdb::record
