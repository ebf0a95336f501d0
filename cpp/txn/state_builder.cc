#include "txn/state_builder.h"

#include <cstring>

#include "base/errors.h"
#include "base/status_macros.h"
#include "format/file_header.h"
#include "txn/directory.h"
#include "txn/page_change.h"

namespace turdb::txn {

using format::kPageBytes;
using pager::DataFile;
using pager::OnDisk;
using pager::PageVersion;

StateBuilder::StateBuilder(env::Env* env, std::string directory, const DatabaseState& base,
                           IntrusivePtr<pager::PageMemory> memory, IntrusivePtr<pager::OpenFiles> open_files, Lsn files)
    : env_(env),
      directory_(std::move(directory)),
      base_(base),
      memory_(std::move(memory)),
      open_files_(std::move(open_files)),
      replaced_files_(files),
      epoch_(pager::NextEpoch()) {}

absl::Status StateBuilder::OnCreate(FileId file, const std::string& path) {
  if (path.empty() || base_.Find(file) != nullptr) {
    return CorruptionError("the log of '", directory_, "' creates file ", file.value(), " twice or without a name");
  }
  const OnDisk on_disk = env_->FileExists(directory_ + "/" + path) ? OnDisk::kYes : OnDisk::kNo;
  files_[file].file = MakeIntrusive<DataFile>(env_, directory_, path, file, on_disk, /*is_read_only=*/true, memory_, open_files_);
  files_[file].file->SearchReplaced(LogDirectory(directory_), replaced_files_);
  return absl::OkStatus();
}

absl::Status StateBuilder::OnDrop(FileId file) {
  files_[file] = File();
  return absl::OkStatus();
}

absl::StatusOr<StateBuilder::File*> StateBuilder::Find(FileId id) {
  const auto found = files_.find(id);
  if (found != files_.end() && found->second.file) return &found->second;
  const pager::FileState* state = base_.Find(id);
  if (state == nullptr || found != files_.end()) {
    return CorruptionError("the log of '", directory_, "' changes file ", id.value(), ", which does not exist");
  }
  File& file = files_[id];
  file = {state->file(), state->table(), state->page_count()};
  return &file;
}

absl::StatusOr<PageVersion*> StateBuilder::OwnVersion(File* file, PageId page, bool is_from_zero) {
  PageVersion* version = file->table.FindVersion(page);
  if (version != nullptr && version->owner() == epoch_) return version;
  TURDB_ASSIGN_OR_RETURN(auto made, file->file->NewVersion(epoch_));
  if (version != nullptr) {
    std::memcpy(made->bytes(), version->bytes(), kPageBytes);
    made->set_lsn(version->lsn());
  } else if (!is_from_zero) {
    // A page that was written directly lies behind the end that the file had when it was opened.
    if (page.value() >= file->file->file_pages()) TURDB_RETURN_IF_ERROR(file->file->Refresh());
    TURDB_RETURN_IF_ERROR(file->file->ReadPage(page, made->bytes()));
    TakeLsnOfPage(made.get());
  }
  version = made.get();
  file->table.Set(page, std::move(made), epoch_);
  return version;
}

absl::Status StateBuilder::OnPage(FileId id, PageId page, const wal::PageChange& change) {
  TURDB_ASSIGN_OR_RETURN(File * file, Find(id));
  TURDB_ASSIGN_OR_RETURN(PageVersion * version, OwnVersion(file, page, change.is_from_zero));
  bool is_new = false;  // false: a checkpoint wrote the page with this change in it
  if (!ApplyPageChange(change, version, &is_new)) {
    return CorruptionError("the log of '", directory_, "' holds a damaged delta of page ", page.value(), " of '",
                           file->file->path(), "'");
  }
  if (page.value() == 0) file->page_count = Load<uint32_t>(version->bytes() + format::kHeaderPageCountOffset);
  if (is_new) touched_.push_back(version);
  return absl::OkStatus();
}

absl::Status StateBuilder::OnFrameEnd(format::FrameKind, Lsn lsn) {
  for (PageVersion* version : touched_) version->set_lsn(lsn);
  touched_.clear();
  return absl::OkStatus();
}

absl::StatusOr<IntrusivePtr<DatabaseState>> StateBuilder::Build(Lsn lsn) {
  auto state = base_.CopyAt(lsn);
  for (auto& [id, file] : files_) {
    if (!file.file) {
      state->Set(id, nullptr);
      continue;
    }
    if (file.page_count > file.file->file_pages()) TURDB_RETURN_IF_ERROR(file.file->Refresh());
    state->Set(id, MakeIntrusive<pager::FileState>(file.file, std::move(file.table), file.page_count,
                                                   pager::NextContentVersion()));
  }
  return state;
}

}  // namespace turdb::txn
