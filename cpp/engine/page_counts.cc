#include "engine/page_counts.h"

#include "base/status_macros.h"
#include "format/file_header.h"

namespace turdb::engine {
namespace {

absl::Status AddFile(txn::Transaction* txn, FileId file, PageCounts* counts) {
  TURDB_ASSIGN_OR_RETURN(const pager::FileView view, txn->View(file));
  const uint8_t* header = view.Page(PageId(0));
  if (header == nullptr) return view.PageError(PageId(0));
  counts->pages += view.page_count();
  counts->free += Load<uint32_t>(header + format::kHeaderFreeCountOffset);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<PageCounts> CountPages(txn::Transaction* txn, const catalog::CatalogSnapshot& catalog) {
  PageCounts counts;
  TURDB_RETURN_IF_ERROR(AddFile(txn, txn::kCatalogFile, &counts));
  for (const catalog::TableDef* table : catalog.Tables()) {
    if (table->kind == catalog::TableKind::kView) continue;
    TURDB_RETURN_IF_ERROR(AddFile(txn, table->file, &counts));
    for (const catalog::ColumnDef& column : table->columns) {
      if (column.type.is_vector()) TURDB_RETURN_IF_ERROR(AddFile(txn, column.vector_file, &counts));
    }
    for (const catalog::IndexDef& index : table->indexes) TURDB_RETURN_IF_ERROR(AddFile(txn, index.file, &counts));
  }
  return counts;
}

}  // namespace turdb::engine
