// RowStore: where a table's own rows are written: a RowTree by rowid, or a KeyTree by primary key (WITHOUT ROWID).
//
// Rows are stored rows: a cell per table column, NULL for the rowid's alias, slot numbers for vectors.
// REQUIRES: the transaction is writing. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/arena.h"
#include "btree/row_editor.h"
#include "catalog/definitions.h"
#include "table/row_ref.h"
#include "txn/store.h"
#include "types/cell.h"

namespace turdb::table {

class RowStore {
 public:
  virtual ~RowStore() = default;
  // How the row is named that `row` would be; a key lives until the next call.
  virtual RowRef RefOf(RowId rowid, absl::Span<const Cell> row) = 0;
  virtual absl::StatusOr<bool> Contains(RowRef ref) = 0;
  // The stored row whose columns `wanted` marks (others undefined), false when there is none. Its bytes hold until the
  // next write to the store, or in the arena.
  virtual absl::StatusOr<bool> Read(RowRef ref, const std::vector<bool>& wanted, Arena* arena, Cell* row) = 0;
  virtual absl::StatusOr<bool> Insert(RowRef ref, absl::Span<const Cell> row) = 0;  // false: it exists
  // False: it does not exist. Columns that `changed` does not mark stay as they are; in a tree by rowid their cells are not
  // looked at.
  virtual absl::StatusOr<bool> Update(RowRef ref, absl::Span<const Cell> row, const std::vector<bool>& changed) = 0;
  virtual absl::StatusOr<bool> Erase(RowRef ref) = 0;
  virtual absl::Status Clear() = 0;
  virtual pager::FileWriter* file() = 0;
  // As if opened anew, for the file's writer in another transaction.
  virtual void Reset(pager::FileWriter* file) = 0;
  virtual btree::RowEditor* editor() { return nullptr; }  // of a tree by rowid
};

// `table` must outlive the store.
absl::StatusOr<std::unique_ptr<RowStore>> OpenRowStore(txn::Transaction* txn, const catalog::TableDef& table);

}  // namespace turdb::table
