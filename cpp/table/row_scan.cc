// See row_scan.h.

#include "table/row_scan.h"

#include <optional>
#include <utility>

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/row_tree.h"

namespace turdb::table {
namespace {

constexpr int64_t kMinRowId = std::numeric_limits<int64_t>::min();
constexpr int64_t kMaxRowId = std::numeric_limits<int64_t>::max();
using Kind = WantedColumns::Kind;

class RowScan : public TableScan {
 public:
  RowScan(pager::FileView view, WantedColumns wanted, RowIdRange range)
      : view_(std::move(view)), wanted_(std::move(wanted)), range_(range), is_done_(range.first > range.last) {}

 protected:
  // A cursor whose overflowed values go to arena_: a new one when there is none or the arena has grown large.
  // True when it is new and must be positioned.
  bool PrepareCursor() {
    if (cursor_.has_value() && arena_->used_bytes() <= kScanArenaBytes) return false;
    arena_ = std::make_shared<Arena>();
    cursor_.emplace(view_, arena_.get());
    return true;
  }
  // Of rows that lead back, as those of a damaged leaf may: positioned anew, the scan would go round in circles.
  absl::Status OutOfOrder(int64_t key) const {
    return CorruptionError("file '", view_.path(), "': row ", key, " is not where its order asks for it");
  }

  pager::FileView view_;
  WantedColumns wanted_;
  RowIdRange range_;  // what is still to come
  bool is_done_;
  std::shared_ptr<Arena> arena_;
  std::optional<btree::RowCursor> cursor_;
};

class ForwardRowScan final : public RowScan {
 public:
  using RowScan::RowScan;

  absl::Status Next(uint32_t max_rows, ColumnBatch* batch) override {
    batch->columns.resize(wanted_.outputs.size());
    batch->size = 0;
    if (is_done_) return absl::OkStatus();
    if (PrepareCursor()) TURDB_RETURN_IF_ERROR(cursor_->SeekAtLeast(RowId(range_.first)));
    batch->arena = arena_;
    stored_.resize(wanted_.stored.size());
    int64_t* const keys = KeyBuffer(max_rows, batch);
    TURDB_ASSIGN_OR_RETURN(batch->size, cursor_->ReadBatch(max_rows, RowId(range_.last), wanted_.stored, wanted_.defaults,
                                                           keys, stored_.data()));
    if (batch->size == 0 || keys[batch->size - 1] == kMaxRowId) is_done_ = true;
    if (batch->size == 0) return absl::OkStatus();
    if (keys[batch->size - 1] < range_.first) return OutOfOrder(keys[batch->size - 1]);
    range_.first = keys[batch->size - 1] + !is_done_;
    return HandOut(batch);
  }

 private:
  // Keys are read straight into the first output that wants them.
  int64_t* KeyBuffer(uint32_t max_rows, ColumnBatch* batch) {
    for (size_t i = 0; i < wanted_.outputs.size(); ++i) {
      if (wanted_.outputs[i].kind == Kind::kRowId) return batch->columns[i].ResetInt64(max_rows);
    }
    keys_.resize(max_rows);
    return keys_.data();
  }

  absl::Status HandOut(ColumnBatch* batch) {
    for (size_t i = 0; i < wanted_.outputs.size(); ++i) {
      if (wanted_.outputs[i].kind == Kind::kVector) TURDB_RETURN_IF_ERROR(ResolveVectors(wanted_.outputs[i], batch, i));
    }
    home_.assign(stored_.size(), -1);
    int rowid_home = -1;
    for (size_t i = 0; i < wanted_.outputs.size(); ++i) {
      const WantedColumns::Output& output = wanted_.outputs[i];
      if (output.kind == Kind::kVector) continue;
      int& home = output.kind == Kind::kRowId ? rowid_home : home_[output.stored];
      if (home >= 0) {
        batch->columns[i].Reference(batch->columns[home]);
      } else if (output.kind == Kind::kStored) {
        // Swapped, not referenced: the buffer of the last batch comes back and is filled again.
        std::swap(batch->columns[i], stored_[output.stored]);
      }
      if (home < 0) home = static_cast<int>(i);
    }
    return absl::OkStatus();
  }

  absl::Status ResolveVectors(const WantedColumns::Output& output, ColumnBatch* batch, size_t i) {
    const ColumnVector& slots = stored_[output.stored];
    Cell* cells = batch->columns[i].ResetCells(batch->size);
    for (uint32_t row = 0; row < batch->size; ++row) {
      TURDB_ASSIGN_OR_RETURN(cells[row], output.vectors->Resolve(slots.Get(row), arena_.get()));
    }
    return absl::OkStatus();
  }

  std::vector<int64_t> keys_;
  std::vector<ColumnVector> stored_;
  std::vector<int> home_;  // per stored column, the output it was moved to
};

class BackwardRowScan final : public RowScan {
 public:
  using RowScan::RowScan;

  absl::Status Next(uint32_t max_rows, ColumnBatch* batch) override {
    batch->columns.resize(wanted_.outputs.size());
    batch->size = 0;
    if (is_done_) return absl::OkStatus();
    if (PrepareCursor()) TURDB_RETURN_IF_ERROR(cursor_->SeekAtMost(RowId(range_.last)));
    batch->arena = arena_;
    Reset(max_rows, batch);
    while (batch->size < max_rows) {
      if (!cursor_->valid() || cursor_->key().value() < range_.first) {
        is_done_ = true;
        break;
      }
      if (cursor_->key().value() > range_.last) return OutOfOrder(cursor_->key().value());
      TURDB_RETURN_IF_ERROR(ReadRow(batch));
      ++batch->size;
      if (cursor_->key().value() == kMinRowId) {
        is_done_ = true;
        break;
      }
      range_.last = cursor_->key().value() - 1;
      TURDB_RETURN_IF_ERROR(cursor_->Prev());
    }
    return absl::OkStatus();
  }

 private:
  void Reset(uint32_t max_rows, ColumnBatch* batch) {
    for (size_t i = 0; i < wanted_.outputs.size(); ++i) {
      if (wanted_.outputs[i].kind == Kind::kRowId) batch->columns[i].ResetInt64(max_rows);
      else batch->columns[i].ResetCells(max_rows);
    }
  }

  absl::Status ReadRow(ColumnBatch* batch) {
    const uint32_t row = batch->size;
    for (size_t i = 0; i < wanted_.outputs.size(); ++i) {
      const WantedColumns::Output& output = wanted_.outputs[i];
      if (output.kind == Kind::kRowId) {
        batch->columns[i].mutable_ints()[row] = cursor_->key().value();
        continue;
      }
      TURDB_ASSIGN_OR_RETURN(const std::optional<Cell> stored, cursor_->Column(wanted_.stored[output.stored]));
      Cell cell = stored.value_or(wanted_.defaults[output.stored]);
      if (output.kind == Kind::kVector) {
        TURDB_ASSIGN_OR_RETURN(cell, output.vectors->Resolve(cell, arena_.get()));
      }
      batch->columns[i].mutable_cells()[row] = cell;
    }
    return absl::OkStatus();
  }
};

}  // namespace

std::unique_ptr<TableScan> NewRowScan(pager::FileView view, WantedColumns wanted, RowIdRange range, bool is_descending) {
  if (is_descending) return std::make_unique<BackwardRowScan>(std::move(view), std::move(wanted), range);
  return std::make_unique<ForwardRowScan>(std::move(view), std::move(wanted), range);
}

}  // namespace turdb::table
