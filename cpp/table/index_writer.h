// IndexWriter: one B+tree index of a table being written: rows in, entries out.
//
// Rows are given with vectors as vectors, since that is what an index over a vector column or an expression sees.
// REQUIRES: the transaction is writing. Not thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "btree/key_tree.h"
#include "table/index_codec.h"
#include "table/key_scan.h"
#include "table/table_writer.h"

namespace turdb::table {

// The entry of a row in an index, or nullopt when the (partial) index does not have the row.
class EntryMaker {
 public:
  EntryMaker(const catalog::TableDef& table, const catalog::IndexDef& index, const IndexExpressions* expressions);

  const catalog::IndexDef& index() const { return *codec_.index(); }
  const IndexCodec& codec() const { return codec_; }
  // Whether an expression decides about key or membership: then any column may matter.
  bool has_expressions() const { return has_expressions_; }
  // Whether the entry depends on one of the columns.
  bool DependsOn(const std::vector<bool>& columns) const;
  // Marks the columns that Make reads.
  void MarkNeeded(std::vector<bool>* columns) const;

  // False when the row is not in the index.
  absl::StatusOr<bool> Make(RowRef ref, absl::Span<const Cell> row, IndexEntry* entry);

 private:
  const catalog::TableDef& table_;
  IndexCodec codec_;
  const IndexExpressions* expressions_;
  bool has_expressions_ = false;
  std::vector<Cell> key_cells_;
};

class IndexWriter {
 public:
  IndexWriter(EntryMaker maker, pager::FileWriter* writer) : maker_(std::move(maker)), writer_(writer) {}

  EntryMaker& maker() { return maker_; }
  const catalog::IndexDef& index() const { return maker_.index(); }
  pager::FileWriter* file() { return writer_; }
  void Reset(pager::FileWriter* writer) { writer_ = writer; }  // of the same file, in another transaction

  // The row that a distinct entry collides with.
  absl::StatusOr<std::optional<Conflict>> FindConflict(const IndexEntry& entry);
  // See TableWriter::FindByIndex. REQUIRES: the table has rowids.
  absl::StatusOr<uint32_t> FindRows(absl::Span<const Cell> key, RowId* row);
  KeyRange RangeOf(absl::Span<const Cell> key) const;  // of the entries that begin with these cells
  // False when a distinct entry is there already; kCorruption when another one is.
  absl::StatusOr<bool> Insert(const IndexEntry& entry);
  absl::Status Erase(const IndexEntry& entry);  // kCorruption when it is not there
  absl::Status Clear();

 private:
  EntryMaker maker_;
  pager::FileWriter* writer_;
  absl::StatusOr<uint32_t> FindRowsBehind(std::string_view low, size_t key_cells, RowId* row);

  // Of FindRows. Between two the cursor looks at nothing.
  std::unique_ptr<Arena> arena_ = std::make_unique<Arena>();
  btree::KeyCursor cursor_{pager::FileView(), nullptr};
  std::string low_;
};

// Writers of the table's B+tree indexes, in order. `expressions` and `table` must outlive them.
absl::StatusOr<std::vector<IndexWriter>> OpenIndexWriters(txn::Transaction* txn, const catalog::TableDef& table,
                                                          const IndexExpressions* expressions);

}  // namespace turdb::table
