#include "engine/connection_state.h"

#include "base/errors.h"
#include "base/out_of_memory.h"
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

txn::LockWait ConnectionState::Wait() {
  return {timeout, [this]() -> absl::Status {
            if (interrupted.load(std::memory_order_relaxed)) return InterruptedError("interrupted");
            return progress ? progress({"lock", 0, 0}) : absl::OkStatus();
          }};
}

absl::StatusOr<std::shared_ptr<txn::Transaction>> ConnectionState::StatementTransaction() {
  if (transaction == nullptr) {
    std::shared_ptr<txn::Transaction> single(database->store()->Begin());
    single->set_lock_wait(Wait());
    single->set_prefers_whole_tables(true);
    return single;
  }
  transaction->set_lock_wait(Wait());
  if ((reads_newest() || !has_snapshot) && open_results.empty()) {
    const absl::Status moved = transaction->Refresh();
    if (!moved.ok()) {
      TURDB_RETURN_IF_ERROR(Rollback());
      return moved;
    }
  }
  if (!has_snapshot || reads_newest()) NoteTransaction();  // a write notes what it has changed at its end
  has_snapshot = true;
  return transaction;
}

void ConnectionState::NoteTransaction() {
  if (transaction_entry == nullptr) return;
  transaction_entry->Update(IsolationText(isolation), transaction->is_writing(), transaction->snapshot_lsn().value(),
                            transaction->private_bytes());
}

absl::Status ConnectionState::CheckMayWrite() const {
  if (is_read_only) {
    return ReadOnlyError("attempt to write a readonly database: this connection opened '", database->path(), "' read_only");
  }
  if (is_query_only) return ReadOnlyError("attempt to write a readonly database: PRAGMA query_only is on");
  return absl::OkStatus();
}

absl::Status ConnectionState::StartWriting(txn::Transaction* txn) {
  TURDB_RETURN_IF_ERROR(CheckMayWrite());
  TURDB_RETURN_IF_ERROR(txn->StartWriting(timeout));
  NoteTransaction();
  return absl::OkStatus();
}

absl::Status ConnectionState::StartSharedWriting(txn::Transaction* txn, bool may_wait) {
  TURDB_RETURN_IF_ERROR(CheckMayWrite());
  if (may_wait) return txn->StartSharedWriting();
  txn->set_lock_wait({std::chrono::milliseconds(0), nullptr});
  const absl::Status started = txn->StartSharedWriting();
  txn->set_lock_wait(Wait());
  return started;
}

table::Progress ConnectionState::TableProgress(std::string_view phase) {
  return [this, phase](uint64_t done, uint64_t total) -> absl::Status {
    if (interrupted.load(std::memory_order_relaxed)) return InterruptedError("interrupted");
    if (IsMemoryLow()) TURDB_RETURN_IF_ERROR(CheckMemory());
    return progress ? progress({phase, done, total}) : absl::OkStatus();
  };
}

}  // namespace turdb::engine
