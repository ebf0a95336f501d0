// Checkpoint: from page versions to the files.
//
// The newest published state is written. Who looks at it or at a newer one has versions of the pages that it has versions of;
// for older snapshots the pages are preserved in the maps they read through (DataFile::Preserve), so overwriting them in
// the files disturbs nobody (invariant 2 of store.h). Where pages cannot be preserved (a database in memory, no room on the
// disk, a damaged page), the newest state that no snapshot is older than is written instead.
// Order: the log is synced up to the state; old pages are preserved; images of pages that recovery may need go to the double-write area, synced;
// pages go to their files, synced; turdb.meta says so, synced; old segments go; the newest states are published
// anew without what is now in the files. Snapshots of other processes count, too: see other_processes.cc.
#include <algorithm>
#include <cstring>

#include "base/errors.h"
#include "base/out_of_memory.h"
#include "base/status_macros.h"
#include "txn/directory.h"
#include "txn/store_core.h"

namespace turdb::txn {

using format::kPageBytes;
using pager::DataFile;
using pager::FileState;
using pager::PageVersion;

namespace {

// Seals copies of page versions and writes consecutive ones together.
class PageWriter {
 public:
  static const uint8_t* Seal(const PageToWrite& page, uint8_t* to) {
    std::memcpy(to, page.version->bytes(), kPageBytes);
    turdb::Store<uint64_t>(to + format::kPageLsnOffset, page.version->lsn().value());
    format::SealPage(page.file->id(), page.page, to);
    return to;
  }

