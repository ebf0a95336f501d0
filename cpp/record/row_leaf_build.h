// Laying out a leaf: rows from other leaves, from columns of a batch or single ones become a new page.
//
// Each column gets the narrowest encoding that holds its values, equal entries stay shared, and what room is left over
// is spread over the minipages as slack, so that later rows are written in place. Splits, merges, re-layouts and
// bulk loading are all this one operation over different runs. Sources must not be the target page. Any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "record/row_leaf.h"
#include "types/column_vector.h"

namespace turdb::record {

// Consecutive rows of one source: a leaf, a batch of columns, or one row of cells (count 1).
struct RowRun {
  const RowLeaf* leaf = nullptr;
  const ColumnVector* columns = nullptr;
  const Cell* row = nullptr;
  uint32_t first = 0;  // of the leaf's or batch's rows
  uint32_t count = 0;
  uint32_t column_count = 0;      // of columns and row
  const int64_t* keys = nullptr;  // of columns: keys[first + i], or when null
  int64_t first_key = 0;          // first_key + first + i; of row: its key

  static RowRun OfLeaf(const RowLeaf& leaf, uint32_t first, uint32_t count) {
    return {.leaf = &leaf, .first = first, .count = count};
  }
  static RowRun OfRow(int64_t key, absl::Span<const Cell> row) {
    return {.row = row.data(),
            .count = 1,
            .column_count = static_cast<uint32_t>(row.size()),
            .first_key = key};
  }
  int64_t KeyAt(uint32_t i) const {
    if (leaf != nullptr) return leaf->KeyAt(first + i);
    return keys != nullptr ? keys[first + i] : static_cast<int64_t>(static_cast<uint64_t>(first_key) + first + i);
  }
};

enum class BuildResult { kFits, kFull, kDamaged };  // kDamaged: a source leaf is

// Writes the runs, in key order, as the only rows of `page`; its page header stays but for the kind. All leaf runs are of
// leaves of records when is_records, else none. After kFull or kDamaged the page's content is undefined.
// `like`, when given, is the leaf before: what encodings and slack its rows needed is provided for again.
BuildResult BuildRowLeaf(absl::Span<const RowRun> runs, bool is_records, uint8_t* page, const RowLeaf* like = nullptr);

// Bytes of a key's delta in a leaf of so many rows whose last key is `span` above the first.
uint32_t KeyWidthFor(uint64_t span, uint32_t rows);
// The runs restricted to rows [first, first + count) of their concatenation.
void SliceRuns(absl::Span<const RowRun> runs, uint32_t first, uint32_t count, std::vector<RowRun>* out);
uint32_t CountRows(absl::Span<const RowRun> runs);
// How many rows the left of two leaves takes so that both have about the same bytes. REQUIRES: two rows at least.
uint32_t BalancedSplit(absl::Span<const RowRun> runs);

}  // namespace turdb::record
