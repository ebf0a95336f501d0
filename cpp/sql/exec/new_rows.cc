#include "sql/exec/new_rows.h"

#include "base/status_macros.h"

namespace turdb::sql {
namespace {
constexpr uint64_t kKeptBytes = 16 << 20;  // memory that stays for the next execution
}

void NewRows::Reset(const std::vector<Collation>& collations, size_t width) {
  collations_ = collations;
  collations_.resize(width, Collation::kBinary);
  table_.Reset(collations_, context_->collations);
  share_.Set(0);
  aside_ = nullptr;
  late_ = nullptr;
  is_full_ = false;
  row_number_ = 0;
}

void NewRows::Close() {
  const bool is_large = share_.bytes() > kKeptBytes;
  if (is_large) table_.Free();
  share_.Set(0);
  aside_ = nullptr;
  late_ = nullptr;
}

// numbers_ and is_new_ of the rows; a full set leaves what is not in it as new.
absl::Status NewRows::Find(const ColumnBatch& input) {
  numbers_.resize(input.size);
  if (is_full_) {
    table_.Find(input.columns.data(), input.size, numbers_.data());
    for (uint32_t i = 0; i < input.size; ++i) is_new_[i] = numbers_[i] == KeyTable::kAbsent;
    return absl::OkStatus();
  }
  table_.FindOrAdd(input.columns.data(), input.size, numbers_.data(), is_new_);
  return absl::OkStatus();
}

absl::Status NewRows::Take(const ColumnBatch& input, ColumnBatch* batch) {
  TURDB_RETURN_IF_ERROR(Find(input));
  rows_.clear();
  for (uint32_t i = 0; i < input.size; ++i) {
    if (is_new_[i]) rows_.push_back(i);
  }
  if (is_full_) return PutAside(input);
  Hand(input, batch);
  share_.Set(table_.bytes());
  is_full_ = share_.IsOver();
  return absl::OkStatus();
}

absl::Status NewRows::TakeIf(const ColumnBatch& input, KeyTable* other, bool is_in, ColumnBatch* batch) {
  other_numbers_.resize(input.size);
  other->Find(input.columns.data(), input.size, other_numbers_.data());
  TURDB_RETURN_IF_ERROR(Find(input));
  rows_.clear();
  for (uint32_t i = 0; i < input.size; ++i) {
    if (is_new_[i] && (other_numbers_[i] != KeyTable::kAbsent) == is_in) rows_.push_back(i);
  }
  if (is_full_) return PutAside(input);
  Hand(input, batch);
  share_.Set(table_.bytes());
  is_full_ = share_.IsOver();
  return absl::OkStatus();
}

void NewRows::Hand(const ColumnBatch& input, ColumnBatch* batch) {
  batch->size = static_cast<uint32_t>(rows_.size());
  if (rows_.empty()) return;
  batch->arena = input.arena;
  batch->columns.resize(input.columns.size());
  for (size_t c = 0; c < input.columns.size(); ++c) batch->columns[c].Gather(input.columns[c], rows_.data(), batch->size);
}

absl::Status NewRows::PutAside(const ColumnBatch& input) {
  if (aside_ == nullptr) aside_ = std::make_unique<KeyGroups>(context_, node_id_, 0, collations_);
  std::vector<int64_t> numbers(input.size);
  for (uint32_t i = 0; i < input.size; ++i) numbers[i] = row_number_++;
  return aside_->Add(nullptr, input.columns.data(), rows_.data(), static_cast<uint32_t>(rows_.size()), numbers);
}

absl::Status NewRows::SortLate() {
  table_.Free();
  share_.Set(0);
  const size_t width = collations_.size();
  late_ = std::make_unique<RowSorter>(context_, node_id_, std::vector<OrderColumn>{{width}});
  late_->Reset(width + 1);
  TURDB_RETURN_IF_ERROR(aside_->Finish());
  ColumnBatch rows;
  for (;;) {
    TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
    TURDB_RETURN_IF_ERROR(aside_->Next(&rows));
    if (rows.size == 0) break;
    rows_.clear();
    for (uint32_t i = 0; i < rows.size; ++i) {
      if (aside_->starts()[i]) rows_.push_back(i);
    }
    TURDB_RETURN_IF_ERROR(late_->Add(rows.columns.data(), rows_.data(), static_cast<uint32_t>(rows_.size())));
  }
  aside_->Close();
  return late_->Finish();
}

absl::Status NewRows::TakeLate(ColumnBatch* batch) {
  batch->size = 0;
  if (aside_ == nullptr) return absl::OkStatus();
  if (late_ == nullptr) TURDB_RETURN_IF_ERROR(SortLate());
  return late_->Next(collations_.size(), batch);
}

SideGroups::SideGroups(ExecContext* context, int node_id, const std::vector<Collation>& collations)
    : width_(collations.size()), groups_(context, node_id, 1, collations), sorted_(context, node_id, {{collations.size()}}) {}

absl::Status SideGroups::Add(const ColumnVector* columns, uint32_t rows, bool is_left) {
  std::vector<int64_t> numbers(rows);
  for (int64_t& number : numbers) number = row_number_++;
  ColumnVector side;
  std::fill_n(side.ResetInt64(rows), rows, int64_t{is_left});
  return groups_.Add(&side, columns, nullptr, rows, numbers);
}

absl::Status SideGroups::Sort(bool is_in) {
  sorted_.Reset(width_ + 1);
  TURDB_RETURN_IF_ERROR(groups_.Finish());
  ColumnBatch rows;
  std::vector<uint32_t> kept;
  bool is_on_right = false, is_done = false;  // of the group at hand
  for (;;) {
    TURDB_RETURN_IF_ERROR(groups_.Next(&rows));
    if (rows.size == 0) break;
    kept.clear();
    for (uint32_t i = 0; i < rows.size; ++i) {
      if (groups_.starts()[i]) is_on_right = is_done = false;
      if (rows.columns[0].Get(i).integer == 0) {
        is_on_right = true;
      } else if (!is_done) {
        is_done = true;
        if (is_on_right == is_in) kept.push_back(i);
      }
    }
    TURDB_RETURN_IF_ERROR(sorted_.Add(rows.columns.data() + 1, kept.data(), static_cast<uint32_t>(kept.size())));
  }
  groups_.Close();
  return sorted_.Finish();
}

absl::Status SideGroups::Next(bool is_in, ColumnBatch* batch) {
  if (!is_sorted_) TURDB_RETURN_IF_ERROR(Sort(is_in));
  is_sorted_ = true;
  return sorted_.Next(width_, batch);
}

}  // namespace turdb::sql
