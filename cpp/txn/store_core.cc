// Opening, closing, names and statistics of a store.
#include "txn/store_core.h"

#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "env/process_limits.h"
#include "txn/directory.h"
#include "txn/recovery.h"
#include "txn/transaction_impl.h"
#include "wal/log_files.h"

namespace turdb::txn {

using pager::DataFile;

namespace {

// A quarter of the descriptors for the data files of one database: there may be several, and the program wants some.
size_t OpenFilesFor(const StoreOptions& options) {
  constexpr uint64_t kLeast = 16, kMost = 4096;
  return options.open_files > 0 ? options.open_files : std::clamp(env::OpenFileLimit() / 4, kLeast, kMost);
}

}  // namespace

StoreCore::StoreCore(env::Env* env, std::string path, const StoreOptions& options)
    : env_(env),
      path_(std::move(path)),
      options_(options),
      process_id_(env->ProcessId()),
      is_volatile_(env->IsVolatile()),
      memory_(MakeIntrusive<pager::PageMemory>(env, LogDirectory(path_), options.page_cache_bytes)),
      open_files_(MakeIntrusive<pager::OpenFiles>(OpenFilesFor(options))),
      preserved_(MakeIntrusive<pager::PreservedSpace>(env, LogDirectory(path_))),
      checkpoint_bytes_(options.checkpoint_bytes) {}

StoreCore::~StoreCore() {
  // A forked child has no such thread; what it waits with cannot be destroyed there. The Env may be gone by now.
  if (is_forked_child_) checkpointer_.release();
}

absl::Status StoreCore::Recover() {
  ReaderTable::DirectoryLock lock;
  if (!options_.is_read_only) {
    TURDB_ASSIGN_OR_RETURN(lock, OpenReaderTable());
  }
  TURDB_ASSIGN_OR_RETURN(const format::DirectoryMeta meta, ReadMeta(env_, path_));
  salt_ = meta.salt;
  Recovery recovery(env_, path_, meta, options_.is_read_only, memory_, open_files_);
  TURDB_RETURN_IF_ERROR(recovery.Run());
  checkpoint_lsn_ = meta.checkpoint_lsn.value();
  if (!options_.is_read_only) TURDB_RETURN_IF_ERROR(TellReaders(&recovery));
  durable_lsn_ = recovery.log().end_lsn();
  recovered_commits_ = recovery.log().commits();
  next_file_id_ = recovery.next_file_id().value();
  names_ = recovery.paths();
  chain_ = std::make_unique<StateChain>(recovery.state());
  if (options_.is_read_only) return absl::OkStatus();
  if (readers_) chain_->TellPublished(readers_->published_word());
  double_write_ = std::make_unique<DoubleWrite>(env_, DoubleWritePath(path_), salt_);
  log_ = std::make_unique<wal::LogWriter>(env_, wal::LogOptions{LogDirectory(path_), salt_, options_.wal_segment_bytes},
                                          recovery.log().next_segment(), recovery.log().end_lsn());
  for (const auto& segment : recovery.log().segments()) log_->AdoptOldSegment(segment.number, segment.start_lsn);
  return absl::OkStatus();
}

absl::Status StoreCore::Open(const std::shared_ptr<StoreCore>& core) {
  TURDB_ASSIGN_OR_RETURN(core->lock_, PrepareDirectory(core->env_, core->path_, core->options_));
  if (core->options_.is_read_only) {
    TURDB_RETURN_IF_ERROR(core->OpenForReading());
    if (core->Newest()->Find(kCatalogFile) != nullptr) return absl::OkStatus();
    return CorruptionError("database '", core->path_, "' has no catalog yet: its creation was interrupted");
  }
  TURDB_RETURN_IF_ERROR(core->Recover());
  core->StartCheckpointer();
  if (core->chain_->head()->Find(kCatalogFile) != nullptr) return absl::OkStatus();
  TransactionImpl first(core);
  TURDB_RETURN_IF_ERROR(first.StartWriting(std::chrono::milliseconds(0)));
  TURDB_ASSIGN_OR_RETURN(const FileId catalog, first.CreateFile("turdb_catalog/catalog.tbd", nullptr));
  if (catalog != kCatalogFile) return CorruptionError("database '", core->path_, "' has lost its catalog");
  return first.Commit(Synchronous::kNormal);
}

void StoreCore::StartCheckpointer() {
  if (options_.is_read_only || !options_.has_background_checkpoint) return;
  // Files in memory do not outlive the process: nothing is gained by writing them after a time.
  const uint64_t interval_ms = is_volatile_ ? 0 : options_.checkpoint_interval_ms;
  checkpointer_ = std::make_unique<Checkpointer>([this](CheckpointReason reason) { return RunDueCheckpoint(reason); },
                                                 interval_ms);
  if (recovered_commits_ > 0) CheckpointIfDue();
}

void StoreCore::set_checkpoint_interval_ms(uint64_t ms) {
  if (checkpointer_ != nullptr && !is_volatile_) checkpointer_->set_interval_ms(ms);
}

absl::Status StoreCore::Close() {
  if (is_closed_.load()) return absl::OkStatus();
  if (env_->ProcessId() != process_id_) {  // a forked child owns nothing here
    is_forked_child_ = true;
    is_closed_.store(true);
    return absl::OkStatus();
  }
  if (checkpointer_ != nullptr) checkpointer_->Stop();
  absl::Status status;
  const bool may_write = CheckWritable().ok();
  const bool has_place = may_write && commit_place_.Acquire(std::chrono::milliseconds(options_.lock_timeout_ms));
  if (may_write) {
    auto is_complete = Checkpoint(CheckpointMode::kFull);
    status = is_complete.status();
    if (is_complete.ok() && *is_complete && has_place) DropLog();
  }
  is_closed_.store(true);
  if (has_place) commit_place_.Release();
  if (readers_) readers_->EndSession();
  lock_.reset();
  return status;
}

absl::Status StoreCore::CheckUsable() const {
  if (is_closed_.load(std::memory_order_acquire)) return MisuseError("database '", path_, "' is closed");
  if (env_->ProcessId() != process_id_) {
    return MisuseError("database '", path_, "' was opened by process ", process_id_,
                       " and cannot be used after fork(); open it again in the child");
  }
  return absl::OkStatus();
}

absl::Status StoreCore::CheckWritable() const {
  TURDB_RETURN_IF_ERROR(CheckUsable());
  if (options_.is_read_only) return ReadOnlyError("database '", path_, "' was opened read-only");
  if (has_failed_.load(std::memory_order_acquire)) {
    std::lock_guard<std::mutex> guard(sync_mutex_);
    return failure_;
  }
  return absl::OkStatus();
}

StoreStats StoreCore::stats() const {
  StoreStats stats;
  stats.recovered_commits = recovered_commits_;
  stats.cache_limit_bytes = memory_->limit_bytes();
  stats.cache_bytes = memory_->heap_bytes();
  stats.spilled_bytes = memory_->spilled_bytes();
  stats.committed_bytes = memory_->committed_bytes();
  stats.spill_file_bytes = memory_->spill_file_bytes();
  stats.pages_read = memory_->mapped_lookups();
  stats.cache_hits = memory_->version_lookups();
  if (!chain_) return stats;  // the process that writes knows the rest
  chain_->Trim();  // what only snapshots held that are gone is not counted
  if (log_ != nullptr) {
    stats.wal_bytes = log_->end_lsn().value() - checkpoint_lsn_.load();
    stats.wal_bytes_written = log_->bytes_written();
  }
  stats.commits = commits_.load();
  stats.syncs = syncs_.load();
  stats.checkpoints = checkpoints_.load();
  stats.pages_checkpointed = pages_checkpointed_.load();
  if (readers_) {
    const ReaderTable::Readers readers = readers_->Look();
    stats.reading_processes = readers.n;
    stats.oldest_reader_pid = readers.oldest_pid;
    if (readers.oldest_pid != 0) stats.oldest_reader_lsn = readers.oldest;
  }
  stats.files_replaced = files_replaced_.load();
  {
    std::lock_guard<std::mutex> guard(replaced_mutex_);
    stats.replaced_files = replaced_files_.size();
    for (const ReplacedFile& each : replaced_files_) stats.replaced_file_bytes += each.bytes;
  }
  stats.repeated_commits = repeated_commits_.load();
  stats.locks = locks_.stats();
  stats.preserved_pages = preserved_->n_pages();
  stats.preserved_file_bytes = stats.preserved_pages * format::kPageBytes;
  const StateChain::Snapshots snapshots = chain_->CountSnapshots();
  stats.snapshots = snapshots.n_in_use;
  stats.oldest_snapshot_seconds = snapshots.oldest_seconds;
  stats.oldest_snapshot_log_bytes = chain_->head()->lsn().value() - snapshots.oldest_lsn.value();
  const auto by = [this](CheckpointReason reason) { return checkpoints_by_reason_[static_cast<size_t>(reason)].load(); };
  stats.checkpoints_for_log = by(CheckpointReason::kLog);
  stats.checkpoints_for_memory = by(CheckpointReason::kMemory);
  stats.checkpoints_for_time = by(CheckpointReason::kTime);
  stats.checkpoints_requested = by(CheckpointReason::kRequest);
  std::lock_guard<std::mutex> guard(checkpoint_error_mutex_);
  if (!checkpoint_error_.ok()) stats.last_checkpoint_error = std::string(FromAbsl(checkpoint_error_.message()));
  return stats;
}

absl::StatusOr<std::string> StoreCore::ReservePath(std::string_view wanted) {
  const size_t slash = wanted.rfind('/');
  const size_t dot = wanted.rfind('.');
  if (slash == std::string_view::npos || slash == 0) return InternalError("'", wanted, "' is not a path below a schema");
  const bool has_extension = dot != std::string_view::npos && dot > slash;
  const std::string stem(wanted.substr(0, has_extension ? dot : wanted.size()));
  const std::string extension(has_extension ? wanted.substr(dot) : std::string_view());
  const std::string directory = Cat(path_, "/", wanted.substr(0, slash));
  if (!env_->DirExists(directory)) {
    TURDB_RETURN_IF_ERROR(env_->CreateDir(directory));
    const absl::Status synced = env_->SyncDir(path_);
    if (!synced.ok()) return Fail(synced);  // opening syncs it again
  }
  std::lock_guard<std::mutex> guard(names_mutex_);
  std::string path(wanted);
  for (int n = 1; names_.count(path) > 0 || env_->FileExists(path_ + "/" + path); ++n) {
    path = Cat(stem, "~", n, extension);
  }
  names_.insert(path);
  return path;
}

void StoreCore::DiscardCreated(const IntrusivePtr<DataFile>& file) {
  // A file that cannot be removed now is an orphan, which the next open removes.
  file->Unlink().IgnoreError();
  std::lock_guard<std::mutex> guard(names_mutex_);
  names_.erase(file->path());
}

IntrusivePtr<DataFile> StoreCore::NewDataFile(FileId id, const std::string& path) {
  return MakeIntrusive<DataFile>(env_, path_, path, id, pager::OnDisk::kNo, false, memory_, open_files_);
}

}  // namespace turdb::txn
