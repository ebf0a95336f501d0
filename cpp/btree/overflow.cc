#include "btree/overflow.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/overflow_pieces.h"
#include "btree/pieces_page.h"
#include "format/file_header.h"
#include "format/overflow.h"

namespace turdb::btree {
namespace {

using namespace format;

// Chains longer than this go straight to the file, so many pages at a time, unless as many free pages wait for reuse.
constexpr uint32_t kDirectPages = 64;
// What nearly fills a page gets one, and is read in one piece.
constexpr size_t kMostInPieces = kOverflowPayload - kOverflowPayload / 64;

void FillPage(uint8_t* page, OverflowRef next, std::string_view bytes) {
  SetPageKind(page, PageKind::kOverflow);
  Store<uint32_t>(page + kOverflowNext, next.value());
  Store<uint32_t>(page + kOverflowBytes, static_cast<uint32_t>(bytes.size()));
  std::memcpy(page + kOverflowData, bytes.data(), bytes.size());
}

std::string_view PartOf(std::string_view bytes, uint32_t page) {
  return bytes.substr(size_t{page} * kOverflowPayload, kOverflowPayload);
}

absl::StatusOr<OverflowRef> WriteDirectChain(pager::FileWriter* writer, std::string_view bytes, uint32_t pages, OverflowRef rest) {
  struct FreeDeleter {
    void operator()(uint8_t* p) const { std::free(p); }
  };
  const std::unique_ptr<uint8_t, FreeDeleter> buffer(
      static_cast<uint8_t*>(std::aligned_alloc(64, kDirectPages * kPageBytes)));
  if (buffer == nullptr) return OutOfMemoryError("writing a value of ", bytes.size(), " bytes: out of memory");
  TURDB_ASSIGN_OR_RETURN(const PageId first, writer->ExtendDirect(pages));
  for (uint32_t done = 0; done < pages;) {
    const uint32_t n = std::min(kDirectPages, pages - done);
    std::memset(buffer.get(), 0, n * kPageBytes);
    for (uint32_t i = 0; i < n; ++i) {
      const uint32_t page = done + i;
      const OverflowRef next = page + 1 < pages ? WholePageRef(first + (page + 1)) : rest;
      FillPage(buffer.get() + i * kPageBytes, next, PartOf(bytes, page));
    }
    TURDB_RETURN_IF_ERROR(writer->WriteDirect(first + done, n, buffer.get()));
    done += n;
  }
  return WholePageRef(first);
}

absl::StatusOr<OverflowRef> WriteWholePages(pager::FileWriter* writer, std::string_view bytes, uint32_t pages, OverflowRef rest) {
  OverflowRef next = rest;  // from the last page to the first, so that each knows the one behind it
  for (uint32_t page = pages; page-- > 0;) {
    TURDB_ASSIGN_OR_RETURN(const PageId id, writer->Allocate(PageKind::kOverflow));
    TURDB_ASSIGN_OR_RETURN(uint8_t* const to, writer->MutablePage(id));
    FillPage(to, next, PartOf(bytes, page));
    next = WholePageRef(id);
  }
  return next;
}

absl::Status DamagedLink(const pager::FileView& view, OverflowRef ref) {
  return CorruptionError("file '", view.path(), "': page ", OverflowPageOf(ref).value(), " does not fit its overflow chain");
}

struct LinkBytes {
  OverflowRef next;
  std::string_view bytes;
};

// `left`: bytes of the value from this link on.
absl::StatusOr<LinkBytes> ReadLink(const pager::FileView& view, OverflowRef ref, uint64_t left) {
  const PageId id = OverflowPageOf(ref);
  LinkBytes link;
  if (IsPieceRef(ref)) {
    TURDB_ASSIGN_OR_RETURN(const uint8_t* page, view.PageOfKind(id, PageKind::kOverflowPieces));
    std::string_view piece;
    if (!PiecesPage(page).Find(PieceEntryOf(ref), &piece)) return DamagedLink(view, ref);
    link = {OverflowRef(Load<uint32_t>(reinterpret_cast<const uint8_t*>(piece.data()))), piece.substr(kPieceHeaderBytes)};
    // Pieces come last. Were damaged ones followed anywhere, a circle of one byte each would lead through all of the length.
    if (left > kOverflowPayload || link.bytes.size() > left) return DamagedLink(view, ref);
  } else {
    TURDB_ASSIGN_OR_RETURN(const uint8_t* page, view.PageOfKind(id, PageKind::kOverflow));
    const uint32_t bytes = Load<uint32_t>(page + kOverflowBytes);
    if (bytes != std::min<uint64_t>(left, kOverflowPayload)) return DamagedLink(view, ref);
    link = {OverflowRef(Load<uint32_t>(page + kOverflowNext)),
            std::string_view(reinterpret_cast<const char*>(page + kOverflowData), bytes)};
  }
  if ((link.next.value() == 0) != (link.bytes.size() == left)) return DamagedLink(view, ref);
  return link;
}

// Calls visit(OverflowRef, bytes) for each link of the chain; visit returns whether to go on.
template <typename Visit>
absl::Status WalkChain(const pager::FileView& view, OverflowRef first, uint64_t length, Visit visit) {
  OverflowRef ref = first;
  for (uint64_t left = length; left > 0;) {
    TURDB_ASSIGN_OR_RETURN(const LinkBytes link, ReadLink(view, ref, left));
    if (!visit(ref, link.bytes)) break;
    left -= link.bytes.size();
    ref = link.next;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<OverflowRef> WriteOverflow(pager::FileWriter* writer, std::string_view bytes) {
  if (bytes.size() > kMaxValueBytes) {
    return TooBigError("string or blob too big: ", bytes.size(), " bytes, where ", kMaxValueBytes, " is the limit");
  }
  uint32_t pages = static_cast<uint32_t>(bytes.size() / kOverflowPayload);
  const std::string_view rest = bytes.substr(size_t{pages} * kOverflowPayload);
  OverflowRef behind(0);
  if (!rest.empty() && rest.size() <= kMostInPieces) {
    TURDB_ASSIGN_OR_RETURN(behind, WritePieces(writer, rest));
  }
  if (!rest.empty() && behind.value() == 0) ++pages;  // the last of them is not full
  if (pages > kDirectPages) {
    const uint8_t* header = writer->view().Page(PageId(0));
    if (header == nullptr) return writer->view().PageError(PageId(0));
    if (Load<uint32_t>(header + kHeaderFreeCountOffset) < pages) return WriteDirectChain(writer, bytes, pages, behind);
  }
  return WriteWholePages(writer, bytes, pages, behind);
}

absl::StatusOr<std::string_view> ReadOverflow(const pager::FileView& view, OverflowRef first, uint32_t length,
                                              Arena* arena) {
  // A damaged length must not make us ask for memory that the file cannot fill.
  if (length / kOverflowPayload > view.page_count()) {
    return CorruptionError("file '", view.path(), "': page ", OverflowPageOf(first).value(), ": an overflow chain of ", length,
                           " bytes cannot be in this file");
  }
  char* to = arena->Allocate(length, 8);
  const char* const start = to;
  TURDB_RETURN_IF_ERROR(WalkChain(view, first, length, [&](OverflowRef, std::string_view bytes) {
    std::memcpy(to, bytes.data(), bytes.size());
    to += bytes.size();
    return true;
  }));
  return std::string_view(start, length);
}

absl::Status FreeOverflow(pager::FileWriter* writer, OverflowRef first, uint32_t length) {
  std::vector<OverflowRef> links;
  TURDB_RETURN_IF_ERROR(ListOverflow(writer->view(), first, length, &links));
  for (const OverflowRef link : links) {
    TURDB_RETURN_IF_ERROR(IsPieceRef(link) ? FreePiece(writer, link) : writer->Free(OverflowPageOf(link)));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> OverflowEquals(const pager::FileView& view, OverflowRef first, std::string_view bytes) {
  size_t at = 0;
  bool is_equal = true;
  TURDB_RETURN_IF_ERROR(WalkChain(view, first, bytes.size(), [&](OverflowRef, std::string_view part) {
    is_equal = bytes.compare(at, part.size(), part) == 0;
    at += part.size();
    return is_equal;
  }));
  return is_equal;
}

absl::Status ListOverflow(const pager::FileView& view, OverflowRef first, uint32_t length, std::vector<OverflowRef>* links) {
  return WalkChain(view, first, length, [&](OverflowRef link, std::string_view) {
    links->push_back(link);
    return true;
  });
}

}  // namespace turdb::btree
