#include "sql/exec/key_table.h"

#include <cstring>

#include "absl/hash/hash.h"
#include "base/strings.h"
#include "sql/exec/cell_ops.h"

namespace turdb::sql {
namespace {

using Layout = ColumnVector::Layout;
constexpr size_t kFirstEntries = 256;

// The finaliser of MurmurHash3: every input bit reaches every output bit.
uint64_t Mix(uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ULL;
  return x ^ (x >> 33);
}
uint64_t HashInteger(int64_t value) { return Mix(static_cast<uint64_t>(value) + 0x9e3779b97f4a7c15ULL); }
uint64_t HashReal(double value) {
  if (value >= -9223372036854775808.0 && value < 9223372036854775808.0) {
    const int64_t whole = static_cast<int64_t>(value);
    if (static_cast<double>(whole) == value) return HashInteger(whole);
  }
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return Mix(bits);
}
constexpr uint64_t kNullHash = 0x9ae16a3b2f90404fULL;

void Combine(uint64_t hash, bool is_first, uint64_t* to) { *to = is_first ? hash : Mix(*to * 31 + hash); }

void HashColumn(const ColumnVector& column, Collation collation, uint32_t rows, bool is_first, uint64_t* hashes) {
  if (column.is_constant()) {
    const uint64_t hash = HashForKey(column.Get(0), collation);
    for (uint32_t i = 0; i < rows; ++i) Combine(hash, is_first, &hashes[i]);
    return;
  }
  if (column.layout() == Layout::kInt64 && !column.has_nulls()) {
    const int64_t* values = column.ints();
    for (uint32_t i = 0; i < rows; ++i) Combine(HashInteger(values[i]), is_first, &hashes[i]);
    return;
  }
  for (uint32_t i = 0; i < rows; ++i) Combine(HashForKey(column.Get(i), collation), is_first, &hashes[i]);
}

}  // namespace

uint64_t HashForKey(const Cell& cell, Collation collation) {
  switch (cell.type) {
    case StorageClass::kNull: return kNullHash;
    case StorageClass::kInteger: return HashInteger(cell.integer);
    case StorageClass::kReal: return HashReal(cell.real);
    case StorageClass::kText:
      if (IsUserCollation(collation)) return 1;
      if (collation != Collation::kBinary) return HashCell(cell, collation);
      return absl::HashOf(ToAbsl(cell.view()));
    default: return absl::HashOf(ToAbsl(cell.view()), static_cast<int>(cell.type));
  }
}

void HashKeys(const ColumnVector* keys, const std::vector<Collation>& collations, uint32_t rows, uint64_t* hashes) {
  if (collations.empty()) std::fill(hashes, hashes + rows, kNullHash);
  for (size_t i = 0; i < collations.size(); ++i) HashColumn(keys[i], collations[i], rows, i == 0, hashes);
}

void ConvertKey(const ColumnVector& from, Affinity affinity, uint32_t rows, Arena* arena, ColumnVector* to) {
  const bool is_typed = from.layout() != Layout::kCells;
  if (affinity < Affinity::kText || (is_typed && affinity >= Affinity::kNumeric)) {
    to->Reference(from);
    return;
  }
  *to = ColumnVector();
  Cell* cells = to->ResetCells(rows);
  for (uint32_t i = 0; i < rows; ++i) cells[i] = ApplyComparisonAffinity(from.Get(i), affinity, arena);
}

void KeyTable::Reset(std::vector<Collation> collations, const CollationRegistry* registry) {
  collations_ = std::move(collations);
  registry_ = registry;
  keys_.Reset(collations_.size());
  row_.resize(collations_.size());
  // A table that grew large once should not make every later use clear megabytes.
  if (entries_.size() > kFirstEntries * 16 || entries_.empty()) entries_.resize(kFirstEntries);
  std::fill(entries_.begin(), entries_.end(), 0);
  mask_ = entries_.size() - 1;
}

void KeyTable::Free() {
  keys_.Free();
  LargeVector<uint64_t>().swap(entries_);
  std::vector<uint64_t>().swap(hashes_);
}

bool KeyTable::Equal(const ColumnVector* keys, uint32_t row, uint32_t number) const {
  for (size_t i = 0; i < collations_.size(); ++i) {
    if (keys[i].layout() == Layout::kInt64 && keys_.layout(i) == Layout::kInt64 && !keys[i].is_constant()) {
      const bool is_null = keys[i].IsNull(row);
      if (is_null != keys_.IsNull(i, number) || (!is_null && keys[i].ints()[row] != keys_.ints(i)[number])) return false;
      continue;
    }
    const Cell a = keys[i].Get(row), b = keys_.Get(i, number);
    if (a.is_text() && b.is_text() && collations_[i] == Collation::kBinary) {
      if (a.length != b.length || std::memcmp(a.bytes, b.bytes, a.length) != 0) return false;
    } else if (CompareCollated(a, b, collations_[i], registry_) != 0) {
      return false;
    }
  }
  return true;
}

uint32_t KeyTable::Probe(const ColumnVector* keys, uint32_t row, uint64_t hash, size_t* at) const {
  const uint64_t tag = hash >> 32;
  size_t slot = hash & mask_;
  for (;; slot = (slot + 1) & mask_) {
    const uint64_t entry = entries_[slot];
    if (entry == 0) break;
    const uint32_t number = static_cast<uint32_t>(entry) - 1;
    if ((entry >> 32) == tag && Equal(keys, row, number)) return number;
  }
  *at = slot;
  return kAbsent;
}

void KeyTable::Add(const ColumnVector* keys, uint32_t row, uint64_t hash, size_t at) {
  for (size_t i = 0; i < row_.size(); ++i) row_[i] = keys[i].Get(row);
  entries_[at] = (hash >> 32 << 32) | (size() + 1);
  keys_.AppendRow(row_.data());
  if (keys_.size() * 2 > entries_.size()) Grow();
}

void KeyTable::Grow() {
  LargeVector<uint64_t> entries(entries_.size() * 4);
  mask_ = entries.size() - 1;
  // The low half of a hash is not kept: hash the keys again.
  std::vector<ColumnVector> columns(collations_.size());
  std::vector<uint64_t> hashes(kBatchRows);
  for (uint64_t first = 0; first < keys_.size(); first += kBatchRows) {
    const uint32_t n = static_cast<uint32_t>(std::min<uint64_t>(kBatchRows, keys_.size() - first));
    for (size_t i = 0; i < columns.size(); ++i) keys_.ReadColumn(i, first, n, &columns[i]);
    HashKeys(columns.data(), collations_, n, hashes.data());
    for (uint32_t k = 0; k < n; ++k) {
      size_t slot = hashes[k] & mask_;
      while (entries[slot] != 0) slot = (slot + 1) & mask_;
      entries[slot] = (hashes[k] >> 32 << 32) | (first + k + 1);
    }
  }
  entries_.swap(entries);
}

bool KeyTable::IsIntegerKey(const ColumnVector* keys) const {
  return collations_.size() == 1 && keys[0].layout() == Layout::kInt64 && !keys[0].is_constant() && !keys[0].has_nulls() &&
         keys_.layout(0) == Layout::kInt64 && !keys_.has_nulls(0);
}

// The common case by itself: one integer column without NULLs.
template <bool kAdd>
void KeyTable::RunIntegers(const int64_t* values, uint32_t rows, uint32_t* numbers, bool* was_added) {
  for (uint32_t i = 0; i < rows; ++i) {
    const uint64_t hash = HashInteger(values[i]);
    const uint64_t tag = hash >> 32;
    size_t slot = hash & mask_;
    uint32_t number = kAbsent;
    for (;; slot = (slot + 1) & mask_) {
      const uint64_t entry = entries_[slot];
      if (entry == 0) break;
      const uint32_t candidate = static_cast<uint32_t>(entry) - 1;
      if ((entry >> 32) == tag && keys_.ints(0)[candidate] == values[i]) {
        number = candidate;
        break;
      }
    }
    if (was_added != nullptr) was_added[i] = kAdd && number == kAbsent;
    if (kAdd && number == kAbsent) {
      number = size();
      entries_[slot] = (tag << 32) | (number + 1);
      row_[0] = Cell::Integer(values[i]);
      keys_.AppendRow(row_.data());
      if (keys_.size() * 2 > entries_.size()) Grow();
    }
    numbers[i] = number;
  }
}

void KeyTable::FindOrAdd(const ColumnVector* keys, uint32_t rows, uint32_t* numbers, bool* was_added) {
  if (IsIntegerKey(keys)) return RunIntegers<true>(keys[0].ints(), rows, numbers, was_added);
  hashes_.resize(rows);
  HashKeys(keys, collations_, rows, hashes_.data());
  for (uint32_t i = 0; i < rows; ++i) {
    size_t at = 0;
    numbers[i] = Probe(keys, i, hashes_[i], &at);
    const bool is_new = numbers[i] == kAbsent;
    if (was_added != nullptr) was_added[i] = is_new;
    if (!is_new) continue;
    numbers[i] = size();
    Add(keys, i, hashes_[i], at);
  }
}

void KeyTable::Find(const ColumnVector* keys, uint32_t rows, uint32_t* numbers) {
  if (IsIntegerKey(keys)) return RunIntegers<false>(keys[0].ints(), rows, numbers, nullptr);
  hashes_.resize(rows);
  HashKeys(keys, collations_, rows, hashes_.data());
  size_t at = 0;
  for (uint32_t i = 0; i < rows; ++i) numbers[i] = Probe(keys, i, hashes_[i], &at);
}

}  // namespace turdb::sql
