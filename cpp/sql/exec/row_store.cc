#include "sql/exec/row_store.h"

#include <algorithm>
#include <cstring>

namespace turdb::sql {

using Layout = ColumnVector::Layout;

namespace {
constexpr size_t kCellWords = sizeof(Cell) / 8;
Cell* CellsOf(LargeVector<uint64_t>* words) { return reinterpret_cast<Cell*>(words->data()); }
const Cell* CellsOf(const LargeVector<uint64_t>& words) { return reinterpret_cast<const Cell*>(words.data()); }
}  // namespace

void RowStore::Reset(size_t columns) {
  columns_.resize(columns);
  for (Column& c : columns_) {
    c.layout = Layout::kInt64;
    c.has_nulls = c.is_decided = false;
    c.words.clear();
    c.validity.clear();
  }
  rows_ = 0;
  kept_bytes_ = 0;
  if (arena_.use_count() > 1) {
    arena_ = std::make_shared<Arena>();
  } else {
    arena_->Reset();
  }
}

void RowStore::Free() {
  const size_t columns = columns_.size();
  *this = RowStore();
  columns_.resize(columns);
}

uint64_t RowStore::bytes() const {
  uint64_t words = 0;
  for (const Column& c : columns_) words += c.words.size() + c.validity.size();
  return words * 8 + kept_bytes_;
}

Cell RowStore::Keep(const Cell& cell) {
  Cell kept = cell;
  if (cell.has_bytes()) {
    kept_bytes_ += cell.length;
    // Vectors keep the alignment of their floats.
    char* to = arena_->Allocate(cell.length, cell.is_vector() ? 8 : 1);
    if (cell.length != 0) std::memcpy(to, cell.bytes, cell.length);
    kept.bytes = to;
  }
  return kept;
}

// The column takes values of `layout` from now on: typed columns of another class become cells.
void RowStore::Prepare(Column* column, Layout layout) {
  if (column->layout == layout || column->layout == Layout::kCells) {
    column->is_decided = true;
    return;
  }
  if (!column->is_decided && layout != Layout::kCells) {  // only NULLs so far: words mean nothing yet
    column->layout = layout;
    column->is_decided = true;
    return;
  }
  const uint64_t rows = column->words.size();
  LargeVector<uint64_t> words(rows * kCellWords);
  Cell* to = CellsOf(&words);
  for (uint64_t i = 0; i < rows; ++i) {
    if (column->IsNull(i)) {
      to[i] = Cell();
    } else if (column->layout == Layout::kInt64) {
      to[i] = Cell::Integer(static_cast<int64_t>(column->words[i]));
    } else {
      to[i] = Cell::Real(reinterpret_cast<const double*>(column->words.data())[i]);
    }
  }
  column->words = std::move(words);
  column->validity.clear();
  column->has_nulls = false;
  column->is_decided = true;
  column->layout = Layout::kCells;
}

void RowStore::MarkNull(Column* column, uint64_t row) {
  column->has_nulls = true;
  if (column->validity.size() <= row / 64) column->validity.resize(row / 64 + 1, ~uint64_t{0});
  column->validity[row >> 6] &= ~(uint64_t{1} << (row & 63));
}

void RowStore::AppendCell(Column* column, uint64_t row, const Cell& cell) {
  if (!cell.is_null()) {
    Prepare(column, cell.is_integer() ? Layout::kInt64 : cell.is_real() ? Layout::kDouble : Layout::kCells);
  }
  if (column->layout == Layout::kCells) {
    column->words.resize((row + 1) * kCellWords);
    CellsOf(&column->words)[row] = Keep(cell);
    return;
  }
  uint64_t word = 0;
  if (!cell.is_null()) std::memcpy(&word, &cell.integer, sizeof(word));
  column->words.push_back(word);
  if (column->has_nulls && column->validity.size() <= row / 64) column->validity.push_back(~uint64_t{0});
  if (cell.is_null()) MarkNull(column, row);
}

void RowStore::AppendRow(const Cell* cells) {
  for (size_t i = 0; i < columns_.size(); ++i) AppendCell(&columns_[i], rows_, cells[i]);
  ++rows_;
}

void RowStore::AppendColumn(Column* column, const ColumnVector& from, const uint32_t* selected, uint32_t count) {
  if (from.is_constant() || from.layout() == Layout::kCells) {
    for (uint32_t i = 0; i < count; ++i) AppendCell(column, rows_ + i, from.Get(selected == nullptr ? i : selected[i]));
    return;
  }
  if (column->layout == Layout::kCells || (column->is_decided && column->layout != from.layout())) {
    for (uint32_t i = 0; i < count; ++i) AppendCell(column, rows_ + i, from.Get(selected == nullptr ? i : selected[i]));
    return;
  }
  Prepare(column, from.layout());
  const uint64_t* values = reinterpret_cast<const uint64_t*>(from.ints());
  const size_t at = column->words.size();
  if (selected == nullptr) {
    column->words.insert(column->words.end(), values, values + count);
  } else {
    column->words.resize(at + count);
    for (uint32_t i = 0; i < count; ++i) column->words[at + i] = values[selected[i]];
  }
  if (column->has_nulls) column->validity.resize((at + count + 63) / 64, ~uint64_t{0});
  if (!from.has_nulls()) return;
  for (uint32_t i = 0; i < count; ++i) {
    if (from.IsNull(selected == nullptr ? i : selected[i])) MarkNull(column, at + i);
  }
  if (column->has_nulls) column->validity.resize((at + count + 63) / 64, ~uint64_t{0});
}

void RowStore::Append(const ColumnVector* columns, uint32_t rows) { AppendRows(columns, nullptr, rows); }

void RowStore::AppendRows(const ColumnVector* columns, const uint32_t* selected, uint32_t count) {
  for (size_t i = 0; i < columns_.size(); ++i) AppendColumn(&columns_[i], columns[i], selected, count);
  rows_ += count;
}

void RowStore::ReadColumn(size_t column, uint64_t first, uint32_t count, ColumnVector* out) const {
  const Column& c = columns_[column];
  if (c.layout == Layout::kCells) {
    std::copy_n(CellsOf(c.words) + first, count, out->ResetCells(count));
    return;
  }
  void* to = c.layout == Layout::kInt64 ? static_cast<void*>(out->ResetInt64(count)) : out->ResetDouble(count);
  if (count > 0) std::memcpy(to, c.words.data() + first, count * 8);  // of nothing, both may be null
  if (!c.has_nulls) return;
  for (uint32_t i = 0; i < count; ++i) {
    if (c.IsNull(first + i)) out->SetNull(i);
  }
}

void RowStore::GatherColumn(size_t column, const uint64_t* rows, uint32_t count, ColumnVector* out) const {
  const Column& c = columns_[column];
  if (c.layout == Layout::kCells) {
    Cell* to = out->ResetCells(count);
    for (uint32_t i = 0; i < count; ++i) to[i] = rows[i] == kNoRow ? Cell() : CellsOf(c.words)[rows[i]];
    return;
  }
  uint64_t* to = c.layout == Layout::kInt64 ? reinterpret_cast<uint64_t*>(out->ResetInt64(count))
                                            : reinterpret_cast<uint64_t*>(out->ResetDouble(count));
  bool has_null = false;
  for (uint32_t i = 0; i < count; ++i) {
    const bool is_row = rows[i] != kNoRow;
    to[i] = is_row ? c.words[rows[i]] : 0;
    has_null |= !is_row || c.IsNull(rows[i]);
  }
  if (!has_null) return;
  for (uint32_t i = 0; i < count; ++i) {
    if (rows[i] == kNoRow || c.IsNull(rows[i])) out->SetNull(i);
  }
}

void RowStore::Read(uint64_t first, uint32_t count, ColumnBatch* batch, size_t at) const {
  for (size_t i = 0; i < columns_.size(); ++i) ReadColumn(i, first, count, &batch->columns[at + i]);
}

void RowStore::Gather(const uint64_t* rows, uint32_t count, ColumnBatch* batch, size_t at) const {
  for (size_t i = 0; i < columns_.size(); ++i) GatherColumn(i, rows, count, &batch->columns[at + i]);
}

Arena* FreshArena(ColumnBatch* batch) {
  if (batch->arena == nullptr || batch->arena.use_count() > 1) {
    batch->arena = std::make_shared<Arena>();
  } else {
    batch->arena->Reset();
  }
  return batch->arena.get();
}

void Release(ColumnBatch* batch) {
  for (ColumnVector& column : batch->columns) column = ColumnVector();
  batch->arena.reset();
}

void Forward(const ColumnBatch& input, const uint32_t* rows, uint32_t count, ColumnBatch* batch) {
  batch->size = count;
  batch->arena = input.arena;
  batch->columns.resize(input.columns.size());
  for (size_t i = 0; i < input.columns.size(); ++i) {
    if (count == input.size) batch->columns[i].Reference(input.columns[i]);
    else batch->columns[i].Gather(input.columns[i], rows, count);
  }
}

}  // namespace turdb::sql
