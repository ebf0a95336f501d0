// The cells of a row on their way into and out of leaves: long values leave for overflow chains and come back.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "base/arena.h"
#include "pager/file_writer.h"
#include "record/row_leaf.h"

namespace turdb::btree {

// A row ready to be stored: cells no longer than a leaf takes. Keeps what it had to make.
class StoredRow {
 public:
  // Spills long cells. Chains in `old` (the row's cells until now, or empty) that hold the same bytes are kept.
  absl::Status Prepare(pager::FileWriter* writer, absl::Span<const Cell> row, absl::Span<const Cell> old);
  absl::Span<const Cell> cells() const { return cells_; }

 private:
  absl::Span<const Cell> cells_;
  std::vector<Cell> spilled_;
};

// All stored cells of a row, overflowed ones as their marks; of a record, its inner cells (`arena` keeps a long one).
// `record` gets the record's own cell in a leaf of records.
absl::Status ReadStoredRow(const pager::FileView& view, PageId leaf_id, const record::RowLeaf& leaf, uint32_t row,
                           Arena* arena, std::vector<Cell>* cells, Cell* record);

// Replaces an overflowed cell by its value.
absl::Status Resolve(const pager::FileView& view, Arena* arena, Cell* cell);

// Whether any column of the leaf may refer to overflow chains.
bool MayOverflow(const record::RowLeaf& leaf);

}  // namespace turdb::btree
