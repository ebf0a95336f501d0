// RowLog: what a transaction did to the rows of tables that it shares with other writers (txn/change_log.h).
//
// A table's log is a run of operations: insert, update, delete, with rows as the writer was given them (of an update what
// changes; the rest of the row is there when it is repeated) and with what expressions of its indexes gave, since nobody can
// evaluate them at commit. Repeating them on another state of the table makes the same changes there. Past a bound
// the log lies in a temporary file. A table that its transaction has locked whole, unchanged since the snapshot, keeps no log.
// Belongs to the transaction's thread.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "catalog/definitions.h"
#include "catalog/table_files.h"
#include "table/log_bytes.h"
#include "table/row_ref.h"
#include "table/table_writer.h"
#include "txn/change_log.h"

namespace turdb::table {

// What index expressions gave, in the order they were asked; written on one side and read on the other.
class ExpressionTrace {
 public:
  explicit ExpressionTrace(std::string bytes = {}) : bytes_(std::move(bytes)) {}
  const std::string& bytes() const { return bytes_; }
  void Clear() { bytes_.clear(), at_ = 0; }
  IndexExpressions Recording(IndexExpressions inner);
  void Load(std::string_view bytes) { bytes_.assign(bytes), at_ = 0; }
  IndexExpressions Replaying();  // kInternal when it is asked for more than was written

 private:
  std::string bytes_;
  size_t at_ = 0;
};

class RowLog final : public txn::ChangeLog {
 public:
  class Table {
   public:
    Table(const catalog::TableDef& def, env::TempPlace place, uint64_t bound)
        : def_(def), files_(catalog::FilesOf(def)), bytes_(std::move(place), bound) {}

    bool empty() const { return bytes_.size() == 0; }
    // kDiskFull, kIo: nothing was logged.
    absl::Status Insert(RowId rowid, absl::Span<const Cell> row, const ExpressionTrace& trace);
    absl::Status Update(RowRef row, RowId new_rowid, absl::Span<const Cell> new_row, const std::vector<bool>& changed,
                        const ExpressionTrace& trace);
    absl::Status Delete(RowRef row, const ExpressionTrace& trace);
    // The table is locked whole and nobody has changed it: what comes needs no log, and what was written needs none any more.
    void Close() { is_closed_ = true, bytes_.Clear(); }

   private:
    friend class RowLog;
    absl::Status Repeat(txn::Transaction* txn);
    absl::Status RepeatOne(TableWriter* writer, std::string_view* at) const;
    absl::Status RepeatUpdate(TableWriter* writer, RowRef row, std::string_view* at) const;

    const catalog::TableDef def_;
    const std::vector<FileId> files_;
    LogBytes bytes_;
    bool is_closed_ = false;
  };

  // The log of the transaction's changes of a table; made when it is not there yet. Valid until the transaction ends.
  static Table* Open(txn::Transaction* txn, const catalog::TableDef& table);
  // Null when there is none.
  static Table* Find(txn::Transaction* txn, const catalog::TableDef& table);

  Mark MarkEnd() const override;
  void CutBackTo(const Mark& mark) override;
  void AddFiles(absl::flat_hash_set<FileId>* files) const override;
  bool Complete(absl::flat_hash_set<FileId>* files) const override;
  absl::Status Repeat(txn::Transaction* txn, const absl::flat_hash_set<FileId>& files) override;

 private:
  std::deque<Table> tables_;
};

// A writer that takes no locks and keeps no log.
absl::StatusOr<std::unique_ptr<TableWriter>> NewPlainTableWriter(txn::Transaction* txn, const catalog::TableDef& table,
                                                                 IndexExpressions expressions);

}  // namespace turdb::table
