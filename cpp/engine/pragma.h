// PRAGMA: settings and facts of the connection and its database, under SQLite's names where SQLite has one.
// An unknown pragma does nothing and gives no rows, as in SQLite.
#pragma once

#include <string>
#include <vector>

#include "engine/connection_state.h"
#include "engine/row_buffer.h"
#include "sql/bind/logical_plan.h"

namespace turdb::engine {

struct PragmaResult {
  std::vector<sql::ResultColumnInfo> columns;
  RowBuffer rows;
};

absl::StatusOr<PragmaResult> RunPragma(ConnectionState* state, const sql::Pragma& pragma);

}  // namespace turdb::engine
