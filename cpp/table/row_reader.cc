// See row_reader.h.

#include "table/row_reader.h"

#include "base/status_macros.h"
#include "table/table_reader.h"

namespace turdb::table {

absl::Status ForEachRow(txn::Transaction* txn, const catalog::TableDef& table, const std::vector<bool>& needed, bool as_slots,
                        absl::FunctionRef<absl::Status(RowRef ref, absl::Span<const Cell> row)> visit) {
  std::vector<int> wanted = {table.is_without_rowid ? kRowKeyColumn : catalog::kRowIdColumn};
  std::vector<int> targets = {-1};
  for (size_t c = 0; c < table.columns.size(); ++c) {
    if (!needed[c]) continue;
    const int column = static_cast<int>(c);
    wanted.push_back(as_slots && table.columns[c].type.is_vector() ? VectorSlotColumn(column) : column);
    targets.push_back(column);
  }
  TURDB_ASSIGN_OR_RETURN(const auto scan, ScanTable(txn, table, wanted));
  std::vector<Cell> row(table.columns.size());
  ColumnBatch batch;
  while (true) {
    TURDB_RETURN_IF_ERROR(scan->Next(kBatchRows, &batch));
    if (batch.size == 0) return absl::OkStatus();
    for (uint32_t i = 0; i < batch.size; ++i) {
      for (size_t c = 1; c < targets.size(); ++c) row[targets[c]] = batch.columns[c].Get(i);
      const Cell name = batch.columns[0].Get(i);
      const RowRef ref = table.is_without_rowid ? RowRef(name.view()) : RowRef(RowId(name.integer));
      TURDB_RETURN_IF_ERROR(visit(ref, row));
    }
  }
}

}  // namespace turdb::table
