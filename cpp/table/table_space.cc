// TableSpace: read from headers only, so that asking costs nothing; SampleLeaves: from a few pages of each tree (rebuild.h).

#include <algorithm>

#include "base/status_macros.h"
#include "btree/key_tree.h"
#include "btree/leaf_sample.h"
#include "btree/row_tree.h"
#include "format/file_header.h"
#include "hnsw/meta.h"
#include "table/rebuild.h"
#include "table/vector_column.h"

namespace turdb::table {
namespace {

constexpr uint32_t kSampledLeaves = 64;

absl::StatusOr<FileSpace> SpaceOf(const pager::FileView& view, FileSpace::Kind kind, std::string_view name) {
  const uint8_t* const header = view.Page(PageId(0));
  if (header == nullptr) return view.PageError(PageId(0));
  FileSpace space;
  space.kind = kind;
  space.file = view.file_id();
  space.path = view.path();
  space.name = std::string(name);
  space.pages = view.page_count();
  space.dead_bytes = std::min(Load<uint64_t>(header + format::kHeaderPieceRoomOffset), space.pages * format::kPageBytes);
  space.free_pages = std::min(Load<uint32_t>(header + format::kHeaderFreeCountOffset), view.page_count());
  return space;
}

absl::StatusOr<FileSpace> VectorSpace(txn::Transaction* txn, const catalog::ColumnDef& column) {
  TURDB_ASSIGN_OR_RETURN(const auto vectors, VectorColumn::Open(txn, column));
  TURDB_ASSIGN_OR_RETURN(FileSpace space, SpaceOf(vectors->view(), FileSpace::Kind::kVectors, column.name));
  // Also pages behind the slots handed out: they are left by DELETE without WHERE.
  const uint64_t used = vectors->layout().PageCount(vectors->slot_count());
  space.dead_bytes = uint64_t{vectors->slot_count() - vectors->live_count()} * vectors->layout().stride() +
                     (space.pages - std::min(space.pages, used)) * format::kPageBytes;
  space.rows = vectors->live_count();
  return space;
}

absl::StatusOr<FileSpace> GraphSpace(txn::Transaction* txn, const catalog::IndexDef& index) {
  TURDB_ASSIGN_OR_RETURN(const pager::FileView view, txn->View(index.file));
  TURDB_ASSIGN_OR_RETURN(FileSpace space, SpaceOf(view, FileSpace::Kind::kGraph, index.name));
  TURDB_ASSIGN_OR_RETURN(const hnsw::GraphMeta meta, hnsw::ReadMeta(view));
  const format::HnswLayout layout(meta.options.dim, meta.options.m);
  const uint64_t used = layout.PageCount(meta.node_count);
  const uint64_t dead_nodes = meta.node_count - std::min(meta.node_count, meta.live_count());
  space.dead_bytes = dead_nodes * layout.node_stride() + (space.pages - std::min(space.pages, used)) * format::kPageBytes;
  space.rows = meta.live_count();
  return space;
}

}  // namespace

absl::StatusOr<std::vector<FileSpace>> TableSpace(txn::Transaction* txn, const catalog::TableDef& table) {
  std::vector<FileSpace> files;
  if (table.kind == catalog::TableKind::kView) return files;
  TURDB_ASSIGN_OR_RETURN(const pager::FileView rows, txn->View(table.file));
  TURDB_ASSIGN_OR_RETURN(FileSpace space, SpaceOf(rows, FileSpace::Kind::kRows, table.name));
  TURDB_ASSIGN_OR_RETURN(space.rows, table.is_without_rowid ? btree::EstimateKeys(rows) : btree::EstimateRows(rows));
  files.push_back(std::move(space));
  for (const catalog::ColumnDef& column : table.columns) {
    if (!column.type.is_vector()) continue;
    TURDB_ASSIGN_OR_RETURN(space, VectorSpace(txn, column));
    files.push_back(std::move(space));
  }
  for (const catalog::IndexDef& index : table.indexes) {
    if (index.kind == catalog::IndexKind::kHnsw) {
      TURDB_ASSIGN_OR_RETURN(space, GraphSpace(txn, index));
    } else {
      TURDB_ASSIGN_OR_RETURN(const pager::FileView view, txn->View(index.file));
      TURDB_ASSIGN_OR_RETURN(space, SpaceOf(view, FileSpace::Kind::kIndex, index.name));
      TURDB_ASSIGN_OR_RETURN(space.rows, btree::EstimateKeys(view));
    }
    files.push_back(std::move(space));
  }
  return files;
}

absl::Status SampleLeaves(txn::Transaction* txn, const catalog::TableDef& table, uint64_t least_pages, std::vector<FileSpace>* files) {
  for (FileSpace& file : *files) {
    if (!file.is_tree() || file.pages < least_pages) continue;
    TURDB_ASSIGN_OR_RETURN(const pager::FileView view, txn->View(file.file));
    const bool has_keys = file.kind == FileSpace::Kind::kIndex || table.is_without_rowid;
    TURDB_ASSIGN_OR_RETURN(const btree::LeafFill fill,
                           has_keys ? btree::SampleKeyLeaves(view, kSampledLeaves) : btree::SampleRowLeaves(view, kSampledLeaves));
    file.unused_bytes = static_cast<uint64_t>(fill.UnusedBytes());
    file.live_bytes = static_cast<uint64_t>(fill.LiveBytes());
  }
  return absl::OkStatus();
}

}  // namespace turdb::table
