#include "record/pack_edit.h"

#include <cstring>

#include "record/leaf_edit.h"

namespace turdb::record {

using namespace format;

bool PackEdit::Start(uint8_t* slot) {
  const uint32_t at = Load<uint16_t>(slot);
  pack_ = {.slot = slot, .begin = made_bytes_, .bytes = 0, .old_begin = at, .old_bytes = 0};
  old_end_ = at;
  return at >= Load<uint16_t>(page_ + kLeafHeapBegin) && at >= kLeafDirectory;
}

bool PackEdit::Put(const Cell& cell) {
  old_end_ = SkipEntries(page_, old_end_, 1);
  const uint32_t bytes = QuickEntrySize(cell);
  if (old_end_ > kPageBytes || bytes > kPageBytes - made_bytes_) return false;
  QuickWriteEntry(made_ + made_bytes_, cell);
  made_bytes_ += bytes;
  return true;
}

bool PackEdit::Keep() {
  const uint32_t from = old_end_;
  old_end_ = SkipEntries(page_, from, 1);
  if (old_end_ > kPageBytes || old_end_ - from > kPageBytes - made_bytes_) return false;
  std::memcpy(made_ + made_bytes_, page_ + from, old_end_ - from);
  made_bytes_ += old_end_ - from;
  return true;
}

void PackEdit::Finish() {
  pack_.bytes = made_bytes_ - pack_.begin;
  pack_.old_bytes = old_end_ - pack_.old_begin;
  if (pack_.bytes == pack_.old_bytes && std::memcmp(made_ + pack_.begin, page_ + pack_.old_begin, pack_.bytes) == 0) {
    made_bytes_ = pack_.begin;
    return;
  }
  if (pack_.bytes > pack_.old_bytes) heap_bytes_ += pack_.bytes;
  packs_.push_back(pack_);
}

void PackEdit::Write() {
  for (const Pack& pack : packs_) {
    uint32_t to = pack.old_begin;
    if (pack.bytes <= pack.old_bytes) {
      AddDeadBytes(page_, pack.old_bytes - pack.bytes);
    } else {
      AddDeadBytes(page_, pack.old_bytes);
      to = Load<uint16_t>(page_ + kLeafHeapBegin) - pack.bytes;
      Store<uint16_t>(page_ + kLeafHeapBegin, static_cast<uint16_t>(to));
      Store<uint16_t>(pack.slot, static_cast<uint16_t>(to));
    }
    std::memcpy(page_ + to, made_ + pack.begin, pack.bytes);
  }
}

}  // namespace turdb::record
