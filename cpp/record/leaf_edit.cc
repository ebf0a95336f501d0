#include "record/leaf_edit.h"

#include <algorithm>

namespace turdb::record {

using namespace format;

bool OpenMinipage(uint8_t* page, const RowLeaf& leaf, uint32_t column, Minipage* minipage) {
  const uint8_t* entry = page + kLeafDirectory + kLeafDirectoryEntry * size_t{column};
  if (entry[kLeafDirEncoding] > static_cast<uint8_t>(kLastLeafEncoding)) return false;
  minipage->encoding = static_cast<LeafEncoding>(entry[kLeafDirEncoding]);
  minipage->width = static_cast<uint8_t>(LeafWidth(minipage->encoding));
  minipage->place = entry[kLeafDirFlags] >> kLeafPackPlaceShift;
  const uint32_t offset = Load<uint16_t>(entry + kLeafDirOffset);
  uint32_t end = offset + uint32_t{minipage->width} * leaf.capacity();
  minipage->values = page + offset;
  minipage->nulls = nullptr;
  if (entry[kLeafDirFlags] & kLeafHasNulls) {
    minipage->nulls = page + end;
    end += LeafBitmapBytes(leaf.capacity());
  }
  return end == offset || (offset >= leaf.DirectoryEnd() && end <= leaf.slots_end());
}

bool LeafEdit::Open(uint8_t* page) {
  page_ = page;
  if (!leaf_.Open(page) || !CheckKeys()) return false;
  const uint32_t n = leaf_.physical_columns();
  if (n > kInlineColumns) more_.resize(n);
  minipages_ = n > kInlineColumns ? more_.data() : inline_;
  uint32_t pack = n;
  for (uint32_t c = 0; c < n; ++c) {
    if (!OpenMinipage(page, leaf_, c, &minipages_[c])) return false;
    if (minipages_[c].is_packed() && !JoinPack(c, &pack)) return false;
  }
  return true;
}

bool LeafEdit::CheckKeys() {
  if (leaf_.is_dense()) return true;
  const uint32_t offset = Load<uint16_t>(page_ + kLeafKeyOffset);
  return offset >= leaf_.DirectoryEnd() && offset + leaf_.key_width() * leaf_.capacity() <= leaf_.slots_end();
}

// The column begins a pack or goes on with the pack of the packed columns before it; no other column uses its minipage's bytes
// as a matter of course, so a wrong one is seen by its place.
bool LeafEdit::JoinPack(uint32_t column, uint32_t* pack) {
  Minipage& minipage = minipages_[column];
  has_packs_ = true;
  if (minipage.nulls != nullptr || column >= leaf_.columns() || leaf_.is_records()) return false;
  if (minipage.place == 0) {
    *pack = column;
    minipage.pack_columns = 0;
  } else {
    if (*pack >= column) return false;
    const Minipage& first = minipages_[*pack];
    if (minipage.values != first.values || minipage.place != first.pack_columns) return false;
    minipage.width = 0;
  }
  minipage.pack = static_cast<uint16_t>(*pack);
  ++minipages_[*pack].pack_columns;
  return true;
}

void AddDeadBytes(uint8_t* page, uint32_t bytes) {
  const uint32_t dead = Load<uint16_t>(page + kLeafHeapDead) + bytes;
  Store<uint16_t>(page + kLeafHeapDead, static_cast<uint16_t>(std::min<uint32_t>(dead, kPageBytes)));
}

}  // namespace turdb::record
