// Filling a batch column from leaves: typed where the leaves are typed, converted when leaves disagree.
//
// Text and blob cells point into the page. Overflowed values come as their mark (record/leaf_entry.h), for the
// caller to replace; has_overflow says that there may be some. Not thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "record/row_leaf.h"
#include "types/column_vector.h"

namespace turdb::record {

// Where in the batch a leaf's rows go: rows [at, at + n) of a column with room for `capacity`; at 0 starts it anew.
struct BatchRange {
  uint32_t at = 0;
  uint32_t n = 0;
  uint32_t capacity = 0;
};

// How far the packs of some rows have been walked for one column, so that a later column of the same packs goes on from there. Good
// while the leaf is not changed.
struct PackWalk {
  const uint8_t* packs = nullptr;  // the offsets of the packs; nullptr: nothing walked
  uint32_t first = 0;
  uint32_t place = 0;
  std::vector<uint16_t> at;  // of the entry at `place`, a row
};

// Appends values [first, first + n) of a table's column (not of a leaf of records); rows that lack the column get
// `absent`. False when the leaf is damaged. `walk` (or nullptr): of the leaf, where further columns of the same rows are to come.
bool AppendLeafColumn(const RowLeaf& leaf, uint32_t column, uint32_t first, const Cell& absent, BatchRange range,
                      ColumnVector* out, bool* has_overflow, PackWalk* walk = nullptr);
// Appends n times the same value, or one cell.
void AppendConstant(const Cell& value, BatchRange range, ColumnVector* out);

}  // namespace turdb::record
