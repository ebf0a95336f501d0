// InSet: the right side of IN as a hash set of rows, with the comparison's affinities applied and SQL's NULLs.
//
// Contains is 1 when an equal row is there, NULL (-1) when a row could be equal but for NULLs, else 0. Not thread-safe.
#pragma once

#include <vector>

#include "sql/exec/key_table.h"

namespace turdb::sql {

class InSet {
 public:
  void Reset(std::vector<Affinity> affinities, std::vector<Collation> collations, const CollationRegistry* registry);
  void Add(const ColumnVector* columns, uint32_t rows);
  void Contains(const ColumnVector* const* columns, uint32_t rows, Arena* arena, int8_t* truth);

 private:
  void Convert(const ColumnVector* const* columns, uint32_t rows, Arena* arena);
  int8_t AmongNulls(uint32_t row) const;

  std::vector<Affinity> affinities_;
  std::vector<Collation> collations_;
  const CollationRegistry* registry_ = nullptr;
  KeyTable table_;
  bool has_null_row_ = false;
  Arena arena_;
  std::vector<const ColumnVector*> pointers_;
  std::vector<ColumnVector> converted_;
  std::vector<uint32_t> numbers_;
};

}  // namespace turdb::sql
