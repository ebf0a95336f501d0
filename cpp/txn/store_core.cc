// Opening, closing, names and statistics of a store.
#include "txn/store_core.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "txn/directory.h"
#include "txn/recovery.h"
#include "txn/transaction_impl.h"
#include "wal/log_files.h"

namespace turdb::txn {

using pager::DataFile;

StoreCore::StoreCore(env::Env* env, std::string path, const StoreOptions& options)
    : env_(env),
      path_(std::move(path)),
      options_(options),
      process_id_(env->ProcessId()),
      is_volatile_(env->IsVolatile()),
      checkpoint_bytes_(options.checkpoint_bytes) {}

StoreCore::~StoreCore() = default;

absl::Status StoreCore::Recover() {
  TURDB_ASSIGN_OR_RETURN(const format::DirectoryMeta meta, ReadMeta(env_, path_));
  salt_ = meta.salt;
  Recovery recovery(env_, path_, meta, options_.is_read_only);
  TURDB_RETURN_IF_ERROR(recovery.Run());
  checkpoint_lsn_ = meta.checkpoint_lsn.value();
  durable_lsn_ = recovery.log().end_lsn();
  recovered_commits_ = recovery.log().commits();
  next_file_id_ = recovery.next_file_id().value();
  names_ = recovery.paths();
  chain_ = std::make_unique<StateChain>(recovery.state());
  if (options_.is_read_only) return absl::OkStatus();
  double_write_ = std::make_unique<DoubleWrite>(env_, DoubleWritePath(path_), salt_);
  log_ = std::make_unique<wal::LogWriter>(env_, wal::LogOptions{LogDirectory(path_), salt_, options_.wal_segment_bytes},
                                          recovery.log().next_segment(), recovery.log().end_lsn());
  for (const auto& segment : recovery.log().segments()) log_->AdoptOldSegment(segment.number, segment.start_lsn);
  return absl::OkStatus();
}

absl::Status StoreCore::Open(const std::shared_ptr<StoreCore>& core) {
  TURDB_ASSIGN_OR_RETURN(core->lock_, PrepareDirectory(core->env_, core->path_, core->options_));
  TURDB_RETURN_IF_ERROR(core->Recover());
  if (core->chain_->head()->Find(kCatalogFile) != nullptr) return absl::OkStatus();
  if (core->options_.is_read_only) {
    return CorruptionError("database '", core->path_, "' has no catalog yet: its creation was interrupted");
  }
  TransactionImpl first(core);
  TURDB_RETURN_IF_ERROR(first.StartWriting(std::chrono::milliseconds(0)));
  TURDB_ASSIGN_OR_RETURN(const FileId catalog, first.CreateFile("turdb_catalog/catalog.tbd", nullptr));
  if (catalog != kCatalogFile) return CorruptionError("database '", core->path_, "' has lost its catalog");
  return first.Commit(Synchronous::kNormal);
}

absl::Status StoreCore::Close() {
  if (is_closed_.load()) return absl::OkStatus();
  if (env_->ProcessId() != process_id_) {  // a forked child owns nothing here
    is_closed_.store(true);
    return absl::OkStatus();
  }
  absl::Status status;
  const bool may_write = CheckWritable().ok();
  const bool has_place = may_write && writer_lock_.Acquire(std::chrono::milliseconds(options_.lock_timeout_ms));
  if (may_write) {
    auto is_complete = Checkpoint();
    status = is_complete.status();
    if (is_complete.ok() && *is_complete && has_place) {
      log_->DropAll();
      double_write_->Remove();
    }
  }
  is_closed_.store(true);
  if (has_place) writer_lock_.Release();
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
  if (log_ != nullptr) {
    stats.wal_bytes = log_->end_lsn().value() - checkpoint_lsn_.load();
    stats.wal_bytes_written = log_->bytes_written();
  }
  stats.commits = commits_.load();
  stats.syncs = syncs_.load();
  stats.checkpoints = checkpoints_.load();
  stats.pages_checkpointed = pages_checkpointed_.load();
  stats.recovered_commits = recovered_commits_;
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
    TURDB_RETURN_IF_ERROR(env_->SyncDir(path_));
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
  return MakeIntrusive<DataFile>(env_, path_, path, id, pager::OnDisk::kNo, false);
}

}  // namespace turdb::txn
