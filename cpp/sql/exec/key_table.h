// KeyTable: a hash table of distinct key rows, numbered from 0 in order of arrival.
//
// What GROUP BY, DISTINCT, set operations, IN and hash joins stand on. NULLs are equal to each other here (joins leave
// such rows out beforehand), 1 equals 1.0, texts are equal under their column's collation. Open addressing over
// 8-byte entries (half of the hash, number of the key); keys live in a RowStore. Not thread-safe.
#pragma once

#include <vector>

#include "sql/exec/collation.h"
#include "types/logical_type.h"
#include "sql/exec/row_store.h"

namespace turdb::sql {

// Equal cells hash equal under the collation.
uint64_t HashForKey(const Cell& cell, Collation collation);
// hashes[i] of key rows, columns combined.
void HashKeys(const ColumnVector* keys, const std::vector<Collation>& collations, uint32_t rows, uint64_t* hashes);

// A key column with a comparison's affinity (kNone, kNumeric, kText) applied; bytes go to `arena`.
void ConvertKey(const ColumnVector& from, Affinity affinity, uint32_t rows, Arena* arena, ColumnVector* to);

class KeyTable {
 public:
  static constexpr uint32_t kAbsent = ~uint32_t{0};

  // Empty, for keys of collations.size() columns.
  void Reset(std::vector<Collation> collations, const CollationRegistry* registry);
  // The number of each row's key; new keys are added. `was_added`, when given, tells for which rows.
  void FindOrAdd(const ColumnVector* keys, uint32_t rows, uint32_t* numbers, bool* was_added = nullptr);
  // kAbsent for keys that are not there.
  void Find(const ColumnVector* keys, uint32_t rows, uint32_t* numbers);

  uint32_t size() const { return static_cast<uint32_t>(keys_.size()); }
  const RowStore& keys() const { return keys_; }
  uint64_t bytes() const { return keys_.bytes() + entries_.size() * 8; }
  void Free();  // empty, with all memory given back; Reset before the next use

 private:
  bool Equal(const ColumnVector* keys, uint32_t row, uint32_t number) const;
  uint32_t Probe(const ColumnVector* keys, uint32_t row, uint64_t hash, size_t* at) const;
  bool IsIntegerKey(const ColumnVector* keys) const;
  template <bool kAdd>
  void RunIntegers(const int64_t* values, uint32_t rows, uint32_t* numbers, bool* was_added);
  void Add(const ColumnVector* keys, uint32_t row, uint64_t hash, size_t at);
  void Grow();

  std::vector<Collation> collations_;
  const CollationRegistry* registry_ = nullptr;
  RowStore keys_;
  LargeVector<uint64_t> entries_;  // 0: free; else high half of the hash, low half number + 1
  std::vector<uint64_t> hashes_;
  std::vector<Cell> row_;
  size_t mask_ = 0;
};

}  // namespace turdb::sql
