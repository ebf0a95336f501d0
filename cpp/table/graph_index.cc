// See graph_index.h.

#include "table/graph_index.h"

#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "hnsw/build.h"
#include "hnsw/check.h"
#include "hnsw/insert.h"
#include "hnsw/meta.h"
#include "table/vector_column.h"

namespace turdb::table {
namespace {

hnsw::GraphOptions OptionsOf(const catalog::ColumnDef& column, const catalog::HnswOptions& options) {
  hnsw::GraphOptions graph;
  graph.metric = static_cast<vec::Metric>(options.metric);
  graph.dim = column.type.dim;
  graph.m = options.m;
  graph.ef_construction = options.ef_construction;
  return graph;
}

const catalog::ColumnDef& ColumnOf(const catalog::TableDef& table, const catalog::IndexDef& index) {
  return table.columns[index.columns[0].column];
}

}  // namespace

std::vector<const catalog::IndexDef*> GraphsOf(const catalog::TableDef& table, int column) {
  std::vector<const catalog::IndexDef*> graphs;
  for (const catalog::IndexDef& index : table.indexes) {
    if (index.kind == catalog::IndexKind::kHnsw && index.columns[0].column == column) graphs.push_back(&index);
  }
  return graphs;
}

absl::Status BuildGraph(txn::Transaction* txn, const catalog::TableDef& table, const catalog::IndexDef& index, int threads,
                        const Progress& progress, const SortSpace& space) {
  if (table.is_without_rowid) return UnsupportedError("a vector index needs a rowid, and table '", table.name, "' has none");
  const catalog::ColumnDef& column = ColumnOf(table, index);
  TURDB_ASSIGN_OR_RETURN(const auto vectors, VectorColumn::Open(txn, column));
  TURDB_ASSIGN_OR_RETURN(pager::FileWriter* const writer, txn->Writer(index.file));
  if (writer->view().page_count() == 1) {
    const hnsw::ImageSpace image{space.place, space.memory_bytes};
    return hnsw::Build(vectors->source(), OptionsOf(column, index.hnsw), threads, progress, writer, image).status();
  }
  // REINDEX: the file has a graph already, whose pages are used again.
  TURDB_RETURN_IF_ERROR(hnsw::Clear(writer));
  return hnsw::Absorb(vectors->source(), vectors->slot_count(), threads, progress, writer).status();
}

absl::Status RemoveFromGraph(txn::Transaction* txn, const catalog::IndexDef& index, NodeId slot) {
  TURDB_ASSIGN_OR_RETURN(pager::FileWriter* const writer, txn->Writer(index.file));
  return hnsw::MarkDeleted(slot, writer);
}

absl::Status ClearGraph(txn::Transaction* txn, const catalog::IndexDef& index) {
  TURDB_ASSIGN_OR_RETURN(pager::FileWriter* const writer, txn->Writer(index.file));
  return hnsw::Clear(writer);
}

absl::Status CheckGraph(txn::Transaction* txn, const catalog::TableDef& table, const catalog::IndexDef& index,
                        std::vector<std::string>* findings, const std::function<absl::Status()>& check) {
  TURDB_ASSIGN_OR_RETURN(const auto vectors, VectorColumn::Open(txn, ColumnOf(table, index)));
  TURDB_ASSIGN_OR_RETURN(const pager::FileView view, txn->View(index.file));
  TURDB_ASSIGN_OR_RETURN(const std::vector<std::string> found, hnsw::Check(view, &vectors->source(), check));
  for (const std::string& finding : found) findings->push_back(Cat("index ", index.name, ": ", finding));
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> TailLength(txn::Transaction* txn, const catalog::TableDef& table, const catalog::IndexDef& index) {
  TURDB_ASSIGN_OR_RETURN(const pager::FileView view, txn->View(index.file));
  TURDB_ASSIGN_OR_RETURN(const hnsw::GraphMeta meta, hnsw::ReadMeta(view));
  TURDB_ASSIGN_OR_RETURN(const auto vectors, VectorColumn::Open(txn, ColumnOf(table, index)));
  return vectors->slot_count() - std::min(meta.node_count, vectors->slot_count());
}

absl::StatusOr<uint64_t> AbsorbTail(txn::Transaction* txn, const catalog::TableDef& table, const catalog::IndexDef& index,
                                    uint64_t limit, int threads) {
  TURDB_ASSIGN_OR_RETURN(const auto vectors, VectorColumn::Open(txn, ColumnOf(table, index)));
  TURDB_ASSIGN_OR_RETURN(pager::FileWriter* const writer, txn->Writer(index.file));
  TURDB_ASSIGN_OR_RETURN(const hnsw::GraphMeta meta, hnsw::ReadMeta(writer->view()));
  const uint64_t end = std::min<uint64_t>(meta.node_count + std::min<uint64_t>(limit, UINT32_MAX), vectors->slot_count());
  return hnsw::Absorb(vectors->source(), static_cast<uint32_t>(end), threads, nullptr, writer);
}

}  // namespace turdb::table
