// BEGIN, COMMIT, ROLLBACK and savepoints of a connection.
#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/connection_state.h"
#include "engine/result_impl.h"
#include "table/read_log.h"

namespace turdb::engine {

void ConnectionState::OpenTransaction() {
  transaction = database->store()->Begin();
  isolation = sql::Isolation::kSnapshot;
  is_fresh = true;
  has_snapshot = false;
  transaction_entry = std::make_unique<TransactionRegistry::Entry>(&database->transactions(), connection_id);
  NoteTransaction();
}

void ConnectionState::EndTransaction() {
  transaction_entry = nullptr;
  transaction = nullptr;
  savepoints.clear();
}

absl::Status ConnectionState::Begin(const sql::Begin& begin) {
  if (transaction != nullptr) return MisuseError("cannot start a transaction within a transaction");
  OpenTransaction();
  if (begin.isolation != sql::Isolation::kUnspecified) isolation = begin.isolation;
  if (isolation == sql::Isolation::kSerializable) transaction->set_read_log(std::make_unique<table::RowReadLog>());
  NoteTransaction();
  if (begin.mode == sql::BeginMode::kImmediate || begin.mode == sql::BeginMode::kExclusive) {
    const absl::Status started = StartWriting(transaction.get());
    if (!started.ok()) {
      EndTransaction();
      return started;
    }
  }
  return absl::OkStatus();
}

absl::Status ConnectionState::Commit() {
  if (transaction == nullptr) return MisuseError("cannot commit - no transaction is active");
  TURDB_RETURN_IF_ERROR(DetachResults());
  absl::Status committed;
  if (transaction->is_writing()) {
    committed = transaction->Commit(synchronous);
    if (KindOf(committed) == ErrorKind::kConflict) AwaitNewest();
    EndTransaction();
    database->NotifyCommit();
  } else {
    EndTransaction();
  }
  return committed;
}

absl::Status ConnectionState::Rollback() {
  if (transaction == nullptr) return MisuseError("cannot rollback - no transaction is active");
  TURDB_RETURN_IF_ERROR(DetachResults());
  transaction->Rollback();
  EndTransaction();
  return absl::OkStatus();
}

absl::Status ConnectionState::MakeSavepoint(std::string_view name) {
  const bool begins = transaction == nullptr;
  if (begins) OpenTransaction();
  is_fresh = false;
  savepoints.push_back({std::string(name), transaction->MakeSavepoint(), begins});
  return absl::OkStatus();
}

namespace {

// The innermost savepoint of a name, or -1.
int FindSavepoint(const std::vector<NamedSavepoint>& savepoints, std::string_view name) {
  for (int i = static_cast<int>(savepoints.size()) - 1; i >= 0; --i) {
    if (EqualsIgnoreCase(savepoints[i].name, name)) return i;
  }
  return -1;
}

}  // namespace

absl::Status ConnectionState::Release(std::string_view name) {
  const int i = FindSavepoint(savepoints, name);
  if (i < 0) return NameError("no such savepoint: ", name);
  if (i == 0 && savepoints[0].began_transaction) return Commit();
  transaction->Release(savepoints[i].savepoint);
  savepoints.resize(static_cast<size_t>(i));
  return absl::OkStatus();
}

absl::Status ConnectionState::RollbackTo(std::string_view name) {
  const int i = FindSavepoint(savepoints, name);
  if (i < 0) return NameError("no such savepoint: ", name);
  TURDB_RETURN_IF_ERROR(DetachResults());
  const absl::Status restored = transaction->RollbackTo(savepoints[i].savepoint);
  if (!restored.ok()) {
    TURDB_RETURN_IF_ERROR(Rollback());
    return restored;
  }
  savepoints.resize(static_cast<size_t>(i) + 1);
  return absl::OkStatus();
}

absl::Status ConnectionState::DetachResults() {
  while (!open_results.empty()) TURDB_RETURN_IF_ERROR(open_results.front()->Detach());
  return absl::OkStatus();
}

void ConnectionState::AbandonTransaction() {
  if (transaction == nullptr) return;
  while (!open_results.empty()) open_results.front()->Abandon(OutOfMemory());
  transaction->Rollback();
  EndTransaction();
}

absl::Status ConnectionState::CommitStatement(txn::Transaction* txn) {
  TURDB_RETURN_IF_ERROR(txn->Commit(synchronous));
  database->NotifyCommit();
  return absl::OkStatus();
}

}  // namespace turdb::engine
