// FileView: one file as one snapshot (or one transaction) sees it: page id -> bytes.
//
// Most pages are read straight from the read-only map of the file; pages changed since the last checkpoint are
// found in a small persistent radix table, the page table, whose empty slots mean "the mapped file". A view is a
// set of counted pointers: copying it costs four counts, and what it shows never changes for as long as it lives
// (a writer's own view changes with its writes until FileWriter::Freeze()).
// The bytes of a page stay where they are for as long as any view that shows them lives.
// Thread-safe for reading.
#pragma once

#include <atomic>
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

// Page look-ups of one view: a look-up costs an addition in memory that the view's reader has at hand, and what was counted is
// added to the store's totals (PageMemory) when the view goes, or after some thousands. Threads that share a view may
// lose counts, nothing else.
class LookupCounts {
 public:
  LookupCounts() = default;
  LookupCounts(const LookupCounts&) {}  // a copy of a view has looked up nothing yet
  LookupCounts(LookupCounts&& other) noexcept { Swap(other); }
  LookupCounts& operator=(const LookupCounts&) = delete;
  void Swap(LookupCounts& other) noexcept {
    const uint32_t mapped = Take(other.mapped_), versions = Take(other.versions_);
    other.mapped_.store(Take(mapped_), std::memory_order_relaxed);
    other.versions_.store(Take(versions_), std::memory_order_relaxed);
    mapped_.store(mapped, std::memory_order_relaxed);
    versions_.store(versions, std::memory_order_relaxed);
  }
  // True when it is time to add them to the totals.
  bool AddMapped() { return Add(mapped_); }
  bool AddVersion() { return Add(versions_); }
  bool is_empty() const {
    return (mapped_.load(std::memory_order_relaxed) | versions_.load(std::memory_order_relaxed)) == 0;
  }
  uint32_t TakeMapped() { return Take(mapped_); }
  uint32_t TakeVersions() { return Take(versions_); }

 private:
  static constexpr uint32_t kMost = 4096;
  static bool Add(std::atomic<uint32_t>& count) {
    const uint32_t next = count.load(std::memory_order_relaxed) + 1;
    count.store(next, std::memory_order_relaxed);
    return next >= kMost;
  }
  static uint32_t Take(std::atomic<uint32_t>& count) {
    const uint32_t taken = count.load(std::memory_order_relaxed);
    count.store(0, std::memory_order_relaxed);
    return taken;
  }

  std::atomic<uint32_t> mapped_{0}, versions_{0};
};

class FileView {
 public:
  FileView() = default;
  FileView(const FileView&) = default;
  FileView(FileView&&) noexcept = default;
  FileView& operator=(FileView other) noexcept {
    std::swap(file_, other.file_);
    std::swap(mapping_, other.mapping_);
    std::swap(base_, other.base_);
    std::swap(page_count_, other.page_count_);
    std::swap(table_, other.table_);
    std::swap(pin_, other.pin_);
    counts_.Swap(other.counts_);
    return *this;
  }
  ~FileView() {
    if (!counts_.is_empty()) AddCounts();
  }

  FileId file_id() const { return file_->id(); }
  const std::string& path() const { return file_->path(); }
  uint32_t page_count() const { return page_count_; }  // pages [0, page_count) exist
  bool is_null() const { return file_ == nullptr; }

  // The bytes of a page, or nullptr when it cannot be read: outside the file or damaged. Then PageError says why.
  const uint8_t* Page(PageId id) const {
    if (ABSL_PREDICT_FALSE(id.value() >= page_count_)) return nullptr;
    if (table_.root() != nullptr) {
      if (const uint8_t* version = table_.Find(id)) {
        if (ABSL_PREDICT_FALSE(counts_.AddVersion())) AddCounts();
        return version;
      }
    }
    if (ABSL_PREDICT_FALSE(counts_.AddMapped())) AddCounts();
    if (ABSL_PREDICT_TRUE(file_->IsVerified(id))) return base_ + size_t{id.value()} * format::kPageBytes;
    return VerifyMapped(id);
  }
  // The same, not counted: for what many threads read through one view.
  const uint8_t* UncountedPage(PageId id) const {
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
  void AddCounts() const;

  IntrusivePtr<DataFile> file_;
  IntrusivePtr<SharedMapping> mapping_;
  const uint8_t* base_ = nullptr;
  uint32_t page_count_ = 0;
  PageTable table_;
  IntrusivePtr<SnapshotPin> pin_;
  mutable LookupCounts counts_;
};

}  // namespace turdb::pager
