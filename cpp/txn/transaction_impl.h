// TransactionImpl: a snapshot, and once it writes, the private pages of the files it changes.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

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

  absl::Status StartWriting(std::chrono::milliseconds timeout) override;
  bool is_writing() const override { return is_writing_; }
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

 private:
  struct FileEntry {
    std::unique_ptr<pager::PrivatePages> pages;
    std::string created_path;                    // not empty: made by this transaction
    bool is_dropped = false;
  };
  struct SavedFile {
    pager::PrivatePages::Saved saved;
    bool is_dropped;
  };
  using SavedFiles = std::map<FileId, SavedFile>;

  absl::Status CheckWriting() const;
  absl::StatusOr<const pager::FileState*> Committed(FileId file) const;

  const std::shared_ptr<StoreCore> core_;
  IntrusivePtr<DatabaseState> state_;
  bool has_read_ = false;
  bool is_writing_ = false;
  Lsn checkpoint_at_start_{0};  // of the last checkpoint when writing began
  std::map<FileId, FileEntry> files_;
  std::vector<SavedFiles> savepoints_;
};

}  // namespace turdb::txn
