#include "record/pack_edit.h"

#include <cstring>

#include "record/leaf_edit.h"

namespace turdb::record {

using namespace format;

bool PackEdit::Start(uint8_t* slot) {
  const uint32_t at = Load<uint16_t>(slot);
  pack_ = {.slot = slot, .begin = made_bytes_, .bytes = 0, .old_begin = at, .old_bytes = 0};
  old_end_ = kept_ = at;
  return at >= Load<uint16_t>(page_ + kLeafHeapBegin) && at >= kLeafDirectory;
}

bool PackEdit::TakeKept() {
  const uint32_t bytes = old_end_ - kept_;
  if (bytes > kPageBytes - made_bytes_) return false;
  std::memcpy(made_ + made_bytes_, page_ + kept_, bytes);
  made_bytes_ += bytes;
  kept_ = old_end_;
  return true;
}

bool PackEdit::Put(const Cell& cell) {
  if (!TakeKept()) return false;
  old_end_ = kept_ = SkipEntries(page_, old_end_, 1);
  const uint32_t bytes = QuickEntrySize(cell);
  if (old_end_ > kPageBytes || bytes > kPageBytes - made_bytes_) return false;
  QuickWriteEntry(made_ + made_bytes_, cell);
  made_bytes_ += bytes;
  return true;
}

bool PackEdit::Finish() {
  if (!TakeKept()) return false;
  pack_.bytes = made_bytes_ - pack_.begin;
  pack_.old_bytes = old_end_ - pack_.old_begin;
  if (pack_.bytes == pack_.old_bytes && std::memcmp(made_ + pack_.begin, page_ + pack_.old_begin, pack_.bytes) == 0) {
    made_bytes_ = pack_.begin;
    return true;
  }
  if (pack_.bytes > pack_.old_bytes) {
    moved_bytes_ += pack_.bytes;
    longer_bytes_ += pack_.bytes - pack_.old_bytes;
  }
  packs_.push_back(pack_);
  return true;
}

bool PackEdit::Fits(const RowLeaf& leaf, uint32_t free_bytes) {
  if (moved_bytes_ <= free_bytes) return true;
  if (longer_bytes_ > free_bytes) return false;
  moves_heap_ = true;
  rows_ = leaf.rows();
  for (uint32_t c = 0; c < leaf.physical_columns(); ++c) {
    Minipage minipage;
    if (!OpenMinipage(page_, leaf, c, &minipage)) return false;
    if (minipage.encoding == LeafEncoding::kEntry || (minipage.is_packed() && minipage.place == 0)) {
      offsets_.push_back(minipage.values);
    }
  }
  return true;
}

void PackEdit::Write() {
  for (const Pack& pack : packs_) {
    if (pack.bytes <= pack.old_bytes) {
      AddDeadBytes(page_, pack.old_bytes - pack.bytes);
      std::memcpy(page_ + Load<uint16_t>(pack.slot), made_ + pack.begin, pack.bytes);
    } else if (moves_heap_) {
      Widen(pack);
    } else {
      Push(pack);
    }
  }
}

void PackEdit::Push(const Pack& pack) {
  AddDeadBytes(page_, pack.old_bytes);
  const uint32_t to = Load<uint16_t>(page_ + kLeafHeapBegin) - pack.bytes;
  Store<uint16_t>(page_ + kLeafHeapBegin, static_cast<uint16_t>(to));
  Store<uint16_t>(pack.slot, static_cast<uint16_t>(to));
  std::memcpy(page_ + to, made_ + pack.begin, pack.bytes);
}

void PackEdit::Widen(const Pack& pack) {
  const uint32_t begin = Load<uint16_t>(page_ + kLeafHeapBegin);
  const uint32_t at = Load<uint16_t>(pack.slot);  // where it is by now
  const uint32_t by = pack.bytes - pack.old_bytes;
  std::memmove(page_ + begin - by, page_ + begin, at - begin);
  Store<uint16_t>(page_ + kLeafHeapBegin, static_cast<uint16_t>(begin - by));
  for (uint8_t* const offsets : offsets_) {
    for (uint32_t i = 0; i < rows_; ++i) {
      const uint32_t offset = Load<uint16_t>(offsets + 2 * size_t{i});
      if (offset >= begin && offset <= at) Store<uint16_t>(offsets + 2 * size_t{i}, static_cast<uint16_t>(offset - by));
    }
  }
  std::memcpy(page_ + at - by, made_ + pack.begin, pack.bytes);
}

}  // namespace turdb::record
