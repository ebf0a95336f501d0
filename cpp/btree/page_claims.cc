#include "btree/page_claims.h"

#include <algorithm>
#include <bit>

#include "btree/overflow.h"
#include "btree/overflow_pieces.h"
#include "btree/pieces_page.h"
#include "format/file_header.h"

namespace turdb::btree {

using namespace format;

bool PageClaims::Claim(PageId id) {
  if (id.value() >= seen_.size()) {
    Note(id, "it is referred to, but outside the file");
    return false;
  }
  if (seen_[id.value()]) {
    Note(id, "it is referred to twice");
    return false;
  }
  seen_[id.value()] = true;
  used_->push_back(id);
  if (check_ && stopped_.ok() && used_->size() % kPagesPerCheck == 0) stopped_ = check_();
  return true;
}

void PageClaims::ClaimChain(OverflowRef first, uint32_t length) {
  std::vector<OverflowRef> links;
  const absl::Status listed = ListOverflow(view_, first, length, &links);
  if (!listed.ok()) Note(listed);
  for (const OverflowRef link : links) {
    if (IsPieceRef(link)) {
      ClaimPiece(link);
    } else {
      Claim(OverflowPageOf(link));
    }
  }
}

void PageClaims::ClaimPiece(OverflowRef ref) {
  const PageId id = OverflowPageOf(ref);
  const auto [found, is_new] = pieces_.try_emplace(id, 0);
  if (is_new && !Claim(id)) return;
  const uint32_t bit = 1u << PieceEntryOf(ref);
  if ((found->second & bit) != 0) Note(id, Cat("its piece ", PieceEntryOf(ref), " is referred to twice"));
  found->second |= bit;
}

void PageClaims::CheckPieces() {
  uint64_t room = 0;
  size_t with_room = 0;
  std::vector<PageId> ids;
  for (const auto& [id, claimed] : pieces_) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  for (const PageId id : ids) {
    const absl::StatusOr<const uint8_t*> page = OpenPiecesPage(view_, id);
    if (!page.ok()) {
      Note(page.status());
      continue;
    }
    const PiecesPage pieces(*page);
    if (static_cast<uint32_t>(std::popcount(pieces_[id])) != pieces.live()) Note(id, "nothing refers to one of its pieces");
    room += pieces.Room();
    with_room += pieces.HasRoom();
    if (!pieces.HasRoom() && (pieces.next().value() != 0 || pieces.previous().value() != 0)) {
      Note(id, "it has no room, but links to pages that have");
    }
  }
  const uint8_t* const header = view_.Page(PageId(0));
  if (header == nullptr) return Note(view_.PageError(PageId(0)));
  const uint64_t said = Load<uint64_t>(header + kHeaderPieceRoomOffset);
  if (said != room) Note(PageId(0), Cat("pages of pieces have room for ", room, " bytes, the header says ", said));
  CheckRoomList(with_room);
}

void PageClaims::CheckRoomList(size_t pages_with_room) {
  PageId previous(0), id(Load<uint32_t>(view_.Page(PageId(0)) + kHeaderPiecesOffset));
  size_t listed = 0;
  for (; id.value() != 0; ++listed) {
    if (listed == pages_with_room || !pieces_.contains(id)) return Note(id, "it is in the list of room, but has none");
    const absl::StatusOr<const uint8_t*> page = OpenPiecesPage(view_, id);
    if (!page.ok()) return;  // noted above
    if (!PiecesPage(*page).HasRoom()) return Note(id, "it is in the list of room, but has none");
    if (PiecesPage(*page).previous() != previous) return Note(id, "the list of room does not lead back from it");
    previous = id;
    id = PiecesPage(*page).next();
  }
  if (listed != pages_with_room) {
    Note(PageId(0), Cat(pages_with_room, " pages of pieces have room, the list has ", listed));
  }
}

}  // namespace turdb::btree
