// ColumnVector: one column of a batch. ColumnBatch: the unit that flows between operators and out to numpy.
//
// A column is laid out as int64[] or double[] when all its values are of that class or NULL (then a
// validity bitmap says which), and as Cell[] otherwise. A constant column holds one value for all rows.
// Buffers are counted, so a column can be passed on without copying (Reference); a column whose buffer is
// shared allocates a new one when it is reset. Not thread-safe.
// Bytes of text/blob/vector cells live as long as the batch that holds them says: in pages of the
// statement's snapshot (for the whole statement) or in the batch's arena (until its next Reset).
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "types/cell.h"

namespace turdb {

inline constexpr uint32_t kBatchRows = 2048;  // the most rows of a batch

// Of numbers that are written before they are read: what is allocated is not set to zero first.
template <typename T>
struct UnsetAllocator : std::allocator<T> {
  template <typename U>
  struct rebind {
    using other = UnsetAllocator<U>;
  };
  template <typename U>
  void construct(U* at) noexcept {
    ::new (static_cast<void*>(at)) U;
  }
  template <typename U, typename... Args>
  void construct(U* at, Args&&... args) {
    ::new (static_cast<void*>(at)) U(std::forward<Args>(args)...);
  }
};

class ColumnVector {
 public:
  enum class Layout : uint8_t { kCells, kInt64, kDouble };

  Layout layout() const { return layout_; }
  bool is_constant() const { return is_constant_; }
  bool has_nulls() const { return has_nulls_; }  // of kInt64 and kDouble; kCells keep NULL in the cell

  // Start anew with room for `rows` values (contents undefined until written, none NULL).
  int64_t* ResetInt64(uint32_t rows);
  double* ResetDouble(uint32_t rows);
  Cell* ResetCells(uint32_t rows);
  void SetConstant(const Cell& value);  // all rows; bytes are not copied
  void Reference(const ColumnVector& other) { *this = other; }

  // Typed contents. REQUIRES the layout. A constant column has one element.
  const int64_t* ints() const { return reinterpret_cast<const int64_t*>(data()); }
  const double* doubles() const { return reinterpret_cast<const double*>(data()); }
  const Cell* cells() const { return reinterpret_cast<const Cell*>(data()); }
  int64_t* mutable_ints() { return reinterpret_cast<int64_t*>(buffer_->data()); }
  double* mutable_doubles() { return reinterpret_cast<double*>(buffer_->data()); }
  Cell* mutable_cells() { return reinterpret_cast<Cell*>(buffer_->data()); }

  // kInt64 and kDouble: bit set = not NULL; only meaningful when has_nulls().
  const uint64_t* validity() const { return validity_->data(); }
  // The bitmap to write to, every row valid when it is new. After a Reset of this column to kInt64 or kDouble.
  uint64_t* mutable_validity();
  void SetNull(uint32_t row);  // kInt64/kDouble/kCells, after a Reset of this column
  bool IsNull(uint32_t row) const {
    if (is_constant_) row = 0;
    if (layout_ == Layout::kCells) return cells()[row].is_null();
    return has_nulls_ && !((validity()[row >> 6] >> (row & 63)) & 1);
  }
  Cell Get(uint32_t row) const {
    if (is_constant_) row = 0;
    switch (layout_) {
      case Layout::kCells: return cells()[row];
      case Layout::kInt64: return IsNull(row) ? Cell() : Cell::Integer(ints()[row]);
      case Layout::kDouble: return IsNull(row) ? Cell() : Cell::Real(doubles()[row]);
    }
    return Cell();
  }

  // Becomes the rows of `from` that `rows[0..n)` name, in that order. `from` must not be *this.
  void Gather(const ColumnVector& from, const uint32_t* rows, uint32_t n);

 private:
  using Buffer = std::vector<uint64_t, UnsetAllocator<uint64_t>>;  // 8-byte aligned storage
  const uint64_t* data() const { return buffer_->data(); }
  void Reset(Layout layout, uint32_t rows);

  Layout layout_ = Layout::kCells;
  bool is_constant_ = false;
  bool has_nulls_ = false;
  uint32_t capacity_rows_ = 0;
  std::shared_ptr<Buffer> buffer_;
  std::shared_ptr<Buffer> validity_;
};

struct ColumnBatch {
  std::vector<ColumnVector> columns;
  uint32_t size = 0;  // rows
  // Bytes made while filling this batch. Shared, so that columns passed on keep them alive: an operator
  // that forwards columns of its input also forwards (or adds) the input's arena.
  std::shared_ptr<Arena> arena = std::make_shared<Arena>();

  void Clear() { size = 0; }
};

}  // namespace turdb
