// The way of a commit: log, sync, publish.
#include <algorithm>

#include "base/errors.h"
#include "base/out_of_memory.h"
#include "base/status_macros.h"
#include "txn/store_core.h"

namespace turdb::txn {

using pager::PageVersion;
using pager::PrivatePages;

absl::StatusOr<IntrusivePtr<DatabaseState>> StoreCore::Append(CommitRequest* request, Synchronous synchronous) {
  auto appended = OrOutOfMemory([&] { return AppendCommit(request, synchronous); });
  // In the log and not among the states: only recovery can tell of it now.
  if (!appended.ok() && request->is_logged) Fail(appended.status()).IgnoreError();
  commit_place_.Release();
  if (appended.ok()) request->may_have_happened = true;
  return appended;
}

absl::Status StoreCore::MakeDurable(Lsn lsn, Synchronous synchronous) {
  // Behind a commit that is not durable yet, one that need not be waits all the same: states are published in order.
  TURDB_RETURN_IF_ERROR(AwaitShown(lsn, synchronous));
  commits_.fetch_add(1, std::memory_order_relaxed);
  return absl::OkStatus();
}

absl::Status StoreCore::AwaitShown(Lsn lsn, Synchronous synchronous) {
  if (synchronous != Synchronous::kFull) chain_->PublishUpTo(Lsn(0));
  return synchronous == Synchronous::kFull || !chain_->IsPublished(lsn) ? SyncUpTo(lsn) : absl::OkStatus();
}

absl::StatusOr<IntrusivePtr<DatabaseState>> StoreCore::AppendCommit(CommitRequest* request,
                                                                    Synchronous synchronous) {
  TURDB_RETURN_IF_ERROR(CheckWritable());
  for (const auto& [id, pages] : request->changed) TURDB_RETURN_IF_ERROR(pages->Finish());
  TURDB_RETURN_IF_ERROR(SyncDirectPages(*request));
  const auto base = chain_->head();
  Lsn lsn;
  const absl::Status logged = OrOutOfMemory([&] { return Log(*request, *base, &lsn); });
  if (!logged.ok()) {
    request->may_have_happened = !OrOutOfMemory([this] { return log_->Abort(); }).ok();
    // The log syncs a segment before it begins the next one: commits that are waiting for a sync may be lost.
    return log_->has_failed_sync() ? Fail(logged) : logged;
  }
  request->is_logged = request->may_have_happened = true;
  // Versions that a checkpoint wrote out since the transaction began are in the files now: a file that is published as the
  // transaction has it was changed by nobody else since.
  const Lsn checkpointed(checkpoint_lsn_.load());
  auto state = base->CopyAt(lsn);
  for (const auto& [id, pages] : request->changed) {
    state->Set(id, pages->ToState(lsn, pages->is_older_than(checkpointed) ? checkpointed : Lsn(0)));
  }
  for (const auto& [id, path] : request->created) {
    if (const pager::FileState* file = state->Find(id)) file->file()->set_oldest_state(lsn);
  }
  for (FileId id : request->dropped) {
    std::lock_guard<std::mutex> guard(unlinks_mutex_);
    unlinks_.push_back({lsn, base->Find(id)->file()});
    state->Set(id, nullptr);
  }
  chain_->Append(state, synchronous == Synchronous::kFull);
  return state;
}

// Pages that bypass the log must be on disk before a record says that they belong to the database.
absl::Status StoreCore::SyncDirectPages(const CommitRequest& request) {
  for (const auto& [id, pages] : request.changed) {
    if (!pages->has_direct_pages()) continue;
    TURDB_RETURN_IF_ERROR(pages->file()->TrimReserve(pages->view().page_count()));
    absl::Status status = pages->file()->Sync();
    if (!status.ok()) return Fail(status);
    TURDB_RETURN_IF_ERROR(SyncDirectoriesOf({pages->file().get()}));
  }
  return absl::OkStatus();
}

absl::Status StoreCore::Log(const CommitRequest& request, const DatabaseState& base, Lsn* end) {
  if (is_volatile_) {
    // Counted as a log would be, so that checkpoints come as often: about a quarter of each changed page.
    uint64_t bytes = 1;
    for (const auto& [id, pages] : request.changed) {
      pages->ForEachChange([&bytes](PageId, PageVersion*, const uint8_t*) { bytes += format::kPageBytes / 4; });
    }
    *end = log_->CommitUnlogged(bytes);
    return absl::OkStatus();
  }
  TURDB_RETURN_IF_ERROR(log_->Begin());
  for (const auto& [id, path] : request.created) TURDB_RETURN_IF_ERROR(log_->AddCreate(id, path));
  for (const auto& [id, pages] : request.changed) {
    absl::Status status;
    const std::string& path = pages->file()->path();
    const FileId file = id;
    pages->ForEachChange([&](PageId page, PageVersion* version, const uint8_t* before) {
      if (status.ok()) status = log_->AddPage(file, path, page, before, version->bytes());
    });
    TURDB_RETURN_IF_ERROR(status);
  }
  for (FileId id : request.dropped) {
    TURDB_RETURN_IF_ERROR(log_->AddDrop(id, base.Find(id)->file()->path()));
  }
  TURDB_ASSIGN_OR_RETURN(*end, log_->Commit());
  return absl::OkStatus();
}

absl::Status StoreCore::SyncUpTo(Lsn lsn) {
  std::unique_lock<std::mutex> lock(sync_mutex_);
  while (true) {
    if (durable_lsn_ >= lsn) {
      // The sync may have been over before the state was in the chain.
      chain_->PublishUpTo(durable_lsn_);
      return absl::OkStatus();
    }
    if (!failure_.ok()) return failure_;
    if (!is_syncing_) break;
    sync_done_.wait(lock);
  }
  is_syncing_ = true;
  lock.unlock();
  auto synced = log_->Sync();
  lock.lock();
  is_syncing_ = false;
  if (synced.ok()) {
    durable_lsn_ = std::max(durable_lsn_, *synced);
    chain_->PublishUpTo(durable_lsn_);
    syncs_.fetch_add(1, std::memory_order_relaxed);
  }
  lock.unlock();
  if (!synced.ok()) {
    const absl::Status failure = Fail(synced.status());
    sync_done_.notify_all();
    return failure;
  }
  sync_done_.notify_all();
  OrOutOfMemory([&] {
    UnlinkDropped(*synced);
    return absl::OkStatus();
  }).IgnoreError();  // what stays is removed by the next open
  return absl::OkStatus();
}

void StoreCore::WaitUntilPublished() {
  const Lsn lsn = chain_->head()->lsn();
  if (!chain_->IsPublished(lsn)) SyncUpTo(lsn).IgnoreError();
}

// After a failed sync nobody knows what the disk holds: no more writing until recovery has looked.
absl::Status StoreCore::Fail(const absl::Status& cause) {
  std::lock_guard<std::mutex> guard(sync_mutex_);
  if (failure_.ok()) {
    failure_ = ReadOnlyError("database '", path_, "' is read-only until it is reopened: ", FromAbsl(cause.message()));
    has_failed_.store(true, std::memory_order_release);
    chain_->DropUnpublished();
  }
  return cause;
}

void StoreCore::UnlinkDropped(Lsn durable) {
  RemoveReplacedFiles();
  {
    std::lock_guard<std::mutex> guard(unlinks_mutex_);
    if (unlinks_.empty()) return;
  }
  const ReaderTable::Readers readers = readers_ ? readers_->Look() : ReaderTable::Readers();
  std::vector<PendingUnlink> due;
  {
    std::lock_guard<std::mutex> guard(unlinks_mutex_);
    std::erase_if(unlinks_, [&](PendingUnlink& unlink) {
      if (unlink.lsn > durable || readers.IsClaimed(unlink.file->oldest_state(), unlink.lsn)) return false;
      if (!unlink.file->BeginUnlinking()) return false;
      due.push_back(std::move(unlink));
      return true;
    });
  }
  for (const PendingUnlink& unlink : due) DiscardCreated(unlink.file);
}

}  // namespace turdb::txn
