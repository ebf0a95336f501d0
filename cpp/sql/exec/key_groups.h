// KeyGroups: rows that come back with those of equal keys next to each other, each key's in the order of arrival.
//
// What GROUP BY, DISTINCT and set operations do with rows whose keys no longer fit in memory: they are sorted by the hash of
// the key, then by the key, so that a skewed or badly hashed key costs no more than another one. Rows are a payload, then
// the key, then what is internal here. Not thread-safe.
#pragma once

#include <vector>

#include "sql/exec/row_sorter.h"

namespace turdb::sql {

class KeyGroups {
 public:
  // Rows of `payload` columns and a key of collations.size().
  KeyGroups(ExecContext* context, int node_id, size_t payload, const std::vector<Collation>& collations);
  // Rows `selected` of the columns (nullptr: all); numbers[i] of row i grow from call to call and order a key's rows.
  absl::Status Add(const ColumnVector* payload, const ColumnVector* keys, const uint32_t* selected, uint32_t count,
                   const std::vector<int64_t>& numbers);
  absl::Status Finish() { return sorter_.Finish(); }
  void Close() { sorter_.Close(); }
  // The next rows: payload, key and last the number. starts()[i]: row i is the first of its key.
  absl::Status Next(ColumnBatch* batch);
  const std::vector<bool>& starts() const { return starts_; }

 private:
  static std::vector<OrderColumn> Order(size_t payload, const std::vector<Collation>& collations);

  size_t payload_;
  std::vector<Collation> collations_;
  RowSorter sorter_;
  RowOrder by_key_;
  std::vector<ColumnVector> row_;
  std::vector<uint64_t> hashes_;
  std::vector<bool> starts_;
  RowStore last_;  // the last row handed out
  std::vector<ColumnVector> last_columns_;
};

}  // namespace turdb::sql
