#include "sql/exec/row_cursor.h"

namespace turdb::sql {

// last_ = the slot with the row, read when no slot has it.
bool RowCursor::Find(uint64_t row) {
  if (!status_.ok()) return false;
  ++clock_;
  slots_[last_].used = clock_;
  size_t oldest = 0;
  for (size_t i = 0; i < kSlots; ++i) {
    Slot& slot = slots_[i];
    if (row - slot.first < slot.rows.size) {
      slot.used = ++clock_;
      last_ = i;
      return true;
    }
    if (slot.used < slots_[oldest].used) oldest = i;
  }
  last_ = oldest;
  Slot& slot = slots_[oldest];
  slot.used = ++clock_;
  status_ = context_->CheckInterrupt();
  if (status_.ok()) status_ = rows_->ReadAround(row, &slot.rows, &slot.first);
  if (!status_.ok()) slot.rows.size = 0;
  return status_.ok();
}

}  // namespace turdb::sql
