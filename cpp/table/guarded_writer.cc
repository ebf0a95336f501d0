// Lock, look, change, log.
#include "table/guarded_writer.h"

#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/row_tree.h"
#include "table/table_lock.h"

namespace turdb::table {

GuardedWriter::GuardedWriter(txn::Transaction* txn, const catalog::TableDef& table, IndexExpressions expressions)
    : txn_(txn), table_(table), expressions_(std::move(expressions)), log_(RowLog::Open(txn, table)) {
  for (const catalog::IndexDef& index : table.indexes) {
    if (index.is_unique && index.kind == catalog::IndexKind::kBtree) unique_.emplace_back(table_, index, &expressions_);
  }
}

absl::StatusOr<std::unique_ptr<TableWriter>> GuardedWriter::Open(txn::Transaction* txn, const catalog::TableDef& table,
                                                                 IndexExpressions expressions) {
  std::unique_ptr<GuardedWriter> writer(new GuardedWriter(txn, table, std::move(expressions)));
  TURDB_ASSIGN_OR_RETURN(writer->plain_, NewPlainTableWriter(txn, table, writer->trace_.Recording(writer->expressions_)));
  return std::unique_ptr<TableWriter>(std::move(writer));
}

absl::Status GuardedWriter::Rebind(txn::Transaction* txn) {
  txn_ = txn;
  log_ = RowLog::Open(txn, table_);
  escalate_at_ = kEscalateAt;
  trace_.Clear();
  return plain_->Rebind(txn);
}

RowRef GuardedWriter::RefOf(RowId rowid, absl::Span<const Cell> row) {
  if (!table_.is_without_rowid) return rowid;
  key_.clear();
  AppendPrimaryKey(table_, row.data(), &key_);
  return RowRef(std::string_view(key_));
}

absl::Status GuardedWriter::LockRow(RowRef row) {
  if (log_ == nullptr) return absl::OkStatus();
  if (txn_->table_lock(table_.file) != txn::LockMode::kExclusive) {
    TURDB_ASSIGN_OR_RETURN(const bool is_new, txn_->LockRow(RowLockKey(table_, row), table_.name, txn::LockMode::kExclusive));
    if (!is_new) return absl::OkStatus();
    const absl::Status unchanged = CheckRowUnchanged(txn_, table_, row);
    if (!unchanged.ok()) txn_->UnlockRow(RowLockKey(table_, row));
    return unchanged;
  }
  return CheckRowUnchanged(txn_, table_, row);
}

// The keys that the row is about to take in unique indexes; `changed` null: in all of them.
absl::Status GuardedWriter::LockKeys(RowRef ref, absl::Span<const Cell> row, const std::vector<bool>* changed) {
  if (log_ == nullptr || unique_.empty()) return absl::OkStatus();
  row_.assign(row.begin(), row.end());
  if (table_.rowid_alias >= 0) row_[table_.rowid_alias] = Cell::Integer(ref.rowid.value());
  for (EntryMaker& maker : unique_) {
    if (changed != nullptr && !maker.DependsOn(*changed)) continue;
    TURDB_ASSIGN_OR_RETURN(const bool is_in, maker.Make(ref, row_, &entry_));
    if (!is_in || !entry_.is_distinct) continue;
    TURDB_RETURN_IF_ERROR(
        txn_->LockRow(KeyLockKey(table_, maker.index(), entry_.key), table_.name, txn::LockMode::kExclusive).status());
    TURDB_RETURN_IF_ERROR(CheckKeyUntaken(txn_, table_, maker.index(), entry_.key));
  }
  return absl::OkStatus();
}

// The row in the way may be one that somebody has just changed or taken away.
absl::Status GuardedWriter::CheckRealConflict(const Conflict& conflict) { return LockRow(conflict.row()); }

absl::Status GuardedWriter::Escalate() {
  if (log_ == nullptr || txn_->lock_count() < escalate_at_) return absl::OkStatus();
  escalate_at_ = txn_->lock_count() + kEscalateAt;  // if it is not to be had now
  if (!txn_->TryLockTable(table_.file, txn::LockMode::kExclusive)) return absl::OkStatus();
  txn_->ReleaseRowLocks(table_.file);
  if (!IsTableNewest(*txn_, table_)) return absl::OkStatus();
  log_->Close();
  log_ = nullptr;
  return absl::OkStatus();
}

absl::StatusOr<RowId> GuardedWriter::NextRowId() {
  TURDB_ASSIGN_OR_RETURN(const RowId own, plain_->NextRowId());
  if (log_ == nullptr || table_.is_without_rowid) return own;
  int64_t least = own.value();
  if (!txn_->IsNewest(table_.file)) {
    TURDB_ASSIGN_OR_RETURN(const pager::FileView newest, txn_->NewestView(table_.file));
    TURDB_ASSIGN_OR_RETURN(const std::optional<RowId> last, btree::LastRowId(newest));
    if (last.has_value() && last->value() >= least && last->value() < INT64_MAX) least = last->value() + 1;
  }
  return RowId(txn_->ReserveRowId(table_.file, least));
}

absl::StatusOr<std::optional<Conflict>> GuardedWriter::FindConflict(RowId rowid, absl::Span<const Cell> row,
                                                                    std::optional<RowRef> replacing) {
  const RowRef ref = RefOf(rowid, row);
  TURDB_RETURN_IF_ERROR(LockRow(ref));
  if (replacing.has_value()) TURDB_RETURN_IF_ERROR(LockRow(*replacing));
  TURDB_RETURN_IF_ERROR(LockKeys(ref, row, nullptr));
  TURDB_ASSIGN_OR_RETURN(std::optional<Conflict> conflict, plain_->FindConflict(rowid, row, replacing));
  if (conflict.has_value()) TURDB_RETURN_IF_ERROR(CheckRealConflict(*conflict));
  return conflict;
}

absl::StatusOr<bool> GuardedWriter::TryInsert(RowId rowid, absl::Span<const Cell> row, Conflict* conflict) {
  const RowRef ref = RefOf(rowid, row);
  TURDB_RETURN_IF_ERROR(LockRow(ref));
  TURDB_RETURN_IF_ERROR(LockKeys(ref, row, nullptr));
  trace_.Clear();
  TURDB_ASSIGN_OR_RETURN(const bool is_in, plain_->TryInsert(rowid, row, conflict));
  if (!is_in) {
    TURDB_RETURN_IF_ERROR(CheckRealConflict(*conflict));
    return false;
  }
  if (log_ == nullptr) return true;
  TURDB_RETURN_IF_ERROR(log_->Insert(rowid, row, trace_));
  if (!table_.is_without_rowid) txn_->NoteRowId(table_.file, rowid.value());
  TURDB_RETURN_IF_ERROR(Escalate());
  return true;
}

absl::Status GuardedWriter::Insert(RowId rowid, absl::Span<const Cell> row) {
  Conflict conflict;
  TURDB_ASSIGN_OR_RETURN(const bool is_in, TryInsert(rowid, row, &conflict));
  if (is_in) return absl::OkStatus();
  return InternalError("a row of table '", table_.name, "' was inserted over a conflict");
}

absl::Status GuardedWriter::Update(RowRef row, RowId new_rowid, absl::Span<const Cell> new_row,
                                   const std::vector<bool>& changed) {
  const std::string old_key(row.key);  // may point into what is changed below
  row.key = old_key;
  TURDB_RETURN_IF_ERROR(LockRow(row));
  const RowRef ref = RefOf(new_rowid, new_row);
  if (ref.rowid != row.rowid || ref.key != row.key) TURDB_RETURN_IF_ERROR(LockRow(ref));
  const bool is_moved = ref.rowid != row.rowid;
  TURDB_RETURN_IF_ERROR(LockKeys(ref, new_row, is_moved ? nullptr : &changed));
  trace_.Clear();
  TURDB_RETURN_IF_ERROR(plain_->Update(row, new_rowid, new_row, changed));
  if (log_ == nullptr) return absl::OkStatus();
  TURDB_RETURN_IF_ERROR(log_->Update(row, new_rowid, new_row, changed, trace_));
  return Escalate();
}

absl::StatusOr<bool> GuardedWriter::Delete(RowRef row) {
  const std::string key(row.key);
  row.key = key;
  TURDB_RETURN_IF_ERROR(LockRow(row));
  trace_.Clear();
  TURDB_ASSIGN_OR_RETURN(const bool was_there, plain_->Delete(row));
  if (!was_there || log_ == nullptr) return was_there;
  TURDB_RETURN_IF_ERROR(log_->Delete(row, trace_));
  TURDB_RETURN_IF_ERROR(Escalate());
  return true;
}

absl::Status GuardedWriter::DeleteAll() {
  TURDB_RETURN_IF_ERROR(LockWhole(txn_, table_));
  if (log_ != nullptr) log_->Close();
  log_ = nullptr;
  return plain_->DeleteAll();
}

}  // namespace turdb::table
