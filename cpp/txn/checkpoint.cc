// Checkpoint: from page versions to the files.
//
// The state written is the newest that no snapshot is older than. Everybody who looks has versions of their own for
// the pages it has versions of, so overwriting those in the mapped files disturbs nobody (invariant 2 of store.h).
// Order: the log is synced up to the state; images of pages that recovery may need go to the double-write area, synced;
// pages go to their files, synced; turdb.meta says so, synced; old segments go; the newest states are published
// anew without what is now in the files. Snapshots of other processes count, too: see other_processes.cc.
#include <cstring>

#include "base/errors.h"
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

absl::Status StoreCore::SyncFiles(const std::set<DataFile*>& files) {
  for (DataFile* file : files) {
    const absl::Status status = file->Sync();
    if (!status.ok()) return Fail(status);
  }
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
  TURDB_RETURN_IF_ERROR(PageWriter::WriteInPlace(batch, n));
  return SyncFiles(FilesOf(batch, n));
}

absl::Status StoreCore::WriteState(const DatabaseState& state) {
  const Lsn written(checkpoint_lsn_.load());
  std::vector<PageToWrite> guarded, fresh;
  std::set<std::string> dirty_directories;
  absl::Status status;
  state.ForEach([&](FileId, const IntrusivePtr<FileState>& file_state) {
    if (!status.ok() || file_state->table().root() == nullptr) return;
    DataFile* file = file_state->file().get();
    status = file->EnsureOnDisk();
    if (file->TakeIsDirectoryDirty()) {
      const std::string path = file->full_path();
      dirty_directories.insert(path.substr(0, path.rfind('/')));
    }
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
  TURDB_RETURN_IF_ERROR(PageWriter::WriteInPlace(fresh.data(), fresh.size()));
  TURDB_RETURN_IF_ERROR(SyncFiles(FilesOf(fresh.data(), fresh.size())));
  for (const std::string& directory : dirty_directories) TURDB_RETURN_IF_ERROR(env_->SyncDir(directory));
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

absl::StatusOr<bool> StoreCore::CheckpointLocked() {
  TURDB_ASSIGN_OR_RETURN(const CheckpointTurn turn, BeginCheckpoint());
  if (!turn.state) return false;
  const auto& state = turn.state;
  const Lsn target = state->lsn();
  if (target > Lsn(checkpoint_lsn_.load())) {
    TURDB_RETURN_IF_ERROR(SyncUpTo(target));
    TURDB_RETURN_IF_ERROR(WriteState(*state));
    const uint32_t first_segment = log_->FirstSegmentFor(target);
    TURDB_RETURN_IF_ERROR(WriteCheckpointMeta(*state, first_segment));
    state->ForEach([](FileId, const IntrusivePtr<FileState>& file) { file->file()->Protect(file->page_count()); });
    checkpoint_lsn_.store(target.value());
    if (readers_) readers_->set_checkpoint(target);
    log_->DropBefore(first_segment);
    CleanChain(target);
    checkpoints_.fetch_add(1);
  }
  UnlinkDropped(target);
  const bool is_complete = target == log_->end_lsn();
  // The log begins anew when nobody is writing to it.
  if (is_complete && writer_lock_.Acquire(std::chrono::milliseconds(0))) {
    if (target == log_->end_lsn()) log_->BeginNewSegment();
    writer_lock_.Release();
  }
  return is_complete;
}

absl::StatusOr<bool> StoreCore::Checkpoint() {
  TURDB_RETURN_IF_ERROR(CheckWritable());
  if (!checkpoint_lock_.Acquire(std::chrono::milliseconds(options_.lock_timeout_ms))) {
    return BusyError("a checkpoint of '", path_, "' is running already");
  }
  auto is_complete = CheckpointLocked();
  checkpoint_lock_.Release();
  return is_complete;
}

void StoreCore::CheckpointIfDue() {
  const uint64_t end = log_->end_lsn().value();
  const uint64_t since = std::max(checkpoint_lsn_.load(), last_due_lsn_.load());
  if (end - std::min(end, since) < checkpoint_bytes_.load()) return;
  if (!checkpoint_lock_.Acquire(std::chrono::milliseconds(0))) return;
  last_due_lsn_.store(end);
  CheckpointLocked().status().IgnoreError();
  checkpoint_lock_.Release();
}

}  // namespace turdb::txn
