// NewRows: which rows of an input have not come before; what DISTINCT and the set operations stand on.
//
// Rows are handed on as they come, as long as those that were seen fit in memory. Then the set takes no more: rows that are
// not in it are put aside (KeyGroups), and what is new among them comes at the end (TakeLate), in the order of arrival. So the
// result does not depend on how much memory there was. Not thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "sql/exec/key_groups.h"
#include "sql/exec/key_table.h"

namespace turdb::sql {

class NewRows {
 public:
  NewRows(ExecContext* context, int node_id) : context_(context), node_id_(node_id), share_(&context->memory) {}
  // Rows of `width` columns; those without a collation compare as binary.
  void Reset(const std::vector<Collation>& collations, size_t width);

  // The new rows of `input` as a batch that shares its columns. size 0 when none is left for now.
  absl::Status Take(const ColumnBatch& input, ColumnBatch* batch);
  // The same, of rows that are (or are not) in `other`.
  absl::Status TakeIf(const ColumnBatch& input, KeyTable* other, bool is_in, ColumnBatch* batch);
  // When the input is at its end: the new ones of the rows put aside. size 0: the end.
  absl::Status TakeLate(ColumnBatch* batch);
  void Close();

 private:
  absl::Status Find(const ColumnBatch& input);
  absl::Status PutAside(const ColumnBatch& input);
  absl::Status SortLate();
  void Hand(const ColumnBatch& input, ColumnBatch* batch);

  ExecContext* context_;
  int node_id_;
  MemoryShare share_;
  std::vector<Collation> collations_;
  KeyTable table_;
  bool is_full_ = false;
  int64_t row_number_ = 0;
  std::unique_ptr<KeyGroups> aside_;
  std::unique_ptr<RowSorter> late_;  // new ones of those put aside, by number
  std::vector<uint32_t> numbers_, other_numbers_, rows_;
  bool is_new_[kBatchRows];
};

// EXCEPT and INTERSECT when the right side does not fit in memory: rows of both sides are brought together by value.
class SideGroups {
 public:
  SideGroups(ExecContext* context, int node_id, const std::vector<Collation>& collations);
  // All rows of the right side are added before those of the left.
  absl::Status Add(const ColumnVector* columns, uint32_t rows, bool is_left);
  // Distinct left rows that are (or are not) on the right, in the order in which they came.
  absl::Status Next(bool is_in, ColumnBatch* batch);

 private:
  absl::Status Sort(bool is_in);

  size_t width_;
  KeyGroups groups_;
  RowSorter sorted_;
  bool is_sorted_ = false;
  int64_t row_number_ = 0;
};

}  // namespace turdb::sql
