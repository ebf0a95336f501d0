// Reading a row tree: positions, single columns, batches.
#include <algorithm>
#include <limits>

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/row_cells.h"
#include "btree/row_path.h"
#include "btree/row_tree.h"
#include "record/row_leaf_scan.h"

namespace turdb::btree {
namespace {

constexpr int64_t kFirstKey = std::numeric_limits<int64_t>::min();
constexpr int64_t kLastKey = std::numeric_limits<int64_t>::max();

}  // namespace

struct RowCursor::Position {
  pager::FileView view;
  Arena* arena = nullptr;
  RowPath path;
  bool has_leaf = false;
  uint32_t row = 0;
  // The decoded record of (record_leaf, record_row), in leaves of records. A record from an overflow chain is kept in
  // the cursor's own arena, as the caller may reset his between two columns of a row.
  std::vector<Cell> record;
  Arena record_arena;
  bool record_is_outside = false;
  PageId record_leaf;
  uint32_t record_row = 0;
  bool has_record = false;
  record::PackWalk pack_walk;  // of the batch's rows in one leaf

  absl::Status GoTo(int64_t key) {
    if (has_leaf && key >= path.low && key <= path.high) return absl::OkStatus();
    has_leaf = false;
    TURDB_RETURN_IF_ERROR(DescendTo(view, key, &path));
    has_leaf = true;
    return absl::OkStatus();
  }
  absl::StatusOr<bool> GoToNextLeaf() {
    absl::StatusOr<bool> moved = NextLeaf(view, &path);
    if (!moved.ok()) has_leaf = false;
    return moved;
  }
  absl::StatusOr<bool> GoToPreviousLeaf() {
    absl::StatusOr<bool> moved = PreviousLeaf(view, &path);
    if (!moved.ok()) has_leaf = false;
    return moved;
  }
  // From `row`, possibly behind the leaf's rows, to the first row at or after it. False at the end.
  absl::StatusOr<bool> SettleForward() {
    while (row >= path.leaf.rows()) {
      TURDB_ASSIGN_OR_RETURN(const bool moved, GoToNextLeaf());
      if (!moved) return false;
      row = 0;
    }
    return true;
  }
  // The row before `row`. False at the beginning.
  absl::StatusOr<bool> SettleBackward() {
    while (row == 0) {
      TURDB_ASSIGN_OR_RETURN(const bool moved, GoToPreviousLeaf());
      if (!moved) return false;
      row = path.leaf.rows();
    }
    --row;
    return true;
  }
  absl::Status LoadRecord() {
    if (has_record && record_leaf == path.leaf_id && record_row == row) return absl::OkStatus();
    has_record = false;
    record_arena.Reset();
    Cell stored;
    TURDB_RETURN_IF_ERROR(ReadStoredRow(view, path.leaf_id, path.leaf, row, &record_arena, &record, &stored));
    record_is_outside = record::IsOverflowCell(stored);
    record_leaf = path.leaf_id;
    record_row = row;
    has_record = true;
    return absl::OkStatus();
  }
  // Column i of the loaded record, whole and good for as long as the caller's arena.
  absl::StatusOr<Cell> RecordColumn(uint32_t i) {
    Cell cell = record[i];
    if (record::IsOverflowCell(cell)) {
      TURDB_RETURN_IF_ERROR(Resolve(view, arena, &cell));
    } else if (record_is_outside && cell.has_bytes()) {
      cell.bytes = arena->Copy(cell.view()).data();
    }
    return cell;
  }
  absl::Status Damaged() const { return DamagedPage(view, path.leaf_id, "a value lies outside the page"); }

