#include "txn/file_replacement.h"

#include <cstring>

#include "base/errors.h"
#include "base/status_macros.h"

namespace turdb::txn {

using format::kPageBytes;

absl::StatusOr<std::unique_ptr<FileReplacement>> FileReplacement::Prepare(env::Env* env,
                                                                          IntrusivePtr<pager::DataFile> file,
                                                                          Paths paths, const std::vector<Page>& pages) {
  if (!file->BeginReplacing()) {
    return ConflictError("file '", file->path(),
                         "' is being written to by a bulk load, or about to be removed, while another process reads it");
  }
  std::unique_ptr<FileReplacement> replacement(new FileReplacement(env, std::move(file), std::move(paths)));
  TURDB_RETURN_IF_ERROR(replacement->MakeSecondName());
  TURDB_RETURN_IF_ERROR(replacement->WriteCopy(pages));
  return replacement;
}

absl::Status FileReplacement::MakeSecondName() {
  TURDB_RETURN_IF_ERROR(file_->EnsureOnDisk().status());
  TURDB_RETURN_IF_ERROR(env_->LinkFile(file_->full_path(), paths_.second));
  has_made_name_ = true;
  return absl::OkStatus();
}

absl::Status FileReplacement::WriteCopy(const std::vector<Page>& pages) {
  TURDB_ASSIGN_OR_RETURN(const auto copy, env_->OpenFile(paths_.copy, env::OpenMode::kCreateNew));
  has_copy_ = true;
  TURDB_RETURN_IF_ERROR(file_->CopyTo(copy.get(), &bytes_));
  auto page = std::make_unique<uint8_t[]>(kPageBytes);
  for (const Page& each : pages) {
    std::memcpy(page.get(), each.version->bytes(), kPageBytes);
    turdb::Store<uint64_t>(page.get() + format::kPageLsnOffset, each.version->lsn().value());
    format::SealPage(file_->id(), each.id, page.get());
    TURDB_RETURN_IF_ERROR(copy->WriteAt(uint64_t{each.id.value()} * kPageBytes, page.get(), kPageBytes));
  }
  return copy->Sync();
}

absl::Status FileReplacement::Install(Lsn written) {
  TURDB_RETURN_IF_ERROR(file_->Replace(paths_.copy, written));
  has_made_name_ = has_copy_ = false;
  return absl::OkStatus();
}

// What cannot be removed now is garbage for the next open.
FileReplacement::~FileReplacement() {
  if (has_copy_) env_->DeleteFile(paths_.copy).IgnoreError();
  if (has_made_name_) env_->DeleteFile(paths_.second).IgnoreError();
  file_->EndReplacing();
}

}  // namespace turdb::txn
