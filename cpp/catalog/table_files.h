// The files of a table.
#pragma once

#include <vector>

#include "catalog/definitions.h"

namespace turdb::catalog {

// Asks `is_so(FileId)` of each file of a table, rows, vectors, indexes, in this order, until the answer is false; whether it never was.
template <typename IsSo>
bool AllFilesOf(const TableDef& table, IsSo is_so) {
  if (table.kind == TableKind::kView) return true;
  if (!is_so(table.file)) return false;
  for (const ColumnDef& column : table.columns) {
    if (column.type.is_vector() && !is_so(column.vector_file)) return false;
  }
  for (const IndexDef& index : table.indexes) {
    if (!is_so(index.file)) return false;
  }
  return true;
}

inline std::vector<FileId> FilesOf(const TableDef& table) {
  std::vector<FileId> files;
  AllFilesOf(table, [&](FileId file) {
    files.push_back(file);
    return true;
  });
  return files;
}

}  // namespace turdb::catalog
