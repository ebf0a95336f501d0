// The parts of a rebuild in order: vectors (which give the new slot numbers), rows, indexes, graphs.

#include "table/rebuild.h"

#include <algorithm>
#include <map>

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/key_tree.h"
#include "btree/row_tree.h"
#include "catalog/object_files.h"
#include "hnsw/meta.h"
#include "table/graph_index.h"
#include "table/index_codec.h"
#include "table/page_copy.h"
#include "table/rebuild_parts.h"
#include "table/vector_column.h"

namespace turdb::table {
namespace {

class Rebuild {
 public:
  Rebuild(const RebuildRequest& request, const catalog::TableDef& table)
      : request_(request), table_(table), pages_(request.progress) {}

  absl::StatusOr<catalog::TableDef> Run() {
    copy_ = table_;
    TURDB_RETURN_IF_ERROR(CountPages());
    TURDB_RETURN_IF_ERROR(CopyVectors());
    TURDB_RETURN_IF_ERROR(CopyRows());
    for (catalog::IndexDef& index : copy_.indexes) {
      if (index.kind == catalog::IndexKind::kBtree) TURDB_RETURN_IF_ERROR(CopyEntries(&index));
    }
    for (catalog::IndexDef& index : copy_.indexes) {
      if (index.kind == catalog::IndexKind::kHnsw) TURDB_RETURN_IF_ERROR(CopyGraph(&index));
    }
    TURDB_RETURN_IF_ERROR(pages_.Done());
    return std::move(copy_);
  }

 private:
  absl::Status CountPages() {
    TURDB_ASSIGN_OR_RETURN(const std::vector<FileSpace> files, TableSpace(request_.from, table_));
    for (const FileSpace& file : files) pages_.AddFile(file.pages);
    return absl::OkStatus();
  }

  absl::Status CopyVectors() {
    for (size_t c = 0; c < copy_.columns.size(); ++c) {
      catalog::ColumnDef& column = copy_.columns[c];
      if (!column.type.is_vector()) continue;
      TURDB_ASSIGN_OR_RETURN(const auto vectors, VectorColumn::Open(request_.from, table_.columns[c]));
      TURDB_RETURN_IF_ERROR(catalog::CreateVectorFile(request_.to, copy_, &column));
      const VectorCopy copy{*vectors, request_.to, column, table_.is_without_rowid};
      TURDB_ASSIGN_OR_RETURN(ranks_[static_cast<int>(c)], CopyLiveVectors(copy, &pages_));
    }
    return absl::OkStatus();
  }

  absl::Status CopyRows() {
    TURDB_RETURN_IF_ERROR(catalog::CreateTableFile(request_.to, &copy_));
    TURDB_ASSIGN_OR_RETURN(const pager::FileView from, request_.from->View(table_.file));
    TURDB_ASSIGN_OR_RETURN(pager::FileWriter* const to, request_.to->Writer(copy_.file));
    if (!table_.is_without_rowid) {
      TURDB_RETURN_IF_ERROR(CopyUserArea(from, to));
      return CopyRowTree(table_, from, ranks_, to, &pages_);
    }
    TURDB_ASSIGN_OR_RETURN(const PayloadForm form, PayloadFormOf(from));
    if (ranks_.empty() && form == PayloadForm::kShort) return CopyKeyTree(from, nullptr, to, &pages_);
    return CopyKeyedRows(table_, from, ranks_, to, &pages_);
  }

  absl::Status CopyEntries(catalog::IndexDef* index) {
    TURDB_ASSIGN_OR_RETURN(const pager::FileView from, request_.from->View(index->file));
    TURDB_RETURN_IF_ERROR(catalog::CreateIndexFile(request_.to, index));
    TURDB_ASSIGN_OR_RETURN(pager::FileWriter* const to, request_.to->Writer(index->file));
    return CopyKeyTree(from, nullptr, to, &pages_);
  }

  absl::Status CopyGraph(catalog::IndexDef* index) {
    TURDB_ASSIGN_OR_RETURN(const pager::FileView from, request_.from->View(index->file));
    TURDB_ASSIGN_OR_RETURN(const hnsw::GraphMeta meta, hnsw::ReadMeta(from));
    TURDB_RETURN_IF_ERROR(catalog::CreateIndexFile(request_.to, index));
    const SlotRanks& ranks = ranks_.at(index->columns[0].column);
    const format::HnswLayout layout(meta.options.dim, meta.options.m);
    const bool keeps_numbers = ranks.RankOf(meta.node_count) == meta.node_count;  // no node is free
    if (keeps_numbers && layout.PageCount(meta.node_count) == from.page_count()) {
      TURDB_ASSIGN_OR_RETURN(pager::FileWriter* const to, request_.to->Writer(index->file));
      return CopyPages(from, to, [&](uint32_t pages) { return pages_.Add(pages); });
    }
    const uint64_t old_pages = from.page_count();
    TURDB_RETURN_IF_ERROR(BuildGraph(request_.to, copy_, *index, request_.threads, [&](uint64_t done, uint64_t total) {
      return pages_.Show(old_pages, done, total);
    }, request_.space));
    return pages_.Add(old_pages);
  }

  const RebuildRequest& request_;
  const catalog::TableDef& table_;
  catalog::TableDef copy_;
  RanksByColumn ranks_;
  PageProgress pages_;
};

}  // namespace

absl::StatusOr<catalog::TableDef> RebuildTable(const RebuildRequest& request, const catalog::TableDef& table) {
  if (table.kind == catalog::TableKind::kView) return InternalError("view '", table.name, "' has no files to rebuild");
  return Rebuild(request, table).Run();
}

}  // namespace turdb::table
