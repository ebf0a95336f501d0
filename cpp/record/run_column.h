// RunColumn: one physical column of a RowRun, whatever its source, for the layout of a leaf (row_leaf_build.cc).
//
// What a source's rows hold is one of: all NULL, integers, reals, or any cells. Not thread-safe.
#pragma once

#include <cstdint>

#include "record/row_leaf_build.h"

namespace turdb::record {

class RunColumn {
 public:
  enum class Kind : uint8_t { kNull, kInts, kReals, kOffsets, kCells };

  // `column` is a physical column of the new leaf; `hidden` says it is the one that counts columns. False: damaged.
  bool Open(const RowRun& run, uint32_t column, bool is_hidden);

  Kind kind() const { return kind_; }
  uint32_t count() const { return count_; }
  bool IsNull(uint32_t i) const;  // kInts and kReals
  bool has_nulls() const;         // of kInts and kReals
  // kInts: values [i, i + n); of NULL rows undefined, small.
  void Ints(uint32_t i, uint32_t n, int64_t* out) const;
  const uint8_t* reals(uint32_t i) const { return reals_ + 8 * size_t{i}; }  // kReals, unaligned
  // kOffsets: the entry offsets in the leaf's page.
  uint32_t Offset(uint32_t i) const { return Load<uint16_t>(leaf_column_.values + 2 * size_t{first_ + i}); }
  bool CellAt(uint32_t i, Cell* out) const;  // any kind
  // All cells, where a batch has them as such; else nullptr.
  const Cell* cells() const {
    const bool has_cells = !is_constant_ && vector_ != nullptr && vector_->layout() == ColumnVector::Layout::kCells;
    return has_cells ? vector_->cells() + first_ : nullptr;
  }

 private:
  const RowRun* run_ = nullptr;
  LeafColumn leaf_column_;
  const ColumnVector* vector_ = nullptr;
  const uint8_t* reals_ = nullptr;
  Cell constant_;
  Kind kind_ = Kind::kNull;
  bool is_constant_ = false;  // all rows are constant_
  uint32_t first_ = 0;
  uint32_t count_ = 0;
};

}  // namespace turdb::record
