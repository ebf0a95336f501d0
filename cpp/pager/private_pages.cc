// Copy on write of pages, the free list, direct pages.
#include "pager/private_pages.h"

#include <algorithm>
#include <cstring>

#include "base/errors.h"
#include "base/status_macros.h"
#include "format/file_header.h"

namespace turdb::pager {

using format::PageKind;

namespace {

// Sealed and written a piece at a time, while the piece is in the cache.
absl::Status WriteSealed(DataFile* file, PageId first, uint32_t n, uint8_t* pages) {
  constexpr uint32_t kPiecePages = 32;
  for (uint32_t done = 0; done < n;) {
    const uint32_t piece = std::min(kPiecePages, n - done);
    uint8_t* at = pages + size_t{done} * format::kPageBytes;
    for (uint32_t i = 0; i < piece; ++i) {
      uint8_t* const page = at + size_t{i} * format::kPageBytes;
      turdb::Store<uint64_t>(page + format::kPageLsnOffset, 0);  // older than every record of the log
      format::SealPage(file->id(), first + (done + i), page);
    }
    TURDB_RETURN_IF_ERROR(file->WritePages(first + done, piece, at));
    done += piece;
  }
  return absl::OkStatus();
}

}  // namespace

PrivatePages::PrivatePages(FileView base, uint64_t base_version)
    : base_(base),
      view_(std::move(base)),
      epochs_(NextEpoch()),
      frozen_until_(epochs_.newest),
      base_version_(base_version),
      content_version_(base_version) {}

PrivatePages::PrivatePages(IntrusivePtr<DataFile> file, IntrusivePtr<SnapshotPin> pin)
    : epochs_(NextEpoch()), frozen_until_(epochs_.newest), base_version_(NextContentVersion()), content_version_(base_version_) {
  base_.file_ = std::move(file);
  base_.pin_ = std::move(pin);
  view_ = base_;
  view_.page_count_ = 1;
  auto header = view_.file_->NewHeapVersion(epochs_.newest);
  NoteChange();
  format::InitFileHeader(SetZeroed(PageId(0), PageKind::kFileHeader, std::move(header)), view_.file_->id());
}

void PrivatePages::SetVersion(PageId id, IntrusivePtr<PageVersion> version) {
  PageVersion* replaced = view_.table_.FindVersion(id);
  if (replaced != nullptr && replaced->lsn() == Lsn(0)) retired_.emplace_back(replaced);
  view_.table_.Set(id, std::move(version), epochs_);
  ++n_copied_;
}

uint8_t* PrivatePages::SetZeroed(PageId id, PageKind kind, IntrusivePtr<PageVersion> version) {
  version->set_fresh(true);
  uint8_t* bytes = version->bytes();
  std::memset(bytes, 0, kPageBytes);
  format::SetPageKind(bytes, kind);
  SetVersion(id, std::move(version));
  return bytes;
}

absl::StatusOr<uint8_t*> PrivatePages::AddZeroed(PageId id, PageKind kind) {
  NoteChange();
  if (PageVersion* current = view_.table_.FindVersion(id); current != nullptr && epochs_.Contain(current->owner())) {
    current->set_fresh(true);  // freed and taken again
    std::memset(current->bytes(), 0, kPageBytes);
    format::SetPageKind(current->bytes(), kind);
    return current->bytes();
  }
  TURDB_ASSIGN_OR_RETURN(auto version, view_.file_->NewVersion(epochs_.newest));
  return SetZeroed(id, kind, std::move(version));
}

absl::StatusOr<uint8_t*> PrivatePages::MutablePage(PageId id) {
  NoteChange();
  PageVersion* current = id.value() < view_.page_count_ ? view_.table_.FindVersion(id) : nullptr;
  if (current != nullptr && epochs_.Contain(current->owner())) return current->bytes();
  const uint8_t* page = view_.Page(id);
  if (page == nullptr) return view_.PageError(id);
  TURDB_ASSIGN_OR_RETURN(auto version, view_.file_->NewVersion(epochs_.newest));
  version->set_fresh(current != nullptr && current->lsn() == Lsn(0) && current->is_fresh());
  uint8_t* bytes = version->bytes();
  std::memcpy(bytes, page, kPageBytes);
  SetVersion(id, std::move(version));
  return bytes;
}

absl::Status PrivatePages::CheckRoom(uint32_t n) const {
  constexpr uint32_t kMostPages = 1u << 31;  // higher numbers name pieces of pages (format/overflow.h)
  if (n > kMostPages - std::min(kMostPages, view_.page_count_)) {
    return DiskFullError("file '", view_.path(), "' cannot grow beyond 2^31 pages (32 TiB)");
  }
  return absl::OkStatus();
}

absl::StatusOr<PageId> PrivatePages::TakeFree(PageId trunk_id) {
  TURDB_ASSIGN_OR_RETURN(const uint8_t* trunk, view_.PageOfKind(trunk_id, PageKind::kFreeListTrunk));
  const uint32_t count = Load<uint32_t>(trunk + format::kTrunkCountOffset);
  const uint32_t next = Load<uint32_t>(trunk + format::kTrunkNextOffset);
  PageId taken = trunk_id;
  if (count > 0) {
    if (count > format::kTrunkCapacity) {
      return CorruptionError("file '", view_.path(), "': free-list page ", trunk_id.value(), " claims ", count, " entries");
    }
    const size_t at = format::kTrunkEntriesOffset + 4 * (count - 1);
    taken = PageId(Load<uint32_t>(trunk + at));
    if (taken.value() == 0 || taken.value() >= view_.page_count_) {
      return CorruptionError("file '", view_.path(), "': free-list page ", trunk_id.value(), " names page ",
                             taken.value(), " of ", view_.page_count_);
    }
    TURDB_ASSIGN_OR_RETURN(uint8_t* writable, MutablePage(trunk_id));
    Store<uint32_t>(writable + at, 0);
    Store<uint32_t>(writable + format::kTrunkCountOffset, count - 1);
  }
  TURDB_ASSIGN_OR_RETURN(uint8_t* header, MutablePage(PageId(0)));
  if (count == 0) Store<uint32_t>(header + format::kHeaderFreeTrunkOffset, next);
  const uint32_t n_free = Load<uint32_t>(header + format::kHeaderFreeCountOffset);
  Store<uint32_t>(header + format::kHeaderFreeCountOffset, n_free > 0 ? n_free - 1 : 0);
  return taken;
}

absl::StatusOr<PageId> PrivatePages::Allocate(PageKind kind) {
  const uint8_t* header = view_.Page(PageId(0));
  if (header == nullptr) return view_.PageError(PageId(0));
  PageId id(Load<uint32_t>(header + format::kHeaderFreeTrunkOffset));
  if (id.value() != 0) {
    TURDB_ASSIGN_OR_RETURN(id, TakeFree(id));
  } else {
    TURDB_RETURN_IF_ERROR(CheckRoom(1));
    id = PageId(view_.page_count_);
  }
  TURDB_RETURN_IF_ERROR(AddZeroed(id, kind).status());
  view_.page_count_ = std::max(view_.page_count_, id.value() + 1);
  return id;
}

absl::Status PrivatePages::Free(PageId id) {
  if (id.value() == 0 || id.value() >= view_.page_count_) {
    return CorruptionError("file '", view_.path(), "': page ", id.value(), " of ", view_.page_count_,
                           " cannot be freed");
  }
  TURDB_ASSIGN_OR_RETURN(uint8_t* header, MutablePage(PageId(0)));
  const PageId trunk_id(Load<uint32_t>(header + format::kHeaderFreeTrunkOffset));
  Store<uint32_t>(header + format::kHeaderFreeCountOffset,
                  Load<uint32_t>(header + format::kHeaderFreeCountOffset) + 1);
  if (trunk_id.value() != 0) {
    TURDB_ASSIGN_OR_RETURN(const uint8_t* trunk, view_.PageOfKind(trunk_id, PageKind::kFreeListTrunk));
    const uint32_t count = Load<uint32_t>(trunk + format::kTrunkCountOffset);
    if (count < format::kTrunkCapacity) {
      TURDB_ASSIGN_OR_RETURN(uint8_t* writable, MutablePage(trunk_id));
      Store<uint32_t>(writable + format::kTrunkEntriesOffset + 4 * count, id.value());
      Store<uint32_t>(writable + format::kTrunkCountOffset, count + 1);
      return absl::OkStatus();
    }
  }
  TURDB_ASSIGN_OR_RETURN(uint8_t* trunk, AddZeroed(id, PageKind::kFreeListTrunk));
  Store<uint32_t>(trunk + format::kTrunkNextOffset, trunk_id.value());
  Store<uint32_t>(header + format::kHeaderFreeTrunkOffset, id.value());
  return absl::OkStatus();
}

absl::StatusOr<PageId> PrivatePages::ExtendZeroed(uint32_t n, PageKind kind) {
  TURDB_RETURN_IF_ERROR(CheckRoom(n));
  const PageId first(view_.page_count_);
  for (uint32_t i = 0; i < n; ++i) {
    const absl::Status added = AddZeroed(first + i, kind).status();
    if (added.ok()) continue;
    while (i > 0) view_.table_.Erase(first + --i, epochs_);  // no version lies past the end
    return added;
  }
  view_.page_count_ += n;
  return first;
}

absl::StatusOr<PageId> PrivatePages::ExtendDirect(uint32_t n) {
  if (may_write_direct_ && !direct_right_) {
    direct_right_ = view_.file_->TakeDirectRight(view_.mapping_);
    may_write_direct_ = direct_right_ != nullptr;
  }
  if (!may_write_direct_) return ExtendZeroed(n, PageKind::kFree);
  TURDB_RETURN_IF_ERROR(CheckRoom(n));
  const PageId first(view_.page_count_);
  const uint32_t end = first.value() + n;
  TURDB_ASSIGN_OR_RETURN(const bool is_there, view_.file_->EnsureOnDisk());
  if (!is_there) return ConflictError("file '", view_.path(), "' was dropped; roll back and retry");
  if (!has_direct_pages_) first_direct_ = first;
  TURDB_RETURN_IF_ERROR(view_.file_->Reserve(std::min(first_direct_, first), end));
  TURDB_ASSIGN_OR_RETURN(auto mapping, view_.file_->Lengthened(view_.mapping_, end));
  if (!(mapping == view_.mapping_)) {
    retired_mappings_.push_back(std::move(view_.mapping_));
    view_.base_ = mapping->data();
    view_.mapping_ = std::move(mapping);
  }
  view_.file_->Protect(end);
  view_.page_count_ = end;
  has_direct_pages_ = true;
  NoteChange();
  return first;
}

// Into pages that ExtendDirect made private; changes nothing else, so several threads may do it at once.
absl::Status PrivatePages::CopyIn(PageId first, uint32_t n, const uint8_t* pages) {
  for (uint32_t i = 0; i < n; ++i) {
    PageVersion* const version = view_.table_.FindVersion(first + i);
    if (version == nullptr || !epochs_.Contain(version->owner())) {
      return InternalError("file '", view_.path(), "': page ", first.value() + i, " was not reserved for writing");
    }
    std::memcpy(version->bytes(), pages + size_t{i} * kPageBytes, kPageBytes);
  }
  return absl::OkStatus();
}

absl::Status PrivatePages::WriteDirect(PageId first, uint32_t n, uint8_t* pages) {
  TURDB_ASSIGN_OR_RETURN(const WriteJob job, BeginWriteDirect(first, n, pages));
  return job == nullptr ? absl::OkStatus() : job();
}

absl::StatusOr<FileWriter::WriteJob> PrivatePages::BeginWriteDirect(PageId first, uint32_t n, uint8_t* pages) {
  if (!may_write_direct_ || !direct_right_) {
    TURDB_RETURN_IF_ERROR(CopyIn(first, n, pages));
    return WriteJob();
  }
  if (!has_direct_pages_ || uint64_t{first.value()} + n > view_.page_count_ ||
      first.value() < base_.page_count_) {
    return InternalError("file '", view_.path(), "': pages from ", first.value(), " were not reserved for writing");
  }
  const uint32_t n_direct = view_.page_count_ - first_direct_.value();
  return WriteJob([file = view_.file_, first, n, pages, first_direct = first_direct_, n_direct, written = &n_direct_written_] {
    TURDB_RETURN_IF_ERROR(WriteSealed(file.get(), first, n, pages));
    // The disk starts on every 8 MiB at once, so that the sync at commit finds little left to do.
    constexpr uint64_t kWritebackPages = (8u << 20) / kPageBytes;
    const uint64_t before = written->fetch_add(n, std::memory_order_relaxed);
    if ((before + n) / kWritebackPages != before / kWritebackPages) file->StartWriteback(first_direct, n_direct);
    return absl::OkStatus();
  });
}

void PrivatePages::TakeEpoch() {
  ++change_count_;
  ContentVersion();
  epochs_ = OwnEpochs(NextEpoch());
  retired_.clear();
}

void PrivatePages::Freeze() {
  TakeEpoch();
  frozen_until_ = epochs_.newest;
}

uint64_t PrivatePages::ContentVersion() {
  if (is_version_stale_) content_version_ = NextContentVersion();
  is_version_stale_ = false;
  return content_version_;
}

PrivatePages::Saved PrivatePages::Save() {
  const Epoch oldest = epochs_.oldest;
  TakeEpoch();
  return {view_, content_version_, oldest};
}

void PrivatePages::Restore(const Saved& saved) {
  TakeEpoch();
  view_ = saved.view;
  content_version_ = saved.content_version;
  is_version_stale_ = false;
}

void PrivatePages::RestoreBase() {
  Freeze();
  Restore({base_, base_version_, epochs_.oldest});
}

void PrivatePages::MoveTo(FileView base, uint64_t base_version) {
  base_ = std::move(base);
  base_version_ = base_version;
  has_direct_pages_ = false;
  direct_right_ = nullptr;
  RestoreBase();
}

bool PrivatePages::is_changed() const {
  return view_.page_count_ != base_.page_count_ || view_.table_.root() != base_.table_.root();
}

absl::Status PrivatePages::Finish() {
  const uint8_t* header = view_.Page(PageId(0));
  if (header == nullptr) return view_.PageError(PageId(0));
  if (Load<uint32_t>(header + format::kHeaderPageCountOffset) == view_.page_count_) return absl::OkStatus();
  TURDB_ASSIGN_OR_RETURN(uint8_t* writable, MutablePage(PageId(0)));
  Store<uint32_t>(writable + format::kHeaderPageCountOffset, view_.page_count_);
  return absl::OkStatus();
}

IntrusivePtr<FileState> PrivatePages::ToState(Lsn commit_lsn, Lsn checkpoint_lsn) {
  view_.table_.ForEachChanged(base_.table_, [&](PageId, PageVersion* version) { version->set_lsn(commit_lsn); });
  PageTable table = view_.table_;
  EraseVersionsUpTo(&table, checkpoint_lsn);
  return MakeIntrusive<FileState>(view_.file_, std::move(table), view_.page_count_, ContentVersion());
}

}  // namespace turdb::pager
