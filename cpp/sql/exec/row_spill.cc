#include "sql/exec/row_spill.h"

#include <algorithm>

#include "base/status_macros.h"
#include "sql/exec/row_block.h"

namespace turdb::sql {

absl::Status RowSpill::Write(const ColumnVector* columns, size_t width, uint32_t rows, RowRun* run) {
  if (rows == 0) return absl::OkStatus();
  TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
  return WriteRange(columns, width, 0, rows, run);
}

absl::Status RowSpill::Write(const RowStore& store, RowRun* run) {
  ColumnBatch batch;
  batch.columns.resize(store.columns());
  for (uint64_t first = 0; first < store.size(); first += kBatchRows) {
    const uint32_t n = static_cast<uint32_t>(std::min<uint64_t>(kBatchRows, store.size() - first));
    store.Read(first, n, &batch);
    TURDB_RETURN_IF_ERROR(Write(batch.columns.data(), batch.columns.size(), n, run));
  }
  return absl::OkStatus();
}

// Rows that make too large a block are written as two halves.
absl::Status RowSpill::WriteRange(const ColumnVector* columns, size_t width, uint32_t first, uint32_t count, RowRun* run) {
  if (count > 1 && RowBlockBytes(columns, width, first, count) > block_bytes_) {
    TURDB_RETURN_IF_ERROR(WriteRange(columns, width, first, count / 2, run));
    return WriteRange(columns, width, first + count / 2, count - count / 2, run);
  }
  EncodeRowBlock(columns, width, first, count, &block_);
  TURDB_ASSIGN_OR_RETURN(const env::TempBlock place, space_.Append(block_));
  run->blocks.push_back({place, run->rows});
  run->rows += count;
  run->bytes += place.length;
  if (NodeCounters* c = counters()) c->spilled_bytes += place.length;
  if (block_.capacity() > 2 * block_bytes_) std::string().swap(block_);
  return absl::OkStatus();
}

absl::Status RowSpill::Read(const RowRun& run, size_t block, size_t width, ColumnBatch* batch) {
  const env::TempBlock& place = run.blocks[block].place;
  char* bytes = FreshArena(batch)->Allocate(place.length, 8);
  TURDB_RETURN_IF_ERROR(space_.Read(place, bytes));
  return DecodeRowBlock(bytes, place.length, width, batch);
}

NodeCounters* RowSpill::counters() {
  if (!context_->is_timed || node_id_ == kNoNode) return nullptr;
  if (context_->counters.size() <= static_cast<size_t>(node_id_)) context_->counters.resize(static_cast<size_t>(node_id_) + 1);
  return &context_->counters[static_cast<size_t>(node_id_)];
}

void RowSpill::CountRun() {
  if (NodeCounters* c = counters()) ++c->spill_runs;
}

absl::Status RunReader::Next(ColumnBatch* batch) {
  batch->size = 0;
  return block_ < run_->blocks.size() ? spill_->Read(*run_, block_++, width_, batch) : absl::OkStatus();
}

}  // namespace turdb::sql
