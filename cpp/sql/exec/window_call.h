// RunWindowCall: the values of one window function for all rows of an input.
#pragma once

#include "sql/exec/evaluator.h"
#include "sql/exec/window_frames.h"

namespace turdb::sql {

struct WindowInput {
  const WindowCall* call = nullptr;
  const WindowOrder* order = nullptr;
  const FrameBounds* frames = nullptr;
  FrameExclude exclude = FrameExclude::kNoOthers;
  const RowStore* args = nullptr;                  // by row
  const std::vector<bool>* passes_filter = nullptr;  // by row; nullptr: all
  ExecContext* context = nullptr;
};

// results[row]; bytes go to `arena`.
absl::Status RunWindowCall(const WindowInput& input, Arena* arena, std::vector<Cell>* results);

// The same, with the frames made here: `keys` has the order columns from `order_column` on, `start` and `end` give the
// frame's offsets or are null.
absl::Status RunFramedCall(WindowInput input, const RowStore& keys, size_t order_column, Evaluator* start, Evaluator* end,
                           Arena* arena, std::vector<Cell>* results);

}  // namespace turdb::sql
