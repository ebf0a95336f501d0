// The part of a store that minds other processes: opening to read beside a writer, and what a writer may do to the
// directory while others read.
//
// A checkpoint writes a state that no other process reads behind (invariant 2 of store.h). While readers come and go the
// newest state is rarely such a one, so it is kept, and written by the next checkpoint that finds all of them past it.
#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "txn/directory.h"
#include "txn/recovery.h"
#include "txn/store_core.h"

namespace turdb::txn {
namespace {

// A checkpoint waits this long for processes that are loading; the next one comes soon.
constexpr uint64_t kCheckpointWaitMs = 200;
constexpr Lsn kNobody{~uint64_t{0}};

}  // namespace

absl::Status StoreCore::OpenForReading() {
  if (!is_volatile_ && !env_->IsOnNetwork(path_)) {
    auto table = ReaderTable::Open(env_, path_);
    if (table.ok()) {
      TURDB_ASSIGN_OR_RETURN(follower_, Follower::Open(env_, path_, *std::move(table), memory_,
                                                       options_.lock_timeout_ms, options_.check_interrupt));
      recovered_commits_ = follower_->recovered_commits();
      return absl::OkStatus();
    }
    if (KindOf(table.status()) != ErrorKind::kReadOnly) return table.status();
  }
  // Nothing can be told to a writer: there must be none. Where there is no lock file, there never was one.
  if (!is_volatile_ && env_->FileExists(LockPath(path_))) {
    auto lock = LockDatabase(env_, path_, env::LockMode::kShared, options_);
    if (KindOf(lock.status()) == ErrorKind::kBusy) {
      return BusyError(FromAbsl(lock.status().message()), "; reading beside it needs the right to write '",
                       ReaderTablePath(path_), "' on a file system of this machine");
    }
    TURDB_RETURN_IF_ERROR(lock.status());
    lock_ = *std::move(lock);
  }
  return Recover();
}

absl::StatusOr<ReaderTable::DirectoryLock> StoreCore::OpenReaderTable() {
  if (is_volatile_ || env_->IsOnNetwork(path_)) return ReaderTable::DirectoryLock();
  TURDB_ASSIGN_OR_RETURN(readers_, ReaderTable::Open(env_, path_));
  TURDB_ASSIGN_OR_RETURN(auto lock, readers_->LockDirectory(env::LockMode::kExclusive, options_.lock_timeout_ms,
                                                            options_.check_interrupt));
  if (lock.is_held()) return lock;
  return BusyError("cannot open database '", path_, "': another process is loading it for reading");
}

// The words are set first: who begins to read from now on sees what was recovered, and needs nothing else.
absl::Status StoreCore::TellReaders(Recovery* recovery) {
  const Lsn end = recovery->log().end_lsn();
  if (readers_) TURDB_RETURN_IF_ERROR(readers_->BeginSession(salt_, end, Lsn(checkpoint_lsn_.load())));
  return recovery->RemoveGarbage(/*with_data_files=*/OldestElsewhere() >= end);
}

IntrusivePtr<DatabaseState> StoreCore::Newest() {
  if (!follower_) return chain_->published();
  absl::Status usable = CheckUsable();
  return usable.ok() ? follower_->Snapshot() : MakeIntrusive<DatabaseState>(std::move(usable));
}

Lsn StoreCore::OldestElsewhere() { return readers_ ? readers_->Look().oldest : kNobody; }

absl::StatusOr<StoreCore::CheckpointTurn> StoreCore::BeginCheckpoint() {
  CheckpointTurn turn;
  Lsn oldest = kNobody;
  if (readers_) {
    TURDB_ASSIGN_OR_RETURN(turn.lock, readers_->LockDirectory(env::LockMode::kExclusive,
                                                              std::min(options_.lock_timeout_ms, kCheckpointWaitMs)));
    if (!turn.lock.is_held()) return turn;
    oldest = readers_->Look().oldest;  // who claims something later reads on to what is published now
    if (oldest >= chain_->published()->lsn()) next_checkpoint_ = nullptr;
  }
  StateChain::Candidates candidates = chain_->CheckpointCandidates();
  if (candidates.newest->lsn() <= oldest) {
    turn.state = std::move(candidates.newest);
    turn.older = std::move(candidates.older);
    return turn;
  }
  if (next_checkpoint_ && next_checkpoint_->lsn() <= oldest) {
    turn.state = std::exchange(next_checkpoint_, nullptr);
    for (auto& each : candidates.older) {
      if (each->lsn() < turn.state->lsn()) turn.older.push_back(std::move(each));
    }
  }
  if (!next_checkpoint_) next_checkpoint_ = std::move(candidates.newest);
  return turn;
}

void StoreCore::DropLog() {
  ReaderTable::DirectoryLock lock;  // held until both are gone
  if (readers_) {
    auto locked = readers_->LockDirectory(env::LockMode::kExclusive, options_.lock_timeout_ms);
    if (!locked.ok() || !locked->is_held()) return;  // the next open finds that the log holds nothing new
    lock = *std::move(locked);
  }
  log_->DropAll();
  double_write_->Remove();
}

}  // namespace turdb::txn
