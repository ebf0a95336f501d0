// See wanted_columns.h.

#include "table/wanted_columns.h"

#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "table/table_reader.h"

namespace turdb::table {

Cell AddedDefault(const catalog::ColumnDef& column) {
  if (column.type.is_vector() || !column.added_default.has_value()) return Cell();
  return column.added_default->cell();
}

uint32_t WantedColumns::AddStored(const catalog::TableDef& table, int column) {
  const auto it = std::find(stored.begin(), stored.end(), static_cast<uint32_t>(column));
  if (it != stored.end()) return static_cast<uint32_t>(it - stored.begin());
  stored.push_back(static_cast<uint32_t>(column));
  defaults.push_back(AddedDefault(table.columns[column]));
  return static_cast<uint32_t>(stored.size() - 1);
}

absl::StatusOr<WantedColumns> WantedColumns::Resolve(txn::Transaction* txn, const catalog::TableDef& table,
                                                     const std::vector<int>& columns) {
  WantedColumns wanted;
  for (const int column : columns) {
    const int base = IsVectorSlotColumn(column) ? VectorSlotColumn(column) : column;  // its own inverse
    if (column == catalog::kRowIdColumn || (column >= 0 && column == table.rowid_alias)) {
      if (table.is_without_rowid) return InternalError("table '", table.name, "' has no rowid to read");
      wanted.outputs.push_back({Kind::kRowId});
    } else if (column == kRowKeyColumn) {
      if (!table.is_without_rowid) return InternalError("table '", table.name, "' has no row keys to read");
      wanted.outputs.push_back({Kind::kRowKey});
    } else if (base < 0 || base >= static_cast<int>(table.columns.size())) {
      return InternalError("table '", table.name, "' has no column ", column);
    } else if (column >= 0 && table.columns[column].type.is_vector()) {
      TURDB_ASSIGN_OR_RETURN(auto vectors, VectorColumn::Open(txn, table.columns[column]));
      wanted.outputs.push_back({Kind::kVector, wanted.AddStored(table, column), vectors.get()});
      wanted.vector_columns.push_back(std::move(vectors));
    } else {
      wanted.outputs.push_back({Kind::kStored, wanted.AddStored(table, base)});
    }
  }
  return wanted;
}

}  // namespace turdb::table
