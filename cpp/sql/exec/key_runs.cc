#include "sql/exec/key_runs.h"

#include <algorithm>
#include <bit>

#include "base/status_macros.h"
#include "sql/exec/key_table.h"

namespace turdb::sql {
namespace {

// A look-up reads one block: smaller than those that are read one after another.
constexpr uint64_t kMostBlockBytes = 16 << 10;
constexpr uint64_t kLeastFilterWords = 128, kMostFilterWords = 2 << 20;

std::vector<OrderColumn> KeyOrder(const std::vector<Collation>& collations) {
  std::vector<OrderColumn> order;
  for (size_t i = 0; i < collations.size(); ++i) order.push_back({i, false, true, collations[i]});
  return order;
}

// Bits of a key in the filter: all in one word, so that asking costs one miss of the cache.
uint64_t FilterBits(uint64_t hash) {
  return uint64_t{1} << (hash & 63) | uint64_t{1} << (hash >> 6 & 63) | uint64_t{1} << (hash >> 12 & 63);
}
uint64_t FilterWord(uint64_t hash, size_t words) { return (hash >> 32) & (words - 1); }

}  // namespace

// Columns of a run: the key, then its hash.
std::vector<OrderColumn> KeyRuns::Order(const std::vector<Collation>& collations) {
  std::vector<OrderColumn> order = KeyOrder(collations);
  order.insert(order.begin(), {collations.size()});
  return order;
}

KeyRuns::KeyRuns(ExecContext* context, int node_id, std::vector<Collation> collations)
    : context_(context), node_id_(node_id), collations_(std::move(collations)), order_(Order(collations_), context->collations),
      by_key_(KeyOrder(collations_), context->collations) {
  const uint64_t words = context->memory.limit() / 16 / sizeof(uint64_t);
  filter_.resize(std::bit_floor(std::clamp(words, kLeastFilterWords, kMostFilterWords)));
}

void KeyRuns::NewRun() {
  runs_.emplace_back();
  const uint64_t block_bytes = std::min(context_->memory.block_bytes(), kMostBlockBytes);
  runs_.back().spill = std::make_unique<RowSpill>(context_, node_id_, block_bytes);
}

absl::Status KeyRuns::Append(const ColumnVector* columns, uint32_t rows) {
  Run& run = runs_.back();
  const uint64_t first = run.rows.rows;
  TURDB_RETURN_IF_ERROR(run.spill->Write(columns, width(), rows, &run.rows));
  for (size_t b = run.first_hashes.size(); b < run.rows.blocks.size(); ++b) {
    const uint64_t row = run.rows.blocks[b].first_row - first;
    run.first_hashes.push_back(columns[width() - 1].Get(static_cast<uint32_t>(row)).integer);
  }
  return absl::OkStatus();
}

bool KeyRuns::MayContain(uint64_t hash) const {
  const uint64_t bits = FilterBits(hash);
  return (filter_[FilterWord(hash, filter_.size())] & bits) == bits;
}

absl::Status KeyRuns::Write(const RowStore& keys) {
  struct Entry { int64_t hash; uint64_t row; };
  std::vector<Entry> entries(keys.size());
  std::vector<ColumnVector> columns(width());
  std::vector<uint64_t> words(kBatchRows);
  for (uint64_t first = 0; first < keys.size(); first += kBatchRows) {
    const uint32_t n = static_cast<uint32_t>(std::min<uint64_t>(kBatchRows, keys.size() - first));
    for (size_t c = 0; c < collations_.size(); ++c) keys.ReadColumn(c, first, n, &columns[c]);
    HashKeys(columns.data(), collations_, n, words.data());
    for (uint32_t i = 0; i < n; ++i) {
      entries[first + i] = {static_cast<int64_t>(words[i]), first + i};
      filter_[FilterWord(words[i], filter_.size())] |= FilterBits(words[i]);
    }
  }
  std::sort(entries.begin(), entries.end(), [&](const Entry& a, const Entry& b) {
    return a.hash != b.hash ? a.hash < b.hash : by_key_.Compare(keys, a.row, b.row) < 0;
  });
  NewRun();
  for (uint64_t first = 0; first < entries.size(); first += kBatchRows) {
    const uint32_t n = static_cast<uint32_t>(std::min<uint64_t>(kBatchRows, entries.size() - first));
    int64_t* hashes = columns.back().ResetInt64(n);
    for (uint32_t i = 0; i < n; ++i) {
      words[i] = entries[first + i].row;
      hashes[i] = entries[first + i].hash;
    }
    for (size_t c = 0; c < collations_.size(); ++c) keys.GatherColumn(c, words.data(), n, &columns[c]);
    TURDB_RETURN_IF_ERROR(Append(columns.data(), n));
  }
  runs_.back().spill->CountRun();
  while (runs_.size() > 1 && runs_.back().rows.rows * 2 >= runs_[runs_.size() - 2].rows.rows) TURDB_RETURN_IF_ERROR(MergeLast());
  return absl::OkStatus();
}

absl::Status KeyRuns::MergeLast() {
  Run b = std::move(runs_.back());
  runs_.pop_back();
  Run a = std::move(runs_.back());
  runs_.pop_back();
  RunMerger merger(&order_);
  TURDB_RETURN_IF_ERROR(merger.Open({RunReader(a.spill.get(), &a.rows, width()), RunReader(b.spill.get(), &b.rows, width())}));
  NewRun();
  ColumnBatch batch;
  do {
    TURDB_RETURN_IF_ERROR(merger.Next(width(), &batch));
    TURDB_RETURN_IF_ERROR(Append(batch.columns.data(), batch.size));
  } while (batch.size > 0);
  runs_.back().spill->CountRun();
  return absl::OkStatus();
}

// --- looking up ------------------------------------------------------------------------------

absl::Status KeyRuns::Load(Run* run, size_t block) {
  if (run->loaded == block) return absl::OkStatus();
  run->loaded = kNoBlock;
  TURDB_RETURN_IF_ERROR(run->spill->Read(run->rows, block, width(), &run->block));
  run->loaded = block;
  return absl::OkStatus();
}

absl::Status KeyRuns::FindBlock(Run* run, const ColumnVector* probe, uint32_t row, size_t* block) {
  const int64_t hash = probe[width() - 1].ints()[row];
  const auto [first, last] = std::equal_range(run->first_hashes.begin(), run->first_hashes.end(), hash);
  size_t low = static_cast<size_t>(first - run->first_hashes.begin()), high = static_cast<size_t>(last - run->first_hashes.begin());
  low -= low > 0;
  // Blocks that begin with this hash: more than one only where many keys share it.
  while (high - low > 1) {
    const size_t middle = low + (high - low) / 2;
    TURDB_RETURN_IF_ERROR(Load(run, middle));
    if (order_.CompareRows(run->block.columns.data(), 0, probe, row) <= 0) low = middle;
    else high = middle;
  }
  *block = low;
  return absl::OkStatus();
}

bool KeyRuns::IsInBlock(const Run& run, const ColumnVector* probe, uint32_t row) const {
  const ColumnVector* columns = run.block.columns.data();
  uint32_t low = 0, high = run.block.size;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    const int order = order_.CompareRows(columns, middle, probe, row);
    if (order == 0) return true;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return false;
}

absl::Status KeyRuns::Find(const ColumnVector* keys, uint32_t rows, const uint64_t* hashes, bool* found) {
  rows_.clear();
  for (uint32_t i = 0; i < rows; ++i) {
    if (!found[i] && MayContain(hashes[i])) rows_.push_back(i);
  }
  if (rows_.empty()) return absl::OkStatus();
  std::vector<ColumnVector> probe(keys, keys + collations_.size());
  probe.emplace_back();
  int64_t* to = probe.back().ResetInt64(rows);
  for (uint32_t i = 0; i < rows; ++i) to[i] = static_cast<int64_t>(hashes[i]);
  // In the order of the runs each block is read once.
  std::sort(rows_.begin(), rows_.end(), [&](uint32_t a, uint32_t b) { return to[a] < to[b]; });
  for (Run& run : runs_) {
    TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
    for (uint32_t row : rows_) {
      if (found[row]) continue;
      size_t block = 0;
      TURDB_RETURN_IF_ERROR(FindBlock(&run, probe.data(), row, &block));
      TURDB_RETURN_IF_ERROR(Load(&run, block));
      found[row] = IsInBlock(run, probe.data(), row);
    }
  }
  return absl::OkStatus();
}

absl::Status KeyRuns::Next(Place* place, ColumnBatch* batch) {
  batch->size = 0;
  while (place->run < runs_.size() && place->block == runs_[place->run].rows.blocks.size()) *place = {place->run + 1, 0};
  if (place->run == runs_.size()) return absl::OkStatus();
  const Run& run = runs_[place->run];
  return run.spill->Read(run.rows, place->block++, width(), batch);
}

}  // namespace turdb::sql
