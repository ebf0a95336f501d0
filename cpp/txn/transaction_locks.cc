// How a transaction begins to write, and the locks it takes.
#include "base/errors.h"
#include "base/status_macros.h"
#include "txn/transaction_impl.h"

namespace turdb::txn {
namespace {

constexpr LockKey kWholeDatabase{};

LockKey TableKey(FileId table) { return LockKey{table, LockKey::Kind::kTable}; }

}  // namespace

void TransactionImpl::BecomeOldest() {
  if (owner_.id() == TxnId(0)) owner_.set_id(core_->NextTxnId());
}

void TransactionImpl::MoveSnapshotTo(IntrusivePtr<DatabaseState> state, Lsn checkpoint_lsn) {
  state_ = std::move(state);
  newest_files_ = {};
  checkpoint_at_start_ = checkpoint_lsn;
}

// The statements of a transaction are bound to the catalog of its snapshot.
absl::Status TransactionImpl::CheckSchemaUnchanged(const DatabaseState& newest) const {
  const pager::FileState* here = state_->Find(kCatalogFile);
  const pager::FileState* there = newest.Find(kCatalogFile);
  const bool is_same = here == there || (here != nullptr && there != nullptr && here->content_version() == there->content_version());
  if (is_same) return absl::OkStatus();
  return ConflictError("the schema changed since this transaction's snapshot; roll back and retry");
}

absl::Status TransactionImpl::StartWriting(std::chrono::milliseconds timeout) {
  if (is_exclusive_) return absl::OkStatus();
  TURDB_RETURN_IF_ERROR(core_->CheckWritable());
  BecomeOldest();
  LockWait wait = wait_;
  wait.timeout = timeout;
  const LockMode before = owner_.Held(kWholeDatabase);
  TURDB_RETURN_IF_ERROR(core_->locks().Acquire(&owner_, kWholeDatabase, LockMode::kExclusive, "", wait).status());
  const Lsn checkpoint_lsn = core_->checkpoint_lsn();  // read first: the head may be cleaner, never less clean
  auto head = core_->chain().head();
  absl::Status status = core_->CheckWritable();  // may have changed while waiting
  if (status.ok() && (has_read_ || is_writing_) && head->lsn() != state_->lsn()) {
    core_->WaitUntilPublished();  // so that a retry does not meet the same commit again
    status = ConflictError("database changed since this transaction's snapshot; roll back and retry");
  }
  if (!status.ok()) {
    if (before == LockMode::kNone) core_->locks().ReleaseAll(&owner_);
    else core_->locks().Downgrade(&owner_, kWholeDatabase, before);
    return status;
  }
  if (!is_writing_) MoveSnapshotTo(std::move(head), checkpoint_lsn);
  is_writing_ = is_exclusive_ = true;
  return absl::OkStatus();
}

absl::Status TransactionImpl::StartSharedWriting() {
  if (is_writing_) return absl::OkStatus();
  TURDB_RETURN_IF_ERROR(core_->CheckWritable());
  BecomeOldest();
  TURDB_RETURN_IF_ERROR(
      core_->locks().Acquire(&owner_, kWholeDatabase, LockMode::kIntentionExclusive, "", wait_).status());
  const Lsn checkpoint_lsn = core_->checkpoint_lsn();
  auto head = core_->chain().head();
  absl::Status status = core_->CheckWritable();
  if (status.ok() && has_read_) status = CheckSchemaUnchanged(*head);
  if (!status.ok()) {
    core_->locks().ReleaseAll(&owner_);
    core_->WaitUntilPublished();
    return status;
  }
  // The snapshot of a transaction that has read stays. A checkpoint after it began wrote nothing newer than it, or what
  // such a checkpoint wrote belongs to files that are found stale at commit.
  MoveSnapshotTo(has_read_ ? state_ : std::move(head), has_read_ ? Lsn(0) : checkpoint_lsn);
  is_writing_ = true;
  return absl::OkStatus();
}

absl::StatusOr<bool> TransactionImpl::LockTable(FileId table, std::string_view name, LockMode mode) {
  if (is_exclusive_) return false;
  TURDB_ASSIGN_OR_RETURN(const bool is_new, core_->locks().Acquire(&owner_, TableKey(table), mode, name, wait_));
  // Others may have committed while this one waited; who has not looked yet need not mind.
  if (is_new && !has_read_ && files_.empty()) {
    const Lsn checkpoint_lsn = core_->checkpoint_lsn();
    MoveSnapshotTo(core_->chain().head(), checkpoint_lsn);
  }
  return is_new;
}

bool TransactionImpl::TryLockTable(FileId table, LockMode mode) {
  if (is_exclusive_) return true;
  if (!core_->locks().TryAcquire(&owner_, TableKey(table), mode)) return false;
  if (!has_read_ && files_.empty()) {
    const Lsn checkpoint_lsn = core_->checkpoint_lsn();
    MoveSnapshotTo(core_->chain().head(), checkpoint_lsn);
  }
  return true;
}

LockMode TransactionImpl::table_lock(FileId table) const {
  return is_exclusive_ ? LockMode::kExclusive : owner_.Held(TableKey(table));
}

absl::StatusOr<bool> TransactionImpl::LockRow(LockKey key, std::string_view table_name, LockMode mode) {
  if (is_exclusive_) return false;
  return core_->locks().Acquire(&owner_, key, mode, table_name, wait_);
}

bool TransactionImpl::TryLockRow(LockKey key, LockMode mode) {
  return is_exclusive_ || core_->locks().TryAcquire(&owner_, key, mode);
}

void TransactionImpl::ReleaseRowLocks(FileId table) { core_->locks().ReleaseRows(&owner_, table); }

int64_t TransactionImpl::ReserveRowId(FileId table, int64_t least) {
  return is_exclusive_ ? least : core_->locks().ReserveRowId(&owner_, table, least);
}

void TransactionImpl::NoteRowId(FileId table, int64_t rowid) {
  if (!is_exclusive_) core_->locks().NoteRowId(&owner_, table, rowid);
}

}  // namespace turdb::txn
