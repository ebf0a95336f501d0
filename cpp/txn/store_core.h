// StoreCore: what a Store and its transactions share; it lives until the last of them is gone.
//
// Commit: the log record is written (Append, by the holder of the commit's place), the place is given back, then
// the record is made durable (SyncUpTo: one sync serves everybody who waits) and the state is published.
// Checkpoints run in a thread of their own (checkpointer.h), beside readers and writers.
// Locks, in the order they are taken: those of transactions (lock_table.h), the commit's place, checkpoint_lock_,
// sync_mutex_, then one of the small ones (names, unlinks, the chain's and the log's own). Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "pager/private_pages.h"
#include "txn/checkpointer.h"
#include "txn/double_write.h"
#include "txn/file_replacement.h"
#include "txn/follower.h"
#include "txn/reader_table.h"
#include "txn/state_chain.h"
#include "txn/store.h"
#include "txn/fair_lock.h"
#include "txn/lock_table.h"
#include "wal/log_writer.h"

namespace turdb::txn {

// What a transaction hands over at commit.
struct CommitRequest {
  std::vector<std::pair<FileId, pager::PrivatePages*>> changed;  // by file id; created ones among them
  std::vector<std::pair<FileId, std::string>> created;
  std::vector<FileId> dropped;
  // Set when the commit failed, but its record may be on disk and count after a crash: its files must stay.
  bool may_have_happened = false;
  bool is_logged = false;
};

struct PageToWrite {
  pager::DataFile* file;
  PageId page;
  const pager::PageVersion* version;
};

class Recovery;

class StoreCore {
 public:
  StoreCore(env::Env* env, std::string path, const StoreOptions& options);
  ~StoreCore();

  // Locks, recovers, and makes the catalog file where there is none.
  static absl::Status Open(const std::shared_ptr<StoreCore>& core);
  absl::Status Close();

  absl::Status CheckUsable() const;    // open, and in the process that opened it
  absl::Status CheckWritable() const;  // also: not read-only, no failed sync

  pager::PageMemory& memory() { return *memory_; }
  StateChain& chain() { return *chain_; }
  // What a new snapshot shows: the newest published state, of this process or of the one that writes.
  IntrusivePtr<DatabaseState> Newest();
  FairLock& commit_place() { return commit_place_; }
  LockTable& locks() { return locks_; }
  TxnId NextTxnId() { return TxnId(next_txn_id_.fetch_add(1, std::memory_order_relaxed)); }
  void CountRepeatedCommit() { repeated_commits_.fetch_add(1, std::memory_order_relaxed); }
  env::Env* env() const { return env_; }
  const std::string& path() const { return path_; }
  bool is_read_only() const { return options_.is_read_only || has_failed_.load(std::memory_order_acquire); }
  void set_checkpoint_bytes(uint64_t bytes) { checkpoint_bytes_.store(bytes); }
  StoreStats stats() const;
  std::vector<SnapshotInfo> Snapshots() const;
  Lsn checkpoint_lsn() const { return Lsn(checkpoint_lsn_.load(std::memory_order_acquire)); }

  // Writes the commit to the log; the next one may work on the state returned. REQUIRES: the caller has the commit's
  // place; it is given back before this returns, also after an error.
  absl::StatusOr<IntrusivePtr<DatabaseState>> Append(CommitRequest* request, Synchronous synchronous);
  // Waits until an appended commit is as durable as was asked, and published.
  absl::Status MakeDurable(Lsn lsn, Synchronous synchronous);
  // The same for a commit that has nothing to append and has seen what others committed up to `lsn`.
  absl::Status AwaitShown(Lsn lsn, Synchronous synchronous);

  // Waits until new snapshots see everything that has been appended.
  void WaitUntilPublished();

  // See Store::Checkpoint.
  absl::StatusOr<bool> Checkpoint(CheckpointMode mode);
  // After a commit. Wakes the checkpoint thread, and waits for it only when it is far behind. Errors are kept for stats().
  void CheckpointIfDue();
  void set_checkpoint_interval_ms(uint64_t ms);
  uint64_t checkpoint_interval_ms() const { return checkpointer_ == nullptr ? 0 : checkpointer_->interval_ms(); }

  FileId NextFileId() { return FileId(next_file_id_.fetch_add(1)); }
  // Reserves a path below the directory that nothing has, close to the one wanted.
  absl::StatusOr<std::string> ReservePath(std::string_view wanted);
  // A file made by a transaction that is not to be: removes it and gives its path back.
  void DiscardCreated(const IntrusivePtr<pager::DataFile>& file);
  IntrusivePtr<pager::DataFile> NewDataFile(FileId id, const std::string& path);

 private:
  struct PendingUnlink {
    Lsn lsn;
    IntrusivePtr<pager::DataFile> file;
  };

  // A checkpoint's right to write a state to the files. Null state: not now.
  struct CheckpointTurn {
    IntrusivePtr<DatabaseState> state;
    std::vector<IntrusivePtr<DatabaseState>> older;  // than it, and in use; oldest first
    ReaderTable::DirectoryLock lock;
    // Other processes read behind the state: files that they look at are replaced.
    bool is_read_behind = false;
    ReaderTable::Readers readers;
    std::vector<std::unique_ptr<FileReplacement>> replacements;
    bool Replaces(const pager::DataFile* file) const;
  };
  // A file that was replaced, under its second name.
  struct ReplacedFile {
    FileId file;
    Lsn oldest_state, end;  // states from the one before the other read it
    uint64_t bytes;
  };

