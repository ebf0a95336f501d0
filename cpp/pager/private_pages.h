// PrivatePages: the FileWriter of a transaction.
//
// Pages changed are versions owned by the writer's epochs; Freeze() takes a new epoch, so what was written until then
// is copied before it changes again. What Save() froze may change in place again once the savepoint is released: a statement's
// savepoint must not make the statements after it copy every page anew. Versions replaced inside the transaction are kept until the next Freeze, so that
// pointers read just before a change stay good.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "pager/file_state.h"
#include "pager/file_writer.h"

namespace turdb::pager {

class PrivatePages final : public FileWriter {
 public:
  // What a savepoint keeps of a writer.
  struct Saved {
    FileView view;
    uint64_t content_version;
    Epoch oldest;  // whose versions could be changed in place
  };

  // Writes on `base`. REQUIRES: `base_version` is the version of its content.
  PrivatePages(FileView base, uint64_t base_version);
  // A new file: page 0 is made, nothing is on disk.
  PrivatePages(IntrusivePtr<DataFile> file, IntrusivePtr<SnapshotPin> pin);

  const FileView& view() const override { return view_; }
  absl::StatusOr<uint8_t*> MutablePage(PageId id) override;
  absl::StatusOr<PageId> Allocate(format::PageKind kind) override;
  absl::Status Free(PageId id) override;
  void set_may_write_direct(bool may) override { may_write_direct_ = may; }
  absl::StatusOr<PageId> ExtendDirect(uint32_t n) override;
  absl::Status WriteDirect(PageId first, uint32_t n, uint8_t* pages) override;
  absl::StatusOr<WriteJob> BeginWriteDirect(PageId first, uint32_t n, uint8_t* pages) override;
  absl::StatusOr<PageId> ExtendZeroed(uint32_t n, format::PageKind kind) override;
  void Freeze() override;

  uint64_t ContentVersion();  // of what the view shows now
  Saved Save();               // freezes
  void Restore(const Saved& saved);
  // The savepoint goes, what was done since stays. Saved ones are released in the opposite order.
  void Release(const Saved& saved) { epochs_.oldest = std::max(saved.oldest, frozen_until_); }
  void RestoreBase();
  // Gives up every change and goes on from another committed state of the file.
  void MoveTo(FileView base, uint64_t base_version);
  const FileView& base() const { return base_; }
  uint64_t base_version() const { return base_version_; }

  bool has_direct_pages() const { return has_direct_pages_; }
  bool is_changed() const;
  uint64_t private_bytes() const { return n_copied_ * kPageBytes; }
  const IntrusivePtr<DataFile>& file() const { return view_.file_; }

  // --- for the commit ------------------------------------------------------------------------
  // Writes the page count into page 0.
  absl::Status Finish();
  // visit(PageId, PageVersion*, const uint8_t* base): base is null where the change is against zeros.
  template <typename Visit>
  void ForEachChange(Visit visit) {
    view_.table_.ForEachChanged(base_.table_, [&](PageId id, PageVersion* version) {
      visit(id, version, version->is_fresh() ? nullptr : BaseBytes(id));
    });
  }
  // Whether the transaction's base may still have versions that a checkpoint of that LSN wrote to the file.
  bool is_older_than(Lsn checkpoint_lsn) const { return checkpoint_lsn != known_checkpoint_; }
  void set_known_checkpoint(Lsn lsn) { known_checkpoint_ = lsn; }
  // The committed state; versions up to `checkpoint_lsn` are in the file already and left out.
  IntrusivePtr<FileState> ToState(Lsn commit_lsn, Lsn checkpoint_lsn);

 private:
  static constexpr uint64_t kPageBytes = format::kPageBytes;
  const uint8_t* BaseBytes(PageId id) const {
    const uint8_t* version = base_.table_.Find(id);
    return version != nullptr ? version : view_.base_ + size_t{id.value()} * kPageBytes;
  }
  void NoteChange() {
    is_version_stale_ = true;
    ++change_count_;
  }
  absl::StatusOr<uint8_t*> AddZeroed(PageId id, format::PageKind kind);
  uint8_t* SetZeroed(PageId id, format::PageKind kind, IntrusivePtr<PageVersion> version);
  absl::Status CopyIn(PageId first, uint32_t n, const uint8_t* pages);
  void SetVersion(PageId id, IntrusivePtr<PageVersion> version);
  absl::StatusOr<PageId> TakeFree(PageId trunk_id);
  absl::Status CheckRoom(uint32_t n) const;

  FileView base_;
  FileView view_;
  void TakeEpoch();

  OwnEpochs epochs_;
  Epoch frozen_until_;  // versions of older epochs are in the hands of readers
  uint64_t base_version_;
  uint64_t content_version_;
  bool is_version_stale_ = false;  // changed since content_version_ was given out
  bool may_write_direct_ = true;
  bool has_direct_pages_ = false;
  std::shared_ptr<void> direct_right_;  // while there are any
  PageId first_direct_{0};
  std::atomic<uint64_t> n_direct_written_{0};
  uint64_t n_copied_ = 0;
  Lsn known_checkpoint_{0};
  std::vector<IntrusivePtr<PageVersion>> retired_;
  std::vector<IntrusivePtr<SharedMapping>> retired_mappings_;
};

}  // namespace turdb::pager
