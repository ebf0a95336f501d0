#include "record/row_leaf.h"

#include <algorithm>
#include <cstring>

#include "record/widen.h"

namespace turdb::record {
namespace {

using namespace format;

// Branchless lower bound over unaligned sorted deltas.
template <typename T>
uint32_t CountBelow(const uint8_t* deltas, uint32_t n, uint64_t target) {
  if (target > static_cast<uint64_t>(static_cast<T>(~T{0}))) return n;
  const T wanted = static_cast<T>(target);
  const uint8_t* base = deltas;
  uint32_t left = n;
  while (left > 1) {
    const uint32_t half = left / 2;
    base += (Load<T>(base + sizeof(T) * (half - 1)) < wanted) * sizeof(T) * half;
    left -= half;
  }
  const uint32_t at = static_cast<uint32_t>((base - deltas) / sizeof(T));
  return at + (left == 1 && Load<T>(base) < wanted);
}

}  // namespace

bool RowLeaf::Open(const uint8_t* page) {
  page_ = page;
  rows_ = Load<uint16_t>(page + kLeafRows);
  capacity_ = Load<uint16_t>(page + kLeafCapacity);
  columns_ = Load<uint16_t>(page + kLeafColumns);
  key_width_ = page[kLeafKeyWidth];
  const uint8_t flags = page[kLeafFlags];
  is_records_ = flags & kLeafIsRecords;
  is_varied_ = flags & kLeafIsVaried;
  key_base_ = Load<int64_t>(page + kLeafKeyBase);
  const uint32_t key_offset = Load<uint16_t>(page + kLeafKeyOffset);
  key_deltas_ = page + key_offset;
  const bool is_width_known = key_width_ <= 8 && (0b100010111u >> key_width_ & 1);
  return ABSL_PREDICT_TRUE(is_width_known && rows_ <= capacity_ && capacity_ <= kMaxLeafRows &&
                           columns_ <= kMaxLeafColumns && DirectoryEnd() <= slots_end() &&
                           slots_end() <= heap_begin() && heap_begin() <= kPageBytes &&
                           key_offset + size_t{key_width_} * capacity_ <= kPageBytes &&
                           (!is_records_ || (columns_ == 1 && !is_varied_)));
}

uint32_t RowLeaf::LowerBound(int64_t key) const {
  if (key <= key_base_) return 0;
  const uint64_t target = static_cast<uint64_t>(key) - static_cast<uint64_t>(key_base_);
  switch (key_width_) {
    case 1: return CountBelow<uint8_t>(key_deltas_, rows_, target);
    case 2: return CountBelow<uint16_t>(key_deltas_, rows_, target);
    case 4: return CountBelow<uint32_t>(key_deltas_, rows_, target);
    case 8: return CountBelow<uint64_t>(key_deltas_, rows_, target);
    default: return static_cast<uint32_t>(std::min<uint64_t>(target, rows_));
  }
}

void RowLeaf::Keys(uint32_t first, uint32_t n, int64_t* out) const {
  WidenKeys(key_deltas_ + size_t{key_width_} * first, key_width_, n,
            key_width_ == 0 ? static_cast<int64_t>(static_cast<uint64_t>(key_base_) + first) : key_base_, out);
}

bool RowLeaf::Column(uint32_t column, LeafColumn* out) const {
  const uint8_t* entry = page_ + kLeafDirectory + kLeafDirectoryEntry * size_t{column};
  const uint32_t offset = Load<uint16_t>(entry + kLeafDirOffset);
  const uint8_t flags = entry[kLeafDirFlags];
  if (ABSL_PREDICT_FALSE(entry[kLeafDirEncoding] > static_cast<uint8_t>(kLastLeafEncoding))) return false;
  out->encoding = static_cast<LeafEncoding>(entry[kLeafDirEncoding]);
  out->values = page_ + offset;
  out->may_overflow = flags & kLeafMayOverflow;
  out->place = flags >> kLeafPackPlaceShift;
  size_t end = offset + size_t{LeafWidth(out->encoding)} * capacity_;
  out->nulls = nullptr;
  if (flags & kLeafHasNulls) {
    out->nulls = reinterpret_cast<const uint64_t*>(page_ + end);
    end += LeafBitmapBytes(capacity_);
  }
  return ABSL_PREDICT_TRUE(end <= kPageBytes);
}

uint32_t RowLeaf::ColumnsOf(uint32_t row) const {
  if (!is_varied_) return columns_;
  Cell count;
  if (!Get(columns_, row, &count) || !count.is_integer()) return 0;
  return static_cast<uint32_t>(std::clamp<int64_t>(count.integer, 0, columns_));
}

uint32_t RowLeaf::LiveBytes() const {
  if (rows_ == 0) return 0;
  const uint32_t slots = slots_end() - static_cast<uint32_t>(DirectoryEnd());
  const uint32_t heap = static_cast<uint32_t>(kPageBytes) - heap_begin();
  return slots * rows_ / capacity_ + heap - std::min(heap, heap_dead());
}

void InitialiseRowLeaf(uint8_t* page) {
  std::memset(page + kPageHeaderBytes, 0, kPageBytes - kPageHeaderBytes);
  SetPageKind(page, PageKind::kRowLeaf);
  Store<uint16_t>(page + kLeafHeapBegin, kPageBytes);
  Store<uint16_t>(page + kLeafSlotsEnd, kLeafDirectory);
}

}  // namespace turdb::record
