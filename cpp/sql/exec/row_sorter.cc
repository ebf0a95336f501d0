#include "sql/exec/row_sorter.h"

#include <algorithm>

#include "base/status_macros.h"

namespace turdb::sql {
namespace {
constexpr uint64_t kSortBytes = 24;  // a row: its number, and its entry while numbers are sorted
constexpr uint64_t kKeptBytes = 16 << 20;
}

RowSorter::RowSorter(ExecContext* context, int node_id, std::vector<OrderColumn> order)
    : context_(context), node_id_(node_id), order_(order, context->collations), share_(&context->memory),
      order_columns_(std::move(order)) {}

void RowSorter::Reset(size_t columns, uint64_t most) {
  merger_ = nullptr;
  runs_.clear();
  spill_ = nullptr;
  store_.Reset(columns);
  share_.Set(0);
  rows_.clear();
  most_ = most;
  size_ = emitted_ = 0;
  has_bound_ = false;
}

void RowSorter::Close() {
  const bool is_large = share_.bytes() > kKeptBytes || has_spilled();
  Reset(store_.columns());
  if (!is_large) return;
  store_.Free();
  LargeVector<uint64_t>().swap(rows_);
}

absl::Status RowSorter::Add(const ColumnVector* columns, const uint32_t* selected, uint32_t rows) {
  if (has_bound_) {
    keys_.clear();
    for (const OrderColumn& key : order_columns_) keys_.push_back(&columns[key.column]);
    selected_.clear();
    for (uint32_t i = 0; i < rows; ++i) {
      const uint32_t row = selected == nullptr ? i : selected[i];
      if (order_.CompareLoose(keys_.data(), row, store_, bound_) < 0) selected_.push_back(row);
    }
    selected = selected_.data();
    rows = static_cast<uint32_t>(selected_.size());
  }
  store_.AppendRows(columns, selected, rows);
  size_ += rows;
  share_.Set(store_.bytes() + store_.size() * kSortBytes);
  if (most_ < store_.size() / 2 && store_.size() - most_ * 2 >= kBatchRows) CutBack();
  if (!share_.IsOver()) return absl::OkStatus();
  return WriteRun();
}

void RowSorter::SortRows() {
  rows_.resize(store_.size());
  for (uint64_t i = 0; i < rows_.size(); ++i) rows_[i] = i;
  order_.Sort(store_, &rows_);
  if (rows_.size() > most_) rows_.resize(most_);
}

// Only the first most_ rows stay; rows not before the last of them are out from now on.
void RowSorter::CutBack() {
  SortRows();
  RowStore kept;
  kept.Reset(store_.columns());
  gathered_.resize(store_.columns());
  for (uint64_t first = 0; first < most_; first += kBatchRows) {
    const uint32_t n = static_cast<uint32_t>(std::min<uint64_t>(kBatchRows, most_ - first));
    for (size_t c = 0; c < gathered_.size(); ++c) store_.GatherColumn(c, rows_.data() + first, n, &gathered_[c]);
    kept.Append(gathered_.data(), n);
  }
  size_ -= store_.size() - kept.size();
  store_ = std::move(kept);
  bound_ = most_ - 1;
  has_bound_ = true;
  share_.Set(store_.bytes() + store_.size() * kSortBytes);
}

absl::Status RowSorter::WriteRun() {
  SortRows();
  if (spill_ == nullptr) spill_ = std::make_unique<RowSpill>(context_, node_id_);
  RowRun run;
  gathered_.resize(store_.columns());
  for (uint64_t first = 0; first < rows_.size(); first += kBatchRows) {
    const uint32_t n = static_cast<uint32_t>(std::min<uint64_t>(kBatchRows, rows_.size() - first));
    for (size_t c = 0; c < gathered_.size(); ++c) store_.GatherColumn(c, rows_.data() + first, n, &gathered_[c]);
    TURDB_RETURN_IF_ERROR(spill_->Write(gathered_.data(), gathered_.size(), n, &run));
  }
  spill_->CountRun();
  size_ -= store_.size() - rows_.size();
  runs_.push_back(std::move(run));
  rows_.clear();
  store_.Reset(store_.columns());
  has_bound_ = false;
  share_.Set(0);
  return absl::OkStatus();
}

absl::Status RowSorter::Finish() {
  if (runs_.empty()) {
    SortRows();
    return absl::OkStatus();
  }
  if (store_.size() > 0) TURDB_RETURN_IF_ERROR(WriteRun());
  store_.Free();
  LargeVector<uint64_t>().swap(rows_);
  while (runs_.size() > context_->memory.merge_width()) TURDB_RETURN_IF_ERROR(MergeRuns());
  merger_ = std::make_unique<RunMerger>(&order_);
  return merger_->Open(Readers(0, runs_.size()));
}

std::vector<RunReader> RowSorter::Readers(size_t first, size_t count) {
  std::vector<RunReader> readers;
  for (size_t i = first; i < first + count; ++i) readers.emplace_back(spill_.get(), &runs_[i], store_.columns());
  return readers;
}

// One pass: neighbouring runs become one, in a new file.
absl::Status RowSorter::MergeRuns() {
  auto merged_spill = std::make_unique<RowSpill>(context_, node_id_);
  std::vector<RowRun> merged;
  ColumnBatch batch;
  for (size_t first = 0; first < runs_.size(); first += context_->memory.merge_width()) {
    const size_t n = std::min<size_t>(context_->memory.merge_width(), runs_.size() - first);
    RunMerger merger(&order_);
    TURDB_RETURN_IF_ERROR(merger.Open(Readers(first, n)));
    RowRun run;
    do {
      TURDB_RETURN_IF_ERROR(merger.Next(store_.columns(), &batch));
      TURDB_RETURN_IF_ERROR(merged_spill->Write(batch.columns.data(), batch.columns.size(), batch.size, &run));
    } while (batch.size > 0);
    merged_spill->CountRun();
    merged.push_back(std::move(run));
  }
  runs_ = std::move(merged);
  spill_ = std::move(merged_spill);
  return absl::OkStatus();
}

void RowSorter::NextInMemory(size_t columns, ColumnBatch* batch) {
  FreshArena(batch)->Hold(store_.arena());
  batch->columns.resize(columns);
  batch->size = static_cast<uint32_t>(std::min<uint64_t>(kBatchRows, rows_.size() - emitted_));
  for (size_t c = 0; c < columns && batch->size > 0; ++c) {
    store_.GatherColumn(c, rows_.data() + emitted_, batch->size, &batch->columns[c]);
  }
  emitted_ += batch->size;
}

absl::Status RowSorter::Next(size_t columns, ColumnBatch* batch) {
  if (merger_ == nullptr) {
    NextInMemory(columns, batch);
    return absl::OkStatus();
  }
  TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
  TURDB_RETURN_IF_ERROR(merger_->Next(columns, batch));
  batch->size = static_cast<uint32_t>(std::min<uint64_t>(batch->size, most_ - emitted_));
  emitted_ += batch->size;
  return absl::OkStatus();
}

}  // namespace turdb::sql
