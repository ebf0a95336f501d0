// RowOrder: compares rows of a RowStore by sort keys: direction, NULLS FIRST or LAST, collations.
//
// The keys are columns of the store. Typed columns compare without making cells. Immutable after construction.
#pragma once

#include <vector>

#include "sql/exec/collation.h"
#include "sql/exec/evaluator.h"
#include "sql/exec/row_store.h"

namespace turdb::sql {

struct OrderColumn {
  size_t column = 0;  // of the store
  bool is_descending = false;
  bool nulls_first = true;
  Collation collation = Collation::kBinary;
};

class RowOrder {
 public:
  RowOrder(std::vector<OrderColumn> columns, const CollationRegistry* registry)
      : columns_(std::move(columns)), registry_(registry) {}
  int Compare(const RowStore& store, uint64_t a, uint64_t b) const { return Compare(store, a, store, b); }
  int Compare(const RowStore& a_store, uint64_t a, const RowStore& b_store, uint64_t b) const;
  // Row `row` of loose key columns (one an OrderColumn) against a row of a store.
  int CompareLoose(const ColumnVector* const* keys, uint32_t row, const RowStore& store, uint64_t b) const;
  // Row `i` of loose columns, all a store would have, against row `j` of others.
  int CompareRows(const ColumnVector* a, uint32_t i, const ColumnVector* b, uint32_t j) const;
  // The same against row `b` of a store.
  int CompareRows(const ColumnVector* a, uint32_t i, const RowStore& store, uint64_t b) const;
  // A number that orders rows as the first key does, as far as eight bytes tell; rows with equal ones may differ.
  uint64_t Prefix(const ColumnVector* columns, uint32_t row) const;
  // Sorts row numbers, rows that are equal by number.
  void Sort(const RowStore& store, LargeVector<uint64_t>* rows) const;

 private:
  int CompareCell(const OrderColumn& column, const Cell& a, const Cell& b) const;
  std::vector<OrderColumn> columns_;
  const CollationRegistry* registry_;
};

// Sort keys as the columns [first, first + keys.size()) of a store.
std::vector<OrderColumn> OrderColumns(const std::vector<SortKey>& keys, size_t first);

}  // namespace turdb::sql
