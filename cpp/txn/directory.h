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

// Replaces turdb.meta, durably and at once.
absl::Status WriteMeta(env::Env* env, const std::string& directory, const format::DirectoryMeta& meta);
absl::StatusOr<format::DirectoryMeta> ReadMeta(env::Env* env, const std::string& directory);

// Sees to it that `path` is a database directory, making one where that is allowed, and takes its lock unless read-only.
// kForeignFile for anything else that lies there; kBusy names the holder of the lock.
absl::StatusOr<std::unique_ptr<env::FileLock>> PrepareDirectory(env::Env* env, const std::string& path,
                                                                const StoreOptions& options);

}  // namespace turdb::txn
