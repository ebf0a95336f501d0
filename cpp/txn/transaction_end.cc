// The move of a transaction to another committed state, its commit and its rollback.
//
// Files that nobody else has changed since the transaction's base keep their private pages. Of the others the pages are given
// up, and what the transaction did to their tables is done again from its change log, on the new base. Locks taken before make
// sure that it fits: nobody else can have changed the same rows.
#include <algorithm>

#include "base/errors.h"
#include "base/out_of_memory.h"
#include "base/status_macros.h"
#include "txn/transaction_impl.h"

namespace turdb::txn {
namespace {

// How often a commit tries to catch up with others before it keeps them out for that.
constexpr int kFreeTries = 2;
// Only a disk that hangs keeps the commit's place for so long.
constexpr auto kPlaceTimeout = std::chrono::minutes(10);

}  // namespace

// --- another state ---------------------------------------------------------------------------

// Files that the transaction has opened and others have changed, and such of tables that it has changed: a vector may have got
// into its graph, of which the transaction knows the vector alone.
TransactionImpl::StaleFiles TransactionImpl::FindStale(const DatabaseState& newest) const {
  StaleFiles stale;
  StaleFiles logged;
  if (change_log_ != nullptr) change_log_->AddFiles(&logged);
  for (FileId id : logged) {
    const pager::FileState* here = state_->Find(id);
    const pager::FileState* there = newest.Find(id);
    if (here != nullptr && (there == nullptr || there->content_version() != here->content_version())) stale.insert(id);
  }
  for (const auto& [id, entry] : files_) {
    if (!entry.created_path.empty()) continue;
    const pager::FileState* there = newest.Find(id);
    if (there == nullptr || there->content_version() != entry.pages->base_version()) stale.insert(id);
  }
  return stale;
}

bool TransactionImpl::IsChanged(FileId id) const {
  const auto own = files_.find(id);
  if (own != files_.end() && own->second.pages->is_changed()) return true;
  StaleFiles logged;
  if (change_log_ != nullptr) change_log_->AddFiles(&logged);
  return logged.contains(id);
}

absl::Status TransactionImpl::WriteAnew(StaleFiles stale) {
  StaleFiles changed;
  for (FileId id : stale) {
    if (IsChanged(id)) changed.insert(id);
  }
  const bool is_covered = changed.empty() || (change_log_ != nullptr && change_log_->Complete(&changed));
  if (!is_covered) {
    return ConflictError("another transaction committed a change of the same table; roll back and retry");
  }
  stale.insert(changed.begin(), changed.end());
  for (FileId id : stale) {
    const auto own = files_.find(id);
    if (own != files_.end()) TURDB_RETURN_IF_ERROR(Open(id, &own->second));
  }
  return changed.empty() ? absl::OkStatus() : change_log_->Repeat(this, changed);
}

absl::Status TransactionImpl::MoveTo(IntrusivePtr<DatabaseState> newest, Lsn checkpoint_lsn) {
  StaleFiles stale = FindStale(*newest);
  MoveSnapshotTo(std::move(newest), checkpoint_lsn);
  return stale.empty() ? absl::OkStatus() : WriteAnew(std::move(stale));
}

absl::Status TransactionImpl::Refresh() {
  TURDB_RETURN_IF_ERROR(core_->CheckUsable());
  const Lsn checkpoint_lsn = core_->checkpoint_lsn();
  auto published = core_->Newest();
  if (!is_writing_) {
    state_ = std::move(published);
    newest_files_ = {};
    has_read_ = false;
    return state_->status();
  }
  if (is_exclusive_ || published->lsn() <= state_->lsn()) return absl::OkStatus();
  return MoveTo(std::move(published), checkpoint_lsn);
}

// --- commit ----------------------------------------------------------------------------------

CommitRequest TransactionImpl::MakeRequest() {
  CommitRequest request;
  for (auto& [id, entry] : files_) {
    if (entry.is_dropped) {
      if (entry.created_path.empty()) request.dropped.push_back(id);
      continue;
    }
    if (!entry.created_path.empty()) request.created.emplace_back(id, entry.created_path);
    if (entry.pages->is_changed()) request.changed.emplace_back(id, entry.pages.get());
  }
  return request;
}

// Moves to the newest state where that is needed. Reads are compared first, while the snapshot is still theirs.
absl::Status TransactionImpl::CatchUp(bool* is_current) {
  const Lsn checkpoint_lsn = core_->checkpoint_lsn();
  auto head = core_->chain().head();
  *is_current = head->lsn() == state_->lsn();
  if (*is_current) return absl::OkStatus();
  if (read_log_ != nullptr) TURDB_RETURN_IF_ERROR(read_log_->Validate(this));
  const StaleFiles stale = FindStale(*head);
  const bool is_stale = std::any_of(stale.begin(), stale.end(), [&](FileId id) { return IsChanged(id); });
  if (!is_stale) {
    *is_current = true;
    return absl::OkStatus();
  }
  core_->CountRepeatedCommit();
  // From here on the snapshot is another one: what was read must stay as it is there, which locks do not see to.
  if (read_log_ != nullptr) return is_place_held_ ? MoveTo(std::move(head), checkpoint_lsn) : absl::OkStatus();
  return MoveTo(std::move(head), checkpoint_lsn);
}

// Gets the commit's place with everything in order for it. Without it after an error.
absl::Status TransactionImpl::PrepareCommit(CommitRequest* request) {
  bool is_current = is_exclusive_;
  for (int i = 0; i < kFreeTries && !is_current; ++i) TURDB_RETURN_IF_ERROR(CatchUp(&is_current));
  if (!core_->commit_place().Acquire(kPlaceTimeout)) {
    return BusyError("another commit to '", core_->path(), "' has not ended for 10 minutes");
  }
  is_place_held_ = true;
  const absl::Status status = OrOutOfMemory([&] {
    if (!is_exclusive_) TURDB_RETURN_IF_ERROR(CatchUp(&is_current));
    *request = MakeRequest();  // catching up may have changed which pages differ
    return absl::OkStatus();
  });
  is_place_held_ = false;
  if (!status.ok()) core_->commit_place().Release();
  return status;
}

absl::Status TransactionImpl::Commit(Synchronous synchronous) {
  if (!is_writing_) return absl::OkStatus();
  absl::Status status = CheckWriting();
  CommitRequest request;
  IntrusivePtr<DatabaseState> committed;
  if (status.ok()) request = MakeRequest();
  if (status.ok() && !(request.changed.empty() && request.dropped.empty())) {
    status = PrepareCommit(&request);
    if (status.ok()) {
      auto appended = core_->Append(&request, synchronous);
      // The next writer may go on from this commit now; that it is durable matters to those who wait for it.
      core_->locks().ReleaseAll(&owner_);
      status = appended.ok() ? core_->MakeDurable((*appended)->lsn(), synchronous) : appended.status();
      if (status.ok()) committed = *appended;
    }
  } else if (status.ok()) {
    // What it has seen may be of commits that are not durable, or not shown to others, yet.
    status = core_->AwaitShown(state_->lsn(), synchronous);
  }
  End(status.ok(), request);
  if (committed) state_ = std::move(committed);
  if (status.ok()) core_->CheckpointIfDue();
  return status;
}

void TransactionImpl::End(bool is_committed, const CommitRequest& request) {
  for (auto& [id, entry] : files_) {
    const bool is_gone = entry.is_dropped || (!is_committed && !request.may_have_happened);
    if (is_gone && !entry.created_path.empty()) core_->DiscardCreated(entry.pages->file());
  }
  files_.clear();
  newest_files_ = {};
  savepoints_.clear();
  change_log_.reset();
  read_log_.reset();
  core_->locks().ReleaseAll(&owner_);
  owner_.set_id(TxnId(0));
  has_read_ = is_writing_ = is_exclusive_ = false;
  state_ = core_->Newest();
}

void TransactionImpl::Rollback() { End(false, CommitRequest()); }

}  // namespace turdb::txn
