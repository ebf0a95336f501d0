// CteState: the rows of a common table expression, shared by the operator that makes them and the scans that read them.
#pragma once

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "sql/exec/kept_rows.h"

namespace turdb::sql {

struct CteState {
  CteState(ExecContext* context, int node_id) : rows(std::make_unique<KeptRows>(context, node_id)) {}
  std::unique_ptr<KeptRows> rows;
  bool is_ready = false;
  std::function<absl::Status()> fill;  // makes the rows; empty for the queue of a recursive one
};

}  // namespace turdb::sql
