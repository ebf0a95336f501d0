// Object files: the files behind tables, indexes and vector columns, made empty and ready to use.
//
// Paths are readable: root/<table>.tbd, root/<table>.<index>.idx, root/<table>.<index>.hnsw,
// root/<table>.<column>.vec, with characters that file systems may not take percent-escaped. They are a courtesy: the
// catalog's `path` is what counts. REQUIRES everywhere: txn->is_writing().
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "catalog/definitions.h"
#include "pager/file_writer.h"
#include "txn/store.h"

namespace turdb::catalog {

// In the user area of a WITHOUT ROWID table's file, u32: kShortPayloads, or 0 in files that builds of format versions 1 to 3 made
// (docs/format/catalog.md, "Rows of WITHOUT ROWID tables").
inline constexpr size_t kPayloadFormOffset = pager::kUserAreaOffset + 8;
inline constexpr uint32_t kShortPayloads = 1;

std::string EscapeFileName(std::string_view name);

// Fill in `file` and `path`. The .hnsw file stays empty: BuildIndex (table/) lays it out.
absl::Status CreateTableFile(txn::Transaction* txn, TableDef* table);
absl::Status CreateVectorFile(txn::Transaction* txn, const TableDef& table, ColumnDef* column);
absl::Status CreateIndexFile(txn::Transaction* txn, IndexDef* index);
// The table's own and those of its vector columns; not those of its indexes.
absl::Status DropTableFiles(txn::Transaction* txn, const TableDef& table);

}  // namespace turdb::catalog
