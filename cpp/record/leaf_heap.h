// LeafHeap: writing the entries of a leaf that is being laid out, from the end of the page down.
//
// Entries that were shared in the source leaf stay shared; equal text and blobs of a batch share an entry when they
// recur soon, which makes a column of few values cost two bytes a row. Not thread-safe.
#pragma once

#include <cstdint>

#include "record/row_leaf_build.h"
#include "record/run_column.h"

namespace turdb::record {

class LeafHeap {
 public:
  LeafHeap(uint8_t* page, uint32_t slots_end) : page_(page), slots_end_(slots_end) {}

  void StartColumn();
  // Writes the entries of a run's column and their offsets (u16 each) to `offsets`.
  BuildResult AddRun(const RowRun& run, const RunColumn& source, uint8_t* offsets);

  // Room for so many bytes: where it begins, 0 when there is none.
  uint32_t Reserve(uint32_t bytes) { return bytes > begin_ - slots_end_ ? 0 : begin_ -= bytes; }
  uint8_t* page() { return page_; }

  uint32_t begin() const { return begin_; }
  bool saw_overflow() const { return saw_overflow_; }  // in this column

 private:
  BuildResult MoveEntries(const RowRun& run, const RunColumn& source, uint8_t* offsets);
  // 0 when it does not fit.
  uint32_t Push(const Cell& cell);
  uint32_t PushShared(const Cell& cell);

  static constexpr uint32_t kRecent = 256;
  uint8_t* const page_;
  const uint32_t slots_end_;
  uint32_t begin_ = format::kPageBytes;
  bool saw_overflow_ = false;
  const uint8_t* moving_from_ = nullptr;  // the page that the thread's map of moved entries is about
  uint32_t tries_ = 0, hits_ = 0;         // of sharing in this column
  uint16_t recent_[kRecent];              // offsets of entries by hash; this column's
};

}  // namespace turdb::record
