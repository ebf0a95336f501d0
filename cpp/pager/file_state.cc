// Views of committed states, and what a checkpoint leaves of a page table.
#include "pager/file_state.h"

#include <vector>

#include "base/errors.h"
#include "base/status_macros.h"
#include "format/file_header.h"

namespace turdb::pager {

uint64_t NextContentVersion() {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

absl::Status FileState::CheckHeader(const FileView& view) const {
  const uint8_t* header = view.Page(PageId(0));
  if (header == nullptr) return view.PageError(PageId(0));
  if (!format::HasFileMagic(header)) {
    return ForeignFileError("'", file_->full_path(), "' is not a data file of turdb");
  }
  const uint32_t version = Load<uint32_t>(header + format::kHeaderVersionOffset);
  if (version > format::kFormatVersion) {
    return NewerFormatError("'", file_->full_path(), "' was written by a newer turdb (format ", version, ")");
  }
  const uint32_t id = Load<uint32_t>(header + format::kHeaderFileIdOffset);
  if (id != file_->id().value()) {
    return CorruptionError("file '", file_->path(), "' has id ", id, " where ", file_->id().value(), " was expected");
  }
  const uint32_t pages = Load<uint32_t>(header + format::kHeaderPageCountOffset);
  if (pages != page_count_) {
    return CorruptionError("file '", file_->path(), "': its header counts ", pages, " pages where ", page_count_, " were expected");
  }
  return absl::OkStatus();
}

absl::StatusOr<FileView> FileState::View(const IntrusivePtr<SnapshotPin>& pin) const {
  FileView view;
  view.file_ = file_;
  view.page_count_ = page_count_;
  view.table_ = table_;
  view.pin_ = pin;
  if (!is_mapped_.load(std::memory_order_acquire)) {
    std::lock_guard<std::mutex> guard(mutex_);
    if (!is_mapped_.load(std::memory_order_relaxed)) {
      // Page 0 first: nothing is reserved for pages that only a damaged turdb.meta counts.
      TURDB_ASSIGN_OR_RETURN(mapping_, file_->MappingFor(1));
      view.mapping_ = mapping_;
      view.base_ = mapping_ ? mapping_->data() : nullptr;
      TURDB_RETURN_IF_ERROR(CheckHeader(view));
      TURDB_ASSIGN_OR_RETURN(mapping_, file_->MappingFor(page_count_));
      is_mapped_.store(true, std::memory_order_release);
    }
  }
  view.mapping_ = mapping_;
  view.base_ = mapping_ ? mapping_->data() : nullptr;
  return view;
}

uint64_t FileState::CountKept(const FileState* newest) const {
  uint64_t n = 0;
  table_.ForEachChanged(newest == nullptr ? PageTable() : newest->table_, [&n](PageId, const PageVersion*) { ++n; });
  std::lock_guard<std::mutex> guard(mutex_);
  return mapping_ ? n + mapping_->CountPreserved() : n;
}

IntrusivePtr<FileState> FileState::WithoutVersionsUpTo(Lsn lsn) const {
  PageTable table = table_;
  if (EraseVersionsUpTo(&table, lsn) == 0) return nullptr;
  return MakeIntrusive<FileState>(file_, std::move(table), page_count_, content_version_);
}

size_t EraseVersionsUpTo(PageTable* table, Lsn lsn) {
  if (lsn == Lsn(0) || table->root() == nullptr) return 0;
  std::vector<PageId> pages;
  size_t n_all = 0;
  table->ForEach([&](PageId id, PageVersion* version) {
    ++n_all;
    if (version->lsn() != Lsn(0) && version->lsn() <= lsn) pages.push_back(id);
  });
  if (pages.size() == n_all) {
    *table = PageTable();
    return n_all;
  }
  const Epoch epoch = NextEpoch();
  for (PageId id : pages) table->Erase(id, epoch);
  return pages.size();
}

}  // namespace turdb::pager
