// PRAGMA integrity_check and quick_check: the whole database as one transaction sees it.
//
// Each file of the database must belong to exactly one object; the catalog and every table are then checked
// (table/check_pages.h, table/table_writer.h). quick_check leaves out what compares rows with indexes and vectors.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/connection_state.h"

namespace turdb::engine {

struct IntegrityRequest {
  bool is_quick = false;
  std::string_view table;        // empty: everything
  size_t max_findings = 100;     // as SQLite
};

// Findings as sentences, empty when all is sound. Damage is a finding; an interruption is an error.
absl::StatusOr<std::vector<std::string>> CheckIntegrity(sql::ExecContext* context, const IntegrityRequest& request);

}  // namespace turdb::engine
