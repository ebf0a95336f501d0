// Reading tables: scans by rowid, by index, look-ups and vector search, in batches.
//
// A reader works on the views of one transaction as they were when it was made. Column numbers are those of the
// TableDef; kRowIdColumn asks for the rowid; VectorSlotColumn(c) asks for the slot number of vector column c instead of
// the vector (what filters for vector search are made of). A vector column that is not asked for is never read.
// Cells point into pages of the views or into the batch's arena.
// WITHOUT ROWID tables have no rowid: kRowIdColumn is an error there (kRowKeyColumn gives the encoded primary key as a
// blob: what a RowRef is made of), and they are read in primary key order.
// Rows older than an added column show ColumnDef::added_default in it.
// A reader does not see writes made after it, provided txn->Freeze() was called between the two.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "catalog/definitions.h"
#include "record/key_encoding.h"
#include "table/row_ref.h"
#include "txn/store.h"
#include "types/column_vector.h"
#include "types/value.h"

namespace turdb::table {

inline constexpr int kRowKeyColumn = -3;  // WITHOUT ROWID tables: the encoded primary key, a blob

constexpr int VectorSlotColumn(int column) { return -100 - column; }
constexpr bool IsVectorSlotColumn(int column) { return column <= -100; }

// A source of batches. Not thread-safe.
class TableScan {
 public:
  virtual ~TableScan() = default;
  // Fills batch->columns (one per wanted column, in that order) with up to max_rows rows; size 0 at the end.
  virtual absl::Status Next(uint32_t max_rows, ColumnBatch* batch) = 0;
};

struct RowIdRange {
  int64_t first = std::numeric_limits<int64_t>::min();
  int64_t last = std::numeric_limits<int64_t>::max();
};

// All rows, or those of a rowid range, ascending or descending. For a WITHOUT ROWID table the range must be full.
absl::StatusOr<std::unique_ptr<TableScan>> ScanTable(txn::Transaction* txn, const catalog::TableDef& table,
                                                     std::vector<int> columns, RowIdRange range = {},
                                                     bool is_descending = false);

// A range of an index: the first `prefix.size()` index columns equal `prefix`, and the next one lies between the bounds.
// Without bounds, all rows of the prefix. REQUIRES: bounds only where there is a next column; none of them NULL.
struct IndexRange {
  std::vector<Value> prefix;
  std::optional<Value> lower, upper;
  bool lower_is_inclusive = true, upper_is_inclusive = true;
  bool includes_null = false;  // with an upper but no lower bound: whether NULLs of the bounded column are in the range
};

// Rows in index order (or backwards). Columns that the index itself holds are read from it; when all are, the table
// is not touched (a covering scan). `index` is one of table.indexes, or for WITHOUT ROWID its primary key (nullptr).
absl::StatusOr<std::unique_ptr<TableScan>> ScanIndex(txn::Transaction* txn, const catalog::TableDef& table,
                                                     const catalog::IndexDef* index, std::vector<int> columns,
                                                     const IndexRange& range, bool is_descending = false);
bool IsCovering(const catalog::TableDef& table, const catalog::IndexDef& index, const std::vector<int>& columns);

// Point look-ups by rowid (or encoded primary key); keeps its cursor, so runs of look-ups are cheap.
class RowLookup {
 public:
  virtual ~RowLookup() = default;
  // True and the wanted columns in `out` (as many as columns), or false when there is no such row.
  virtual absl::StatusOr<bool> Find(RowRef row, Cell* out) = 0;
  // For another execution: the views of `txn` as they are now. Between executions Release lets go of views.
  virtual absl::Status Rebind(txn::Transaction* txn, Arena* arena) = 0;
  virtual void Release() = 0;
};
// `table` must outlive it.
absl::StatusOr<std::unique_ptr<RowLookup>> LookUpRows(txn::Transaction* txn, const catalog::TableDef& table,
                                                      std::vector<int> columns, Arena* arena);

absl::StatusOr<uint64_t> CountTableRows(txn::Transaction* txn, const catalog::TableDef& table);     // exact
absl::StatusOr<uint64_t> EstimateTableRows(txn::Transaction* txn, const catalog::TableDef& table);  // O(height)

}  // namespace turdb::table
