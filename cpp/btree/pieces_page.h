// PiecesPage: a page of pieces of long values (format/overflow.h), to read it and to change it in place.
//
// Damaged bytes make IsSound or Find false; the functions that write want a sound page. Any thread may read.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/coding.h"
#include "format/overflow.h"

namespace turdb::btree {

class PiecesPage {
 public:
  explicit PiecesPage(const uint8_t* page) : page_(page) {}

  uint32_t entries() const { return page_[format::kPiecesEntries]; }
  uint32_t live() const { return page_[format::kPiecesLive]; }
  uint32_t heap_begin() const { return Load<uint16_t>(page_ + format::kPiecesHeapBegin); }
  uint32_t dead_bytes() const { return Load<uint16_t>(page_ + format::kPiecesDead); }
  PageId next() const { return PageId(Load<uint32_t>(page_ + format::kPiecesNext)); }
  PageId previous() const { return PageId(Load<uint32_t>(page_ + format::kPiecesPrevious)); }

  // Bytes of a value that one more piece can hold.
  uint32_t Room() const;
  bool HasRoom() const { return Room() >= format::kLeastPieceRoom; }
  // Whether every entry lies in the heap, and the counts are theirs.
  bool IsSound() const;
  // The piece of an entry, header included; false when there is none.
  bool Find(uint32_t entry, std::string_view* piece) const;

 private:
  uint32_t DirectoryEnd() const { return format::kPiecesDirectory + format::kPieceEntryBytes * entries(); }

  const uint8_t* page_;
};

void InitPiecesPage(uint8_t* page);  // REQUIRES: all zero behind the page header
// Returns the entry. REQUIRES: a sound page; 0 < bytes.size() <= Room().
uint32_t AddPiece(uint8_t* page, OverflowRef next, std::string_view bytes);
void RemovePiece(uint8_t* page, uint32_t entry);  // REQUIRES: a sound page that has the piece

}  // namespace turdb::btree
