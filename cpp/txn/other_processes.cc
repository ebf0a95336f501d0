// The part of a store that minds other processes: opening to read beside a writer, and what a writer may do to the
// directory while others read.
//
// A checkpoint writes a state that no other process reads behind (invariant 2 of store.h). While readers come and go the
// newest state is rarely such a one, so it is kept, and written by the next checkpoint that finds all of them past it. When a
// snapshot stays for long, files that it reads are replaced by copies, and the newest state is written (docs/decisions/0010).
#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "pager/replaced_file.h"
#include "txn/directory.h"
#include "txn/recovery.h"
#include "txn/store_core.h"

namespace turdb::txn {
namespace {

// A checkpoint waits this long for processes that are loading; the next one comes soon.
constexpr uint64_t kCheckpointWaitMs = 200;
constexpr Lsn kNobody{~uint64_t{0}};

// Whether other processes read files that a checkpoint of `newest` writes to. Who looks at states from before a file was
// replaced does not.
bool IsReadBehind(const DatabaseState& newest, const ReaderTable::Readers& readers) {
  bool is_read = false;
  newest.ForEach([&](FileId, const IntrusivePtr<pager::FileState>& state) {
    pager::DataFile* const file = state->file().get();
    is_read = is_read || (state->table().root() != nullptr && file->is_on_disk() &&
                          readers.IsClaimed(file->oldest_state(), newest.lsn()));
  });
  return is_read;
}

}  // namespace

absl::Status StoreCore::OpenForReading() {
  if (!is_volatile_ && !env_->IsOnNetwork(path_)) {
    auto table = ReaderTable::Open(env_, path_);
    if (table.ok()) {
      TURDB_ASSIGN_OR_RETURN(follower_, Follower::Open(env_, path_, *std::move(table), memory_, open_files_,
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
  TURDB_RETURN_IF_ERROR(recovery->RemoveGarbage(/*with_data_files=*/OldestElsewhere() >= end));
  AdoptReplacedFiles();
  return absl::OkStatus();
}

IntrusivePtr<DatabaseState> StoreCore::Newest() {
  if (!follower_) return chain_->published();
  absl::Status usable = CheckUsable();
  return usable.ok() ? follower_->Snapshot() : MakeIntrusive<DatabaseState>(std::move(usable));
}

Lsn StoreCore::OldestElsewhere() { return readers_ ? readers_->Look().oldest : kNobody; }

bool StoreCore::CheckpointTurn::Replaces(const pager::DataFile* file) const {
  return std::any_of(replacements.begin(), replacements.end(), [file](const auto& each) { return each->file() == file; });
}

absl::StatusOr<StoreCore::CheckpointTurn> StoreCore::BeginCheckpoint() {
  CheckpointTurn turn;
  StateChain::Candidates candidates = chain_->CheckpointCandidates();  // published before this looks at the claims
  if (readers_) {
    TURDB_ASSIGN_OR_RETURN(turn.lock, readers_->LockDirectory(env::LockMode::kExclusive,
                                                              std::min(options_.lock_timeout_ms, kCheckpointWaitMs)));
    if (!turn.lock.is_held()) return turn;
    turn.readers = readers_->Look();  // who claims something later reads on to what was published
    if (turn.readers.oldest >= candidates.newest->lsn()) next_checkpoint_ = nullptr;
  }
  const Lsn oldest = turn.readers.oldest;
  turn.is_read_behind = candidates.newest->lsn() > oldest;
  const auto is_worth_copying = [&] {
    return !turn.readers.HasOpenClaimBefore(candidates.newest->lsn()) && candidates.newest->lsn() > readers_->replaced() &&
           (next_checkpoint_ == nullptr || next_checkpoint_->lsn() > oldest) && IsHeldBackFar(*candidates.newest);
  };
  if (!turn.is_read_behind || !IsReadBehind(*candidates.newest, turn.readers) || is_worth_copying()) {
    next_checkpoint_ = nullptr;
    turn.state = std::move(candidates.newest);
    turn.older = std::move(candidates.older);
    return turn;
  }
  turn.is_read_behind = false;
  if (next_checkpoint_ && next_checkpoint_->lsn() <= oldest) {
    turn.state = std::exchange(next_checkpoint_, nullptr);
    for (auto& each : candidates.older) {
      if (each->lsn() < turn.state->lsn()) turn.older.push_back(std::move(each));
    }
  }
  if (!next_checkpoint_) next_checkpoint_ = std::move(candidates.newest);
  return turn;
}

std::vector<SnapshotInfo> StoreCore::Snapshots() const {
  if (follower_) return follower_->Snapshots();
  std::vector<SnapshotInfo> all;
  const uint64_t now = env_->NowMicros();
  const IntrusivePtr<DatabaseState> newest = chain_->published();
  for (const StateChain::InUse& each : chain_->ListInUse()) {
    SnapshotInfo info{process_id_, true, each.state->lsn()};
    if (each.outdated_seconds > 0) info.since_micros = now - static_cast<uint64_t>(each.outdated_seconds * 1e6);
    each.state->ForEach([&](FileId id, const IntrusivePtr<pager::FileState>& file) {
      info.kept_bytes += file->CountKept(newest->Find(id)) * format::kPageBytes;
    });
    all.push_back(info);
  }
  if (readers_) {
    std::lock_guard<std::mutex> guard(replaced_mutex_);
    for (const ReaderTable::Claim& claim : readers_->Look().claims) {
      SnapshotInfo info{claim.pid, false, claim.lsn, claim.since_micros};
      for (const ReplacedFile& file : replaced_files_) {
        if (claim.lsn < file.end && (claim.is_open || claim.lsn >= file.oldest_state)) info.kept_bytes += file.bytes;
      }
      all.push_back(info);
    }
  }
  for (SnapshotInfo& each : all) each.log_bytes = newest->lsn().value() - std::min(newest->lsn(), each.lsn).value();
  return all;
}

// --- replacing of files ------------------------------------------------------------------------

// Whether snapshots of other processes have held checkpoints back for so long that files are copied for their sake: by
// several times what makes a checkpoint due, and by a fair part of what there is to copy.
bool StoreCore::IsHeldBackFar(const DatabaseState& newest) {
  constexpr uint64_t kTimes = 4, kShare = 4;
  const uint64_t log_bytes = newest.lsn().value() - checkpoint_lsn_.load();
  const uint64_t version_bytes = memory_->committed_bytes();
  if (log_bytes / kTimes < checkpoint_bytes_.load() && version_bytes / kTimes < MemoryThreshold()) return false;
  uint64_t copied = 0;
  newest.ForEach([&copied](FileId, const IntrusivePtr<pager::FileState>& file) {
    if (file->table().root() != nullptr) copied += uint64_t{file->page_count()} * format::kPageBytes;
  });
  return std::max(log_bytes, version_bytes) >= copied / kShare;
}

// Copies are made without the directory's lock: nobody else writes to the files, and who loads need not wait. Claims that are
// made meanwhile are of states that were the newest, not older than this one.
absl::Status StoreCore::PrepareReplacements(CheckpointTurn* turn) {
  turn->lock = ReaderTable::DirectoryLock();
  const Lsn written(checkpoint_lsn_.load());
  absl::Status status;
  turn->state->ForEach([&](FileId, const IntrusivePtr<pager::FileState>& state) {
    const IntrusivePtr<pager::DataFile>& file = state->file();
    if (!status.ok() || state->table().root() == nullptr || !file->is_on_disk()) return;
    if (!turn->readers.IsClaimed(file->oldest_state(), turn->state->lsn())) return;
    std::vector<FileReplacement::Page> pages;
    state->table().ForEach([&](PageId page, const pager::PageVersion* version) {
      if (version->lsn() > written) pages.push_back({page, version});
    });
    if (pages.empty()) return;
    if (turn->state->lsn() <= readers_->replaced()) {  // readers could not tell this replacement from one that they know of
      status = BusyError("nothing was committed since files were replaced, or the database was opened");
      return;
    }
    auto path = ReservePath(file->path());
    status = path.status();
    if (!status.ok()) return;
    const std::string second = pager::ReplacedFileName({file->id(), turn->state->lsn()});
    auto prepared = FileReplacement::Prepare(env_, file, {Cat(path_, "/", *path), Cat(LogDirectory(path_), "/", second)}, pages);
    {
      std::lock_guard<std::mutex> guard(names_mutex_);
      names_.erase(*path);  // what is there keeps others from the name
    }
    status = prepared.status();
    if (status.ok()) turn->replacements.push_back(*std::move(prepared));
  });
  TURDB_RETURN_IF_ERROR(status);
  TURDB_ASSIGN_OR_RETURN(turn->lock, readers_->LockDirectory(env::LockMode::kExclusive, options_.lock_timeout_ms));
  return turn->lock.is_held() ? absl::OkStatus() : BusyError("another process is loading '", path_, "' all the time");
}

absl::Status StoreCore::InstallReplacements(CheckpointTurn* turn) {
  if (turn->replacements.empty()) return absl::OkStatus();
  const Lsn target = turn->state->lsn();
  readers_->set_replaced(target);  // before anything is: who sees the old value has claimed before this looked, or loads under the lock
  std::set<std::string> directories{LogDirectory(path_)};
  for (auto& each : turn->replacements) {
    const ReplacedFile replaced{each->file()->id(), each->file()->oldest_state(), target, each->bytes()};
    const std::string path = each->file()->full_path();
    TURDB_RETURN_IF_ERROR(each->Install(target));
    each->file()->set_directory_dirty(true);  // until the folder is synced, by whatever checkpoint gets that far
    directories.insert(path.substr(0, path.rfind('/')));
    files_replaced_.fetch_add(1);
    std::lock_guard<std::mutex> guard(replaced_mutex_);
    replaced_files_.push_back(replaced);
  }
  for (const std::string& directory : directories) TURDB_RETURN_IF_ERROR(env_->SyncDir(directory));
  for (auto& each : turn->replacements) each->file()->set_directory_dirty(false);
  turn->replacements.clear();
  return absl::OkStatus();
}

// What earlier processes left because somebody still read it. Of unknown age: it goes when nobody reads behind its end.
void StoreCore::AdoptReplacedFiles() {
  auto names = env_->ListDir(LogDirectory(path_));
  if (!names.ok()) return;
  std::lock_guard<std::mutex> guard(replaced_mutex_);
  for (const std::string& name : *names) {
    const auto parsed = pager::ParseReplacedFileName(name);
    if (!parsed) continue;
    auto file = env_->OpenFile(LogDirectory(path_) + "/" + name, env::OpenMode::kReadOnly);
    const auto size = file.ok() ? (*file)->Size() : absl::StatusOr<uint64_t>(0);
    replaced_files_.push_back({parsed->file, Lsn(0), parsed->lsn, size.ok() ? *size : 0});
  }
}

void StoreCore::RemoveReplacedFiles() {
  std::lock_guard<std::mutex> guard(replaced_mutex_);
  if (replaced_files_.empty()) return;
  const ReaderTable::Readers readers = readers_ ? readers_->Look() : ReaderTable::Readers();
  std::erase_if(replaced_files_, [&](const ReplacedFile& each) {
    if (readers.IsClaimed(each.oldest_state, each.end)) return false;
    const std::string name = pager::ReplacedFileName({each.file, each.end});
    return env_->DeleteFile(LogDirectory(path_) + "/" + name).ok();
  });
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
