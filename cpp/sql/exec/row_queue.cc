#include "sql/exec/row_queue.h"

#include <algorithm>

#include "base/status_macros.h"

namespace turdb::sql {
namespace {
constexpr uint64_t kKeptBytes = 16 << 20;  // memory that stays for the next execution
constexpr uint64_t kHeapBytes = 32;        // of a row: its place, with what vectors reserve, and its entry while they are sorted
}  // namespace

std::vector<OrderColumn> RowQueue::WithArrival(std::vector<OrderColumn> order, size_t width) {
  order.push_back({width});
  return order;
}

RowQueue::RowQueue(ExecContext* context, int node_id, size_t width, std::vector<OrderColumn> order)
    : context_(context), node_id_(node_id), width_(width), order_(WithArrival(std::move(order), width), context->collations),
      share_(&context->memory) {}

void RowQueue::Reset() {
  store_.Reset(width_ + 1);
  heap_.clear();
  runs_.clear();
  share_.Set(0);
  arrivals_ = 0;
}

void RowQueue::Close() {
  const bool is_large = share_.bytes() > kKeptBytes || !runs_.empty();
  Reset();
  last_ = ColumnBatch();
  if (!is_large) return;
  store_.Free();
  LargeVector<uint64_t>().swap(heap_);
}

absl::Status RowQueue::Add(const ColumnVector* columns, const uint32_t* selected, uint32_t rows) {
  if (rows == 0) return absl::OkStatus();
  std::vector<ColumnVector> row(width_ + 1);
  for (size_t c = 0; c < width_; ++c) {
    if (selected == nullptr) row[c].Reference(columns[c]);
    else row[c].Gather(columns[c], selected, rows);
  }
  int64_t* arrivals = row[width_].ResetInt64(rows);
  for (uint32_t i = 0; i < rows; ++i) arrivals[i] = arrivals_++;
  const uint64_t first = store_.size();
  store_.Append(row.data(), rows);
  for (uint64_t i = first; i < store_.size(); ++i) {
    heap_.push_back(i);
    std::push_heap(heap_.begin(), heap_.end(), [this](uint64_t a, uint64_t b) { return After(a, b); });
  }
  return LookAtMemory();
}

// Rows that have left stay in the store until they are most of it, or memory is short.
absl::Status RowQueue::LookAtMemory() {
  if (store_.size() > 2 * (heap_.size() + kBatchRows)) Compact();
  share_.Set(store_.bytes() + store_.size() * kHeapBytes);
  if (!share_.IsOver() || heap_.empty()) return absl::OkStatus();
  return Spill();
}

void RowQueue::Compact() {
  RowStore kept;
  kept.Reset(width_ + 1);
  ColumnBatch batch;
  batch.columns.resize(width_ + 1);
  for (size_t first = 0; first < heap_.size(); first += kBatchRows) {
    const uint32_t n = static_cast<uint32_t>(std::min<size_t>(kBatchRows, heap_.size() - first));
    store_.Gather(heap_.data() + first, n, &batch);
    kept.Append(batch.columns.data(), n);
  }
  for (size_t i = 0; i < heap_.size(); ++i) heap_[i] = i;  // rows were copied in the heap's order
  store_ = std::move(kept);
}

// --- on disk ---------------------------------------------------------------------------------

absl::Status RowQueue::Spill() {
  auto spill = std::make_unique<RowSpill>(context_, node_id_);
  auto rows = std::make_unique<RowRun>();
  order_.Sort(store_, &heap_);
  ColumnBatch batch;
  batch.columns.resize(width_ + 1);
  for (size_t first = 0; first < heap_.size(); first += kBatchRows) {
    const uint32_t n = static_cast<uint32_t>(std::min<size_t>(kBatchRows, heap_.size() - first));
    store_.Gather(heap_.data() + first, n, &batch);
    TURDB_RETURN_IF_ERROR(spill->Write(batch.columns.data(), width_ + 1, n, rows.get()));
  }
  heap_.clear();
  if (share_.bytes() > kKeptBytes) store_.Free();
  store_.Reset(width_ + 1);
  share_.Set(0);
  TURDB_RETURN_IF_ERROR(AddRun(std::move(spill), std::move(rows)));
  return runs_.size() > context_->memory.merge_width() ? MergeRuns() : absl::OkStatus();
}

absl::Status RowQueue::AddRun(std::unique_ptr<RowSpill> spill, std::unique_ptr<RowRun> rows) {
  spill->CountRun();
  RunReader reader(spill.get(), rows.get(), width_ + 1);
  Run run{std::move(spill), std::move(rows), reader, {}, 0};
  TURDB_RETURN_IF_ERROR(run.reader.Next(&run.block));
  runs_.push_back(std::move(run));
  std::push_heap(runs_.begin(), runs_.end(), [this](const Run& a, const Run& b) { return IsBefore(b, a); });
  return absl::OkStatus();
}

// What is left of all runs becomes one.
absl::Status RowQueue::MergeRuns() {
  auto spill = std::make_unique<RowSpill>(context_, node_id_);
  auto rows = std::make_unique<RowRun>();
  RowStore merged;
  merged.Reset(width_ + 1);
  std::vector<Cell> row(width_ + 1);
  while (!runs_.empty()) {
    for (size_t c = 0; c <= width_; ++c) row[c] = runs_[0].block.columns[c].Get(runs_[0].at);
    merged.AppendRow(row.data());
    TURDB_RETURN_IF_ERROR(Advance());
    if (!runs_.empty() && merged.size() < kBatchRows && merged.bytes() < context_->memory.block_bytes()) continue;
    TURDB_RETURN_IF_ERROR(spill->Write(merged, rows.get()));
    merged.Reset(width_ + 1);
  }
  return AddRun(std::move(spill), std::move(rows));
}

bool RowQueue::IsBefore(const Run& a, const Run& b) const {
  return order_.CompareRows(a.block.columns.data(), a.at, b.block.columns.data(), b.at) < 0;
}

bool RowQueue::IsBeforeHeap(const Run& run) const {
  return heap_.empty() || order_.CompareRows(run.block.columns.data(), run.at, store_, heap_[0]) < 0;
}

void RowQueue::SiftDown(size_t at) {
  for (size_t child = 2 * at + 1; child < runs_.size(); child = 2 * at + 1) {
    if (child + 1 < runs_.size() && IsBefore(runs_[child + 1], runs_[child])) ++child;
    if (!IsBefore(runs_[child], runs_[at])) return;
    std::swap(runs_[at], runs_[child]);
    at = child;
  }
}

// The first row of the first run has left.
absl::Status RowQueue::Advance() {
  Run& first = runs_[0];
  if (++first.at == first.block.size) {
    first.at = 0;
    TURDB_RETURN_IF_ERROR(first.reader.Next(&first.block));
    if (first.block.size == 0) {
      std::swap(first, runs_.back());
      runs_.pop_back();
    }
  }
  SiftDown(0);
  return absl::OkStatus();
}

absl::Status RowQueue::Pop(Cell* row) {
  if (runs_.empty() || !IsBeforeHeap(runs_[0])) {
    std::pop_heap(heap_.begin(), heap_.end(), [this](uint64_t a, uint64_t b) { return After(a, b); });
    for (size_t c = 0; c < width_; ++c) row[c] = store_.Get(c, heap_.back());
    heap_.pop_back();
    return absl::OkStatus();
  }
  const Run& first = runs_[0];
  for (size_t c = 0; c < width_; ++c) row[c] = first.block.columns[c].Get(first.at);
  if (first.at + 1 == first.block.size) last_ = first.block;
  return Advance();
}

}  // namespace turdb::sql
