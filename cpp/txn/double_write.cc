// Writing and reading the double-write area.
#include "txn/double_write.h"

#include <cstring>

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/status_macros.h"

namespace turdb::txn {

using format::kPageBytes;

absl::Status DoubleWrite::Begin(Lsn target) {
  if (file_ == nullptr) {
    is_new_file_ = !env_->FileExists(path_);
    TURDB_ASSIGN_OR_RETURN(file_, env_->OpenFile(path_, env::OpenMode::kCreate));
  }
  target_ = target;
  entries_.clear();
  buffer_.clear();
  offset_ = kPageBytes;
  return absl::OkStatus();
}

absl::Status DoubleWrite::FlushBuffer() {
  TURDB_RETURN_IF_ERROR(file_->WriteAt(offset_, buffer_.data(), buffer_.size()));
  offset_ += buffer_.size();
  buffer_.clear();
  return absl::OkStatus();
}

absl::Status DoubleWrite::Add(Entry entry, const uint8_t* sealed_page) {
  entries_.push_back(entry);
  buffer_.append(reinterpret_cast<const char*>(sealed_page), kPageBytes);
  return buffer_.size() >= kBufferPages * kPageBytes ? FlushBuffer() : absl::OkStatus();
}

absl::Status DoubleWrite::Finish() {
  TURDB_RETURN_IF_ERROR(FlushBuffer());
  std::string header(kPageBytes, '\0');
  turdb::Store<uint32_t>(header.data() + format::kDoubleWriteCountOffset, static_cast<uint32_t>(entries_.size()));
  std::memcpy(header.data() + format::kDoubleWriteMagicOffset, format::kDoubleWriteMagic.data(),
              format::kDoubleWriteMagic.size());
  turdb::Store<uint64_t>(header.data() + format::kDoubleWriteSaltOffset, salt_);
  turdb::Store<uint64_t>(header.data() + format::kDoubleWriteLsnOffset, target_.value());
  char* at = header.data() + format::kDoubleWriteEntriesOffset;
  for (const Entry& entry : entries_) {
    Store<uint32_t>(at, entry.file.value());
    Store<uint32_t>(at + 4, entry.page.value());
    at += 8;
  }
  turdb::Store<uint32_t>(header.data(), Crc32c(0, header.data() + 4, kPageBytes - 4));
  return file_->WriteAt(0, header.data(), header.size());
}

absl::Status DoubleWrite::Sync() {
  TURDB_RETURN_IF_ERROR(file_->Sync());
  if (!is_new_file_) return absl::OkStatus();
  is_new_file_ = false;
  return env_->SyncDir(path_.substr(0, path_.rfind('/')));
}

void DoubleWrite::Remove() {
  file_.reset();
  if (env_->FileExists(path_)) env_->DeleteFile(path_).IgnoreError();  // one left behind is overwritten
}

absl::Status DoubleWrite::ReadImages(Lsn checkpoint_lsn,
                                     const std::function<absl::Status(Entry, const uint8_t*)>& visit) const {
  if (!env_->FileExists(path_)) return absl::OkStatus();
  TURDB_ASSIGN_OR_RETURN(auto file, env_->OpenFile(path_, env::OpenMode::kReadOnly));
  TURDB_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  if (size < kPageBytes) return absl::OkStatus();
  std::string header(kPageBytes, '\0');
  TURDB_RETURN_IF_ERROR(file->ReadAt(0, header.data(), kPageBytes));
  const uint32_t count = Load<uint32_t>(header.data() + format::kDoubleWriteCountOffset);
  const bool is_ours =
      Load<uint32_t>(header.data()) == Crc32c(0, header.data() + 4, kPageBytes - 4) &&
      std::string_view(header).substr(format::kDoubleWriteMagicOffset, 8) == format::kDoubleWriteMagic &&
      Load<uint64_t>(header.data() + format::kDoubleWriteSaltOffset) == salt_ && count <= format::kDoubleWritePages &&
      Lsn(Load<uint64_t>(header.data() + format::kDoubleWriteLsnOffset)) > checkpoint_lsn;
  if (!is_ours) return absl::OkStatus();
  std::string image(kPageBytes, '\0');
  for (uint32_t i = 0; i < count; ++i) {
    if ((uint64_t{i} + 2) * kPageBytes > size) break;
    const char* at = header.data() + format::kDoubleWriteEntriesOffset + 8 * i;
    const Entry entry{FileId(Load<uint32_t>(at)), PageId(Load<uint32_t>(at + 4))};
    TURDB_RETURN_IF_ERROR(file->ReadAt((uint64_t{i} + 1) * kPageBytes, image.data(), kPageBytes));
    const auto* page = reinterpret_cast<const uint8_t*>(image.data());
    if (!format::IsPageIntact(entry.file, entry.page, page)) continue;
    TURDB_RETURN_IF_ERROR(visit(entry, page));
  }
  return absl::OkStatus();
}

}  // namespace turdb::txn
