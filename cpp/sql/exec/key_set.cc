#include "sql/exec/key_set.h"

#include <algorithm>

#include "base/status_macros.h"

namespace turdb::sql {
namespace {
constexpr uint64_t kKeptBytes = 16 << 20;  // memory that stays for the next execution
constexpr uint64_t kSortBytes = 16;        // of a key while it is written
}  // namespace

void KeySet::Reset(const std::vector<Collation>& collations) {
  collations_ = collations;
  table_.Reset(collations_, context_->collations);
  runs_ = nullptr;
  share_.Set(0);
}

void KeySet::Close() {
  if (share_.bytes() > kKeptBytes || runs_ != nullptr) table_.Free();
  runs_ = nullptr;
  share_.Set(0);
}

absl::Status KeySet::LookAtMemory() {
  const uint64_t of_runs = runs_ == nullptr ? 0 : runs_->bytes();
  share_.Set(of_runs + table_.bytes() + table_.size() * kSortBytes);
  if (!share_.IsOver() || table_.size() == 0) return absl::OkStatus();
  if (runs_ == nullptr) runs_ = std::make_unique<KeyRuns>(context_, node_id_, collations_);
  TURDB_RETURN_IF_ERROR(runs_->Write(table_.keys()));
  if (share_.bytes() > kKeptBytes) table_.Free();
  table_.Reset(collations_, context_->collations);
  share_.Set(runs_->bytes());
  return absl::OkStatus();
}

absl::Status KeySet::Add(const ColumnVector* columns, uint32_t rows) {
  numbers_.resize(rows);
  table_.FindOrAdd(columns, rows, numbers_.data());
  return LookAtMemory();
}

absl::Status KeySet::AddNew(const ColumnVector* columns, uint32_t rows, bool* is_new) {
  numbers_.resize(rows);
  if (runs_ == nullptr) {
    table_.FindOrAdd(columns, rows, numbers_.data(), is_new);
    return LookAtMemory();
  }
  std::fill_n(is_new, rows, false);
  hashes_.resize(rows);
  HashKeys(columns, collations_, rows, hashes_.data());
  TURDB_RETURN_IF_ERROR(runs_->Find(columns, rows, hashes_.data(), is_new));  // for the moment: whether they are there
  rows_.clear();
  for (uint32_t i = 0; i < rows; ++i) {
    if (!is_new[i]) rows_.push_back(i);
    is_new[i] = false;
  }
  const uint32_t left = static_cast<uint32_t>(rows_.size());
  rest_.resize(collations_.size());
  for (size_t c = 0; c < rest_.size(); ++c) rest_[c].Gather(columns[c], rows_.data(), left);
  flags_.resize(left);
  bool* const added = reinterpret_cast<bool*>(flags_.data());
  table_.FindOrAdd(rest_.data(), left, numbers_.data(), added);
  for (uint32_t i = 0; i < left; ++i) is_new[rows_[i]] = added[i];
  return LookAtMemory();
}

absl::Status KeySet::Find(const ColumnVector* columns, uint32_t rows, bool* found) {
  numbers_.resize(rows);
  table_.Find(columns, rows, numbers_.data());
  for (uint32_t i = 0; i < rows; ++i) found[i] = numbers_[i] != KeyTable::kAbsent;
  if (runs_ == nullptr) return absl::OkStatus();
  hashes_.resize(rows);
  HashKeys(columns, collations_, rows, hashes_.data());
  return runs_->Find(columns, rows, hashes_.data(), found);
}

absl::Status KeySet::Next(Place* place, ColumnBatch* batch) const {
  const RowStore& keys = table_.keys();
  batch->size = static_cast<uint32_t>(std::min<uint64_t>(kBatchRows, keys.size() - place->row));
  if (batch->size == 0) return runs_ == nullptr ? absl::OkStatus() : runs_->Next(&place->in_runs, batch);
  batch->columns.resize(keys.columns());
  keys.Read(place->row, batch->size, batch);
  place->row += batch->size;
  return absl::OkStatus();
}

}  // namespace turdb::sql
