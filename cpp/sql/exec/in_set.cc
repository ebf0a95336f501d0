#include "sql/exec/in_set.h"

#include "base/status_macros.h"

namespace turdb::sql {

std::shared_ptr<InSet> InSet::New(ExecContext* context) {
  std::shared_ptr<InSet> made(new InSet(context));
  context->at_close.push_back([made] { made->set_.Close(); });
  return made;
}

void InSet::Reset(std::vector<Affinity> affinities, std::vector<Collation> collations) {
  affinities_ = std::move(affinities);
  collations_ = std::move(collations);
  set_.Reset(collations_);
  has_null_row_ = false;
  converted_.resize(affinities_.size());
  pointers_.resize(affinities_.size());
}

// converted_ = columns with the affinities applied.
void InSet::Convert(const ColumnVector* const* columns, uint32_t rows, Arena* arena) {
  for (size_t c = 0; c < affinities_.size(); ++c) ConvertKey(*columns[c], affinities_[c], rows, arena, &converted_[c]);
}

absl::Status InSet::Add(const ColumnVector* columns, uint32_t rows) {
  for (size_t c = 0; c < affinities_.size(); ++c) pointers_[c] = &columns[c];
  Convert(pointers_.data(), rows, &arena_);
  for (const ColumnVector& column : converted_) {
    for (uint32_t i = 0; i < rows && !has_null_row_; ++i) has_null_row_ = column.IsNull(i);
  }
  TURDB_RETURN_IF_ERROR(set_.Add(converted_.data(), rows));
  arena_.Reset();
  return absl::OkStatus();
}

bool InSet::CouldBeEqual(uint32_t row, const ColumnVector* keys, uint32_t key) const {
  for (size_t c = 0; c < affinities_.size(); ++c) {
    const Cell a = converted_[c].Get(row), b = keys[c].Get(key);
    if (!a.is_null() && !b.is_null() && CompareCollated(a, b, collations_[c], context_->collations) != 0) return false;
  }
  return true;
}

// One pass over the set decides about all rows that are open.
absl::Status InSet::LookAmongNulls(int8_t* truth) {
  if (affinities_.size() == 1) {
    for (uint32_t row : open_) truth[row] = set_.empty() ? 0 : -1;
    return absl::OkStatus();
  }
  KeySet::Place place;
  ColumnBatch keys;
  while (!open_.empty()) {
    TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
    TURDB_RETURN_IF_ERROR(set_.Next(&place, &keys));
    if (keys.size == 0) break;
    std::erase_if(open_, [&](uint32_t row) {
      for (uint32_t key = 0; key < keys.size && truth[row] == 0; ++key) {
        if (CouldBeEqual(row, keys.columns.data(), key)) truth[row] = -1;
      }
      return truth[row] != 0;
    });
  }
  return absl::OkStatus();
}

absl::Status InSet::Contains(const ColumnVector* const* columns, uint32_t rows, Arena* arena, int8_t* truth) {
  Convert(columns, rows, arena);
  found_.resize(rows);
  bool* const found = reinterpret_cast<bool*>(found_.data());
  TURDB_RETURN_IF_ERROR(set_.Find(converted_.data(), rows, found));
  open_.clear();
  for (uint32_t i = 0; i < rows; ++i) {
    bool is_null = false;
    for (const ColumnVector& column : converted_) is_null = is_null || column.IsNull(i);
    truth[i] = !is_null && found[i] ? 1 : 0;
    if (truth[i] == 0 && (is_null || has_null_row_)) open_.push_back(i);
  }
  return open_.empty() ? absl::OkStatus() : LookAmongNulls(truth);
}

}  // namespace turdb::sql
