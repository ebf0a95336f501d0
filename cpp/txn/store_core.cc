#include "txn/store_core.h"

#include "base/errors.h"
#include "base/status_macros.h"

namespace turdb::txn {

using pager::DataFile;

StoreCore::StoreCore(env::Env* env, std::string path, const StoreOptions& options)
    : env_(env), path_(std::move(path)), options_(options), process_id_(env->ProcessId()) {}

StoreCore::~StoreCore() = default;

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
  return absl::OkStatus();
}

absl::StatusOr<std::string> StoreCore::ReservePath(std::string_view wanted) {
  const size_t slash = wanted.rfind('/');
  const size_t dot = wanted.rfind('.');
  if (slash == std::string_view::npos || slash == 0) return InternalError("'", wanted, "' is not a path below a schema");
  const bool has_extension = dot != std::string_view::npos && dot > slash;
  const std::string stem(wanted.substr(0, has_extension ? dot : wanted.size()));
  const std::string extension(has_extension ? wanted.substr(dot) : std::string_view());
  TURDB_RETURN_IF_ERROR(env_->CreateDir(Cat(path_, "/", wanted.substr(0, slash))));
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

absl::StatusOr<IntrusivePtr<DatabaseState>> StoreCore::Commit(const CommitRequest& request,
                                                              Synchronous synchronous) {
  auto base = chain_->head();
  if (request.changed.empty() && request.dropped.empty()) {
    writer_lock_.Release();
    return base;
  }
  const Lsn lsn(base->lsn().value() + 1);
  auto state = base->CopyAt(lsn);
  for (const auto& [id, pages] : request.changed) {
    const absl::Status status = pages->Finish();
    if (!status.ok()) {
      writer_lock_.Release();
      return status;
    }
    state->Set(id, pages->ToState(lsn, Lsn(0)));
  }
  for (FileId id : request.dropped) state->Set(id, nullptr);
  chain_->Append(state, false);
  writer_lock_.Release();
  chain_->PublishUpTo(lsn);
  commits_.fetch_add(1);
  return state;
}

}  // namespace turdb::txn