  absl::Status Recover();
  // --- other_processes.cc
  absl::Status OpenForReading();
  absl::StatusOr<ReaderTable::DirectoryLock> OpenReaderTable();
  absl::Status TellReaders(Recovery* recovery);
  absl::StatusOr<CheckpointTurn> BeginCheckpoint();
  Lsn OldestElsewhere();  // no other process looks at a state before it
  bool IsHeldBackFar(const DatabaseState& newest);
  absl::Status PrepareReplacements(CheckpointTurn* turn);
  absl::Status InstallReplacements(CheckpointTurn* turn);
  void AdoptReplacedFiles();
  void RemoveReplacedFiles();
  void DropLog();
  void StartCheckpointer();
  // --- commit.cc
  absl::StatusOr<IntrusivePtr<DatabaseState>> AppendCommit(CommitRequest* request, Synchronous synchronous);
  absl::Status SyncDirectPages(const CommitRequest& request);
  absl::Status Log(const CommitRequest& request, const DatabaseState& base, Lsn* end);
  absl::Status SyncUpTo(Lsn lsn);
  absl::Status Fail(const absl::Status& cause);
  void UnlinkDropped(Lsn durable);
  // --- checkpoint.cc
  absl::Status WriteState(const CheckpointTurn& turn, const DatabaseState& state);
  absl::Status WriteProtected(Lsn target, const std::vector<PageToWrite>& pages, size_t begin, size_t n);
  absl::Status WriteAndSync(const PageToWrite* pages, size_t n);
  absl::Status SyncFiles(const std::set<pager::DataFile*>& files);
  // The directories that new files of these lie in. A failure is Fail(): nobody knows which names are on disk.
  absl::Status SyncDirectoriesOf(const std::vector<pager::DataFile*>& files);
  absl::Status WriteCheckpointMeta(const DatabaseState& state, uint32_t first_segment);
  void CleanChain(Lsn lsn);
  absl::Status PreserveFor(const CheckpointTurn& turn);
  absl::StatusOr<bool> MakeRoomForOlder(CheckpointTurn* turn);
  absl::StatusOr<bool> WriteCheckpoint(CheckpointReason reason);
  void RestartLog(CheckpointMode mode);
  absl::StatusOr<bool> CheckpointLocked(CheckpointReason reason, CheckpointMode mode);
  bool RunDueCheckpoint(CheckpointReason reason);
  uint64_t MemoryThreshold() const;
  uint64_t FreeableBytes();
  void HelpIfBehind(uint64_t end, uint64_t freeable);

  env::Env* const env_;
  const std::string path_;
  const StoreOptions options_;
  const uint64_t process_id_;
  const bool is_volatile_;  // on an env that does not outlive the process: nothing is logged
  const IntrusivePtr<pager::PageMemory> memory_;
  const IntrusivePtr<pager::OpenFiles> open_files_;
  const IntrusivePtr<pager::PreservedSpace> preserved_;
  uint64_t salt_ = 0;
  std::unique_ptr<env::FileLock> lock_;
  std::atomic<bool> is_closed_{false};
  std::atomic<bool> is_forked_child_{false};     // known once it has closed
  std::shared_ptr<ReaderTable> readers_;         // null when reading, and where memory cannot be shared
  IntrusivePtr<DatabaseState> next_checkpoint_;  // kept until every other process is at or past it; checkpoint_lock_
  std::unique_ptr<Follower> follower_;           // when reading beside a process that may write
  std::unique_ptr<StateChain> chain_;            // null with a follower
  std::unique_ptr<wal::LogWriter> log_;  // null when opened read-only
  FairLock commit_place_;
  LockTable locks_;
  std::atomic<uint64_t> next_txn_id_{1};
  std::atomic<uint32_t> next_file_id_{1};

  FairLock checkpoint_lock_;
  std::atomic<uint64_t> checkpoint_lsn_{0};
  std::atomic<uint64_t> checkpoint_bytes_;
  std::atomic<uint64_t> last_due_lsn_{0};  // an automatic checkpoint that could not get on waits for more log
  std::unique_ptr<DoubleWrite> double_write_;
  mutable std::mutex replaced_mutex_;
  std::vector<ReplacedFile> replaced_files_;
  absl::Status hindrance_;  // why the last checkpoint had to leave what old snapshots show
  bool is_last_attempt_unfinished_ = false;  // an earlier checkpoint failed after it had begun to write pages
  std::atomic<uint64_t> kept_committed_bytes_{0};  // of versions that the last checkpoint could not free
  std::atomic<uint64_t> last_commit_end_{0}, last_freeable_{0}, last_help_lsn_{0};
  mutable std::mutex checkpoint_error_mutex_;
  absl::Status checkpoint_error_;  // of the last checkpoint
  std::unique_ptr<Checkpointer> checkpointer_;  // null when commits checkpoint themselves

  mutable std::mutex sync_mutex_;
  std::condition_variable sync_done_;
  bool is_syncing_ = false;
  Lsn durable_lsn_{0};
  absl::Status failure_;  // of a sync; set once
  std::atomic<bool> has_failed_{false};

  std::mutex names_mutex_;
  std::set<std::string> names_;  // relative paths in use or reserved
  std::mutex unlinks_mutex_;
  std::vector<PendingUnlink> unlinks_;

  std::atomic<uint64_t> commits_{0}, repeated_commits_{0}, syncs_{0}, checkpoints_{0}, pages_checkpointed_{0}, files_replaced_{0};
  std::array<std::atomic<uint64_t>, 4> checkpoints_by_reason_{};
  uint64_t recovered_commits_ = 0;
};

}  // namespace turdb::txn
