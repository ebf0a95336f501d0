// FileView: one file as one snapshot (or one transaction) sees it: page id -> bytes.
//
// Most pages are read straight from the read-only map of the file; pages changed since the last checkpoint are
// found in a small persistent radix table, the page table, whose empty slots mean "the mapped file". A view is a
// set of counted pointers: copying it costs four counts, and what it shows never changes for as long as it lives
// (a writer's own view changes with its writes until FileWriter::Freeze()).
// The bytes of a page stay where they are for as long as any view that shows them lives.
// Thread-safe for reading.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/base/optimization.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/intrusive_ptr.h"
#include "base/strong_id.h"
#include "format/page.h"
#include "pager/data_file.h"
#include "pager/page_table.h"

namespace turdb::pager {

// Shared by all views of one database state. While one lives, no checkpoint overwrites what the state shows in
// its mapped files.
class SnapshotPin : public RefCounted<SnapshotPin> {
 public:
  SnapshotPin() = default;
  // `lease` is given back when nobody looks any more.
  explicit SnapshotPin(std::shared_ptr<void> lease) : lease_(std::move(lease)) {}

 private:
  const std::shared_ptr<void> lease_;
};

class FileView {
 public:
  FileView() = default;

  FileId file_id() const { return file_->id(); }
  const std::string& path() const { return file_->path(); }
  uint32_t page_count() const { return page_count_; }  // pages [0, page_count) exist
  bool is_null() const { return file_ == nullptr; }

  // The bytes of a page, or nullptr when it cannot be read: outside the file or damaged. Then PageError says why.
  const uint8_t* Page(PageId id) const {
    if (ABSL_PREDICT_FALSE(id.value() >= page_count_)) return nullptr;
    if (table_.root() != nullptr) {
      if (const uint8_t* version = table_.Find(id)) return version;
    }
    if (ABSL_PREDICT_TRUE(file_->IsVerified(id))) return base_ + size_t{id.value()} * format::kPageBytes;
    return VerifyMapped(id);
  }
  // CorruptionError with file, page and what is wrong. REQUIRES: Page(id) was nullptr.
  absl::Status PageError(PageId id) const;
  // As Page(), and checks the kind.
  absl::StatusOr<const uint8_t*> PageOfKind(PageId id, format::PageKind kind) const;

  // True when no page of this view has an in-memory version: then page i is at mapped_base() + i * kPageBytes once
  // it is verified. Loops that touch many pages use this to skip the table.
  bool IsFlat() const { return table_.root() == nullptr; }
  const uint8_t* mapped_base() const { return base_; }
  // Checks pages [first, first + n) against their checksums (those not checked before).
  absl::Status Verify(PageId first, uint32_t n) const;
  void Advise(env::Mapping::Access access) const;

 private:
  friend class PrivatePages;
  friend class FileState;
  const uint8_t* VerifyMapped(PageId id) const;

  IntrusivePtr<DataFile> file_;
  IntrusivePtr<SharedMapping> mapping_;
  const uint8_t* base_ = nullptr;
  uint32_t page_count_ = 0;
  PageTable table_;
  IntrusivePtr<SnapshotPin> pin_;
};

}  // namespace turdb::pager
