// InSet: the right side of IN as a set of rows, with the comparison's affinities applied and SQL's NULLs.
//
// Contains is 1 when an equal row is there, NULL (-1) when a row could be equal but for NULLs, else 0. Rows past the statement's
// memory are on disk. Not thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "sql/exec/key_set.h"

namespace turdb::sql {

class InSet {
 public:
  // One whose memory and disk are given back when the statement ends. The context outlives it.
  static std::shared_ptr<InSet> New(ExecContext* context);

  void Reset(std::vector<Affinity> affinities, std::vector<Collation> collations);
  // Errors as of RowSpill::Write.
  absl::Status Add(const ColumnVector* columns, uint32_t rows);
  absl::Status Contains(const ColumnVector* const* columns, uint32_t rows, Arena* arena, int8_t* truth);

 private:
  explicit InSet(ExecContext* context) : context_(context), set_(context, RowSpill::kNoNode) {}
  void Convert(const ColumnVector* const* columns, uint32_t rows, Arena* arena);
  absl::Status LookAmongNulls(int8_t* truth);
  bool CouldBeEqual(uint32_t row, const ColumnVector* keys, uint32_t key) const;

  ExecContext* context_;
  std::vector<Affinity> affinities_;
  std::vector<Collation> collations_;
  KeySet set_;
  bool has_null_row_ = false;
  Arena arena_;
  std::vector<const ColumnVector*> pointers_;
  std::vector<ColumnVector> converted_;
  std::vector<uint32_t> open_;  // rows that are not there, where NULLs may make the answer NULL
  std::vector<char> found_;
};

}  // namespace turdb::sql
