// FileState: one file in one committed state of the database: its page table, its length, its content's version.
//
// Immutable once published, but for the map, which is made when the file is first looked at. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include "absl/status/statusor.h"
#include "base/intrusive_ptr.h"
#include "pager/file_view.h"

namespace turdb::pager {

// Numbers for the content of files; process-wide, never repeats.
uint64_t NextContentVersion();

class FileState : public RefCounted<FileState> {
 public:
  FileState(IntrusivePtr<DataFile> file, PageTable table, uint32_t page_count, uint64_t content_version)
      : file_(std::move(file)),
        table_(std::move(table)),
        page_count_(page_count),
        content_version_(content_version) {}

  const IntrusivePtr<DataFile>& file() const { return file_; }
  const PageTable& table() const { return table_; }
  uint32_t page_count() const { return page_count_; }
  uint64_t content_version() const { return content_version_; }
  // kCorruption, kForeignFile, kNewerFormat when the file turns out to be missing or not what it should be.
  absl::StatusOr<FileView> View(const IntrusivePtr<SnapshotPin>& pin) const;

  // Fixes the map that views of this state read through, before a checkpoint overwrites what it shows. Errors as View.
  absl::Status FixMap() const { return View(nullptr).status(); }

  // Pages that are kept for this state, as `newest` of the same file has others: versions, and preserved ones.
  uint64_t CountKept(const FileState* newest) const;

  // The same content without the versions of commits up to `lsn`, which a checkpoint has written to the file; null
  // when there are none.
  IntrusivePtr<FileState> WithoutVersionsUpTo(Lsn lsn) const;

 private:
  const IntrusivePtr<DataFile> file_;
  const PageTable table_;
  const uint32_t page_count_;
  const uint64_t content_version_;
  mutable std::atomic<bool> is_mapped_{false};
  mutable std::mutex mutex_;
  absl::Status CheckHeader(const FileView& view) const;
  mutable IntrusivePtr<SharedMapping> mapping_;
};

// Erases from `table` the versions of commits up to `lsn`; returns how many.
size_t EraseVersionsUpTo(PageTable* table, Lsn lsn);

}  // namespace turdb::pager
