#include "btree/row_editor.h"

#include <limits>

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/row_balance.h"
#include "btree/row_cells.h"
#include "btree/row_write.h"
#include "record/leaf_join.h"
#include "record/row_leaf_edit.h"

namespace turdb::btree {
namespace {

bool HasLongCell(absl::Span<const Cell> row) {
  for (const Cell& cell : row) {
    if (cell.has_bytes() && cell.length > format::kMaxInlineBytes) return true;
  }
  return false;
}

}  // namespace

absl::Status RowEditor::GoTo(int64_t key) {
  const uint64_t now = writer_->change_count();
  if (!has_path_ || change_count_ != now || key < path_.low || key > path_.high) {
    has_path_ = false;
    TURDB_RETURN_IF_ERROR(DescendTo(writer_->view(), key, &path_));
    has_path_ = true;
    change_count_ = now;
  }
  at_ = path_.leaf.LowerBound(key);
  has_record_ = false;
  return absl::OkStatus();
}

absl::Status RowEditor::Reopen(const uint8_t* page) {
  if (!path_.leaf.Open(page)) return InternalError("a leaf does not open after a change");
  has_path_ = true;
  change_count_ = writer_->change_count();
  return absl::OkStatus();
}

absl::StatusOr<bool> RowEditor::Find(RowId key) {
  TURDB_RETURN_IF_ERROR(GoTo(key.value()));
  return IsAt(key.value());
}

absl::StatusOr<std::optional<Cell>> RowEditor::Column(uint32_t i, Arena* arena) {
  const record::RowLeaf& leaf = path_.leaf;
  Cell cell;
  if (ABSL_PREDICT_FALSE(leaf.is_records())) {
    Cell stored;
    if (!has_record_) {
      TURDB_RETURN_IF_ERROR(ReadStoredRow(writer_->view(), path_.leaf_id, leaf, at_, arena, &record_, &stored));
      has_record_ = true;
    }
    if (i >= record_.size()) return std::optional<Cell>();
    cell = record_[i];
  } else {
    if (i >= leaf.columns() || (leaf.is_varied() && i >= leaf.ColumnsOf(at_))) return std::optional<Cell>();
    if (!leaf.Get(i, at_, &cell)) return DamagedPage(writer_->view(), path_.leaf_id, "a value lies outside the page");
  }
  if (ABSL_PREDICT_FALSE(record::IsOverflowCell(cell))) TURDB_RETURN_IF_ERROR(Resolve(writer_->view(), arena, &cell));
  return std::optional<Cell>(cell);
}

absl::StatusOr<std::optional<RowId>> RowEditor::LastKey() {
  TURDB_RETURN_IF_ERROR(GoTo(std::numeric_limits<int64_t>::max()));
  if (path_.leaf.rows() == 0) return std::optional<RowId>();  // only a root is empty
  return std::optional<RowId>(RowId(path_.leaf.KeyAt(path_.leaf.rows() - 1)));
}

absl::StatusOr<bool> RowEditor::Insert(RowId key, absl::Span<const Cell> row) {
  TURDB_RETURN_IF_ERROR(GoTo(key.value()));
  if (IsAt(key.value())) return false;
  if (!path_.leaf.is_records() && !HasLongCell(row)) {
    TURDB_ASSIGN_OR_RETURN(uint8_t* const page, writer_->MutablePage(path_.leaf_id));
    if (record::TryInsertRow(page, at_, key.value(), row)) {
      TURDB_RETURN_IF_ERROR(Reopen(page));
      return true;
    }
  }
  has_path_ = false;
  TURDB_RETURN_IF_ERROR(InsertRowAt(writer_, path_, at_, key.value(), row));
  return true;
}

absl::StatusOr<bool> RowEditor::Update(RowId key, absl::Span<const Cell> row) {
  TURDB_RETURN_IF_ERROR(GoTo(key.value()));
  if (!IsAt(key.value())) return false;
  has_path_ = false;
  TURDB_RETURN_IF_ERROR(UpdateRowAt(writer_, path_, at_, row));
  return true;
}

absl::StatusOr<bool> RowEditor::TryUpdateColumns(RowId key, absl::Span<const Cell> row, const std::vector<bool>& changed) {
  TURDB_RETURN_IF_ERROR(GoTo(key.value()));
  if (!IsAt(key.value())) return false;
  TURDB_ASSIGN_OR_RETURN(uint8_t* const page, writer_->MutablePage(path_.leaf_id));
  if (path_.leaf.page() == page) change_count_ = writer_->change_count();
  else TURDB_RETURN_IF_ERROR(Reopen(page));  // it has been copied
  const uint32_t live_before = path_.leaf.LiveBytes();
  const bool is_done = record::TryUpdateColumns(page, path_.leaf, at_, row, changed);
  if (!is_done || path_.leaf.LiveBytes() >= live_before || !record::IsThin(path_.leaf)) return is_done;
  has_path_ = false;
  TURDB_RETURN_IF_ERROR(BalanceLeaf(writer_, path_, Balance::kUsually));
  return true;
}

absl::StatusOr<bool> RowEditor::Erase(RowId key) {
  TURDB_RETURN_IF_ERROR(GoTo(key.value()));
  if (!IsAt(key.value())) return false;
  has_path_ = false;
  TURDB_RETURN_IF_ERROR(EraseRowAt(writer_, path_, at_));
  return true;
}

}  // namespace turdb::btree
