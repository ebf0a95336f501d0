// See replace_files.h.

#include "catalog/replace_files.h"

#include <algorithm>

#include "base/status_macros.h"
#include "catalog/catalog_rows.h"
#include "catalog/definition_codec.h"
#include "catalog/table_files.h"

namespace turdb::catalog {

absl::Status ReplaceFiles(txn::Transaction* txn, const TableDef& old_table, const TableDef& table) {
  TURDB_RETURN_IF_ERROR(ReplaceRow(txn, RowKind::kTable, table.id, EncodeDefinition(table)));
  for (const IndexDef& index : table.indexes) {
    TURDB_RETURN_IF_ERROR(ReplaceRow(txn, RowKind::kIndex, index.id, EncodeDefinition(index)));
  }
  const std::vector<FileId> kept = FilesOf(table);
  for (const FileId file : FilesOf(old_table)) {
    if (std::find(kept.begin(), kept.end(), file) == kept.end()) TURDB_RETURN_IF_ERROR(txn->DropFile(file));
  }
  return absl::OkStatus();
}

}  // namespace turdb::catalog
