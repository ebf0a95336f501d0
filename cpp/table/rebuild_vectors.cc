// Vectors of a rebuild: gathered from the old slots a block of whole pages at a time, appended as a bulk load does.

#include <algorithm>
#include <cstring>

#include "base/status_macros.h"
#include "table/rebuild_parts.h"
#include "table/vector_column_writer.h"

namespace turdb::table {
namespace {

constexpr uint32_t kBlockBytes = 4 << 20;

class LiveVectors {
 public:
  LiveVectors(const VectorCopy& copy, VectorColumnWriter* writer)
      : copy_(copy), writer_(writer), dim_(copy.from.dim()) {
    // Whole pages, so that every block but the last goes to the file directly.
    const uint32_t per_page = writer->layout().vectors_per_page();
    const uint32_t fit = kBlockBytes / (dim_ * sizeof(float)) / per_page * per_page;
    block_ = std::max(fit, per_page);
    floats_.resize(size_t{block_} * dim_);
    rowids_.resize(block_);
  }

  absl::Status Add(NodeId slot, int64_t row) {
    float* const to = floats_.data() + size_t{gathered_} * dim_;
    const float* const vector = copy_.from.source().Read(slot, to);
    if (vector == nullptr) return copy_.from.source().Damage(slot);
    if (vector != to) std::memcpy(to, vector, dim_ * sizeof(float));
    rowids_[gathered_++] = copy_.is_owned_by_slot ? next_ : row;
    ++next_;
    return gathered_ == block_ ? Flush() : absl::OkStatus();
  }

  absl::Status Flush() {
    if (gathered_ == 0) return absl::OkStatus();
    const uint32_t rows = gathered_;
    gathered_ = 0;
    return writer_->Append(rowids_.data(), floats_.data(), dim_, rows).status();
  }

 private:
  const VectorCopy& copy_;
  VectorColumnWriter* writer_;
  const uint32_t dim_;
  uint32_t block_ = 0, gathered_ = 0;
  int64_t next_ = 0;
  std::vector<float> floats_;
  std::vector<int64_t> rowids_;
};

}  // namespace

absl::StatusOr<SlotRanks> CopyLiveVectors(const VectorCopy& copy, PageProgress* progress) {
  TURDB_ASSIGN_OR_RETURN(const auto writer, VectorColumnWriter::Open(copy.to, copy.column));
  const uint32_t slots = copy.from.slot_count();
  const uint64_t pages = copy.from.view().page_count();
  SlotRanks ranks;
  LiveVectors live(copy, writer.get());
  for (uint32_t slot = 0; slot < slots; ++slot) {
    TURDB_ASSIGN_OR_RETURN(const int64_t row, copy.from.RowIdOf(NodeId(slot)));
    const bool is_live = row != format::kFreeSlotRowId;
    ranks.Add(is_live);
    if (is_live) TURDB_RETURN_IF_ERROR(live.Add(NodeId(slot), row));
    if (slot % 1024 == 0) TURDB_RETURN_IF_ERROR(progress->Show(pages, slot, slots));
  }
  TURDB_RETURN_IF_ERROR(live.Flush());
  TURDB_RETURN_IF_ERROR(progress->Add(pages));
  return ranks;
}

}  // namespace turdb::table
