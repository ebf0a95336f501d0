// Filling a batch column from leaves: typed where the leaves are typed, converted when leaves disagree.
//
// Text and blob cells point into the page. Overflowed values come as their mark (record/leaf_entry.h), for the
// caller to replace; has_overflow says that there may be some. Not thread-safe.
#pragma once

#include <cstdint>

#include "record/row_leaf.h"
#include "types/column_vector.h"

namespace turdb::record {

// Where in the batch a leaf's rows go: rows [at, at + n) of a column with room for `capacity`; at 0 starts it anew.
struct BatchRange {
  uint32_t at = 0;
  uint32_t n = 0;
  uint32_t capacity = 0;
};

// Appends values [first, first + n) of a table's column (not of a leaf of records); rows that lack the column get
// `absent`. False when the leaf is damaged.
bool AppendLeafColumn(const RowLeaf& leaf, uint32_t column, uint32_t first, const Cell& absent, BatchRange range,
                      ColumnVector* out, bool* has_overflow);
// Appends n times the same value, or one cell.
void AppendConstant(const Cell& value, BatchRange range, ColumnVector* out);

}  // namespace turdb::record
