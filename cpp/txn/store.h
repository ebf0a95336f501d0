// Store: the storage of one open database: its files, log, lock and the chain of committed states.
//
// A commit publishes a new DatabaseState (a root per file); a Snapshot is a counted pointer to one. Readers take
// no lock. A transaction begins on the newest state, works on private pages, and at commit its page deltas go to
// the WAL, are made durable as `synchronous` asks, and its roots are published. Writers run side by side under locks
// (lock_table.h); files that others have changed meanwhile are written anew at commit (docs/decisions/0005).
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
#include "env/temp_file.h"
#include "pager/file_view.h"
#include "pager/file_writer.h"
#include "txn/change_log.h"
#include "txn/lock_table.h"

namespace turdb::txn {

enum class Synchronous : uint8_t { kOff = 0, kNormal = 1, kFull = 2 };

struct StoreOptions {
  bool is_read_only = false;
  bool create_if_missing = true;
  uint64_t lock_timeout_ms = 5000;              // for the directory's lock
  uint64_t checkpoint_bytes = 16ull << 20;      // WAL size that starts a checkpoint
  uint64_t wal_segment_bytes = 16ull << 20;
  uint64_t page_cache_bytes = 64ull << 20;      // page versions in memory; those past it spill to the disk
  size_t open_files = 0;                        // data files with a descriptor, but for those in use; 0: by what the process may have
  uint64_t checkpoint_interval_ms = 300'000;    // something committed is in the files after that long; 0: never for time's sake
  // Checkpoints run in a thread of their own; else in the commit that makes one due, so that tests repeat exactly.
  bool has_background_checkpoint = true;
  std::function<absl::Status()> check_interrupt;  // called while opening waits; an error ends it
};

struct StoreStats {
  uint64_t wal_bytes = 0;           // in segments that recovery would read
  uint64_t wal_bytes_written = 0;   // since open
  uint64_t commits = 0, syncs = 0, checkpoints = 0, pages_checkpointed = 0;
  uint64_t pages_read = 0;          // look-ups that the files' maps answered, since open; not of what is read as an array
  uint64_t cache_hits = 0;          // look-ups that page versions answered
  uint64_t recovered_commits = 0;   // at open
  uint32_t reading_processes = 0;   // beside the one that writes; known to that one
  Lsn oldest_reader_lsn{0};         // of what those look at; 0 when at nothing old
  uint64_t oldest_reader_pid = 0;
  uint64_t files_replaced = 0;      // by copies, because another process read them
  uint64_t replaced_files = 0, replaced_file_bytes = 0;  // that are kept for other processes now, and their length
  uint64_t repeated_commits = 0;    // whose changes were made anew, because others had committed to the same table
  LockStats locks;

  // Page versions: private ones of transactions, and committed ones that no checkpoint has written or a snapshot holds.
  uint64_t cache_limit_bytes = 0;   // of those in memory
  uint64_t cache_bytes = 0;         // in memory
  uint64_t spilled_bytes = 0;       // on the disk, past the limit
  uint64_t committed_bytes = 0;     // of commits, in memory or on the disk
  uint64_t spill_file_bytes = 0;    // disk space of the spill file

  // Snapshots that transactions and cursors hold. What the oldest costs: the bytes logged since, and pages kept for it.
  uint64_t snapshots = 0;
  uint64_t oldest_snapshot_log_bytes = 0;
  double oldest_snapshot_seconds = 0;  // since a newer state was committed; 0 while it is the newest
  uint64_t preserved_pages = 0;        // on the disk for snapshots older than the last checkpoint
  uint64_t preserved_file_bytes = 0;

