// Recognising, making and locking a database directory.
#include "txn/directory.h"

#include <algorithm>
#include <array>
#include <random>
#include <string_view>

#include "base/errors.h"
#include "base/status_macros.h"

namespace turdb::txn {
namespace {

constexpr std::array<std::string_view, 6> kOwnNames = {"turdb.lock", "turdb.readers", "turdb.meta.new",
                                                       "wal",        "root",          "turdb_catalog"};

absl::Status RefusePlainFile(env::Env* env, const std::string& path) {
  std::string start(16, '\0');
  auto file = env->OpenFile(path, env::OpenMode::kReadOnly);
  const bool is_sqlite = file.ok() && (*file)->ReadAt(0, start.data(), start.size()).ok() &&
                         std::string_view(start).substr(0, 15) == "SQLite format 3";
  return ForeignFileError("cannot open database '", path, "': it is ",
                          is_sqlite ? "an SQLite database" : "a plain file",
                          "; a turdb database is a directory of its own");
}

// For a directory without turdb.meta: fine when it is empty or an interrupted creation left it.
absl::Status CheckMayBecomeDatabase(env::Env* env, const std::string& path) {
  TURDB_ASSIGN_OR_RETURN(const auto names, env->ListDir(path));
  for (const std::string& name : names) {
    if (std::find(kOwnNames.begin(), kOwnNames.end(), name) == kOwnNames.end()) {
      return ForeignFileError("cannot open database '", path, "': the directory holds '", name,
                              "' and is not a turdb database");
    }
    if (!env->DirExists(path + "/" + name)) continue;
    TURDB_ASSIGN_OR_RETURN(const auto inner, env->ListDir(path + "/" + name));
    if (!inner.empty()) {
      return CorruptionError("database '", path, "' is damaged: turdb.meta is missing, but '", name, "/", inner[0],
                             "' is there");
    }
  }
  return absl::OkStatus();
}

uint64_t NewSalt(env::Env* env) {
  std::random_device random;
  return (uint64_t{random()} << 32 ^ random()) ^ env->NowMicros() * 0x9e3779b97f4a7c15u;
}

absl::Status Initialize(env::Env* env, const std::string& path) {
  for (const char* name : {"/wal", "/root", "/turdb_catalog"}) TURDB_RETURN_IF_ERROR(env->CreateDir(path + name));
  format::DirectoryMeta meta;
  meta.salt = NewSalt(env);
  return WriteMeta(env, path, meta);
}

}  // namespace

absl::StatusOr<std::unique_ptr<env::FileLock>> LockDatabase(env::Env* env, const std::string& path,
                                                            env::LockMode mode, const StoreOptions& options) {
  const uint64_t deadline = env->MonotonicMicros() + options.lock_timeout_ms * 1000;
  for (uint64_t pause = 500;; pause = std::min<uint64_t>(2 * pause, 50000)) {
    auto lock = mode == env::LockMode::kShared ? env->LockFileShared(LockPath(path)) : env->LockFile(LockPath(path));
    if (!lock.ok() && KindOf(lock.status()) == ErrorKind::kReadOnly && mode == env::LockMode::kExclusive) {
      return ReadOnlyError("cannot open database '", path, "' for writing: ", FromAbsl(lock.status().message()),
                           "; it may still be opened read_only");
    }
    if (lock.ok() || KindOf(lock.status()) != ErrorKind::kBusy) return lock;
    if (env->MonotonicMicros() >= deadline) {
      const bool is_for_writing = mode == env::LockMode::kExclusive;
      return BusyError("cannot open database '", path, "': ", FromAbsl(lock.status().message()),
                       is_for_writing ? "; open it read_only to read meanwhile, or wait with a longer timeout" : "");
    }
    if (options.check_interrupt) TURDB_RETURN_IF_ERROR(options.check_interrupt());
    env->SleepMicros(pause);
  }
}

absl::Status WriteMeta(env::Env* env, const std::string& directory, const format::DirectoryMeta& meta) {
  const std::string bytes = format::EncodeDirectoryMeta(meta);
  const std::string fresh = MetaPath(directory) + ".new";
  {
    TURDB_ASSIGN_OR_RETURN(auto file, env->OpenFile(fresh, env::OpenMode::kCreate));
    TURDB_RETURN_IF_ERROR(file->Truncate(0));
    TURDB_RETURN_IF_ERROR(file->WriteAt(0, bytes.data(), bytes.size()));
    TURDB_RETURN_IF_ERROR(file->Sync());
  }
  TURDB_RETURN_IF_ERROR(env->RenameFile(fresh, MetaPath(directory)));
  return env->SyncDir(directory);
}

absl::StatusOr<format::DirectoryMeta> ReadMeta(env::Env* env, const std::string& directory) {
  TURDB_ASSIGN_OR_RETURN(auto file, env->OpenFile(MetaPath(directory), env::OpenMode::kReadOnly));
  TURDB_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  std::string bytes(size, '\0');
  TURDB_RETURN_IF_ERROR(file->ReadAt(0, bytes.data(), size));
  return format::DecodeDirectoryMeta(bytes, MetaPath(directory));
}

absl::StatusOr<std::unique_ptr<env::FileLock>> PrepareDirectory(env::Env* env, const std::string& path,
                                                                const StoreOptions& options) {
  if (env->FileExists(path)) return RefusePlainFile(env, path);
  const bool may_create = options.create_if_missing && !options.is_read_only;
  if (!env->DirExists(path)) {
    if (!may_create) return IoError("cannot open database '", path, "': there is no such directory");
    TURDB_RETURN_IF_ERROR(env->CreateDir(path));
  }
  if (!env->FileExists(MetaPath(path))) {
    TURDB_RETURN_IF_ERROR(CheckMayBecomeDatabase(env, path));
    if (!may_create) return ForeignFileError("cannot open database '", path, "': the directory holds no database");
  }
  if (options.is_read_only) return std::unique_ptr<env::FileLock>();
  TURDB_ASSIGN_OR_RETURN(auto lock, LockDatabase(env, path, env::LockMode::kExclusive, options));
  if (!env->FileExists(MetaPath(path))) {  // still, now that nobody else makes it
    TURDB_RETURN_IF_ERROR(CheckMayBecomeDatabase(env, path));
    TURDB_RETURN_IF_ERROR(Initialize(env, path));
  }
  return lock;
}

}  // namespace turdb::txn
