// RunWindowCall: the values of one window function for all rows of an input.
#pragma once

#include "sql/exec/evaluator.h"
#include "sql/exec/window_rows.h"

namespace turdb::sql {

struct WindowInput {
  const WindowCall* call = nullptr;
  Evaluator *start = nullptr, *end = nullptr;  // give the frame's offsets, or are null
  ExecContext* context = nullptr;
};

// Puts a result for every row. Rows: MemoryWindow or LargeWindow. kBadValue for arguments and offsets, and what the rows say.
template <typename Rows>
absl::Status RunWindowCall(const WindowInput& input, Rows* rows);

}  // namespace turdb::sql
