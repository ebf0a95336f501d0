// ConnectionState: the internals of a connection, shared with its statements and results.
//
// Everything is guarded by `mutex` (recursive: user functions may call back into their connection) except the interrupt
// flag. The transaction of an open BEGIN lives here; statements outside one bring their own.
#pragma once

#include <atomic>
#include <chrono>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/out_of_memory.h"
#include "engine/connection_functions.h"
#include "engine/database.h"
#include "sql/exec/exec_context.h"
#include "sql/syntax/ast.h"

namespace turdb::engine {

class ResultImpl;

// Who sets the size of the page cache bounds what statements keep in memory by it, too, but not below this.
inline constexpr uint64_t kLeastStatementMemory = 1 << 20;

struct NamedSavepoint {
  std::string name;
  txn::Savepoint savepoint;
  bool began_transaction = false;  // SAVEPOINT outside a transaction: its RELEASE commits
};

// A number that is changed under the connection's mutex and read without it: relaxed, for nothing else is read by it.
class ReadableCount {
 public:
  operator int64_t() const { return value_.load(std::memory_order_relaxed); }
  void operator=(int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void operator+=(int64_t more) { *this = *this + more; }

 private:
  std::atomic<int64_t> value_{0};
};

class ConnectionState : public sql::ExecOwner {
 public:
  std::recursive_mutex mutex;
  std::shared_ptr<Database> database;  // null once closed
  ConnectionFunctions functions;
  sql::SessionSettings settings;
  std::atomic<bool> interrupted{false};
  std::function<absl::Status(const ProgressReport&)> progress;
  std::chrono::milliseconds timeout{5000};
  txn::Synchronous synchronous = txn::Synchronous::kFull;
  std::vector<std::string> disabled_rules;
  bool is_read_only = false;   // opened so, for good
  bool is_query_only = false;  // by PRAGMA
  uint64_t process_id = 0;  // a forked child may not use it
  uint64_t connection_id = 0;

  // The transaction of BEGIN or SAVEPOINT; null in autocommit.
  std::shared_ptr<txn::Transaction> transaction;
  sql::Isolation isolation = sql::Isolation::kSnapshot;
  std::unique_ptr<TransactionRegistry::Entry> transaction_entry;  // while `transaction` is open
  std::vector<NamedSavepoint> savepoints;
  std::list<ResultImpl*> open_results;  // reading `transaction`
  bool has_snapshot = false;  // a statement of `transaction` has read or written
  bool is_fresh = false;  // `transaction` has done nothing yet, so that it may begin anew on another snapshot

  ReadableCount changes, total_changes, last_insert_rowid;

  absl::Status CheckUsable() const;  // kMisuse after close or fork
  absl::StatusOr<std::shared_ptr<const catalog::CatalogSnapshot>> Catalog(txn::Transaction* txn) const;
  // The open transaction, or a new one for a single statement (READ COMMITTED: moved to the newest state first).
  absl::StatusOr<std::shared_ptr<txn::Transaction>> StatementTransaction();
  absl::Status StartWriting(txn::Transaction* txn);        // alone, for what changes the schema
  // Rows, beside other writers. Not `may_wait`: kBusy at once when somebody has the database for himself.
  absl::Status StartSharedWriting(txn::Transaction* txn, bool may_wait = true);
  void AwaitNewest() { database->store()->Begin()->AwaitNewest(); }
  bool reads_newest() const {
    return isolation == sql::Isolation::kReadCommitted || isolation == sql::Isolation::kReadUncommitted;
  }
  table::Progress TableProgress(std::string_view phase);
  // The background of the database keeps to it, too.
  void SetStatementMemory(uint64_t bytes) {
    settings.statement_memory = bytes;
    database->set_background_memory(bytes);
  }
  // Where temporary files of statements go.
  env::TempPlace TempPlace() const { return {database->store()->env(), database->store()->path()}; }
  void NoteTransaction();  // tells the registry how the open transaction stands; nothing in autocommit

  // transaction_control.cc
  absl::Status Begin(const sql::Begin& begin);
  absl::Status Commit();
  absl::Status Rollback();
  absl::Status MakeSavepoint(std::string_view name);
  absl::Status Release(std::string_view name);
  absl::Status RollbackTo(std::string_view name);
  // Lets open results read the rest of their rows into memory, before their transaction ends or changes under them.
  absl::Status DetachResults();
  // Runs what a call of the connection is about; kOutOfMemory when it throws std::bad_alloc. What may have changed something half is
  // taken back then: with the whole transaction, as nobody knows how far it got. REQUIRES: the mutex.
  template <typename F>
  auto WithinMemory(bool may_change, F&& run) -> decltype(run()) {
    try {
      return run();
    } catch (const std::bad_alloc&) {
      if (may_change) AbandonTransaction();
      return OutOfMemory();
    }
  }
  // Rolls back without taking memory; open results give an error instead of the rest of their rows.
  void AbandonTransaction();
  absl::Status CommitStatement(txn::Transaction* txn);  // autocommit

 private:
  absl::Status CheckMayWrite() const;
  txn::LockWait Wait();  // of a statement that begins now
  void OpenTransaction();
  void EndTransaction();
};

}  // namespace turdb::engine
