// ForEachRow: every row of a table in key order, as the whole rows that indexes are made from.
#pragma once

#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "catalog/definitions.h"
#include "table/row_ref.h"
#include "txn/store.h"
#include "types/cell.h"

namespace turdb::table {

// Calls visit with each row: a cell per table column, those that `needed` marks filled in (slots instead of vectors
// where `as_slots`), the rowid in its alias. An error of visit stops the walk.
absl::Status ForEachRow(txn::Transaction* txn, const catalog::TableDef& table, const std::vector<bool>& needed, bool as_slots,
                        absl::FunctionRef<absl::Status(RowRef ref, absl::Span<const Cell> row)> visit);

}  // namespace turdb::table
