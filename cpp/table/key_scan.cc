// See key_scan.h.

#include "table/key_scan.h"

#include <optional>

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/key_tree.h"
#include "table/row_scan.h"
#include "table/wanted_columns.h"

namespace turdb::table {
namespace {

// Where an output column of a key scan comes from.
struct Source {
  enum class Kind : uint8_t { kHeld, kVector, kRowId, kRowKey, kLookUp } kind;
  size_t place = 0;  // in the decoded entry, or among the looked-up columns
  const VectorColumn* vectors = nullptr;
};

class KeyScan final : public TableScan {
 public:
  KeyScan(const catalog::TableDef& table, pager::FileView view, IndexCodec codec, KeyRange range, bool is_descending)
      : table_(table), view_(std::move(view)), codec_(std::move(codec)), range_(std::move(range)),
        is_descending_(is_descending), is_done_(range_.is_empty) {}

  absl::Status Plan(txn::Transaction* txn, const std::vector<int>& columns);

  absl::Status Next(uint32_t max_rows, ColumnBatch* batch) override {
    batch->columns.resize(sources_.size());
    batch->size = 0;
    if (is_done_) return absl::OkStatus();
    TURDB_RETURN_IF_ERROR(PrepareCursor());
    batch->arena = arena_;
    for (size_t i = 0; i < sources_.size(); ++i) {
      if (sources_[i].kind == Source::Kind::kRowId) batch->columns[i].ResetInt64(max_rows);
      else batch->columns[i].ResetCells(max_rows);
    }
    while (batch->size < max_rows) {
      TURDB_ASSIGN_OR_RETURN(const bool is_inside, ReadEntry(batch));
      if (!is_inside) {
        is_done_ = true;
        break;
      }
      ++batch->size;
      TURDB_RETURN_IF_ERROR(is_descending_ ? cursor_->Prev() : cursor_->Next());
    }
    return absl::OkStatus();
  }

 private:
  absl::Status PrepareCursor();
  absl::Status SeekToStart();
  absl::StatusOr<bool> ReadEntry(ColumnBatch* batch);
  absl::Status LookUp();
  Source SourceOf(int column);

