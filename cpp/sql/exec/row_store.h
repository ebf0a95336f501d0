// RowStore: rows kept in memory, column by column; what sorts, joins, groups and materialised results are made of.
//
// A column stays int64[] or double[] as long as its values are of one class, and turns into cells when they are not.
// Bytes of text, blobs and vectors are copied into the store. Rows are addressed by number from 0. Not thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "base/arena.h"
#include "base/large_vector.h"
#include "types/column_vector.h"

namespace turdb::sql {

class RowStore {
 public:
  RowStore() : arena_(std::make_shared<Arena>()) {}

  void Reset(size_t columns);  // empty, with so many columns; keeps memory
  size_t columns() const { return columns_.size(); }
  uint64_t size() const { return rows_; }
  // Memory that the rows take; what is reserved for more is not counted.
  uint64_t bytes() const;
  // Gives all memory back.
  void Free();

  void Append(const ColumnVector* columns, uint32_t rows);  // as many as columns()
  void Append(const ColumnBatch& batch) { Append(batch.columns.data(), batch.size); }
  void AppendRows(const ColumnVector* columns, const uint32_t* selected, uint32_t count);
  void AppendRow(const Cell* cells);

  Cell Get(size_t column, uint64_t row) const {
    const Column& c = columns_[column];
    switch (c.layout) {
      case ColumnVector::Layout::kCells: return reinterpret_cast<const Cell*>(c.words.data())[row];
      case ColumnVector::Layout::kInt64:
        return c.IsNull(row) ? Cell() : Cell::Integer(static_cast<int64_t>(c.words[row]));
      case ColumnVector::Layout::kDouble: return c.IsNull(row) ? Cell() : Cell::Real(reinterpret_cast<const double*>(c.words.data())[row]);
    }
    return Cell();
  }
  ColumnVector::Layout layout(size_t column) const { return columns_[column].layout; }
  bool has_nulls(size_t column) const { return columns_[column].has_nulls; }
  bool IsNull(size_t column, uint64_t row) const {
    const Column& c = columns_[column];
    return c.layout == ColumnVector::Layout::kCells ? Get(column, row).is_null() : c.IsNull(row);
  }
  // REQUIRES the layout kInt64 or kDouble.
  const int64_t* ints(size_t column) const { return reinterpret_cast<const int64_t*>(columns_[column].words.data()); }
  const double* doubles(size_t column) const { return reinterpret_cast<const double*>(columns_[column].words.data()); }

  // One column of rows [first, first + count), or of the rows listed; kNoRow gives NULL.
  static constexpr uint64_t kNoRow = ~uint64_t{0};
  void ReadColumn(size_t column, uint64_t first, uint32_t count, ColumnVector* out) const;
  void GatherColumn(size_t column, const uint64_t* rows, uint32_t count, ColumnVector* out) const;
  // All columns, from batch->columns[at] on; the caller sizes the batch.
  void Read(uint64_t first, uint32_t count, ColumnBatch* batch, size_t at = 0) const;
  void Gather(const uint64_t* rows, uint32_t count, ColumnBatch* batch, size_t at = 0) const;
  // Shares the bytes: rows read stay good for as long as this is held, though the store is reset.
  std::shared_ptr<Arena> arena() const { return arena_; }

 private:
  struct Column {
    ColumnVector::Layout layout = ColumnVector::Layout::kInt64;
    bool has_nulls = false;
    bool is_decided = false;  // some value that is not NULL has been seen
    LargeVector<uint64_t> words;
    std::vector<uint64_t> validity;  // of typed layouts, only when has_nulls
    bool IsNull(uint64_t row) const { return has_nulls && !((validity[row >> 6] >> (row & 63)) & 1); }
  };
  void Prepare(Column* column, ColumnVector::Layout layout);
  void AppendColumn(Column* column, const ColumnVector& from, const uint32_t* selected, uint32_t count);
  void AppendCell(Column* column, uint64_t row, const Cell& cell);
  void MarkNull(Column* column, uint64_t row);
  Cell Keep(const Cell& cell);

  std::vector<Column> columns_;
  uint64_t rows_ = 0;
  uint64_t kept_bytes_ = 0;  // of texts, blobs and vectors
  std::shared_ptr<Arena> arena_;
};

// A batch's arena ready for new bytes: reset, or replaced when somebody still holds it.
Arena* FreshArena(ColumnBatch* batch);
// Lets go of what the batch of an operator that forwards its input's columns held, before it pulls again.
void Release(ColumnBatch* batch);
// Hands `count` rows of the input on, by reference when they are all of them.
void Forward(const ColumnBatch& input, const uint32_t* rows, uint32_t count, ColumnBatch* batch);

}  // namespace turdb::sql
