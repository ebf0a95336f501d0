#include "hnsw/vectors.h"

#include <algorithm>
#include <cstring>

#include "base/errors.h"
#include "vec/kernels.h"

namespace turdb::hnsw {

using format::VecElement;

const float* VectorSource::Run(NodeId first, uint32_t* run, size_t* stride_bytes, const int64_t** rowids) const {
  const uint32_t rest = slot_count_ - first.value();
  if (matrix_ != nullptr) {
    *run = rest;
    *stride_bytes = stride_bytes_;
    *rowids = rowids_ == nullptr ? nullptr : rowids_ + first.value();
    return MatrixRow(first);
  }
  *run = std::min(rest, layout_.vectors_per_page() - layout_.IndexInPage(first));
  *stride_bytes = layout_.stride();
  const uint8_t* page = view_->UncountedPage(layout_.PageOf(first));
  if (page == nullptr) return nullptr;
  *rowids = reinterpret_cast<const int64_t*>(page + layout_.RowIdOffset(first));
  return reinterpret_cast<const float*>(page + layout_.VectorOffset(first));
}

absl::StatusOr<std::vector<uint32_t>> VectorSource::LiveSlots(uint32_t first, uint32_t end) const {
  std::vector<uint32_t> slots;
  for (uint32_t slot = first; slot < end; ++slot) {
    // RowIdOf takes a damaged page for free slots, which would drop its vectors without a word.
    if (matrix_ == nullptr && view_->UncountedPage(layout_.PageOf(NodeId(slot))) == nullptr) return Damage(NodeId(slot));
    if (RowIdOf(NodeId(slot)) != format::kFreeSlotRowId) slots.push_back(slot);
  }
  return slots;
}

absl::Status VectorSource::Damage(NodeId slot) const {
  if (view_ == nullptr) return InternalError("vector ", slot.value(), " of a matrix cannot be damaged");
  const PageId first = layout_.PageOf(slot);
  for (uint32_t i = 0; i < layout_.pages_per_vector(); ++i) {
    if (view_->UncountedPage(first + i) == nullptr) return view_->PageError(first + i);
  }
  return InternalError("vector ", slot.value(), " of '", view_->path(), "' can be read after all");
}

namespace {

void ToFloats(VecElement element, const uint8_t* bytes, uint32_t first, uint32_t n, float* to) {
  switch (element) {
    case VecElement::kFloat32: std::memcpy(to + first, bytes, size_t{n} * 4); return;
    case VecElement::kFloat16:
      vec::ActiveKernels().half_to_float(reinterpret_cast<const uint16_t*>(bytes), to + first, n);
      return;
    case VecElement::kInt8:
      for (uint32_t i = 0; i < n; ++i) to[first + i] = static_cast<int8_t>(bytes[i]);
      return;
    case VecElement::kBit:
      for (uint32_t i = 0; i < n; ++i) to[first + i] = static_cast<float>((bytes[i / 8] >> (7 - i % 8)) & 1);
      return;
  }
}

// Elements that a page of a spanning vector holds.
uint32_t ElementsPerPage(VecElement element) {
  switch (element) {
    case VecElement::kFloat32: return format::kSpanPayloadBytes / 4;
    case VecElement::kFloat16: return format::kSpanPayloadBytes / 2;
    case VecElement::kInt8: return format::kSpanPayloadBytes;
    case VecElement::kBit: return format::kSpanPayloadBytes * 8;
  }
  return 1;
}

}  // namespace

const float* VectorSource::Gather(NodeId slot, float* scratch) const {
  const PageId first = layout_.PageOf(slot);
  if (!layout_.spans_pages()) {
    const uint8_t* page = view_->UncountedPage(first);
    if (page == nullptr) return nullptr;
    ToFloats(layout_.element(), page + layout_.VectorOffset(slot), 0, layout_.dim(), scratch);
    return scratch;
  }
  const uint32_t per_page = ElementsPerPage(layout_.element());
  for (uint32_t i = 0; i < layout_.pages_per_vector(); ++i) {
    const uint8_t* page = view_->UncountedPage(first + i);
    if (page == nullptr) return nullptr;
    const uint32_t at = i * per_page;
    ToFloats(layout_.element(), page + format::kSpanDataOffset, at, std::min(per_page, layout_.dim() - at), scratch);
  }
  return scratch;
}

}  // namespace turdb::hnsw
