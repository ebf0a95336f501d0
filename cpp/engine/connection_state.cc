#include "engine/connection_state.h"

#include "base/errors.h"
#include "base/status_macros.h"

namespace turdb::engine {
namespace {

std::string_view IsolationText(sql::Isolation isolation) {
  switch (isolation) {
    case sql::Isolation::kReadCommitted: return "READ COMMITTED";
    case sql::Isolation::kReadUncommitted: return "READ UNCOMMITTED";
    case sql::Isolation::kSerializable: return "SERIALIZABLE";
    default: return "SNAPSHOT";
  }
}

}  // namespace

absl::Status ConnectionState::CheckUsable() const {
  if (database == nullptr) return MisuseError("Cannot operate on a closed database.");
  if (env::PosixEnv()->ProcessId() != process_id) {
    return MisuseError("a connection cannot be used in a forked process: connect again in the child");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const catalog::CatalogSnapshot>> ConnectionState::Catalog(txn::Transaction* txn) const {
  return catalog::LoadCatalog(database->catalog_cache(), txn);
}

absl::StatusOr<std::shared_ptr<txn::Transaction>> ConnectionState::StatementTransaction() {
  if (transaction == nullptr) return std::shared_ptr<txn::Transaction>(database->store()->Begin());
  const bool reads_newest = isolation == sql::Isolation::kReadCommitted || isolation == sql::Isolation::kReadUncommitted;
  if (reads_newest && !transaction->is_writing() && open_results.empty()) {
    TURDB_RETURN_IF_ERROR(transaction->Refresh());
  }
  NoteTransaction();
  return transaction;
}

void ConnectionState::NoteTransaction() {
  if (transaction_entry == nullptr) return;
  transaction_entry->Update(IsolationText(isolation), transaction->is_writing(), transaction->snapshot_lsn().value(),
                            transaction->private_bytes());
}

absl::Status ConnectionState::StartWriting(txn::Transaction* txn) {
  if (database->is_read_only()) {
    return ReadOnlyError("attempt to write a readonly database: ", database->path(), " was opened read_only");
  }
  if (is_query_only) return ReadOnlyError("attempt to write a readonly database: PRAGMA query_only is on");
  if (txn->is_writing()) return absl::OkStatus();
  const ActivityGate::Waiting waiting(database->gate());
  TURDB_RETURN_IF_ERROR(txn->StartWriting(timeout));
  NoteTransaction();
  return absl::OkStatus();
}

table::Progress ConnectionState::TableProgress(std::string_view phase) {
  return [this, phase](uint64_t done, uint64_t total) -> absl::Status {
    if (interrupted.load(std::memory_order_relaxed)) return InterruptedError("interrupted");
    return progress ? progress({phase, done, total}) : absl::OkStatus();
  };
}

}  // namespace turdb::engine
