// The database directory as a whole: what makes it one, and turdb.meta. See docs/format/directory.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "env/env.h"
#include "format/directory_meta.h"
#include "txn/store.h"

namespace turdb::txn {

inline std::string MetaPath(const std::string& directory) { return directory + "/turdb.meta"; }
inline std::string LogDirectory(const std::string& directory) { return directory + "/wal"; }
inline std::string DoubleWritePath(const std::string& directory) { return directory + "/wal/doublewrite"; }

inline std::string LockPath(const std::string& directory) { return directory + "/turdb.lock"; }

// Replaces turdb.meta, durably and at once.
absl::Status WriteMeta(env::Env* env, const std::string& directory, const format::DirectoryMeta& meta);
absl::StatusOr<format::DirectoryMeta> ReadMeta(env::Env* env, const std::string& directory);

// Waits up to the options' timeout; kBusy names the holder. Shared: by processes that only read and cannot use turdb.readers.
absl::StatusOr<std::unique_ptr<env::FileLock>> LockDatabase(env::Env* env, const std::string& path, env::LockMode mode,
                                                            const StoreOptions& options);

// Sees to it that `path` is a database directory, making one where that is allowed, and takes its lock unless read-only.
// kForeignFile for anything else that lies there; kBusy names the holder of the lock.
absl::StatusOr<std::unique_ptr<env::FileLock>> PrepareDirectory(env::Env* env, const std::string& path,
                                                                const StoreOptions& options);

}  // namespace turdb::txn
