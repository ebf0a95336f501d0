#include "sql/exec/run_merger.h"

#include <algorithm>

#include "base/status_macros.h"

namespace turdb::sql {

using Layout = ColumnVector::Layout;

absl::Status RunMerger::Open(std::vector<RunReader> runs) {
  cursors_.clear();
  heap_.clear();
  ended_ = -1;
  for (const RunReader& run : runs) cursors_.push_back({run, {}});
  for (size_t i = 0; i < cursors_.size(); ++i) {
    TURDB_RETURN_IF_ERROR(Refill(i));
    if (cursors_[i].rows.size > 0) heap_.push_back(static_cast<uint32_t>(i));
  }
  for (size_t i = heap_.size() / 2; i-- > 0;) SiftDown(i);
  return absl::OkStatus();
}

absl::Status RunMerger::Refill(size_t cursor) {
  Cursor& c = cursors_[cursor];
  TURDB_RETURN_IF_ERROR(c.reader.Next(&c.rows));
  c.at = 0;
  if (c.rows.size > 0) c.prefix = order_->Prefix(c.rows.columns.data(), 0);
  return absl::OkStatus();
}

bool RunMerger::IsBefore(uint32_t a, uint32_t b) const {
  const Cursor &x = cursors_[a], &y = cursors_[b];
  if (x.prefix != y.prefix) return x.prefix < y.prefix;
  const int order = order_->CompareRows(x.rows.columns.data(), x.at, y.rows.columns.data(), y.at);
  return order != 0 ? order < 0 : a < b;
}

void RunMerger::SiftDown(size_t at) {
  const uint32_t moved = heap_[at];
  for (;;) {
    size_t child = 2 * at + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && IsBefore(heap_[child + 1], heap_[child])) ++child;
    if (!IsBefore(heap_[child], moved)) break;
    heap_[at] = heap_[child];
    at = child;
  }
  heap_[at] = moved;
}

// Picks rows until a block ends: what the picked ones point to must stay.
void RunMerger::Pull() {
  picks_.clear();
  while (!heap_.empty() && picks_.size() < kBatchRows) {
    Cursor& first = cursors_[heap_[0]];
    picks_.push_back({heap_[0], first.at});
    if (++first.at == first.rows.size) {
      ended_ = static_cast<int>(heap_[0]);
      return;
    }
    first.prefix = order_->Prefix(first.rows.columns.data(), first.at);
    SiftDown(0);
  }
}

void RunMerger::GatherColumn(size_t column, Arena* arena, ColumnVector* to) const {
  const Layout layout = cursors_[picks_[0].cursor].rows.columns[column].layout();
  bool is_typed = layout != Layout::kCells, has_nulls = false;
  for (const Cursor& cursor : cursors_) {
    if (cursor.rows.size == 0) continue;
    is_typed = is_typed && cursor.rows.columns[column].layout() == layout;
    has_nulls = has_nulls || cursor.rows.columns[column].has_nulls();
  }
  const uint32_t n = static_cast<uint32_t>(picks_.size());
  if (!is_typed) {
    Cell* cells = to->ResetCells(n);
    for (uint32_t i = 0; i < n; ++i) {
      cells[i] = cursors_[picks_[i].cursor].rows.columns[column].Get(picks_[i].row);
      if (!cells[i].has_bytes()) continue;
      char* bytes = arena->Allocate(cells[i].length, cells[i].is_vector() ? 8 : 1);
      if (cells[i].length != 0) std::memcpy(bytes, cells[i].bytes, cells[i].length);
      cells[i].bytes = bytes;
    }
    return;
  }
  int64_t* words = layout == Layout::kInt64 ? to->ResetInt64(n) : reinterpret_cast<int64_t*>(to->ResetDouble(n));
  for (uint32_t i = 0; i < n; ++i) {
    const ColumnVector& from = cursors_[picks_[i].cursor].rows.columns[column];
    words[i] = from.ints()[from.is_constant() ? 0 : picks_[i].row];
  }
  for (uint32_t i = 0; has_nulls && i < n; ++i) {
    if (cursors_[picks_[i].cursor].rows.columns[column].IsNull(picks_[i].row)) to->SetNull(i);
  }
}

absl::Status RunMerger::Next(size_t columns, ColumnBatch* batch) {
  if (ended_ >= 0) {
    TURDB_RETURN_IF_ERROR(Refill(static_cast<size_t>(ended_)));
    if (cursors_[ended_].rows.size == 0) {
      heap_[0] = heap_.back();
      heap_.pop_back();
    }
    ended_ = -1;
    if (!heap_.empty()) SiftDown(0);
  }
  Pull();
  Arena* arena = FreshArena(batch);
  batch->columns.resize(columns);
  batch->size = static_cast<uint32_t>(picks_.size());
  for (size_t c = 0; c < columns && batch->size > 0; ++c) GatherColumn(c, arena, &batch->columns[c]);
  return absl::OkStatus();
}

}  // namespace turdb::sql
