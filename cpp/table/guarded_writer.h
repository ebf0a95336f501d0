// GuardedWriter: a TableWriter for a table that other transactions may be writing, too.
//
// Before a row changes it is locked, and compared with the newest state; what was done goes to the row log. Past kEscalateAt row
// locks the table is tried for whole. See docs/decisions/0005. Not thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "table/index_writer.h"
#include "table/row_log.h"
#include "table/table_lock.h"
#include "table/table_writer.h"

namespace turdb::table {

class GuardedWriter final : public TableWriter {
 public:
  // REQUIRES: the table is locked for rows (LockForRows).
  static absl::StatusOr<std::unique_ptr<TableWriter>> Open(txn::Transaction* txn, const catalog::TableDef& table,
                                                           IndexExpressions expressions);

  absl::StatusOr<RowId> NextRowId() override;
  absl::StatusOr<std::optional<Conflict>> FindConflict(RowId rowid, absl::Span<const Cell> row,
                                                       std::optional<RowRef> replacing) override;
  absl::Status Insert(RowId rowid, absl::Span<const Cell> row) override;
  absl::Status Update(RowRef row, RowId new_rowid, absl::Span<const Cell> new_row,
                      const std::vector<bool>& changed) override;
  absl::StatusOr<bool> Delete(RowRef row) override;
  absl::Status DeleteAll() override;
  absl::StatusOr<bool> TryInsert(RowId rowid, absl::Span<const Cell> row, Conflict* conflict) override;
  // Lock nothing: a row that is not locked yet is as the snapshot has it, which is what it is compared by when it is locked.
  absl::StatusOr<bool> Read(RowRef row, const std::vector<bool>& wanted, Arena* arena, Cell* cells) override {
    return plain_->Read(row, wanted, arena, cells);
  }
  absl::StatusOr<uint32_t> FindByIndex(const catalog::IndexDef& index, absl::Span<const Cell> key, RowId* row) override {
    return plain_->FindByIndex(index, key, row);
  }
  absl::Status Rebind(txn::Transaction* txn) override;
  bool is_guarded() const override { return true; }

 private:
  GuardedWriter(txn::Transaction* txn, const catalog::TableDef& table, IndexExpressions expressions);

  RowRef RefOf(RowId rowid, absl::Span<const Cell> row);
  absl::Status LockRow(RowRef row);
  absl::Status LockKeys(RowRef ref, absl::Span<const Cell> row, const std::vector<bool>* changed);
  absl::Status Escalate();
  absl::Status CheckRealConflict(const Conflict& conflict);

  txn::Transaction* txn_;
  const catalog::TableDef& table_;
  const IndexExpressions expressions_;
  std::vector<EntryMaker> unique_;  // of the unique indexes
  ExpressionTrace trace_;
  std::unique_ptr<TableWriter> plain_;
  RowLog::Table* log_;  // null once the table is the transaction's own
  std::string key_;
  std::vector<Cell> row_;
  IndexEntry entry_;
  size_t escalate_at_ = kEscalateAt;  // when the transaction has so many locks
};

}  // namespace turdb::table
