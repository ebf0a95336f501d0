// CteState: the rows of a common table expression, shared by the operator that makes them and the scans that read them.
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "sql/exec/row_store.h"

namespace turdb::sql {

struct CteState {
  RowStore rows;
  bool is_ready = false;
  std::function<absl::Status()> fill;  // makes the rows; empty for the queue of a recursive one
};

}  // namespace turdb::sql
