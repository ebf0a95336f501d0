// Whole columns into tables whose rows need nothing but affinities, defaults and NOT NULL: what Append and the batches of
// ExecuteMany have in common.
#pragma once

#include "absl/types/span.h"
#include "engine/connection_state.h"

namespace turdb::engine {

// Without CHECKs, generated columns, STRICT types, partial or expression indexes, triggers or a key of its own.
bool IsPlainTable(const catalog::TableDef& table, const catalog::CatalogSnapshot& catalog);

// All rows or an error (then the caller rolls back to its savepoint). REQUIRES: IsPlainTable, txn->is_writing().
absl::Status AppendPlain(txn::Transaction* txn, const catalog::TableDef& table, uint32_t rows,
                         absl::Span<const Connection::AppendColumn> columns, ConnectionState* state);

}  // namespace turdb::engine
