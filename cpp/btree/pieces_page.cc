#include "btree/pieces_page.h"

#include <algorithm>
#include <cstring>

namespace turdb::btree {
namespace {

using namespace format;

uint8_t* EntryAt(uint8_t* page, uint32_t entry) { return page + kPiecesDirectory + kPieceEntryBytes * entry; }
uint32_t OffsetAt(const uint8_t* page, uint32_t entry) {
  return Load<uint16_t>(page + kPiecesDirectory + kPieceEntryBytes * entry);
}
uint32_t LengthAt(const uint8_t* page, uint32_t entry) {
  return Load<uint16_t>(page + kPiecesDirectory + kPieceEntryBytes * entry + 2);
}
void SetEntry(uint8_t* page, uint32_t entry, uint32_t offset, uint32_t length) {
  Store<uint16_t>(EntryAt(page, entry), static_cast<uint16_t>(offset));
  Store<uint16_t>(EntryAt(page, entry) + 2, static_cast<uint16_t>(length));
}
void SetHeap(uint8_t* page, uint32_t begin, uint32_t dead) {
  Store<uint16_t>(page + kPiecesHeapBegin, static_cast<uint16_t>(begin));
  Store<uint16_t>(page + kPiecesDead, static_cast<uint16_t>(dead));
}

// Moves the pieces together at the page's end; entries keep their numbers.
void Compact(uint8_t* page) {
  uint8_t heap[kPageBytes];
  uint32_t begin = kPageBytes;
  for (uint32_t i = 0; i < page[kPiecesEntries]; ++i) {
    const uint32_t length = LengthAt(page, i);
    if (length == 0) continue;
    begin -= length;
    std::memcpy(heap + begin, page + OffsetAt(page, i), length);
    SetEntry(page, i, begin, length);
  }
  std::memcpy(page + begin, heap + begin, kPageBytes - begin);
  SetHeap(page, begin, 0);
}

}  // namespace

uint32_t PiecesPage::Room() const {
  const bool has_idle_entry = live() < entries();
  if (!has_idle_entry && entries() >= kMaxPieces) return 0;
  const uint32_t used = DirectoryEnd() + (has_idle_entry ? 0 : kPieceEntryBytes) + kPieceHeaderBytes;
  const uint32_t free = heap_begin() + dead_bytes();
  return free > used ? free - used : 0;
}

bool PiecesPage::IsSound() const {
  const uint32_t begin = heap_begin();
  if (entries() > kMaxPieces || begin < DirectoryEnd() || begin > kPageBytes) return false;
  uint32_t held = 0, n_live = 0;
  for (uint32_t i = 0; i < entries(); ++i) {
    std::string_view piece;
    if (LengthAt(page_, i) == 0) continue;
    if (!Find(i, &piece)) return false;
    held += static_cast<uint32_t>(piece.size());
    ++n_live;
  }
  return n_live == live() && held + dead_bytes() == kPageBytes - begin;
}

bool PiecesPage::Find(uint32_t entry, std::string_view* piece) const {
  if (entry >= std::min(entries(), kMaxPieces)) return false;
  const uint32_t offset = OffsetAt(page_, entry), length = LengthAt(page_, entry);
  if (length <= kPieceHeaderBytes || offset < heap_begin() || offset < DirectoryEnd() || offset + length > kPageBytes) {
    return false;
  }
  *piece = std::string_view(reinterpret_cast<const char*>(page_ + offset), length);
  return true;
}

void InitPiecesPage(uint8_t* page) {
  SetPageKind(page, PageKind::kOverflowPieces);
  SetHeap(page, kPageBytes, 0);
}

uint32_t AddPiece(uint8_t* page, OverflowRef next, std::string_view bytes) {
  const PiecesPage pieces(page);
  uint32_t entry = 0;
  while (entry < pieces.entries() && LengthAt(page, entry) != 0) ++entry;
  const uint32_t entries = std::max(pieces.entries(), entry + 1);
  const uint32_t length = kPieceHeaderBytes + static_cast<uint32_t>(bytes.size());
  if (pieces.heap_begin() < kPiecesDirectory + kPieceEntryBytes * entries + length) Compact(page);
  const uint32_t offset = pieces.heap_begin() - length;
  SetHeap(page, offset, pieces.dead_bytes());
  page[kPiecesEntries] = static_cast<uint8_t>(entries);
  ++page[kPiecesLive];
  SetEntry(page, entry, offset, length);
  Store<uint32_t>(page + offset, next.value());
  std::memcpy(page + offset + kPieceHeaderBytes, bytes.data(), bytes.size());
  return entry;
}

void RemovePiece(uint8_t* page, uint32_t entry) {
  const PiecesPage pieces(page);
  SetHeap(page, pieces.heap_begin(), pieces.dead_bytes() + LengthAt(page, entry));
  SetEntry(page, entry, 0, 0);
  --page[kPiecesLive];
  while (page[kPiecesEntries] > 0 && LengthAt(page, page[kPiecesEntries] - 1u) == 0) --page[kPiecesEntries];
}

}  // namespace turdb::btree
