// WantedColumns: what a reader was asked for, worked out once: which stored columns to read, and how each output column
// comes from them.
//
// Output kinds: a stored column as it is (also the slot numbers of a vector column), a vector found through its slot,
// the rowid (also under the name of its alias), the encoded primary key. Holds the views of the vector columns it needs.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "catalog/definitions.h"
#include "table/vector_column.h"
#include "txn/store.h"
#include "types/cell.h"

namespace turdb::table {

struct WantedColumns {
  enum class Kind : uint8_t { kStored, kVector, kRowId, kRowKey };
  struct Output {
    Kind kind;
    uint32_t stored = 0;  // place in `stored`, for kStored and kVector
    const VectorColumn* vectors = nullptr;
  };

  std::vector<uint32_t> stored;  // table columns to read, each once
  std::vector<Cell> defaults;    // for rows written before the column was added
  std::vector<Output> outputs;   // one per wanted column
  std::vector<std::unique_ptr<VectorColumn>> vector_columns;

  // kInternal for a column that the table does not have.
  static absl::StatusOr<WantedColumns> Resolve(txn::Transaction* txn, const catalog::TableDef& table,
                                               const std::vector<int>& columns);

 private:
  uint32_t AddStored(const catalog::TableDef& table, int column);
};

// The constant that rows without the column show in it.
Cell AddedDefault(const catalog::ColumnDef& column);

}  // namespace turdb::table
