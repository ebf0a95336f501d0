// RowCursor: values of kept rows by row number, with the blocks used last in memory.
//
// For a few places that move through the rows side by side, as the ends of a window's frame do. An error makes everything NULL
// from then on and is told by status(). Not thread-safe.
#pragma once

#include <array>
#include <memory>

#include "sql/exec/kept_rows.h"

namespace turdb::sql {

class RowCursor {
 public:
  // The rows outlive it and do not change.
  RowCursor(ExecContext* context, const KeptRows* rows) : context_(context), rows_(rows) {}

  // Bytes are good until kSlots - 1 other blocks have been read.
  Cell Get(size_t column, uint64_t row) {
    if (row - slots_[last_].first >= slots_[last_].rows.size && !Find(row)) return Cell();
    const Slot& slot = slots_[last_];
    return slot.rows.columns[column].Get(static_cast<uint32_t>(row - slot.first));
  }
  // Of the block that the last value came from.
  const std::shared_ptr<Arena>& arena() const { return slots_[last_].rows.arena; }
  const absl::Status& status() const { return status_; }

 private:
  static constexpr size_t kSlots = 6;
  struct Slot {
    uint64_t first = 0, used = 0;
    ColumnBatch rows;
  };
  bool Find(uint64_t row);

  ExecContext* context_;
  const KeptRows* rows_;
  std::array<Slot, kSlots> slots_;
  size_t last_ = 0;
  uint64_t clock_ = 0;
  absl::Status status_;
};

}  // namespace turdb::sql
