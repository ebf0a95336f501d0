// Rows and entries of a rebuild: read in key order, appended in key order.

#include <algorithm>
#include <limits>
#include <optional>

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/key_tree.h"
#include "btree/row_tree.h"
#include "table/index_codec.h"
#include "table/rebuild_parts.h"
#include "table/row_scan.h"
#include "table/wanted_columns.h"

namespace turdb::table {
namespace {

constexpr int64_t kMinRowId = std::numeric_limits<int64_t>::min();
constexpr int64_t kMaxRowId = std::numeric_limits<int64_t>::max();
constexpr uint64_t kBytesAtOnce = 4 << 20;  // of rows in memory, as far as their average tells
constexpr uint64_t kEntriesAtOnce = 4096;   // between two calls of progress

// The new slot numbers of a column's cells.
absl::Status RenumberSlots(const SlotRanks& ranks, std::string_view path, uint32_t rows, ColumnVector* column) {
  ColumnVector renumbered;
  Cell* const cells = renumbered.ResetCells(rows);
  for (uint32_t i = 0; i < rows; ++i) {
    cells[i] = column->Get(i);
    if (cells[i].is_null()) continue;
    TURDB_ASSIGN_OR_RETURN(const NodeId slot, SlotOfCell(cells[i], ranks.slots(), path));
    if (!ranks.IsLive(slot.value())) return CorruptionError(path, ": a row names vector slot ", slot.value(), ", which is free");
    cells[i] = Cell::Integer(ranks.RankOf(slot.value()));
  }
  *column = std::move(renumbered);
  return absl::OkStatus();
}

class RowTreeCopy {
 public:
  RowTreeCopy(const catalog::TableDef& table, const pager::FileView& from, const RanksByColumn& ranks,
              pager::FileWriter* to, PageProgress* progress)
      : table_(table), from_(from), ranks_(ranks), progress_(progress), appender_(to), read_(table.columns.size()) {
    for (size_t c = 0; c < table.columns.size(); ++c) {
      columns_.push_back(static_cast<uint32_t>(c));
      defaults_.push_back(AddedDefault(table.columns[c]));
    }
  }

  absl::Status Run() {
    TURDB_ASSIGN_OR_RETURN(const uint64_t total, btree::EstimateRows(from_));
    const uint64_t row_bytes = uint64_t{from_.page_count()} * format::kPageBytes / std::max<uint64_t>(total, 1) + 1;
    const auto most = static_cast<uint32_t>(std::clamp<uint64_t>(kBytesAtOnce / row_bytes, 1, kBatchRows));
    keys_.resize(most);
    uint64_t done = 0;
    while (true) {
      TURDB_ASSIGN_OR_RETURN(const uint32_t rows, ReadRows(most));
      if (rows == 0) break;
      btree::RowBlock block;
      block.keys = keys_.data();
      block.rows = rows;
      block.columns = read_;
      TURDB_RETURN_IF_ERROR(appender_.Append(block));
      done += rows;
      TURDB_RETURN_IF_ERROR(progress_->Show(from_.page_count(), done, total));
      if (keys_[rows - 1] == kMaxRowId) break;
      next_ = keys_[rows - 1] + 1;
    }
    TURDB_RETURN_IF_ERROR(appender_.Finish());
    return progress_->Add(from_.page_count());
  }

 private:
  absl::StatusOr<uint32_t> ReadRows(uint32_t most) {
    if (!cursor_.has_value() || arena_->used_bytes() > kScanArenaBytes) {  // long values pile up in the arena
      cursor_.reset();
      arena_.emplace();
      cursor_.emplace(from_, &*arena_);
      TURDB_RETURN_IF_ERROR(cursor_->SeekAtLeast(RowId(next_)));
    }
    TURDB_ASSIGN_OR_RETURN(const uint32_t rows, cursor_->ReadBatch(most, RowId(kMaxRowId), columns_, defaults_, keys_.data(), read_.data()));
    for (const auto& [column, ranks] : ranks_) {
      TURDB_RETURN_IF_ERROR(RenumberSlots(ranks, table_.columns[column].vector_path, rows, &read_[column]));
    }
    return rows;
  }

