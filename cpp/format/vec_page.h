// Layout of a .vec file: the vectors of one table column, outside the rows, at a fixed stride.
//
// Page 0 is the file header, page 1 (kVectorHeader) says what the file holds (kVecKind* below), slots begin
// at page 2 (kVectorData).
// A slot (NodeId) is a vector's place in the file and its node in an HNSW graph. A slot page holds
//   [0, 16)             page header
//   [16, 16 + 8 * cap)  row ids, int64, kFreeSlotRowId where the slot is free or its row is deleted
//   [data_offset, ...)  cap vectors of `stride` bytes each, data_offset a multiple of 64
// where cap = vectors_per_page. Vectors are dense (the stride is the vector's size rounded up to 4),
// so that one copy fills a page and an exact scan reads nothing else.
// A vector that does not fit beside its row id takes pages_per_vector consecutive pages, each with
// kSpanPayloadBytes of it from offset kSpanDataOffset; its row id is in the first page, at 16.
// Invariants: (1) cap * pages_per_vector >= 1 and one of the two is 1; (2) slot s never crosses a page
// unless pages_per_vector > 1. Pure arithmetic, immutable, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "base/strong_id.h"
#include "format/page.h"

namespace turdb::format {

inline constexpr uint32_t kVecPageBytes = kPageBytes;
inline constexpr uint32_t kVecPageHeaderBytes = kPageHeaderBytes;
inline constexpr uint32_t kVecFirstSlotPage = 2;
inline constexpr int64_t kFreeSlotRowId = std::numeric_limits<int64_t>::min();
inline constexpr uint32_t kSpanDataOffset = 64;
inline constexpr uint32_t kSpanPayloadBytes = kVecPageBytes - kSpanDataOffset;

// How an element is stored. The values are on disk.
enum class VecElement : uint8_t { kFloat32 = 1, kFloat16 = 2, kInt8 = 3, kBit = 4 };

// Page 1 of a .vec file, after the page header: offset, size, meaning.
inline constexpr uint32_t kVecKindDim = 16;        // u32 dimensions
inline constexpr uint32_t kVecKindElement = 20;    // u8 VecElement
inline constexpr uint32_t kVecKindSlotCount = 24;  // u32 slots handed out: [0, count), free ones too
inline constexpr uint32_t kVecKindLiveCount = 28;  // u32 slots whose row id is not kFreeSlotRowId
inline constexpr uint32_t kVecKindFreeHead = 32;   // u32 first free slot + 1, 0 when there is none

constexpr uint32_t VecBytes(VecElement element, uint32_t dim) {
  switch (element) {
    case VecElement::kFloat32: return dim * 4;
    case VecElement::kFloat16: return dim * 2;
    case VecElement::kInt8: return dim;
    case VecElement::kBit: return (dim + 7) / 8;
  }
  return 0;
}

// x / divisor for every 32-bit x by one multiplication (Lemire, Kaser & Kurz 2019).
class FastDivider {
 public:
  constexpr FastDivider() = default;
  constexpr explicit FastDivider(uint32_t divisor)
      : divisor_(divisor), magic_(divisor == 1 ? 0 : ~uint64_t{0} / divisor + 1) {}
  constexpr uint32_t Quotient(uint32_t x) const {
    if (magic_ == 0) return x;
    return static_cast<uint32_t>((static_cast<unsigned __int128>(magic_) * x) >> 64);
  }
  constexpr uint32_t divisor() const { return divisor_; }

 private:
  uint32_t divisor_ = 1;
  uint64_t magic_ = 0;
};

class VecLayout {
 public:
  constexpr VecLayout() = default;
  constexpr explicit VecLayout(uint32_t dim, VecElement element = VecElement::kFloat32)
      : dim_(dim), element_(element), vector_bytes_(VecBytes(element, dim)) {
    stride_ = (vector_bytes_ + 3) & ~uint32_t{3};
    if (stride_ == 0) stride_ = 4;
    vectors_per_page_ = (kVecPageBytes - kVecPageHeaderBytes) / (stride_ + 8);
    while (vectors_per_page_ > 1 && DataOffset() + vectors_per_page_ * stride_ > kVecPageBytes) {
      --vectors_per_page_;
    }
    if (vectors_per_page_ == 0 || DataOffset() + stride_ > kVecPageBytes) {
      vectors_per_page_ = 1;
      pages_per_vector_ = (vector_bytes_ + kSpanPayloadBytes - 1) / kSpanPayloadBytes;
    }
    divider_ = FastDivider(vectors_per_page_);
  }

  constexpr uint32_t dim() const { return dim_; }
  constexpr VecElement element() const { return element_; }
  constexpr uint32_t vector_bytes() const { return vector_bytes_; }
  constexpr uint32_t stride() const { return stride_; }
  constexpr uint32_t vectors_per_page() const { return vectors_per_page_; }
  constexpr uint32_t pages_per_vector() const { return pages_per_vector_; }
  constexpr bool spans_pages() const { return pages_per_vector_ > 1; }

  // Offset in its page of the first vector, a multiple of 64.
  constexpr uint32_t DataOffset() const {
    return (kVecPageHeaderBytes + 8 * vectors_per_page_ + 63) & ~uint32_t{63};
  }
  // The (first) page of a slot.
  constexpr PageId PageOf(NodeId slot) const {
    return PageId(kVecFirstSlotPage + divider_.Quotient(slot.value()) * pages_per_vector_);
  }
  // The slot's place among those of its page.
  constexpr uint32_t IndexInPage(NodeId slot) const {
    return slot.value() - divider_.Quotient(slot.value()) * vectors_per_page_;
  }
  constexpr uint32_t RowIdOffset(NodeId slot) const {
    return kVecPageHeaderBytes + 8 * IndexInPage(slot);
  }
  constexpr uint32_t VectorOffset(NodeId slot) const {
    return DataOffset() + IndexInPage(slot) * stride_;
  }
  // Pages of a file with this many slots, the two header pages included.
  constexpr uint64_t PageCount(uint64_t slots) const {
    return kVecFirstSlotPage +
           (slots + vectors_per_page_ - 1) / vectors_per_page_ * pages_per_vector_;
  }
  // Slots that a file of this many pages has room for.
  constexpr uint64_t SlotCapacity(uint64_t pages) const {
    if (pages <= kVecFirstSlotPage) return 0;
    return (pages - kVecFirstSlotPage) / pages_per_vector_ * vectors_per_page_;
  }

 private:
  uint32_t dim_ = 0;
  VecElement element_ = VecElement::kFloat32;
  uint32_t vector_bytes_ = 0;
  uint32_t stride_ = 4;
  uint32_t vectors_per_page_ = 1;
  uint32_t pages_per_vector_ = 1;
  FastDivider divider_{1};
};

static_assert(VecLayout(384).vectors_per_page() == 10 && VecLayout(384).VectorOffset(NodeId(10)) == 128);
static_assert(VecLayout(384).PageOf(NodeId(19)) == PageId(3) && !VecLayout(4080).spans_pages());
static_assert(VecLayout(4081).pages_per_vector() == 2 && VecLayout(4081).PageOf(NodeId(3)) == PageId(8));

}  // namespace turdb::format
