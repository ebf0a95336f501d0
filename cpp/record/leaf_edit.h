// LeafEdit: a leaf's page opened for one change (row_leaf_edit.cc).
//
// Every minipage is known to lie between the directory and the heap, so that changing it cannot touch other parts of the page or
// bytes outside; columns of a pack are known to follow each other in it. Not thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "record/row_leaf.h"

namespace turdb::record {

// A physical column of a page that is being changed.
struct Minipage {
  uint8_t* values;
  uint8_t* nulls;  // nullptr without a bitmap
  format::LeafEncoding encoding;
  uint8_t width;         // 0 in a packed column but the first of its pack: that one has the offsets
  uint8_t place;         // in the pack
  uint8_t pack_columns;  // of the first column of a pack
  uint16_t pack;         // the first column of the pack
  uint16_t write_at;     // of the first column of a pack: where its next entry goes
  uint32_t entry_bytes;  // that the change at hand needs, of a pack in its first column; 0 when it keeps an entry

  bool is_packed() const { return encoding == format::LeafEncoding::kPacked; }
};

// One column. False unless it lies between the directory and the heap. Says nothing of pack and pack_columns.
bool OpenMinipage(uint8_t* page, const RowLeaf& leaf, uint32_t column, Minipage* minipage);

class LeafEdit {
 public:
  bool Open(uint8_t* page);

  const RowLeaf& leaf() const { return leaf_; }
  uint8_t* page() { return page_; }
  uint32_t columns() const { return leaf_.columns(); }
  uint32_t physical() const { return leaf_.physical_columns(); }
  Minipage& operator[](uint32_t c) { return minipages_[c]; }
  Minipage& PackOf(const Minipage& minipage) { return minipages_[minipage.pack]; }
  uint32_t free_bytes() const { return leaf_.heap_begin() - leaf_.slots_end(); }
  bool has_packs() const { return has_packs_; }

 private:
  bool CheckKeys();
  bool JoinPack(uint32_t column, uint32_t* pack);

  static constexpr uint32_t kInlineColumns = 64;
  uint8_t* page_ = nullptr;
  RowLeaf leaf_;
  bool has_packs_ = false;
  Minipage* minipages_ = nullptr;
  Minipage inline_[kInlineColumns];
  std::vector<Minipage> more_;
};

// Gives up heap bytes.
void AddDeadBytes(uint8_t* page, uint32_t bytes);
// Notes that the column may refer to overflow chains.
inline void SetMayOverflow(uint8_t* page, uint32_t column) {
  page[format::kLeafDirectory + format::kLeafDirectoryEntry * size_t{column} + format::kLeafDirFlags] |= format::kLeafMayOverflow;
}

}  // namespace turdb::record