  static absl::Status WriteInPlace(const PageToWrite* pages, size_t n) {
    constexpr size_t kRun = 32;
    auto buffer = std::make_unique<uint8_t[]>(kRun * kPageBytes);
    for (size_t begin = 0, end; begin < n; begin = end) {
      for (end = begin; end < n && end - begin < kRun; ++end) {
        if (end > begin && (pages[end].file != pages[begin].file ||
                            pages[end].page != pages[begin].page + static_cast<uint32_t>(end - begin))) {
          break;
        }
        Seal(pages[end], buffer.get() + (end - begin) * kPageBytes);
      }
      TURDB_RETURN_IF_ERROR(pages[begin].file->WritePages(pages[begin].page, static_cast<uint32_t>(end - begin),
                                                          buffer.get()));
    }
    return absl::OkStatus();
  }
};

std::set<DataFile*> FilesOf(const PageToWrite* pages, size_t n) {
  std::set<DataFile*> files;
  for (size_t i = 0; i < n; ++i) files.insert(pages[i].file);
  return files;
}

}  // namespace

absl::Status StoreCore::PreserveFor(const CheckpointTurn& turn) {
  const std::vector<IntrusivePtr<DatabaseState>>& older = turn.older;
  const DatabaseState& state = *turn.state;
  if (is_volatile_) return UnsupportedError("files in memory need no log, and keep no old pages");
  const Lsn written(checkpoint_lsn_.load());
  absl::Status status;
  state.ForEach([&](FileId id, const IntrusivePtr<FileState>& newest) {
    if (!status.ok() || newest->table().root() == nullptr) return;
    std::set<const FileState*> readers;
    uint32_t page_limit = 0;
    for (const auto& old_state : older) {
      const FileState* file = old_state->Find(id);
      if (file == nullptr || !readers.insert(file).second) continue;
      page_limit = std::max(page_limit, file->page_count());
      if (status.ok()) status = file->FixMap();
    }
    std::vector<PageId> pages;
    newest->table().ForEach([&](PageId page, const PageVersion* version) {
      if (version->lsn() <= written) return;
      const bool is_shown = std::any_of(readers.begin(), readers.end(), [page](const FileState* file) {
        return page.value() < file->page_count() && file->table().FindVersion(page) == nullptr;
      });
      if (is_shown) pages.push_back(page);
    });
    if (!status.ok() || pages.empty() || turn.Replaces(newest->file().get())) return;  // a replaced file stays as it is
    status = newest->file()->Preserve(pages, {older.back()->lsn(), page_limit}, state.lsn(), preserved_.get());
  });
  return status;
}

absl::Status StoreCore::SyncFiles(const std::set<DataFile*>& files) {
  for (DataFile* file : files) {
    const absl::Status status = file->Sync();
    if (!status.ok()) return Fail(status);
  }
  return absl::OkStatus();
}

absl::Status StoreCore::SyncDirectoriesOf(const std::vector<DataFile*>& files) {
  std::set<std::string> directories;
  for (const DataFile* file : files) {
    if (file->is_directory_dirty()) directories.insert(file->directory_path());
  }
  for (const std::string& directory : directories) {
    const absl::Status status = env_->SyncDir(directory);
    if (!status.ok()) return Fail(status);
  }
  for (DataFile* file : files) file->set_directory_dirty(false);
  return absl::OkStatus();
}

absl::Status StoreCore::WriteProtected(Lsn target, const std::vector<PageToWrite>& pages, size_t begin, size_t n) {
  const PageToWrite* batch = pages.data() + begin;
  TURDB_RETURN_IF_ERROR(double_write_->Begin(target));
  auto buffer = std::make_unique<uint8_t[]>(kPageBytes);
  for (size_t i = 0; i < n; ++i) {
    const uint8_t* image = PageWriter::Seal(batch[i], buffer.get());
    TURDB_RETURN_IF_ERROR(double_write_->Add({batch[i].file->id(), batch[i].page}, image));
  }
  TURDB_RETURN_IF_ERROR(double_write_->Finish());
  const absl::Status synced = double_write_->Sync();
  if (!synced.ok()) return Fail(synced);
  return WriteAndSync(batch, n);
}

// The pages of a file lie together. A file that was written stays open until it is synced, so there may not be too many of them.
absl::Status StoreCore::WriteAndSync(const PageToWrite* pages, size_t n) {
  for (size_t begin = 0, end; begin < n; begin = end) {
    std::set<DataFile*> files;
    for (end = begin; end < n; ++end) {
      if (files.size() >= open_files_->limit() && files.count(pages[end].file) == 0) break;
      files.insert(pages[end].file);
    }
    TURDB_RETURN_IF_ERROR(PageWriter::WriteInPlace(pages + begin, end - begin));
    TURDB_RETURN_IF_ERROR(SyncFiles(files));
  }
  return absl::OkStatus();
}

absl::Status StoreCore::WriteState(const CheckpointTurn& turn, const DatabaseState& state) {
  const Lsn written(checkpoint_lsn_.load());
  std::vector<PageToWrite> guarded, fresh;
  std::vector<DataFile*> files;
  absl::Status status;
  state.ForEach([&](FileId, const IntrusivePtr<FileState>& file_state) {
    if (!status.ok() || file_state->table().root() == nullptr) return;
    DataFile* file = file_state->file().get();
    if (turn.Replaces(file)) return;
    if (!file->is_on_disk()) file->set_oldest_state(state.lsn());  // older ones have versions of all its pages
    const auto is_there = file->EnsureOnDisk();
    status = is_there.status();
    if (!status.ok() || !*is_there) return;  // one that was dropped since is not made any more
    files.push_back(file);
    const uint32_t unprotected_from = file->unprotected_from();
    file_state->table().ForEach([&](PageId page, const PageVersion* version) {
      if (version->lsn() <= written) return;
      if (page.value() < unprotected_from && !is_volatile_) {
        guarded.push_back({file, page, version});
      } else {
        fresh.push_back({file, page, version});
      }
    });
  });
  TURDB_RETURN_IF_ERROR(status);
  // The area may still be what protects pages that a failed attempt left unsynced.
  if (is_last_attempt_unfinished_) TURDB_RETURN_IF_ERROR(SyncFiles(FilesOf(guarded.data(), guarded.size())));
  is_last_attempt_unfinished_ = true;
  for (size_t begin = 0; begin < guarded.size(); begin += format::kDoubleWritePages) {
    const size_t n = std::min<size_t>(format::kDoubleWritePages, guarded.size() - begin);
    TURDB_RETURN_IF_ERROR(WriteProtected(state.lsn(), guarded, begin, n));
  }
  TURDB_RETURN_IF_ERROR(WriteAndSync(fresh.data(), fresh.size()));
  TURDB_RETURN_IF_ERROR(SyncDirectoriesOf(files));
  is_last_attempt_unfinished_ = false;
  pages_checkpointed_.fetch_add(guarded.size() + fresh.size());
  return absl::OkStatus();
}

absl::Status StoreCore::WriteCheckpointMeta(const DatabaseState& state, uint32_t first_segment) {
  format::DirectoryMeta meta;
  meta.salt = salt_;
  meta.checkpoint_lsn = state.lsn();
  meta.first_segment = first_segment;
  meta.next_file_id = FileId(next_file_id_.load());
  state.ForEach([&meta](FileId id, const IntrusivePtr<FileState>& file) {
    meta.files.push_back({id, file->page_count(), file->file()->path()});
  });
  return WriteMeta(env_, path_, meta);
}

void StoreCore::CleanChain(Lsn lsn) {
  chain_->Clean([lsn](const DatabaseState& state) -> IntrusivePtr<DatabaseState> {
    IntrusivePtr<DatabaseState> cleaned;
    state.ForEach([&](FileId id, const IntrusivePtr<FileState>& file) {
      auto without = file->WithoutVersionsUpTo(lsn);
      if (!without) return;
      if (!cleaned) cleaned = state.CopyAt(state.lsn());
      cleaned->Set(id, std::move(without));
    });
    return cleaned;
  });
}

// What older snapshots see is kept for them, or an older state is taken. False when neither can be.
absl::StatusOr<bool> StoreCore::MakeRoomForOlder(CheckpointTurn* turn) {
  absl::Status status = turn->is_read_behind ? PrepareReplacements(turn) : absl::OkStatus();
  if (status.ok() && !turn->older.empty()) {
    status = PreserveFor(*turn);
    if (!status.ok() && !turn->is_read_behind) turn->state = turn->older.front();
  }
  if (!status.ok() && !is_volatile_) hindrance_ = status;
  return status.ok() || !turn->is_read_behind;
}

absl::StatusOr<bool> StoreCore::WriteCheckpoint(CheckpointReason reason) {
  TURDB_ASSIGN_OR_RETURN(CheckpointTurn turn, BeginCheckpoint());
  if (!turn.state) return false;
  if (turn.state->lsn() > checkpoint_lsn()) {
    TURDB_RETURN_IF_ERROR(SyncUpTo(turn.state->lsn()));
    TURDB_ASSIGN_OR_RETURN(const bool is_possible, MakeRoomForOlder(&turn));
    if (!is_possible) return false;
  }
  const IntrusivePtr<DatabaseState>& state = turn.state;
  const Lsn target = state->lsn();
  if (target > checkpoint_lsn()) {
    TURDB_RETURN_IF_ERROR(WriteState(turn, *state));
    TURDB_RETURN_IF_ERROR(InstallReplacements(&turn));
    const uint32_t first_segment = log_->FirstSegmentFor(target);
    TURDB_RETURN_IF_ERROR(WriteCheckpointMeta(*state, first_segment));
    state->ForEach([](FileId, const IntrusivePtr<FileState>& file) { file->file()->Protect(file->page_count()); });
    checkpoint_lsn_.store(target.value());
    if (readers_) readers_->set_checkpoint(target);
    log_->DropBefore(first_segment);
    CleanChain(target);
    checkpoints_.fetch_add(1);
    checkpoints_by_reason_[static_cast<size_t>(reason)].fetch_add(1);
  }
  UnlinkDropped(std::min(target, checkpoint_lsn()));
  return checkpoint_lsn() == log_->end_lsn();
}

// The log begins anew when nobody is writing to it.
void StoreCore::RestartLog(CheckpointMode mode) {
  const bool may_wait = mode == CheckpointMode::kRestart || mode == CheckpointMode::kTruncate;
  if (!commit_place_.Acquire(std::chrono::milliseconds(may_wait ? options_.lock_timeout_ms : 0))) return;
  if (checkpoint_lsn() == log_->end_lsn()) log_->BeginNewSegment();
  if (mode == CheckpointMode::kTruncate) {
    OrOutOfMemory([this] {
      log_->DropSpare();
      return absl::OkStatus();
    }).IgnoreError();  // it is dropped by the next open
  }
  commit_place_.Release();
}

absl::StatusOr<bool> StoreCore::CheckpointLocked(CheckpointReason reason, CheckpointMode mode) {
  hindrance_ = absl::OkStatus();
  auto is_complete = OrOutOfMemory([&] { return WriteCheckpoint(reason); });
  if (is_complete.ok() && *is_complete) RestartLog(mode);
  chain_->Trim();
  kept_committed_bytes_.store(memory_->committed_bytes());
  std::lock_guard<std::mutex> guard(checkpoint_error_mutex_);
  checkpoint_error_ = is_complete.ok() ? hindrance_ : is_complete.status();
  return is_complete;
}

absl::StatusOr<bool> StoreCore::Checkpoint(CheckpointMode mode) {
  TURDB_RETURN_IF_ERROR(CheckWritable());
  const uint64_t timeout_ms = mode == CheckpointMode::kPassive ? 0 : options_.lock_timeout_ms;
  if (!checkpoint_lock_.Acquire(std::chrono::milliseconds(timeout_ms))) {
    return BusyError("a checkpoint of '", path_, "' is running already");
  }
  auto is_complete = CheckpointLocked(CheckpointReason::kRequest, mode);
  checkpoint_lock_.Release();
  return is_complete;
}

// --- checkpoints that nobody asks for ----------------------------------------------------------

bool StoreCore::RunDueCheckpoint(CheckpointReason reason) {
  if (!CheckWritable().ok()) return true;  // what is wrong is told to whoever writes
  if (!checkpoint_lock_.Acquire(std::chrono::milliseconds(options_.lock_timeout_ms))) return false;
  const bool is_done = CheckpointLocked(reason, CheckpointMode::kPassive).ok() && hindrance_.ok();
  checkpoint_lock_.Release();
  return is_done;
}

uint64_t StoreCore::MemoryThreshold() const {
  constexpr uint64_t kLeast = 1u << 20;  // smaller checkpoints would cost more syncs than memory is worth
  return std::max(kLeast, memory_->limit_bytes() / 2);
}

// The bytes of committed versions that the next checkpoint may free.
uint64_t StoreCore::FreeableBytes() {
  const uint64_t committed = memory_->committed_bytes();
  const uint64_t kept = kept_committed_bytes_.load();
  if (committed >= kept) return committed - kept;
  kept_committed_bytes_.store(committed);  // a snapshot has gone
  return 0;
}

void StoreCore::CheckpointIfDue() {
  if (checkpointer_ != nullptr) checkpointer_->NoteCommit();
  const uint64_t end = log_->end_lsn().value();
  const uint64_t since = std::max(checkpoint_lsn_.load(), last_due_lsn_.load());
  const bool is_for_log = end - std::min(end, since) >= checkpoint_bytes_.load();
  const uint64_t freeable = FreeableBytes();
  const bool is_for_memory = freeable >= MemoryThreshold() && end > last_due_lsn_.load();
  if (is_for_log || is_for_memory) {
    const auto reason = is_for_log ? CheckpointReason::kLog : CheckpointReason::kMemory;
    if (checkpointer_ != nullptr) {
      last_due_lsn_.store(end);
      checkpointer_->Wake(reason);
    } else if (checkpoint_lock_.Acquire(std::chrono::milliseconds(0))) {
      last_due_lsn_.store(end);
      CheckpointLocked(reason, CheckpointMode::kPassive).status().IgnoreError();  // kept, and shown by stats
      checkpoint_lock_.Release();
    }
  }
  if (checkpointer_ != nullptr) HelpIfBehind(end, freeable);
}

// A commit that finds the checkpoints far behind those before it waits for one, or writes it.
void StoreCore::HelpIfBehind(uint64_t end, uint64_t freeable) {
  constexpr uint64_t kMostBehind = 4;
  const uint64_t end_before = last_commit_end_.exchange(end);
  const uint64_t freeable_before = last_freeable_.exchange(freeable);
  const auto is_behind = [&] {
    const uint64_t since = std::max(checkpoint_lsn_.load(), last_help_lsn_.load());
    if (end_before <= since) return false;
    return end_before - since >= kMostBehind * checkpoint_bytes_.load() ||
           std::min(freeable_before, FreeableBytes()) >= kMostBehind * MemoryThreshold();
  };
  if (!is_behind()) return;
  if (!checkpoint_lock_.Acquire(std::chrono::milliseconds(options_.lock_timeout_ms))) return;
  if (is_behind()) {
    last_help_lsn_.store(end);
    CheckpointLocked(CheckpointReason::kLog, CheckpointMode::kPassive).status().IgnoreError();
  }
  checkpoint_lock_.Release();
}

}  // namespace turdb::txn
