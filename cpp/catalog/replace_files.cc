// See replace_files.h.

#include "catalog/replace_files.h"

#include <algorithm>

#include "base/status_macros.h"
#include "catalog/catalog_rows.h"
#include "catalog/definition_codec.h"

namespace turdb::catalog {

std::vector<FileId> FilesOf(const TableDef& table) {
  std::vector<FileId> files;
  if (table.kind == TableKind::kView) return files;
  files.push_back(table.file);
  for (const ColumnDef& column : table.columns) {
    if (column.type.is_vector()) files.push_back(column.vector_file);
  }
  for (const IndexDef& index : table.indexes) files.push_back(index.file);
  return files;
}

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
