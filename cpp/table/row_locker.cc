#include "table/row_locker.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "table/table_lock.h"

namespace turdb::table {

using txn::LockMode;

absl::Status RowLocker::Open() {
  if (!txn_->is_writing()) return MisuseError("rows of table '", table_.name, "' cannot be locked here: this only reads");
  const LockMode intention = mode_ == LockMode::kShared ? LockMode::kIntentionShared : LockMode::kIntentionExclusive;
  if (txn_->is_exclusive() || txn::Covers(txn_->table_lock(table_.file), intention)) return absl::OkStatus();
  if (when_locked_ != WhenLocked::kFail) return txn_->LockTable(table_.file, table_.name, intention).status();
  if (txn_->TryLockTable(table_.file, intention)) return absl::OkStatus();
  return BusyError("database is locked: another transaction has locked table '", table_.name, "' (NOWAIT); retry");
}

bool RowLocker::HasWholeTable() const { return txn::Covers(txn_->table_lock(table_.file), mode_); }

absl::StatusOr<bool> RowLocker::Acquire(const txn::LockKey& key, RowRef row, bool* is_new) {
  if (when_locked_ == WhenLocked::kWait) {
    TURDB_ASSIGN_OR_RETURN(*is_new, txn_->LockRow(key, table_.name, mode_));
    return true;
  }
  const size_t before = txn_->lock_count();
  const bool is_held = txn_->TryLockRow(key, mode_);
  *is_new = txn_->lock_count() > before;
  if (is_held || when_locked_ == WhenLocked::kSkip) return is_held;
  const std::string name = table_.is_without_rowid ? "a row" : Cat("row ", row.rowid.value());
  return BusyError("database is locked: another transaction has locked ", name, " of table '", table_.name, "' (NOWAIT); retry");
}

absl::StatusOr<bool> RowLocker::Lock(RowRef row) {
  if (txn_->is_exclusive()) return true;
  const txn::LockKey key = RowLockKey(table_, row);
  bool is_new = false;
  if (!HasWholeTable()) {
    TURDB_ASSIGN_OR_RETURN(const bool is_held, Acquire(key, row, &is_new));
    if (!is_held) return false;
    if (!is_new) return true;  // nobody else has changed it since it was looked at
  }
  const absl::Status unchanged = CheckRowUnchanged(txn_, table_, row);
  if (!unchanged.ok()) {
    if (is_new) txn_->UnlockRow(key);
    if (when_locked_ == WhenLocked::kSkip && KindOf(unchanged) == ErrorKind::kConflict) return false;
    return unchanged;
  }
  if (is_new) Escalate();
  return true;
}

void RowLocker::Escalate() {
  if (txn_->lock_count() < kEscalateAt || !txn_->TryLockTable(table_.file, mode_)) return;
  // Under S the rows that are locked X stay so.
  if (txn_->table_lock(table_.file) == LockMode::kExclusive) txn_->ReleaseRowLocks(table_.file);
}

}  // namespace turdb::table
