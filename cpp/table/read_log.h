// RowReadLog: what a SERIALIZABLE transaction has read, and whether it is still so (txn/change_log.h).
//
// Kept as ranges: of rowids, of keys of an index or of a WITHOUT ROWID table, single rows, or a whole table (vector searches, and
// tables with too many ranges). At commit those of tables that others have changed are read again, in the snapshot and in
// the newest state, and compared row by row: a phantom shows as a row that only one of the two has.
// Belongs to the transaction's thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "catalog/definitions.h"
#include "table/key_scan.h"
#include "table/row_ref.h"
#include "table/table_reader.h"
#include "txn/change_log.h"

namespace turdb::table {

class RowReadLog final : public txn::ReadLog {
 public:
  // The transaction's, or null when it keeps none.
  static RowReadLog* Of(txn::Transaction* txn) { return static_cast<RowReadLog*>(txn->read_log()); }

  void NoteTable(const catalog::TableDef& table);
  void NoteRows(const catalog::TableDef& table, RowIdRange range);
  // `index` null: keys of the table itself.
  void NoteKeys(const catalog::TableDef& table, const catalog::IndexDef* index, const KeyRange& range);
  void NoteRow(const catalog::TableDef& table, RowRef row);

  absl::Status Validate(txn::Transaction* txn) override;

 private:
  struct IndexKeys {
    FileId file;  // of the index
    KeyRange range;
  };
  struct TableReads {
    explicit TableReads(const catalog::TableDef& table_in) : table(table_in) {}
    const catalog::TableDef table;
    bool is_whole = false;
    std::vector<RowIdRange> rows;
    std::vector<IndexKeys> keys;
    size_t size() const { return rows.size() + keys.size(); }
  };
  TableReads& ReadsOf(const catalog::TableDef& table);
  static void Bound(TableReads* reads);
  static absl::StatusOr<bool> IsUnchanged(txn::Transaction* txn, const TableReads& reads);

  std::map<FileId, TableReads> tables_;
};

}  // namespace turdb::table
