// Store: the storage of one open database: its files, log, lock and the chain of committed states.
//
// A commit publishes a new DatabaseState (a root per file); a Snapshot is a counted pointer to one. Readers take
// no lock. A transaction begins on the newest state, works on private pages, and at commit its page deltas go to
// the WAL, are made durable as `synchronous` asks, and its roots are published.
// Invariants: (1) a published state never changes; (2) what a snapshot shows in the mapped file is not overwritten
// while it lives; (3) a state becomes visible to readers only when it is as durable as was asked for;
// (4) after a failed sync the store is read-only until it is reopened.
// Thread-safe; a Transaction is used by one thread at a time. Format of the directory: docs/format/directory.md.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/strong_id.h"
#include "env/env.h"
#include "pager/file_view.h"
#include "pager/file_writer.h"

namespace turdb::txn {

enum class Synchronous : uint8_t { kOff = 0, kNormal = 1, kFull = 2 };

struct StoreOptions {
  bool is_read_only = false;
  bool create_if_missing = true;
  uint64_t lock_timeout_ms = 5000;              // for the directory's lock
  uint64_t checkpoint_bytes = 16ull << 20;      // WAL size that starts a checkpoint
  uint64_t wal_segment_bytes = 16ull << 20;
  std::function<absl::Status()> check_interrupt;  // called while opening waits; an error ends it
};

struct StoreStats {
  uint64_t wal_bytes = 0;           // in segments that recovery would read
  uint64_t wal_bytes_written = 0;   // since open
  uint64_t commits = 0, syncs = 0, checkpoints = 0, pages_checkpointed = 0;
  uint64_t recovered_commits = 0;   // at open
  uint32_t reading_processes = 0;   // beside the one that writes; known to that one
  Lsn oldest_reader_lsn{0};         // of what those look at; 0 when at nothing old
  uint64_t oldest_reader_pid = 0;
};

class Transaction;

class Store {
 public:
  // Creates the directory when it is missing and that is allowed; recovers when the last process did not close it.
  // kForeignFile, kNewerFormat, kCorruption, kBusy (names the holder's pid), kIo, kReadOnly.
  static absl::StatusOr<std::unique_ptr<Store>> Open(env::Env* env, const std::string& path, const StoreOptions& options);
  virtual ~Store() = default;

  virtual std::unique_ptr<Transaction> Begin() = 0;
  // Writes committed pages to their files and drops the log before them. Fails with kBusy only when another one runs
  // longer than the timeout. Returns false when a reader's snapshot, here or in another process, kept part of the log.
  virtual absl::StatusOr<bool> Checkpoint() = 0;
  // Checkpoints, removes the log and releases the lock. No transaction may be open. Idempotent.
  virtual absl::Status Close() = 0;
  virtual StoreStats stats() const = 0;
  virtual bool is_read_only() const = 0;
  virtual void set_checkpoint_bytes(uint64_t bytes) = 0;
  virtual Lsn last_commit_lsn() const = 0;  // grows with every commit that changed something
  virtual env::Env* env() const = 0;
  virtual const std::string& path() const = 0;
};

struct Savepoint {
  uint64_t depth = 0;
};

class Transaction {
 public:
  virtual ~Transaction() = default;  // rolls back what was not committed

  // --- reading -------------------------------------------------------------------------------
  // The file as this transaction sees it, its own changes included. kInternal for an unknown file.
  virtual absl::StatusOr<pager::FileView> View(FileId file) = 0;
  // Grows whenever the content of `file` changes in a way this transaction sees; equal versions of one store mean
  // equal content for everybody (private changes get numbers of their own). Keys caches such as the catalog's. 0 for
  // an unknown file. Does not count as reading: StartWriting may move the snapshot, so ask again after it.
  virtual uint64_t FileVersion(FileId file) = 0;
  virtual Lsn snapshot_lsn() const = 0;
  // Moves a transaction that has written nothing to the newest committed state (READ COMMITTED, autocommit reuse).
  virtual absl::Status Refresh() = 0;

  // --- writing -------------------------------------------------------------------------------
  // Takes the writer's place, waiting up to the timeout (0: at once or kBusy). kConflict when others committed since
  // this transaction's snapshot and it has read already; a transaction that has not read moves to the newest state.
  virtual absl::Status StartWriting(std::chrono::milliseconds timeout) = 0;
  virtual bool is_writing() const = 0;
  // REQUIRES: is_writing(). Owned by the transaction; valid until commit or rollback.
  virtual absl::StatusOr<pager::FileWriter*> Writer(FileId file) = 0;
  // A new file at a path below the database directory ("root/t.tbd"); when the path is taken, a free name close to it
  // is chosen. Its page 0 exists at once. Gone again when the transaction rolls back.
  virtual absl::StatusOr<FileId> CreateFile(std::string_view relative_path, std::string* chosen_path) = 0;
  // At commit the file is unlinked once no snapshot needs it.
  virtual absl::Status DropFile(FileId file) = 0;
  // Makes views handed out so far immutable: to be called before writing while cursors read this transaction.
  virtual void Freeze() = 0;

  // --- savepoints and the end -----------------------------------------------------------------
  virtual Savepoint MakeSavepoint() = 0;
  virtual absl::Status RollbackTo(Savepoint savepoint) = 0;  // the savepoint itself stays usable
  virtual void Release(Savepoint savepoint) = 0;
  // After an error the transaction is rolled back; when a sync failed, what is on disk is known at the next open only.
  // The object may be used again: it has the committed state as its snapshot.
  virtual absl::Status Commit(Synchronous synchronous) = 0;
  virtual void Rollback() = 0;
  virtual uint64_t private_bytes() const = 0;  // memory its page versions take
};

// File ids fixed by the format. Every other file is created by CreateFile and found through the catalog.
inline constexpr FileId kCatalogFile{1};  // turdb_catalog/catalog.tbd, created with the database

}  // namespace turdb::txn
