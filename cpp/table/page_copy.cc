// See page_copy.h.

#include "table/page_copy.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/errors.h"
#include "base/status_macros.h"
#include "format/file_header.h"

namespace turdb::table {
namespace {

constexpr uint32_t kPagesAtOnce = 64;  // a MiB a write
constexpr size_t kPageAlignment = 4096;

struct FreeBytes {
  void operator()(uint8_t* bytes) const { std::free(bytes); }
};

}  // namespace

absl::Status CopyUserArea(const pager::FileView& from, pager::FileWriter* to) {
  const uint8_t* const source = from.Page(PageId(0));
  if (source == nullptr) return from.PageError(PageId(0));
  TURDB_ASSIGN_OR_RETURN(uint8_t* const header, to->MutablePage(PageId(0)));
  std::memcpy(header + pager::kUserAreaOffset, source + pager::kUserAreaOffset, pager::kUserAreaBytes);
  return absl::OkStatus();
}

absl::Status PageCopier::CopyHeader() {
  if (to_->view().page_count() != 1) return InternalError("'", to_->view().path(), "' is not a new file");
  TURDB_RETURN_IF_ERROR(CopyUserArea(*from_, to_));
  const uint8_t* const source = from_->Page(PageId(0));
  TURDB_ASSIGN_OR_RETURN(uint8_t* const header, to_->MutablePage(PageId(0)));
  // The free list and the list of pages of pieces: page numbers stay what they are.
  constexpr size_t kListsEnd = format::kHeaderPieceRoomOffset + sizeof(uint64_t);
  std::memcpy(header + format::kHeaderFreeTrunkOffset, source + format::kHeaderFreeTrunkOffset,
              kListsEnd - format::kHeaderFreeTrunkOffset);
  return absl::OkStatus();
}

absl::StatusOr<uint32_t> PageCopier::Step(uint32_t most) {
  const uint32_t count = from_->page_count();
  if (next_ == count || most == 0) return 0u;
  uint32_t done = 0;
  if (next_ == 0) {
    TURDB_RETURN_IF_ERROR(CopyHeader());
    next_ = done = 1;
  }
  const std::unique_ptr<uint8_t[], FreeBytes> buffer(
      static_cast<uint8_t*>(std::aligned_alloc(kPageAlignment, kPagesAtOnce * format::kPageBytes)));
  if (buffer == nullptr) return OutOfMemoryError("copying '", from_->path(), "' takes a MiB of memory");
  while (next_ < count && done < most) {
    const uint32_t n = std::min({kPagesAtOnce, count - next_, most - done});
    for (uint32_t i = 0; i < n; ++i) {
      const uint8_t* const page = from_->Page(PageId(next_ + i));
      if (page == nullptr) return from_->PageError(PageId(next_ + i));
      uint8_t* const copy = buffer.get() + size_t{i} * format::kPageBytes;
      std::memcpy(copy, page, format::kPageBytes);
      Store<uint64_t>(copy + format::kPageLsnOffset, 0);  // of another database's log
    }
    TURDB_ASSIGN_OR_RETURN(const PageId first, to_->ExtendDirect(n));
    if (first != PageId(next_)) return InternalError("'", to_->view().path(), "': page ", next_, " was copied to ", first.value());
    TURDB_RETURN_IF_ERROR(to_->WriteDirect(first, n, buffer.get()));
    next_ += n;
    done += n;
  }
  return done;
}

absl::Status CopyPages(const pager::FileView& from, pager::FileWriter* to, PagesCopied progress) {
  PageCopier copier(&from, to);
  while (true) {
    TURDB_ASSIGN_OR_RETURN(const uint32_t copied, copier.Step(kPagesAtOnce));
    if (copied == 0) return absl::OkStatus();
    TURDB_RETURN_IF_ERROR(progress(copied));
  }
}

}  // namespace turdb::table