  absl::Status AppendRecords(absl::Span<const uint32_t> columns, absl::Span<const Cell> defaults,
                             record::BatchRange range, ColumnVector* out);
  absl::Status AppendColumns(absl::Span<const uint32_t> columns, absl::Span<const Cell> defaults,
                             record::BatchRange range, ColumnVector* out);
};

absl::Status RowCursor::Position::AppendRecords(absl::Span<const uint32_t> columns, absl::Span<const Cell> defaults,
                                                record::BatchRange range, ColumnVector* out) {
  const uint32_t first = row;
  const uint32_t end = range.at + range.n;
  range.n = 1;
  for (; range.at < end; ++range.at, ++row) {
    TURDB_RETURN_IF_ERROR(LoadRecord());
    for (size_t j = 0; j < columns.size(); ++j) {
      Cell cell = defaults[j];
      if (columns[j] < record.size()) {
        TURDB_ASSIGN_OR_RETURN(cell, RecordColumn(columns[j]));
      }
      record::AppendConstant(cell, range, &out[j]);
    }
  }
  row = first;
  return absl::OkStatus();
}

absl::Status RowCursor::Position::AppendColumns(absl::Span<const uint32_t> columns, absl::Span<const Cell> defaults,
                                                record::BatchRange range, ColumnVector* out) {
  if (path.leaf.is_records()) return AppendRecords(columns, defaults, range, out);
  pack_walk.packs = nullptr;
  record::PackWalk* const walk = columns.size() > 1 ? &pack_walk : nullptr;
  for (size_t j = 0; j < columns.size(); ++j) {
    bool has_overflow = false;
    if (!AppendLeafColumn(path.leaf, columns[j], row, defaults[j], range, &out[j], &has_overflow, walk)) return Damaged();
    if (!has_overflow || out[j].layout() != ColumnVector::Layout::kCells) continue;
    Cell* cells = out[j].mutable_cells() + range.at;
    for (uint32_t i = 0; i < range.n; ++i) TURDB_RETURN_IF_ERROR(Resolve(view, arena, &cells[i]));
  }
  return absl::OkStatus();
}

RowCursor::RowCursor(pager::FileView view, Arena* arena) : position_(new Position) {
  position_->view = std::move(view);
  position_->arena = arena;
}
void RowCursor::Reset(pager::FileView view, Arena* arena) {
  position_->view = std::move(view);
  position_->arena = arena;
  position_->has_leaf = false;
  position_->has_record = false;
  valid_ = false;
}
RowCursor::RowCursor(RowCursor&& other) noexcept
    : position_(std::exchange(other.position_, nullptr)), valid_(std::exchange(other.valid_, false)) {}
RowCursor& RowCursor::operator=(RowCursor&& other) noexcept {
  std::swap(position_, other.position_);
  std::swap(valid_, other.valid_);
  return *this;
}
RowCursor::~RowCursor() { delete position_; }

absl::Status RowCursor::SeekFirst() { return SeekAtLeast(RowId(kFirstKey)); }
absl::Status RowCursor::SeekLast() { return SeekAtMost(RowId(kLastKey)); }

absl::Status RowCursor::SeekAtLeast(RowId key) {
  valid_ = false;
  TURDB_RETURN_IF_ERROR(position_->GoTo(key.value()));
  position_->row = position_->path.leaf.LowerBound(key.value());
  TURDB_ASSIGN_OR_RETURN(valid_, position_->SettleForward());
  return absl::OkStatus();
}

absl::Status RowCursor::SeekAtMost(RowId key) {
  valid_ = false;
  Position& p = *position_;
  TURDB_RETURN_IF_ERROR(p.GoTo(key.value()));
  p.row = p.path.leaf.LowerBound(key.value());
  if (p.row < p.path.leaf.rows() && p.path.leaf.KeyAt(p.row) == key.value()) {
    valid_ = true;
    return absl::OkStatus();
  }
  TURDB_ASSIGN_OR_RETURN(valid_, p.SettleBackward());
  return absl::OkStatus();
}

absl::StatusOr<bool> RowCursor::Find(RowId key) {
  valid_ = false;
  Position& p = *position_;
  TURDB_RETURN_IF_ERROR(p.GoTo(key.value()));
  p.row = p.path.leaf.LowerBound(key.value());
  valid_ = p.row < p.path.leaf.rows() && p.path.leaf.KeyAt(p.row) == key.value();
  return valid_;
}

absl::Status RowCursor::Next() {
  if (!valid_) return absl::OkStatus();
  valid_ = false;
  ++position_->row;
  TURDB_ASSIGN_OR_RETURN(valid_, position_->SettleForward());
  return absl::OkStatus();
}

absl::Status RowCursor::Prev() {
  if (!valid_) return absl::OkStatus();
  valid_ = false;
  TURDB_ASSIGN_OR_RETURN(valid_, position_->SettleBackward());
  return absl::OkStatus();
}

RowId RowCursor::key() const { return RowId(position_->path.leaf.KeyAt(position_->row)); }

absl::StatusOr<std::optional<Cell>> RowCursor::Column(uint32_t i) {
  if (!valid_) return InternalError("a column was asked of a cursor that is on no row");
  Position& p = *position_;
  const record::RowLeaf& leaf = p.path.leaf;
  Cell cell;
  if (leaf.is_records()) {
    TURDB_RETURN_IF_ERROR(p.LoadRecord());
    if (i >= p.record.size()) return std::optional<Cell>();
    TURDB_ASSIGN_OR_RETURN(cell, p.RecordColumn(i));
    return std::optional<Cell>(cell);
  }
  if (i >= leaf.columns() || (leaf.is_varied() && i >= leaf.ColumnsOf(p.row))) return std::optional<Cell>();
  if (!leaf.Get(i, p.row, &cell)) return p.Damaged();
  if (ABSL_PREDICT_FALSE(record::IsOverflowCell(cell))) TURDB_RETURN_IF_ERROR(Resolve(p.view, p.arena, &cell));
  return std::optional<Cell>(cell);
}

absl::StatusOr<uint32_t> RowCursor::ReadBatch(uint32_t max_rows, RowId last, absl::Span<const uint32_t> columns,
                                              absl::Span<const Cell> defaults, int64_t* keys, ColumnVector* out) {
  if (!valid_) return 0;
  Position& p = *position_;
  uint32_t done = 0;
  while (valid_ && done < max_rows) {
    const record::RowLeaf& leaf = p.path.leaf;
    uint32_t end = leaf.rows();
    const bool ends_here = last.value() < p.path.high;
    if (ends_here) end = leaf.LowerBound(last.value());
    if (ends_here && end < leaf.rows() && leaf.KeyAt(end) == last.value()) ++end;
    if (end <= p.row) break;
    const record::BatchRange range{done, std::min(end - p.row, max_rows - done), max_rows};
    leaf.Keys(p.row, range.n, keys + done);
    TURDB_RETURN_IF_ERROR(p.AppendColumns(columns, defaults, range, out));
    done += range.n;
    p.row += range.n;
    valid_ = false;
    if (ends_here && p.row >= end) {  // behind `last`: stay at the row after it, if this leaf has one
      TURDB_ASSIGN_OR_RETURN(valid_, p.SettleForward());
      break;
    }
    TURDB_ASSIGN_OR_RETURN(valid_, p.SettleForward());
  }
  return done;
}

absl::StatusOr<std::optional<RowId>> LastRowId(const pager::FileView& view) {
  Arena arena(64);
  RowCursor cursor(view, &arena);
  TURDB_RETURN_IF_ERROR(cursor.SeekLast());
  if (!cursor.valid()) return std::optional<RowId>();
  return std::optional<RowId>(cursor.key());
}

}  // namespace turdb::btree