  // Checkpoints by what made them due; the sum of those that wrote something is `checkpoints`.
  uint64_t checkpoints_for_log = 0, checkpoints_for_memory = 0, checkpoints_for_time = 0, checkpoints_requested = 0;
  std::string last_checkpoint_error;   // of the last attempt; empty when it went well. It is tried again by itself
};

// A committed state that somebody looks at.
struct SnapshotInfo {
  uint64_t process_id = 0;
  bool is_own = false;        // of this process
  Lsn lsn{0};
  uint64_t since_micros = 0;  // wall clock: taken then, or, of this process, outdated since then by a newer commit; 0: not known, the newest
  uint64_t log_bytes = 0;     // logged since
  // What would be given up without it and others as old: versions of pages, and pages of files that were overwritten since.
  uint64_t kept_bytes = 0;
};

// As PRAGMA wal_checkpoint names them. All write what is committed so far and never stop readers or writers.
enum class CheckpointMode : uint8_t {
  kPassive,   // not while another one runs
  kFull,      // after the running one
  kRestart,   // and the log begins anew, once the transaction being committed has ended
  kTruncate,  // and the old log's disk space is given back
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
  // longer than the timeout (kPassive: at all). Returns false when part of the log had to stay: somebody committed meanwhile,
  // or a snapshot in another process is in the way (and not for long enough that files are copied for it).
  virtual absl::StatusOr<bool> Checkpoint(CheckpointMode mode = CheckpointMode::kFull) = 0;
  // Checkpoints, removes the log and releases the lock. No transaction may be open. Idempotent.
  virtual absl::Status Close() = 0;
  virtual StoreStats stats() const = 0;
  virtual bool is_read_only() const = 0;
  virtual void set_checkpoint_bytes(uint64_t bytes) = 0;
  virtual void set_checkpoint_interval_ms(uint64_t ms) = 0;
  virtual uint64_t checkpoint_interval_ms() const = 0;
  virtual void set_page_cache_bytes(uint64_t bytes) = 0;
  virtual void set_spilling(bool is_on) = 0;  // off: memory takes what is past the limit
  virtual bool is_spilling() const = 0;
  virtual Lsn last_commit_lsn() const = 0;  // grows with every commit that changed something
  virtual std::vector<LockInfo> Locks() const = 0;  // held and awaited now
  // Of this process, and when it is the one that writes, of all others.
  virtual std::vector<SnapshotInfo> Snapshots() const = 0;
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
  // Every file that it sees, by id. Does not count as reading.
  virtual std::vector<FileId> Files() const = 0;
  // Moves to the newest committed state (READ COMMITTED). What the transaction has written moves with it: kConflict when
  // that does not fit, after which it must roll back.
  virtual absl::Status Refresh() = 0;
  // Waits until new snapshots show what has been committed so far, so that a statement run again does not meet the same commit.
  virtual void AwaitNewest() = 0;
  // The file as the snapshot shows it, without the transaction's own changes; and as the newest commit left it. The newest
  // state may not be durable yet: it is for comparing, not for answers.
  virtual absl::StatusOr<pager::FileView> SnapshotView(FileId file) = 0;
  virtual absl::StatusOr<pager::FileView> NewestView(FileId file) = 0;
  // Whether nobody has committed a change of the file since the snapshot.
  virtual bool IsNewest(FileId file) const = 0;

  // --- writing -------------------------------------------------------------------------------
  // Takes the database for itself: no other transaction writes until this one ends. Waits up to the timeout (0: at once or
  // kBusy). kConflict when others committed since this transaction's snapshot and it has read already; a transaction that
  // has not read moves to the newest state. For schema changes, BEGIN IMMEDIATE, and whoever writes pages without a log.
  virtual absl::Status StartWriting(std::chrono::milliseconds timeout) = 0;
  // Writes beside others, each table under a lock of its own (LockTable). kConflict when the schema has changed since
  // the snapshot; a transaction that has not read moves to the newest state.
  virtual absl::Status StartSharedWriting() = 0;
  virtual bool is_exclusive() const = 0;  // has the database for itself
  virtual bool is_writing() const = 0;

  // --- locks, for transactions that share the database; an exclusive one has them all -----------
  virtual void set_lock_wait(LockWait wait) = 0;
  // A statement that is a transaction of its own: it takes tables whole when that costs nobody a wait.
  virtual void set_prefers_whole_tables(bool prefers) = 0;
  virtual bool prefers_whole_tables() const = 0;
  // `table` is the id of its rows' file. True when the lock is new. Errors as LockTable::Acquire.
  virtual absl::StatusOr<bool> LockTable(FileId table, std::string_view name, LockMode mode) = 0;
  virtual bool TryLockTable(FileId table, LockMode mode) = 0;  // never waits
  virtual LockMode table_lock(FileId table) const = 0;
  virtual absl::StatusOr<bool> LockRow(LockKey key, std::string_view table_name, LockMode mode) = 0;
  virtual bool TryLockRow(LockKey key, LockMode mode) = 0;
  virtual void UnlockRow(LockKey key) = 0;  // that turned out to be changed by others: whoever tries again looks again
  virtual size_t lock_count() const = 0;
  virtual void ReleaseRowLocks(FileId table) = 0;  // REQUIRES: the table is locked whole
  virtual int64_t ReserveRowId(FileId table, int64_t least) = 0;
  virtual void NoteRowId(FileId table, int64_t rowid) = 0;

  // --- logs; owned by the transaction, gone when it ends -----------------------------------------
  virtual ChangeLog* change_log() const = 0;  // null: none
  virtual void set_change_log(std::unique_ptr<ChangeLog> log) = 0;
  virtual ReadLog* read_log() const = 0;
  virtual void set_read_log(std::unique_ptr<ReadLog> log) = 0;

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
  // Where it may write what memory should not hold, and the bound of pages in memory that others go by.
  virtual env::TempPlace temp_place() const = 0;
  virtual uint64_t page_cache_bytes() const = 0;
};

// File ids fixed by the format. Every other file is created by CreateFile and found through the catalog.
inline constexpr FileId kCatalogFile{1};  // turdb_catalog/catalog.tbd, created with the database

}  // namespace turdb::txn
