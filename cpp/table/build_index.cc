// BuildIndex: reads the table, sorts the entries, loads them; or builds the graph.

#include <algorithm>

#include "base/status_macros.h"
#include "btree/key_tree.h"
#include "table/entry_sorter.h"
#include "table/graph_index.h"
#include "table/index_writer.h"
#include "table/row_reader.h"
#include "table/table_reader.h"

namespace turdb::table {
namespace {

constexpr uint64_t kRowsPerStep = 16384;

absl::Status BuildBtree(txn::Transaction* txn, const catalog::TableDef& table, const catalog::IndexDef& index,
                        const IndexExpressions& expressions, const Progress& progress, const SortSpace& space) {
  TURDB_ASSIGN_OR_RETURN(pager::FileWriter* const writer, txn->Writer(index.file));
  TURDB_RETURN_IF_ERROR(btree::ClearKeyTree(writer));
  TURDB_ASSIGN_OR_RETURN(const uint64_t total, EstimateTableRows(txn, table));
  EntryMaker maker(table, index, &expressions);
  std::vector<bool> needed(table.columns.size());
  maker.MarkNeeded(&needed);
  EntrySorter sorter(space);
  IndexEntry entry;
  uint64_t done = 0;
  TURDB_RETURN_IF_ERROR(ForEachRow(txn, table, needed, false, [&](RowRef ref, absl::Span<const Cell> row) -> absl::Status {
    TURDB_ASSIGN_OR_RETURN(const bool is_in, maker.Make(ref, row, &entry));
    if (is_in) TURDB_RETURN_IF_ERROR(sorter.Add(entry));
    if (progress == nullptr || ++done % kRowsPerStep != 0) return absl::OkStatus();
    return progress(done, std::max(done, total));
  }));
  return sorter.WriteTo(writer, table, index, [&] { return progress == nullptr ? absl::OkStatus() : progress(done, std::max(done, total)); });
}

}  // namespace

absl::Status BuildIndex(txn::Transaction* txn, const catalog::TableDef& table, const catalog::IndexDef& index,
                        IndexExpressions expressions, int threads, const Progress& progress, const SortSpace& space) {
  if (index.kind == catalog::IndexKind::kHnsw) return BuildGraph(txn, table, index, threads, progress, space);
  return BuildBtree(txn, table, index, expressions, progress, space);
}

}  // namespace turdb::table
