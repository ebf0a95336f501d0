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

std::vector<FileId> TransactionImpl::Files() const {
  std::vector<FileId> files;
  state_->ForEach([&](FileId id, const IntrusivePtr<FileState>&) {
    const auto own = files_.find(id);
    if (own == files_.end() || !own->second.is_dropped) files.push_back(id);
  });
  for (const auto& [id, entry] : files_) {
    if (!entry.created_path.empty() && !entry.is_dropped) files.push_back(id);  // ids only grow: behind the others
  }
  return files;
}

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

absl::StatusOr<FileView> TransactionImpl::SnapshotView(FileId file) {
  const auto own = files_.find(file);
  if (own != files_.end() && own->second.created_path.empty()) return own->second.pages->base();
  TURDB_ASSIGN_OR_RETURN(const FileState* committed, Committed(file));
  return committed->View(state_->pin());
}

absl::StatusOr<FileView> TransactionImpl::NewestView(FileId file) {
  const auto newest = core_->chain().head();
  const FileState* found = newest->Find(file);
  if (found == nullptr) return ConflictError("a table was dropped since this transaction's snapshot; roll back and retry");
  return found->View(newest->pin());
}

bool TransactionImpl::IsNewest(FileId file) const {
  const uint64_t serial = core_->chain().head_serial();  // before the state is looked at, which may be newer
  if (serial != newest_files_.head_serial) newest_files_ = {serial, {}};
  for (const auto& [known, is_newest] : newest_files_.answers) {
    if (known == file) return is_newest;
  }
  return newest_files_.answers.emplace_back(file, CompareWithNewest(file)).second;
}

bool TransactionImpl::CompareWithNewest(FileId file) const {
  const auto newest = core_->chain().head();
  const FileState* there = newest->Find(file);
  const auto own = files_.find(file);
  if (own != files_.end()) {
    if (!own->second.created_path.empty()) return true;
    return there != nullptr && there->content_version() == own->second.pages->base_version();
  }
  const FileState* here = state_->Find(file);
  return here == there || (here != nullptr && there != nullptr && here->content_version() == there->content_version());
}

// --- writing ---------------------------------------------------------------------------------

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
  FileEntry entry;
  TURDB_RETURN_IF_ERROR(Open(file, &entry));
  return files_.emplace(file, std::move(entry)).first->second.pages.get();
}

absl::Status TransactionImpl::Open(FileId file, FileEntry* entry) {
  newest_files_ = {};
  TURDB_ASSIGN_OR_RETURN(const FileState* committed, Committed(file));
  TURDB_ASSIGN_OR_RETURN(FileView view, committed->View(state_->pin()));
  if (entry->pages == nullptr) {
    entry->pages = std::make_unique<PrivatePages>(std::move(view), committed->content_version());
  } else {
    entry->pages->MoveTo(std::move(view), committed->content_version());
    ++entry->moves;
  }
  entry->pages->set_known_checkpoint(checkpoint_at_start_);
  entry->pages->set_may_write_direct(is_exclusive_);
  return absl::OkStatus();
}

absl::StatusOr<FileId> TransactionImpl::CreateFile(std::string_view relative_path, std::string* chosen_path) {
  TURDB_RETURN_IF_ERROR(CheckWriting());
  TURDB_ASSIGN_OR_RETURN(std::string path, core_->ReservePath(relative_path));
  const FileId id = core_->NextFileId();
  newest_files_ = {};
  FileEntry& entry = files_[id];
  entry.created_path = path;
  entry.pages = std::make_unique<PrivatePages>(core_->NewDataFile(id, path), state_->pin());
  if (chosen_path != nullptr) *chosen_path = std::move(path);
  return id;
}

absl::Status TransactionImpl::DropFile(FileId file) {
  TURDB_RETURN_IF_ERROR(CheckWriting());
  if (const auto own = files_.find(file); own != files_.end()) {
    if (own->second.is_dropped) return InternalError("file ", file.value(), " was dropped by this transaction");
    own->second.is_dropped = true;
    return absl::OkStatus();
  }
  // Not opened: what is in it does not matter any more, be it damaged.
  TURDB_ASSIGN_OR_RETURN(const FileState* committed, Committed(file));
  FileEntry entry;
  entry.pages = std::make_unique<PrivatePages>(committed->file(), state_->pin());
  entry.is_dropped = entry.is_unopened = true;
  files_.emplace(file, std::move(entry));
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
  SavedState saved;
  for (auto& [id, entry] : files_) saved.files.emplace(id, SavedFile{entry.pages->Save(), entry.is_dropped, entry.moves});
  if (change_log_ != nullptr) saved.changes = change_log_->MarkEnd();
  savepoints_.push_back(std::move(saved));
  return Savepoint{savepoints_.size()};
}

absl::Status TransactionImpl::RollbackTo(Savepoint savepoint) {
  if (savepoint.depth == 0 || savepoint.depth > savepoints_.size()) {
    return InternalError("no savepoint of depth ", savepoint.depth);
  }
  savepoints_.resize(savepoint.depth);
  newest_files_ = {};
  const SavedState& saved = savepoints_.back();
  if (change_log_ != nullptr) change_log_->CutBackTo(saved.changes);
  StaleFiles stale;  // saved on pages of a state that the transaction has left since
  for (auto it = files_.begin(); it != files_.end();) {
    FileEntry& entry = it->second;
    const auto found = saved.files.find(it->first);
    if (found != saved.files.end()) {
      if (found->second.moves == entry.moves) {
        entry.pages->Restore(found->second.saved);
      } else {
        stale.insert(it->first);
      }
      entry.is_dropped = found->second.is_dropped;
    } else if (entry.is_unopened) {
      it = files_.erase(it);
      continue;
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
  return stale.empty() ? absl::OkStatus() : WriteAnew(std::move(stale));
}

void TransactionImpl::Release(Savepoint savepoint) {
  while (savepoint.depth > 0 && savepoint.depth <= savepoints_.size()) {
    for (const auto& [id, saved] : savepoints_.back().files) {
      const auto found = files_.find(id);
      if (found != files_.end() && found->second.moves == saved.moves) found->second.pages->Release(saved.saved);
    }
    savepoints_.pop_back();
  }
}

}  // namespace turdb::txn
