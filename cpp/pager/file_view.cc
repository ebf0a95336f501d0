// The slow paths of reading a page.
#include "pager/file_view.h"

#include "base/errors.h"

namespace turdb::pager {

using format::kPageBytes;

const uint8_t* FileView::VerifyMapped(PageId id) const {
  const size_t offset = size_t{id.value()} * kPageBytes;
  if (!mapping_ || id.value() >= file_->file_pages() || offset + kPageBytes > mapping_->size()) return nullptr;
  const uint8_t* page = base_ + offset;
  if (!format::IsPageIntact(file_->id(), id, page)) return nullptr;
  file_->MarkVerified(id, 1);
  return page;
}

void FileView::AddCounts() const {
  const uint32_t mapped = counts_.TakeMapped(), versions = counts_.TakeVersions();
  if (file_ != nullptr) file_->CountLookups(mapped, versions);
}

absl::Status FileView::PageError(PageId id) const {
  if (file_ == nullptr) return InternalError("a page was asked of a view that shows no file");
  if (id.value() >= page_count_) {
    return CorruptionError("file '", path(), "': page ", id.value(), " is referred to, but the file has ",
                           page_count_, " pages");
  }
  if (!mapping_ || id.value() >= file_->file_pages()) {
    return CorruptionError("file '", path(), "' is truncated: it ends before page ", id.value(), " of ", page_count_);
  }
  return CorruptionError("file '", path(), "': page ", id.value(), " is damaged (its checksum does not match)");
}

absl::StatusOr<const uint8_t*> FileView::PageOfKind(PageId id, format::PageKind kind) const {
  const uint8_t* page = Page(id);
  if (ABSL_PREDICT_FALSE(page == nullptr)) return PageError(id);
  if (ABSL_PREDICT_FALSE(format::PageKindOf(page) != kind)) {
    return CorruptionError("file '", path(), "': page ", id.value(), " is of kind ",
                           static_cast<int>(format::PageKindOf(page)), " where kind ", static_cast<int>(kind),
                           " was expected");
  }
  return page;
}

absl::Status FileView::Verify(PageId first, uint32_t n) const {
  for (uint32_t i = 0; i < n; ++i) {
    if (UncountedPage(first + i) == nullptr) return PageError(first + i);
  }
  return absl::OkStatus();
}

void FileView::Advise(env::Mapping::Access access) const {
  if (mapping_) mapping_->Advise(access, size_t{page_count_} * kPageBytes);
}

}  // namespace turdb::pager