  const catalog::TableDef& table_;
  pager::FileView view_;
  IndexCodec codec_;
  KeyRange range_;
  const bool is_descending_;
  bool is_done_;
  std::vector<Source> sources_;
  std::vector<int> looked_up_;                       // table columns the entries do not hold
  WantedColumns of_vectors_;                         // keeps the vector columns of a WITHOUT ROWID table
  std::shared_ptr<Arena> arena_;
  std::optional<btree::KeyCursor> cursor_;
  std::optional<std::string> at_;                    // the entry that the cursor was last positioned at anew
  std::unique_ptr<RowLookup> lookup_;                // its values go to arena_ too
  txn::Transaction* txn_ = nullptr;
  DecodedEntry entry_;
  std::vector<Cell> looked_up_cells_;
};

Source KeyScan::SourceOf(int column) {
  if (column == kRowKeyColumn) return {Source::Kind::kRowKey};
  const bool is_rowid = column == catalog::kRowIdColumn || (column >= 0 && column == table_.rowid_alias);
  if (is_rowid && !table_.is_without_rowid) return {Source::Kind::kRowId};
  const int place = codec_.PositionOf(column);
  if (place >= 0) return {Source::Kind::kHeld, static_cast<size_t>(place)};
  looked_up_.push_back(column);
  return {Source::Kind::kLookUp, looked_up_.size() - 1};
}

absl::Status KeyScan::Plan(txn::Transaction* txn, const std::vector<int>& columns) {
  txn_ = txn;
  if (!codec_.is_table()) {
    for (int column : columns) sources_.push_back(SourceOf(column));
    looked_up_cells_.resize(looked_up_.size());
    return absl::OkStatus();
  }
  TURDB_ASSIGN_OR_RETURN(of_vectors_, WantedColumns::Resolve(txn, table_, columns));
  for (const WantedColumns::Output& output : of_vectors_.outputs) {
    if (output.kind == WantedColumns::Kind::kRowKey) {
      sources_.push_back({Source::Kind::kRowKey});
    } else {
      const bool is_vector = output.kind == WantedColumns::Kind::kVector;
      sources_.push_back({is_vector ? Source::Kind::kVector : Source::Kind::kHeld, of_vectors_.stored[output.stored], output.vectors});
    }
  }
  return absl::OkStatus();
}

// The first time, and again where it was when the arena has grown large.
absl::Status KeyScan::PrepareCursor() {
  if (cursor_.has_value() && arena_->used_bytes() <= kScanArenaBytes) return absl::OkStatus();
  if (cursor_.has_value()) {
    if (!cursor_->valid()) return absl::OkStatus();
    TURDB_ASSIGN_OR_RETURN(const std::string_view key, cursor_->Key());
    const bool leads_on = !at_.has_value() || (is_descending_ ? key < *at_ : key > *at_);
    if (!leads_on) {  // else a damaged page would be read in circles
      return CorruptionError("file '", view_.path(), "': an entry is not where its order asks for it");
    }
    at_.emplace(key);
  }
  arena_ = std::make_shared<Arena>();
  cursor_.emplace(view_, arena_.get());
  if (!looked_up_.empty()) {
    TURDB_ASSIGN_OR_RETURN(lookup_, LookUpRows(txn_, table_, looked_up_, arena_.get()));
  }
  if (!at_.has_value()) return SeekToStart();
  return is_descending_ ? cursor_->SeekAtMost(*at_) : cursor_->SeekAtLeast(*at_);
}

absl::Status KeyScan::SeekToStart() {
  if (!is_descending_) return range_.low.empty() ? cursor_->SeekFirst() : cursor_->SeekAtLeast(range_.low);
  if (range_.high.empty()) return cursor_->SeekLast();
  TURDB_RETURN_IF_ERROR(cursor_->SeekAtMost(range_.high));
  if (!cursor_->valid()) return absl::OkStatus();
  TURDB_ASSIGN_OR_RETURN(const std::string_view key, cursor_->Key());
  return key == range_.high ? cursor_->Prev() : absl::OkStatus();
}

absl::Status KeyScan::LookUp() {
  TURDB_ASSIGN_OR_RETURN(const bool found, lookup_->Find(entry_.row, looked_up_cells_.data()));
  if (found) return absl::OkStatus();
  return CorruptionError("index '", codec_.index()->name, "' has an entry for a row that table '", table_.name,
                         "' does not have");
}

// The current entry into row batch->size; false when it is outside the range.
absl::StatusOr<bool> KeyScan::ReadEntry(ColumnBatch* batch) {
  if (!cursor_->valid()) return false;
  TURDB_ASSIGN_OR_RETURN(const std::string_view key, cursor_->Key());
  const bool is_outside = is_descending_ ? key < range_.low : !range_.high.empty() && key >= range_.high;
  if (is_outside) return false;
  TURDB_ASSIGN_OR_RETURN(const std::string_view payload, cursor_->Payload());
  TURDB_RETURN_IF_ERROR(codec_.Decode(key, payload, arena_.get(), &entry_));
  if (lookup_ != nullptr) TURDB_RETURN_IF_ERROR(LookUp());
  const uint32_t row = batch->size;
  for (size_t i = 0; i < sources_.size(); ++i) {
    const Source& source = sources_[i];
    ColumnVector& column = batch->columns[i];
    switch (source.kind) {
      case Source::Kind::kRowId: column.mutable_ints()[row] = entry_.row.rowid.value(); break;
      case Source::Kind::kRowKey: column.mutable_cells()[row] = Cell::Blob(entry_.row.key); break;
      case Source::Kind::kHeld: column.mutable_cells()[row] = entry_.cells[source.place]; break;
      case Source::Kind::kLookUp: column.mutable_cells()[row] = looked_up_cells_[source.place]; break;
      case Source::Kind::kVector: {
        TURDB_ASSIGN_OR_RETURN(column.mutable_cells()[row], source.vectors->Resolve(entry_.cells[source.place], arena_.get()));
        break;
      }
    }
  }
  return true;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TableScan>> NewKeyScan(txn::Transaction* txn, const catalog::TableDef& table, IndexCodec codec,
                                                      const std::vector<int>& columns, KeyRange range, bool is_descending) {
  const FileId file = codec.is_table() ? table.file : codec.index()->file;
  TURDB_ASSIGN_OR_RETURN(pager::FileView view, txn->View(file));
  if (codec.is_table()) {
    TURDB_ASSIGN_OR_RETURN(const PayloadForm form, PayloadFormOf(view));
    codec.set_payload_form(form);
  }
  auto scan = std::make_unique<KeyScan>(table, std::move(view), std::move(codec), std::move(range), is_descending);
  TURDB_RETURN_IF_ERROR(scan->Plan(txn, columns));
  return std::unique_ptr<TableScan>(std::move(scan));
}

}  // namespace turdb::table
