#include "sql/exec/kept_rows.h"

#include <algorithm>

#include "base/status_macros.h"

namespace turdb::sql {
namespace {
constexpr uint64_t kKeptBytes = 16 << 20;   // memory that stays for the next execution
constexpr uint64_t kRowsBetweenLooks = 64;  // single rows between two looks at the budget
}  // namespace

void KeptRows::Reset(size_t columns) {
  store_.Reset(columns);
  share_.Set(0);
  spill_ = nullptr;
  run_ = RowRun();
}

void KeptRows::Close() {
  const bool is_large = share_.bytes() > kKeptBytes || has_spilled();
  Reset(store_.columns());
  if (is_large) store_.Free();
}

// Once rows are on disk, only a few blocks' worth are gathered for the next write.
bool KeptRows::IsDue() {
  share_.Set(store_.bytes());
  return share_.IsOver() || (has_spilled() && share_.bytes() > 4 * context_->memory.block_bytes());
}

absl::Status KeptRows::Append(const ColumnVector* columns, const uint32_t* selected, uint32_t rows) {
  store_.AppendRows(columns, selected, rows);
  return IsDue() ? Spill() : absl::OkStatus();
}

absl::Status KeptRows::AppendRow(const Cell* cells) {
  store_.AppendRow(cells);
  if (store_.size() % kRowsBetweenLooks != 0) return absl::OkStatus();
  return IsDue() ? Spill() : absl::OkStatus();
}

absl::Status KeptRows::Spill() {
  if (spill_ == nullptr) {
    spill_ = std::make_unique<RowSpill>(context_, node_id_);
    spill_->CountRun();
  }
  TURDB_RETURN_IF_ERROR(spill_->Write(store_, &run_));
  if (share_.bytes() > kKeptBytes) store_.Free();
  store_.Reset(store_.columns());
  share_.Set(0);
  return absl::OkStatus();
}

absl::Status KeptRows::Read(uint64_t first, ColumnBatch* batch, uint32_t most) {
  batch->size = 0;
  if (first < run_.rows) return ReadBlock(first, most, batch);
  FreshArena(batch)->Hold(store_.arena());
  batch->columns.resize(store_.columns());
  batch->size = static_cast<uint32_t>(std::min<uint64_t>(most, size() - std::min(first, size())));
  if (batch->size > 0) store_.Read(first - run_.rows, batch->size, batch);
  return absl::OkStatus();
}

size_t KeptRows::BlockOf(uint64_t row) const {
  const auto after = std::upper_bound(run_.blocks.begin(), run_.blocks.end(), row,
                                      [](uint64_t row, const RowRun::Block& block) { return row < block.first_row; });
  return static_cast<size_t>(after - run_.blocks.begin()) - 1;
}

absl::Status KeptRows::ReadAround(uint64_t row, ColumnBatch* batch, uint64_t* first) const {
  if (row < run_.rows) {
    const size_t block = BlockOf(row);
    *first = run_.blocks[block].first_row;
    return spill_->Read(run_, block, store_.columns(), batch);
  }
  const uint64_t in_store = (row - run_.rows) / kBatchRows * kBatchRows;
  *first = run_.rows + in_store;
  FreshArena(batch)->Hold(store_.arena());
  batch->columns.resize(store_.columns());
  batch->size = static_cast<uint32_t>(std::min<uint64_t>(kBatchRows, store_.size() - in_store));
  store_.Read(in_store, batch->size, batch);
  return absl::OkStatus();
}

absl::Status KeptRows::ReadBlock(uint64_t first, uint32_t most, ColumnBatch* batch) {
  const size_t block = BlockOf(first);
  TURDB_RETURN_IF_ERROR(spill_->Read(run_, block, store_.columns(), batch));
  const uint32_t skipped = static_cast<uint32_t>(first - run_.blocks[block].first_row);
  if (skipped == 0) {
    batch->size = std::min(batch->size, most);
    return absl::OkStatus();
  }
  std::vector<uint32_t> rows(std::min(batch->size - skipped, most));
  for (uint32_t i = 0; i < rows.size(); ++i) rows[i] = skipped + i;
  for (ColumnVector& column : batch->columns) {
    const ColumnVector whole = column;
    column = ColumnVector();
    column.Gather(whole, rows.data(), static_cast<uint32_t>(rows.size()));
  }
  batch->size = static_cast<uint32_t>(rows.size());
  return absl::OkStatus();
}

}  // namespace turdb::sql
