#include "sql/exec/in_set.h"

namespace turdb::sql {

void InSet::Reset(std::vector<Affinity> affinities, std::vector<Collation> collations, const CollationRegistry* registry) {
  affinities_ = std::move(affinities);
  collations_ = collations;
  registry_ = registry;
  table_.Reset(std::move(collations), registry);
  has_null_row_ = false;
  converted_.resize(affinities_.size());
  pointers_.resize(affinities_.size());
}

// converted_ = columns with the affinities applied.
void InSet::Convert(const ColumnVector* const* columns, uint32_t rows, Arena* arena) {
  for (size_t c = 0; c < affinities_.size(); ++c) ConvertKey(*columns[c], affinities_[c], rows, arena, &converted_[c]);
}

void InSet::Add(const ColumnVector* columns, uint32_t rows) {
  for (size_t c = 0; c < affinities_.size(); ++c) pointers_[c] = &columns[c];
  Convert(pointers_.data(), rows, &arena_);
  for (const ColumnVector& column : converted_) {
    for (uint32_t i = 0; i < rows && !has_null_row_; ++i) has_null_row_ = column.IsNull(i);
  }
  numbers_.resize(rows);
  table_.FindOrAdd(converted_.data(), rows, numbers_.data());
  arena_.Reset();
}

int8_t InSet::AmongNulls(uint32_t row) const {
  const RowStore& keys = table_.keys();
  if (affinities_.size() == 1) return keys.size() == 0 ? 0 : -1;
  for (uint64_t k = 0; k < keys.size(); ++k) {
    bool differs = false;
    for (size_t c = 0; c < affinities_.size() && !differs; ++c) {
      const Cell a = converted_[c].Get(row), b = keys.Get(c, k);
      differs = !a.is_null() && !b.is_null() && CompareCollated(a, b, collations_[c], registry_) != 0;
    }
    if (!differs) return -1;
  }
  return 0;
}

void InSet::Contains(const ColumnVector* const* columns, uint32_t rows, Arena* arena, int8_t* truth) {
  Convert(columns, rows, arena);
  numbers_.resize(rows);
  table_.Find(converted_.data(), rows, numbers_.data());
  for (uint32_t i = 0; i < rows; ++i) {
    bool is_null = false;
    for (const ColumnVector& column : converted_) is_null = is_null || column.IsNull(i);
    if (!is_null && numbers_[i] != KeyTable::kAbsent) {
      truth[i] = 1;
    } else {
      truth[i] = is_null || has_null_row_ ? AmongNulls(i) : 0;
    }
  }
}

}  // namespace turdb::sql
