// Catalog rows: how definitions lie in the catalog's file: a RowTree with a row an object.
//
// Key: the object's id. Columns: 0 the RowKind, 1 the definition (definition_codec.h). The file's user area on page 0 has
// the next object id and the schema version, both only ever growing (docs/format/catalog.md).
// The writing functions REQUIRE txn->is_writing() and belong to its thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/strong_id.h"
#include "txn/store.h"

namespace turdb::catalog {

enum class RowKind : uint8_t { kTable = 1, kIndex = 2, kTrigger = 3, kSchema = 4 };

// Calls visit for every row in order of creation. kCorruption, kNewerFormat for a kind from the future.
absl::Status ForEachRow(txn::Transaction* txn,
                        absl::FunctionRef<absl::Status(RowKind kind, std::string_view definition)> visit);
absl::StatusOr<uint64_t> SchemaVersion(txn::Transaction* txn);

absl::StatusOr<ObjectId> NewObjectId(txn::Transaction* txn);
// Each also moves the schema version on.
absl::Status AddRow(txn::Transaction* txn, RowKind kind, ObjectId id, std::string_view definition);
absl::Status ReplaceRow(txn::Transaction* txn, RowKind kind, ObjectId id, std::string_view definition);
absl::Status RemoveRow(txn::Transaction* txn, ObjectId id);
absl::Status RemoveAllRows(txn::Transaction* txn);

}  // namespace turdb::catalog
