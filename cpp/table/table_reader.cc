// See table_reader.h: chooses the kind of scan, and counts.

#include "table/table_reader.h"

#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/key_tree.h"
#include "btree/row_tree.h"
#include "table/key_scan.h"
#include "table/read_log.h"
#include "table/row_scan.h"

namespace turdb::table {

absl::StatusOr<std::unique_ptr<TableScan>> ScanTable(txn::Transaction* txn, const catalog::TableDef& table,
                                                     std::vector<int> columns, RowIdRange range, bool is_descending) {
  RowReadLog* const reads = RowReadLog::Of(txn);
  if (table.is_without_rowid) {
    if (reads != nullptr) reads->NoteTable(table);
    return NewKeyScan(txn, table, IndexCodec(table, nullptr), columns, KeyRange(), is_descending);
  }
  if (reads != nullptr) reads->NoteRows(table, range);
  TURDB_ASSIGN_OR_RETURN(WantedColumns wanted, WantedColumns::Resolve(txn, table, columns));
  TURDB_ASSIGN_OR_RETURN(pager::FileView view, txn->View(table.file));
  return NewRowScan(std::move(view), std::move(wanted), range, is_descending);
}

absl::StatusOr<std::unique_ptr<TableScan>> ScanIndex(txn::Transaction* txn, const catalog::TableDef& table,
                                                     const catalog::IndexDef* index, std::vector<int> columns,
                                                     const IndexRange& range, bool is_descending) {
  if (index == nullptr && !table.is_without_rowid) return InternalError("a scan of table '", table.name, "' names no index");
  IndexCodec codec(table, index);
  const bool has_bounds = range.lower.has_value() || range.upper.has_value();
  if (range.prefix.size() + has_bounds > codec.key_columns().size()) {
    return InternalError("a range has more columns than the index it is for");
  }
  KeyRange keys = EncodeRange(codec, range);
  if (RowReadLog* const reads = RowReadLog::Of(txn)) reads->NoteKeys(table, index, keys);
  return NewKeyScan(txn, table, std::move(codec), columns, std::move(keys), is_descending);
}

bool IsCovering(const catalog::TableDef& table, const catalog::IndexDef& index, const std::vector<int>& columns) {
  if (index.kind != catalog::IndexKind::kBtree) return false;
  const IndexCodec codec(table, &index);
  return std::all_of(columns.begin(), columns.end(), [&](int column) {
    const bool is_row = column == catalog::kRowIdColumn || column == kRowKeyColumn ||
                        (column >= 0 && column == table.rowid_alias);
    return is_row || codec.PositionOf(column) >= 0;
  });
}

absl::StatusOr<uint64_t> CountTableRows(txn::Transaction* txn, const catalog::TableDef& table) {
  if (RowReadLog* const reads = RowReadLog::Of(txn)) reads->NoteTable(table);
  TURDB_ASSIGN_OR_RETURN(const pager::FileView view, txn->View(table.file));
  return table.is_without_rowid ? btree::CountKeys(view) : btree::CountRows(view);
}

absl::StatusOr<uint64_t> EstimateTableRows(txn::Transaction* txn, const catalog::TableDef& table) {
  TURDB_ASSIGN_OR_RETURN(const pager::FileView view, txn->View(table.file));
  return table.is_without_rowid ? btree::EstimateKeys(view) : btree::EstimateRows(view);
}

}  // namespace turdb::table
