// VectorSource: the float vectors of a .vec file (or of a matrix in memory) by slot, without copying.
//
// A plain struct of view pointers, cheap to copy; the views it points to must outlive it. Read gathers
// or converts into the caller's scratch (dim floats) where the bytes on the page are not dense float32.
// A slot whose page is damaged reads as nullptr and Damage() says why. Any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/strong_id.h"
#include "format/vec_page.h"
#include "pager/file_view.h"

namespace turdb::hnsw {

class VectorSource {
 public:
  VectorSource() = default;
  // Slots [0, slot_count) of a .vec file. `view` must outlive the source.
  VectorSource(const pager::FileView* view, const format::VecLayout& layout, uint32_t slot_count)
      : view_(view), layout_(layout), slot_count_(slot_count),
        is_dense_(layout.element() == format::VecElement::kFloat32 && !layout.spans_pages()) {}
  // Rows of a matrix `stride_bytes` apart; the row id of slot i is rowids[i], or i when that is null.
  VectorSource(const float* matrix, size_t stride_bytes, uint32_t dim, uint32_t slot_count,
               const int64_t* rowids = nullptr)
      : layout_(dim), slot_count_(slot_count), is_dense_(true), matrix_(matrix), stride_bytes_(stride_bytes),
        rowids_(rowids) {}

  uint32_t slot_count() const { return slot_count_; }
  uint32_t dim() const { return layout_.dim(); }
  const format::VecLayout& layout() const { return layout_; }
  bool is_dense() const { return is_dense_; }  // Read never needs the scratch

  // REQUIRES slot < slot_count().
  const float* Read(NodeId slot, float* scratch) const {
    if (matrix_ != nullptr) return MatrixRow(slot);
    if (ABSL_PREDICT_FALSE(!is_dense_)) return Gather(slot, scratch);
    const uint8_t* page = view_->UncountedPage(layout_.PageOf(slot));
    if (ABSL_PREDICT_FALSE(page == nullptr)) return nullptr;
    return reinterpret_cast<const float*>(page + layout_.VectorOffset(slot));
  }
  // kFreeSlotRowId for a free slot (and for one whose page is damaged).
  int64_t RowIdOf(NodeId slot) const {
    if (matrix_ != nullptr) return rowids_ == nullptr ? slot.value() : rowids_[slot.value()];
    const uint8_t* page = view_->UncountedPage(layout_.PageOf(slot));
    if (ABSL_PREDICT_FALSE(page == nullptr)) return format::kFreeSlotRowId;
    return Load<int64_t>(page + layout_.RowIdOffset(slot));
  }
  void Prefetch(NodeId slot) const {
    if (!is_dense_) return;
    const float* at = Read(slot, nullptr);
    if (at == nullptr) return;
    const auto* bytes = reinterpret_cast<const uint8_t*>(at);
    // The hardware follows a stream once it has begun; more lines than this only crowd the queue.
    const uint32_t reach = layout_.vector_bytes() < 2048 ? layout_.vector_bytes() : 2048;
    for (uint32_t line = 0; line < reach; line += 64) __builtin_prefetch(bytes + line);
  }

  // Slots [first, first + *run) lie at a fixed stride from the result; their row ids are at *rowids
  // (nullptr: the slot numbers). For the exact scan. nullptr when the page is damaged.
  // REQUIRES is_dense().
  const float* Run(NodeId first, uint32_t* run, size_t* stride_bytes, const int64_t** rowids) const;

  // Slots of [first, end) that have a row, ascending. kCorruption when a page cannot be read.
  absl::StatusOr<std::vector<uint32_t>> LiveSlots(uint32_t first, uint32_t end) const;

  // Why Read gave nullptr.
  absl::Status Damage(NodeId slot) const;

 private:
  const float* MatrixRow(NodeId slot) const {
    return reinterpret_cast<const float*>(reinterpret_cast<const uint8_t*>(matrix_) + slot.value() * stride_bytes_);
  }
  const float* Gather(NodeId slot, float* scratch) const;

  const pager::FileView* view_ = nullptr;
  format::VecLayout layout_;
  uint32_t slot_count_ = 0;
  bool is_dense_ = true;
  const float* matrix_ = nullptr;
  size_t stride_bytes_ = 0;
  const int64_t* rowids_ = nullptr;
};

}  // namespace turdb::hnsw
