// Reading, writing, savepoints and the end of a transaction.
#include "txn/transaction_impl.h"

#include "base/errors.h"
#include "base/status_macros.h"

namespace turdb::txn {

using pager::FileState;
using pager::FileView;
using pager::PrivatePages;

TransactionImpl::TransactionImpl(std::shared_ptr<StoreCore> core)
    : core_(std::move(core)), state_(core_->Newest()) {}

TransactionImpl::~TransactionImpl() { Rollback(); }

// --- reading ---------------------------------------------------------------------------------

absl::StatusOr<const FileState*> TransactionImpl::Committed(FileId file) const {
  const FileState* found = state_->Find(file);
  if (found == nullptr) {
    TURDB_RETURN_IF_ERROR(state_->status());
    return InternalError("the database has no file with id ", file.value());
  }
  return found;
}

absl::StatusOr<FileView> TransactionImpl::View(FileId file) {
  TURDB_RETURN_IF_ERROR(core_->CheckUsable());
  has_read_ = true;
  if (!files_.empty()) {
    const auto own = files_.find(file);
    if (own != files_.end()) {
      if (own->second.is_dropped) return InternalError("file ", file.value(), " was dropped by this transaction");
      return own->second.pages->view();
    }
  }
  TURDB_ASSIGN_OR_RETURN(const FileState* committed, Committed(file));
  return committed->View(state_->pin());
}

uint64_t TransactionImpl::FileVersion(FileId file) {
  const auto own = files_.find(file);
  if (own != files_.end()) return own->second.is_dropped ? 0 : own->second.pages->ContentVersion();
  const FileState* committed = state_->Find(file);
  return committed == nullptr ? 0 : committed->content_version();
}

absl::Status TransactionImpl::Refresh() {
  TURDB_RETURN_IF_ERROR(core_->CheckUsable());
  if (is_writing_) return MisuseError("a transaction that writes cannot move to a newer snapshot");
  state_ = core_->Newest();
  has_read_ = false;
  return state_->status();
}

// --- writing ---------------------------------------------------------------------------------

absl::Status TransactionImpl::StartWriting(std::chrono::milliseconds timeout) {
  if (is_writing_) return absl::OkStatus();
  TURDB_RETURN_IF_ERROR(core_->CheckWritable());
  if (!core_->writer_lock().Acquire(timeout)) {
    return BusyError("database is locked: another transaction is writing to '", core_->path(), "'");
  }
  const Lsn checkpoint_lsn = core_->checkpoint_lsn();  // read first: the head may be cleaner, never less clean
  auto head = core_->chain().head();
  if (has_read_ && head->lsn() != state_->lsn()) {
    core_->writer_lock().Release();
    core_->WaitUntilPublished();  // so that a retry does not meet the same commit again
    return ConflictError("database changed since this transaction's snapshot; roll back and retry");
  }
  const absl::Status usable = core_->CheckWritable();  // may have changed while waiting
  if (!usable.ok()) {
    core_->writer_lock().Release();
    return usable;
  }
  state_ = std::move(head);
  checkpoint_at_start_ = checkpoint_lsn;
  is_writing_ = true;
  return absl::OkStatus();
}

absl::Status TransactionImpl::CheckWriting() const {
  TURDB_RETURN_IF_ERROR(core_->CheckUsable());
  if (!is_writing_) return InternalError("the transaction has not started writing");
  return absl::OkStatus();
}

absl::StatusOr<pager::FileWriter*> TransactionImpl::Writer(FileId file) {
  TURDB_RETURN_IF_ERROR(CheckWriting());
  const auto own = files_.find(file);
  if (own != files_.end()) {
    if (own->second.is_dropped) return InternalError("file ", file.value(), " was dropped by this transaction");
    return own->second.pages.get();
  }
  TURDB_ASSIGN_OR_RETURN(const FileState* committed, Committed(file));
  TURDB_ASSIGN_OR_RETURN(FileView view, committed->View(state_->pin()));
  FileEntry& entry = files_[file];
  entry.pages = std::make_unique<PrivatePages>(std::move(view), committed->content_version());
  entry.pages->set_known_checkpoint(checkpoint_at_start_);
  return entry.pages.get();
}

absl::StatusOr<FileId> TransactionImpl::CreateFile(std::string_view relative_path, std::string* chosen_path) {
  TURDB_RETURN_IF_ERROR(CheckWriting());
  TURDB_ASSIGN_OR_RETURN(std::string path, core_->ReservePath(relative_path));
  const FileId id = core_->NextFileId();
  FileEntry& entry = files_[id];
  entry.created_path = path;
  entry.pages = std::make_unique<PrivatePages>(core_->NewDataFile(id, path), state_->pin());
  if (chosen_path != nullptr) *chosen_path = std::move(path);
  return id;
}

absl::Status TransactionImpl::DropFile(FileId file) {
  TURDB_ASSIGN_OR_RETURN(pager::FileWriter * writer, Writer(file));
  (void)writer;
  files_[file].is_dropped = true;
  return absl::OkStatus();
}

void TransactionImpl::Freeze() {
  for (auto& [id, entry] : files_) entry.pages->Freeze();
}

uint64_t TransactionImpl::private_bytes() const {
  uint64_t bytes = 0;
  for (const auto& [id, entry] : files_) bytes += entry.pages->private_bytes();
  return bytes;
}

// --- savepoints ------------------------------------------------------------------------------

Savepoint TransactionImpl::MakeSavepoint() {
  SavedFiles saved;
  for (auto& [id, entry] : files_) saved.emplace(id, SavedFile{entry.pages->Save(), entry.is_dropped});
  savepoints_.push_back(std::move(saved));
  return Savepoint{savepoints_.size()};
}

absl::Status TransactionImpl::RollbackTo(Savepoint savepoint) {
  if (savepoint.depth == 0 || savepoint.depth > savepoints_.size()) {
    return InternalError("no savepoint of depth ", savepoint.depth);
  }
  savepoints_.resize(savepoint.depth);
  const SavedFiles& saved = savepoints_.back();
  for (auto it = files_.begin(); it != files_.end();) {
    FileEntry& entry = it->second;
    const auto found = saved.find(it->first);
    if (found != saved.end()) {
      entry.pages->Restore(found->second.saved);
      entry.is_dropped = found->second.is_dropped;
    } else if (entry.created_path.empty()) {
      entry.pages->RestoreBase();
      entry.is_dropped = false;
    } else {
      core_->DiscardCreated(entry.pages->file());
      it = files_.erase(it);
      continue;
    }
    ++it;
  }
  return absl::OkStatus();
}

void TransactionImpl::Release(Savepoint savepoint) {
  if (savepoint.depth > 0 && savepoint.depth <= savepoints_.size()) savepoints_.resize(savepoint.depth - 1);
}

// --- the end ---------------------------------------------------------------------------------

absl::Status TransactionImpl::Commit(Synchronous synchronous) {
  if (!is_writing_) return absl::OkStatus();
  const absl::Status usable = CheckWriting();
  if (!usable.ok()) {
    Rollback();
    return usable;
  }
  CommitRequest request;
  for (auto& [id, entry] : files_) {
    if (entry.is_dropped) {
      if (entry.created_path.empty()) request.dropped.push_back(id);
      continue;
    }
    if (!entry.created_path.empty()) request.created.emplace_back(id, entry.created_path);
    if (entry.pages->is_changed()) request.changed.emplace_back(id, entry.pages.get());
  }
  is_writing_ = false;  // the place is given back by the commit
  auto committed = core_->Commit(&request, synchronous);
  for (auto& [id, entry] : files_) {
    const bool is_gone = entry.is_dropped || (!committed.ok() && !request.may_have_happened);
    if (is_gone && !entry.created_path.empty()) {
      core_->DiscardCreated(entry.pages->file());
    }
  }
  files_.clear();
  savepoints_.clear();
  has_read_ = false;
  state_ = committed.ok() ? *committed : core_->chain().published();
  if (committed.ok()) core_->CheckpointIfDue();
  return committed.status();
}

void TransactionImpl::Rollback() {
  for (auto& [id, entry] : files_) {
    if (!entry.created_path.empty()) core_->DiscardCreated(entry.pages->file());
  }
  files_.clear();
  savepoints_.clear();
  if (is_writing_) core_->writer_lock().Release();
  is_writing_ = false;
}

}  // namespace turdb::txn
