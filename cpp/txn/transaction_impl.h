// TransactionImpl: a snapshot, and once it writes, the private pages of the files it changes.
//
// Reading, writing and savepoints are in transaction_impl.cc, locks in transaction_locks.cc, the move to another state and the
// end in transaction_end.cc.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "pager/private_pages.h"
#include "txn/store_core.h"

namespace turdb::txn {

class TransactionImpl final : public Transaction {
 public:
  explicit TransactionImpl(std::shared_ptr<StoreCore> core);
  ~TransactionImpl() override;

  absl::StatusOr<pager::FileView> View(FileId file) override;
  uint64_t FileVersion(FileId file) override;
  Lsn snapshot_lsn() const override { return state_->lsn(); }
  std::vector<FileId> Files() const override;
  absl::Status Refresh() override;
  void AwaitNewest() override { core_->WaitUntilPublished(); }
  absl::StatusOr<pager::FileView> SnapshotView(FileId file) override;
  absl::StatusOr<pager::FileView> NewestView(FileId file) override;
  bool IsNewest(FileId file) const override;

  absl::Status StartWriting(std::chrono::milliseconds timeout) override;
  absl::Status StartSharedWriting() override;
  bool is_writing() const override { return is_writing_; }
  bool is_exclusive() const override { return is_exclusive_; }
  void set_lock_wait(LockWait wait) override { wait_ = std::move(wait); }
  void set_prefers_whole_tables(bool prefers) override { prefers_whole_tables_ = prefers; }
  bool prefers_whole_tables() const override { return prefers_whole_tables_; }
  absl::StatusOr<bool> LockTable(FileId table, std::string_view name, LockMode mode) override;
  bool TryLockTable(FileId table, LockMode mode) override;
  LockMode table_lock(FileId table) const override;
  absl::StatusOr<bool> LockRow(LockKey key, std::string_view table_name, LockMode mode) override;
  bool TryLockRow(LockKey key, LockMode mode) override;
  void UnlockRow(LockKey key) override { core_->locks().Release(&owner_, key); }
  size_t lock_count() const override { return owner_.size(); }
  void ReleaseRowLocks(FileId table) override;
  int64_t ReserveRowId(FileId table, int64_t least) override;
  void NoteRowId(FileId table, int64_t rowid) override;
  ChangeLog* change_log() const override { return change_log_.get(); }
  void set_change_log(std::unique_ptr<ChangeLog> log) override { change_log_ = std::move(log); }
  ReadLog* read_log() const override { return read_log_.get(); }
  void set_read_log(std::unique_ptr<ReadLog> log) override { read_log_ = std::move(log); }

  absl::StatusOr<pager::FileWriter*> Writer(FileId file) override;
  absl::StatusOr<FileId> CreateFile(std::string_view relative_path, std::string* chosen_path) override;
  absl::Status DropFile(FileId file) override;
  void Freeze() override;

  Savepoint MakeSavepoint() override;
  absl::Status RollbackTo(Savepoint savepoint) override;
  void Release(Savepoint savepoint) override;
  absl::Status Commit(Synchronous synchronous) override;
  void Rollback() override;
  uint64_t private_bytes() const override;
  env::TempPlace temp_place() const override { return {core_->env(), core_->path()}; }
  uint64_t page_cache_bytes() const override { return core_->memory().limit_bytes(); }

 private:
  struct FileEntry {
    std::unique_ptr<pager::PrivatePages> pages;
    std::string created_path;                    // not empty: made by this transaction
    bool is_dropped = false;
    bool is_unopened = false;                    // dropped without a look: `pages` are of no file
    uint64_t moves = 0;                          // how often its pages were given up for those of another state
  };
  struct SavedFile {
    pager::PrivatePages::Saved saved;
    bool is_dropped;
    uint64_t moves;
  };
  struct SavedState {
    std::map<FileId, SavedFile> files;
    ChangeLog::Mark changes;
  };
  using StaleFiles = absl::flat_hash_set<FileId>;

  // Answers of IsNewest, good while the newest state is the same and the files here are of the same states.
  struct NewestFiles {
    uint64_t head_serial = 0;
    absl::InlinedVector<std::pair<FileId, bool>, 4> answers;
  };

  absl::Status CheckWriting() const;
  bool CompareWithNewest(FileId file) const;
  absl::StatusOr<const pager::FileState*> Committed(FileId file) const;
  absl::Status Open(FileId file, FileEntry* entry);
  void BecomeOldest();  // gets its id, which is its age

  // transaction_locks.cc
  absl::Status CheckSchemaUnchanged(const DatabaseState& newest) const;
  void MoveSnapshotTo(IntrusivePtr<DatabaseState> state, Lsn checkpoint_lsn);
  // transaction_end.cc
  bool IsChanged(FileId id) const;  // by this transaction, or of a table that it has changed
  StaleFiles FindStale(const DatabaseState& newest) const;
  absl::Status MoveTo(IntrusivePtr<DatabaseState> newest, Lsn checkpoint_lsn);
  absl::Status WriteAnew(StaleFiles stale);
  absl::Status PrepareCommit(CommitRequest* request);
  absl::Status CatchUp(bool* is_current);
  CommitRequest MakeRequest();
  void End(bool is_committed, const CommitRequest& request);

  const std::shared_ptr<StoreCore> core_;
  IntrusivePtr<DatabaseState> state_;
  mutable NewestFiles newest_files_;
  bool has_read_ = false;
  bool is_writing_ = false;
  bool is_exclusive_ = false;
  bool prefers_whole_tables_ = false;
  bool is_place_held_ = false;  // the commit's place, while the last of others' commits are looked at
  Lsn checkpoint_at_start_{0};  // of the last checkpoint when writing began
  std::map<FileId, FileEntry> files_;
  std::vector<SavedState> savepoints_;
  LockOwner owner_;
  LockWait wait_;
  std::unique_ptr<ChangeLog> change_log_;
  std::unique_ptr<ReadLog> read_log_;
};

}  // namespace turdb::txn
