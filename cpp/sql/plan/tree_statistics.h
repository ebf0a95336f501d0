// TreeStatistics: what the planner asks about data, answered by the trees themselves: row counts in O(height), rows per
// key from a few entries at both ends of an index. Reads one transaction's view; remembers what it found. Not
// thread-safe.
#pragma once

#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "sql/plan/planner.h"
#include "txn/store.h"

namespace turdb::sql {

class TreeStatistics final : public Statistics {
 public:
  explicit TreeStatistics(txn::Transaction* txn) : txn_(txn) {}
  double RowCount(const catalog::TableDef& table) override;
  double RowsPerKey(const catalog::TableDef& table, const catalog::IndexDef& index, size_t columns) override;

 private:
  double SampleRowsPerKey(const catalog::TableDef& table, const catalog::IndexDef& index, size_t columns, bool from_end);

  txn::Transaction* txn_;
  absl::flat_hash_map<uint64_t, double> row_counts_;    // by table id
  absl::flat_hash_map<uint64_t, double> rows_per_key_;  // by index id and number of columns
};

}  // namespace turdb::sql
