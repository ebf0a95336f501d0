#include "sql/exec/row_order.h"

#include <algorithm>
#include <cstring>

namespace turdb::sql {

using Layout = ColumnVector::Layout;

int RowOrder::CompareCell(const OrderColumn& column, const Cell& a, const Cell& b) const {
  if (a.is_null() || b.is_null()) {
    if (a.is_null() == b.is_null()) return 0;
    return a.is_null() == column.nulls_first ? -1 : 1;
  }
  const int order = CompareCollated(a, b, column.collation, registry_);
  return column.is_descending ? -order : order;
}

int RowOrder::Compare(const RowStore& a_store, uint64_t a, const RowStore& b_store, uint64_t b) const {
  for (const OrderColumn& column : columns_) {
    const size_t c = column.column;
    if (a_store.layout(c) == Layout::kInt64 && b_store.layout(c) == Layout::kInt64 && !a_store.has_nulls(c) && !b_store.has_nulls(c)) {
      const int64_t x = a_store.ints(c)[a], y = b_store.ints(c)[b];
      if (x != y) return (x < y) != column.is_descending ? -1 : 1;
      continue;
    }
    const int order = CompareCell(column, a_store.Get(c, a), b_store.Get(c, b));
    if (order != 0) return order;
  }
  return 0;
}

int RowOrder::CompareLoose(const ColumnVector* const* keys, uint32_t row, const RowStore& store, uint64_t b) const {
  for (size_t i = 0; i < columns_.size(); ++i) {
    const int order = CompareCell(columns_[i], keys[i]->Get(row), store.Get(columns_[i].column, b));
    if (order != 0) return order;
  }
  return 0;
}

int RowOrder::CompareRows(const ColumnVector* a, uint32_t i, const ColumnVector* b, uint32_t j) const {
  for (const OrderColumn& column : columns_) {
    const int order = CompareCell(column, a[column.column].Get(i), b[column.column].Get(j));
    if (order != 0) return order;
  }
  return 0;
}

int RowOrder::CompareRows(const ColumnVector* a, uint32_t i, const RowStore& store, uint64_t b) const {
  for (const OrderColumn& column : columns_) {
    const int order = CompareCell(column, a[column.column].Get(i), store.Get(column.column, b));
    if (order != 0) return order;
  }
  return 0;
}

namespace {

uint64_t RealPrefix(double value) {
  if (value == 0) value = 0;  // -0.0 equals 0.0
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits >> 63 ? ~bits : bits | (uint64_t{1} << 63);
}
uint64_t BytesPrefix(const Cell& cell) {
  uint64_t key = 0;
  for (uint32_t i = 0; i < 8; ++i) key = (key << 8) | (i < cell.length ? static_cast<uint8_t>(cell.bytes[i]) : 0);
  return key;
}

// A number that orders as the first key does, as far as eight bytes tell; ties ask the full comparison.
class Prefixes {
 public:
  Prefixes(const RowStore& store, const OrderColumn& column) : store_(store), column_(column) {}

  // False when such numbers would not agree with the comparison.
  bool CanPrefix() const {
    if (store_.layout(column_.column) != Layout::kCells) return true;
    for (uint64_t i = 0; i < store_.size(); ++i) {
      const Cell cell = store_.Get(column_.column, i);
      if (!cell.is_null() && !cell.is_text()) return false;
    }
    return column_.collation == Collation::kBinary;
  }
  // Equal numbers mean equal keys.
  bool IsExact() const { return store_.layout(column_.column) != Layout::kCells && !store_.has_nulls(column_.column); }
  uint64_t Of(uint64_t row) const {
    const Cell cell = store_.Get(column_.column, row);
    if (cell.is_null()) return column_.nulls_first ? 0 : ~uint64_t{0};
    // NULLs take the ends; values that reach them only tie.
    uint64_t key = cell.is_integer() ? static_cast<uint64_t>(cell.integer) ^ (uint64_t{1} << 63)
                   : cell.is_real()  ? RealPrefix(cell.real)
                                     : BytesPrefix(cell);
    return column_.is_descending ? ~key : key;
  }

 private:
  const RowStore& store_;
  const OrderColumn& column_;
};

}  // namespace

// Rows of different stores: classes may be mixed, so three bits tell the class and integers count as reals, which keeps
// their order though it may make neighbours equal.
uint64_t RowOrder::Prefix(const ColumnVector* columns, uint32_t row) const {
  if (columns_.empty()) return 0;
  const OrderColumn& column = columns_[0];
  const Cell cell = columns[column.column].Get(row);
  uint64_t key = 0;
  switch (cell.type) {
    case StorageClass::kNull: return column.nulls_first ? 0 : ~uint64_t{0};
    case StorageClass::kInteger: key = RealPrefix(static_cast<double>(cell.integer)); break;
    case StorageClass::kReal: key = RealPrefix(cell.real); break;
    case StorageClass::kText: key = column.collation == Collation::kBinary ? BytesPrefix(cell) : 0; break;
    case StorageClass::kBlob: key = BytesPrefix(cell); break;
    case StorageClass::kVector: break;
  }
  const uint64_t type = cell.is_numeric() ? 1 : static_cast<uint64_t>(cell.type) - 1;
  key = type << 61 | key >> 3;
  return column.is_descending ? ~key : key;
}

void RowOrder::Sort(const RowStore& store, LargeVector<uint64_t>* rows) const {
  auto by_all = [&](uint64_t a, uint64_t b) {
    const int order = Compare(store, a, b);
    return order != 0 ? order < 0 : a < b;
  };
  if (columns_.empty()) return std::sort(rows->begin(), rows->end());
  Prefixes prefixes(store, columns_[0]);
  if (rows->size() < 64 || !prefixes.CanPrefix()) return std::sort(rows->begin(), rows->end(), by_all);
  struct Entry { uint64_t prefix, row; };
  std::vector<Entry> entries;
  entries.reserve(rows->size());
  for (uint64_t row : *rows) entries.push_back({prefixes.Of(row), row});
  const bool is_exact = columns_.size() == 1 && prefixes.IsExact();
  auto by_prefix = [](const Entry& a, const Entry& b) { return a.prefix != b.prefix ? a.prefix < b.prefix : a.row < b.row; };
  auto by_both = [&](const Entry& a, const Entry& b) {
    return a.prefix != b.prefix ? a.prefix < b.prefix : by_all(a.row, b.row);
  };
  if (is_exact) {
    std::sort(entries.begin(), entries.end(), by_prefix);
  } else {
    std::sort(entries.begin(), entries.end(), by_both);
  }
  for (size_t i = 0; i < entries.size(); ++i) (*rows)[i] = entries[i].row;
}

std::vector<OrderColumn> OrderColumns(const std::vector<SortKey>& keys, size_t first) {
  std::vector<OrderColumn> columns;
  for (size_t i = 0; i < keys.size(); ++i) {
    columns.push_back({first + i, keys[i].is_descending, keys[i].nulls_first, keys[i].collation});
  }
  return columns;
}

}  // namespace turdb::sql
