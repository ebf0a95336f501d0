#include "btree/overflow_pieces.h"

#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/pieces_page.h"
#include "format/file_header.h"

namespace turdb::btree {
namespace {

using namespace format;

// A value is cut to fill pages that were begun so often; more would make it slow to read.
constexpr int kMostCuts = 3;
// So many pages are looked at for a piece that is not to be cut.
constexpr int kMostLooks = 8;

absl::Status DamagedPieces(const pager::FileView& view, PageId id) {
  return CorruptionError("file '", view.path(), "': page ", id.value(), " of pieces is damaged");
}

absl::StatusOr<PageId> FirstWithRoom(const pager::FileView& view) {
  const uint8_t* const header = view.Page(PageId(0));
  if (header == nullptr) return view.PageError(PageId(0));
  return PageId(Load<uint32_t>(header + kHeaderPiecesOffset));
}

absl::StatusOr<uint8_t*> MutablePieces(pager::FileWriter* writer, PageId id) {
  TURDB_RETURN_IF_ERROR(OpenPiecesPage(writer->view(), id).status());
  return writer->MutablePage(id);
}

absl::Status Link(pager::FileWriter* writer, PageId id, uint8_t* page, uint8_t* header) {
  const PageId first(Load<uint32_t>(header + kHeaderPiecesOffset));
  if (first.value() != 0) {
    TURDB_ASSIGN_OR_RETURN(uint8_t* const behind, MutablePieces(writer, first));
    Store<uint32_t>(behind + kPiecesPrevious, id.value());
  }
  Store<uint32_t>(page + kPiecesNext, first.value());
  Store<uint32_t>(page + kPiecesPrevious, 0);
  Store<uint32_t>(header + kHeaderPiecesOffset, id.value());
  return absl::OkStatus();
}

absl::Status Unlink(pager::FileWriter* writer, PageId id, uint8_t* page, uint8_t* header) {
  const PageId next = PiecesPage(page).next(), previous = PiecesPage(page).previous();
  if (previous.value() != 0) {
    TURDB_ASSIGN_OR_RETURN(uint8_t* const before, MutablePieces(writer, previous));
    if (PiecesPage(before).next() != id) return DamagedPieces(writer->view(), previous);
    Store<uint32_t>(before + kPiecesNext, next.value());
  } else {
    if (Load<uint32_t>(header + kHeaderPiecesOffset) != id.value()) return DamagedPieces(writer->view(), id);
    Store<uint32_t>(header + kHeaderPiecesOffset, next.value());
  }
  if (next.value() != 0) {
    TURDB_ASSIGN_OR_RETURN(uint8_t* const behind, MutablePieces(writer, next));
    Store<uint32_t>(behind + kPiecesPrevious, previous.value());
  }
  Store<uint32_t>(page + kPiecesNext, 0);
  Store<uint32_t>(page + kPiecesPrevious, 0);
  return absl::OkStatus();
}

// Keeps list and sum in step with a page whose room has changed.
absl::Status SettleRoom(pager::FileWriter* writer, PageId id, uint8_t* page, uint32_t before, uint32_t after) {
  TURDB_ASSIGN_OR_RETURN(uint8_t* const header, writer->MutablePage(PageId(0)));
  const uint64_t sum = Load<uint64_t>(header + kHeaderPieceRoomOffset);
  Store<uint64_t>(header + kHeaderPieceRoomOffset, sum + after - std::min<uint64_t>(before, sum));
  const bool was_listed = before >= kLeastPieceRoom, is_listed = after >= kLeastPieceRoom;
  if (was_listed == is_listed) return absl::OkStatus();
  return is_listed ? Link(writer, id, page, header) : Unlink(writer, id, page, header);
}

absl::StatusOr<PageId> NewPiecesPage(pager::FileWriter* writer) {
  TURDB_ASSIGN_OR_RETURN(const PageId id, writer->Allocate(PageKind::kOverflowPieces));
  if (id.value() >= kPiecePageLimit) {
    TURDB_RETURN_IF_ERROR(writer->Free(id));
    return PageId(0);
  }
  TURDB_ASSIGN_OR_RETURN(uint8_t* const page, writer->MutablePage(id));
  InitPiecesPage(page);
  return id;
}

// A listed page where `bytes` fit in one piece, or a page that is new and not in the list yet.
absl::StatusOr<PageId> PageForAll(pager::FileWriter* writer, size_t bytes) {
  TURDB_ASSIGN_OR_RETURN(PageId id, FirstWithRoom(writer->view()));
  for (int looks = 0; id.value() != 0 && looks < kMostLooks; ++looks) {
    TURDB_ASSIGN_OR_RETURN(const uint8_t* const page, OpenPiecesPage(writer->view(), id));
    if (PiecesPage(page).Room() >= bytes) return id;
    id = PiecesPage(page).next();
  }
  return NewPiecesPage(writer);
}

absl::Status FreeChain(pager::FileWriter* writer, OverflowRef ref) {
  while (ref.value() != 0) {
    TURDB_ASSIGN_OR_RETURN(const uint8_t* const page, OpenPiecesPage(writer->view(), OverflowPageOf(ref)));
    std::string_view piece;
    if (!PiecesPage(page).Find(PieceEntryOf(ref), &piece)) return DamagedPieces(writer->view(), OverflowPageOf(ref));
    const OverflowRef next(Load<uint32_t>(reinterpret_cast<const uint8_t*>(piece.data())));
    TURDB_RETURN_IF_ERROR(FreePiece(writer, ref));
    ref = next;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<const uint8_t*> OpenPiecesPage(const pager::FileView& view, PageId id) {
  TURDB_ASSIGN_OR_RETURN(const uint8_t* const page, view.PageOfKind(id, PageKind::kOverflowPieces));
  if (!PiecesPage(page).IsSound()) return DamagedPieces(view, id);
  return page;
}

absl::StatusOr<OverflowRef> WritePieces(pager::FileWriter* writer, std::string_view bytes) {
  OverflowRef next(0);  // from the last piece to the first, so that each knows the one behind it
  for (int cuts = 0; !bytes.empty(); ++cuts) {
    TURDB_ASSIGN_OR_RETURN(PageId id, FirstWithRoom(writer->view()));
    if (id.value() == 0 || cuts == kMostCuts) {
      TURDB_ASSIGN_OR_RETURN(id, PageForAll(writer, bytes.size()));
    }
    if (id.value() == 0) {
      TURDB_RETURN_IF_ERROR(FreeChain(writer, next));
      return OverflowRef(0);
    }
    TURDB_ASSIGN_OR_RETURN(uint8_t* const page, MutablePieces(writer, id));
    const bool is_new = PiecesPage(page).live() == 0;
    const uint32_t before = PiecesPage(page).Room();
    const size_t here = std::min<size_t>(bytes.size(), before);
    if (here == 0) return DamagedPieces(writer->view(), id);
    next = PieceRef(id, AddPiece(page, next, bytes.substr(bytes.size() - here)));
    bytes.remove_suffix(here);
    TURDB_RETURN_IF_ERROR(SettleRoom(writer, id, page, is_new ? 0 : before, PiecesPage(page).Room()));
  }
  return next;
}

absl::Status FreePiece(pager::FileWriter* writer, OverflowRef ref) {
  const PageId id = OverflowPageOf(ref);
  TURDB_ASSIGN_OR_RETURN(uint8_t* const page, MutablePieces(writer, id));
  std::string_view piece;
  if (!PiecesPage(page).Find(PieceEntryOf(ref), &piece)) return DamagedPieces(writer->view(), id);
  const uint32_t before = PiecesPage(page).Room();
  RemovePiece(page, PieceEntryOf(ref));
  const bool is_empty = PiecesPage(page).live() == 0;
  TURDB_RETURN_IF_ERROR(SettleRoom(writer, id, page, before, is_empty ? 0 : PiecesPage(page).Room()));
  return is_empty ? writer->Free(id) : absl::OkStatus();
}

}  // namespace turdb::btree
