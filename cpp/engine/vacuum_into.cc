// VACUUM INTO: a new database directory, filled in one transaction, closed, synced; or removed again.
#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/copy_database.h"
#include "engine/vacuum.h"

namespace turdb::engine {
namespace {

std::string ParentOf(const std::string& path) {
  const size_t slash = path.find_last_of('/', path.find_last_not_of('/'));
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

// Whatever can be removed; the rest stays. Only ever called on a directory that was missing or empty before.
void RemoveContents(env::Env* env, const std::string& path) {
  const auto names = env->ListDir(path);
  if (!names.ok()) return;
  for (const std::string& name : *names) {
    const std::string full = Cat(path, "/", name);
    if (env->DirExists(full)) {
      RemoveContents(env, full);
      env->DeleteDir(full).IgnoreError();
    } else {
      env->DeleteFile(full).IgnoreError();
    }
  }
}

absl::Status CheckTarget(env::Env* env, const std::string& path, bool* is_there) {
  *is_there = env->DirExists(path);
  if (*is_there) {
    TURDB_ASSIGN_OR_RETURN(const auto names, env->ListDir(path));
    return names.empty() ? absl::OkStatus() : IoError("output file already exists: '", path, "' is not empty");
  }
  if (env->FileExists(path)) return IoError("output file already exists: '", path, "'");
  if (ParentOf(path) == "." || env->DirExists(ParentOf(path))) return absl::OkStatus();
  return IoError("unable to open database '", path, "': there is no folder '", ParentOf(path), "'");
}

absl::Status Fill(const CopyEnds& source, env::Env* env, const std::string& path, const VacuumOptions& options) {
  TURDB_ASSIGN_OR_RETURN(const auto store, txn::Store::Open(env, path, txn::StoreOptions()));
  const auto cache = catalog::NewCatalogCache();
  auto txn = store->Begin();
  TURDB_RETURN_IF_ERROR(txn->StartWriting(std::chrono::milliseconds(0)));
  TURDB_RETURN_IF_ERROR(catalog::InitialiseCatalog(txn.get()));
  TURDB_RETURN_IF_ERROR(CopyCompactly({source.from_cache, source.from, cache.get(), txn.get()}, options));
  TURDB_RETURN_IF_ERROR(txn->Commit(txn::Synchronous::kFull));
  txn = nullptr;
  TURDB_RETURN_IF_ERROR(store->Close());
  return env->SyncDir(ParentOf(path));
}

}  // namespace

absl::Status VacuumInto(catalog::CatalogCache* cache, txn::Transaction* from, env::Env* env, const std::string& path,
                        const VacuumOptions& options) {
  bool is_there = false;
  TURDB_RETURN_IF_ERROR(CheckTarget(env, path, &is_there));
  const absl::Status filled = Fill({cache, from, nullptr, nullptr}, env, path, options);
  if (filled.ok()) return filled;
  RemoveContents(env, path);
  if (!is_there) env->DeleteDir(path).IgnoreError();
  return filled;
}

}  // namespace turdb::engine