  const catalog::TableDef& table_;
  const pager::FileView& from_;
  const RanksByColumn& ranks_;
  PageProgress* progress_;
  btree::RowAppender appender_;
  std::vector<uint32_t> columns_;
  std::vector<Cell> defaults_;
  std::optional<Arena> arena_;
  std::optional<btree::RowCursor> cursor_;
  std::vector<int64_t> keys_;
  std::vector<ColumnVector> read_;
  int64_t next_ = kMinRowId;
};

}  // namespace

absl::Status CopyRowTree(const catalog::TableDef& table, const pager::FileView& from, const RanksByColumn& ranks,
                         pager::FileWriter* to, PageProgress* progress) {
  return RowTreeCopy(table, from, ranks, to, progress).Run();
}

absl::Status CopyKeyTree(const pager::FileView& from, const NewPayload& new_payload, pager::FileWriter* to, PageProgress* progress) {
  TURDB_ASSIGN_OR_RETURN(const uint64_t total, btree::EstimateKeys(from));
  btree::KeyAppender appender(to);
  std::optional<Arena> arena;
  std::optional<btree::KeyCursor> cursor;
  std::string last;
  for (uint64_t done = 0;; ++done) {
    if (!cursor.has_value()) {
      arena.emplace();
      cursor.emplace(from, &*arena);
      TURDB_RETURN_IF_ERROR(done == 0 ? cursor->SeekFirst() : cursor->SeekAtLeast(last));
      if (done > 0 && cursor->valid()) TURDB_RETURN_IF_ERROR(cursor->Next());
    }
    if (!cursor->valid()) break;
    TURDB_ASSIGN_OR_RETURN(const std::string_view key, cursor->Key());
    TURDB_ASSIGN_OR_RETURN(std::string_view payload, cursor->Payload());
    if (new_payload != nullptr) {
      TURDB_ASSIGN_OR_RETURN(payload, new_payload(key, payload));
    }
    TURDB_RETURN_IF_ERROR(appender.Append(key, payload));
    if (done % kEntriesAtOnce == 0) TURDB_RETURN_IF_ERROR(progress->Show(from.page_count(), done, total));
    if (arena->used_bytes() > kScanArenaBytes) {
      last.assign(key);
      cursor.reset();
    } else {
      TURDB_RETURN_IF_ERROR(cursor->Next());
    }
  }
  TURDB_RETURN_IF_ERROR(appender.Finish());
  return progress->Add(from.page_count());
}

absl::Status CopyKeyedRows(const catalog::TableDef& table, const pager::FileView& from, const RanksByColumn& ranks,
                           pager::FileWriter* to, PageProgress* progress) {
  const IndexCodec codec(table, nullptr);
  IndexCodec from_codec(table, nullptr);
  TURDB_ASSIGN_OR_RETURN(const PayloadForm form, PayloadFormOf(from));
  from_codec.set_payload_form(form);
  std::vector<Cell> key_cells(table.primary_key.size());
  Arena arena;
  DecodedEntry row;
  IndexEntry entry;
  return CopyKeyTree(from, [&](std::string_view key, std::string_view payload) -> absl::StatusOr<std::string_view> {
    arena.Reset();
    TURDB_RETURN_IF_ERROR(from_codec.Decode(key, payload, &arena, &row));
    for (const auto& [column, of_column] : ranks) {
      Cell& cell = row.cells[column];
      if (cell.is_null()) continue;
      const std::string& path = table.columns[column].vector_path;
      TURDB_ASSIGN_OR_RETURN(const NodeId slot, SlotOfCell(cell, of_column.slots(), path));
      if (!of_column.IsLive(slot.value())) return CorruptionError(path, ": a row names vector slot ", slot.value(), ", which is free");
      cell = Cell::Integer(of_column.RankOf(slot.value()));
    }
    codec.KeyCells(row.cells.data(), RowRef(), key_cells.data());
    codec.Encode(key_cells.data(), row.cells.data(), RowRef(), &entry);
    if (entry.key != key) return CorruptionError("table '", table.name, "': a row is stored under another key than its own");
    return std::string_view(entry.payload);
  }, to, progress);
}

}  // namespace turdb::table
