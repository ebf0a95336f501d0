// Writing tables: one insert, update and delete that keeps rows, B+tree indexes, vectors and vector indexes in step.
//
// The caller (sql/exec, append) has applied affinities and checked NOT NULL, CHECK and types. Uniqueness is found
// here and decided there: FindConflict tells what a row would collide with. A vector column takes a kVector cell of
// its dimension (finite values) or NULL. Virtual generated columns are stored like any other.
// In WITHOUT ROWID tables the RowId parameters are ignored (the key comes from the row) and rows are named by key.
// A writer remembers where it is: after RollbackTo a new one is made. REQUIRES: txn->is_writing(). Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "catalog/definitions.h"
#include "env/temp_file.h"
#include "table/row_ref.h"
#include "txn/store.h"
#include "types/column_vector.h"

namespace turdb::table {

// Values of an index whose columns or WHERE are expressions; set by the caller that can evaluate them.
// Fills `key` (as many cells as index.columns; only kExpressionColumn ones need it) and says whether the row is in the
// (partial) index.
using IndexExpressions = std::function<absl::StatusOr<bool>(const catalog::IndexDef& index, RowId rowid,
                                                            absl::Span<const Cell> row, Cell* key)>;

struct Conflict {
  const catalog::IndexDef* index = nullptr;  // nullptr: the rowid or INTEGER PRIMARY KEY (or WITHOUT ROWID key)
  RowId rowid;                               // of the row in the way
  std::string key;                           // WITHOUT ROWID: its encoded primary key

  RowRef row() const {
    RowRef ref(rowid);
    ref.key = key;
    return ref;
  }
};

// SQLite's error for it: "UNIQUE constraint failed: t.a, t.b" of kind kUnique, kPrimaryKey or kRowId.
absl::Status ConflictError(const catalog::TableDef& table, const catalog::IndexDef* index);

class TableWriter {
 public:
  virtual ~TableWriter() = default;

  // The next rowid as SQLite picks it (largest + 1; random when that is taken; AUTOINCREMENT never goes back).
  virtual absl::StatusOr<RowId> NextRowId() = 0;
  // `row` has a cell per table column; the rowid alias column's cell is ignored (it is the rowid).
  // The first constraint the row would break, skipping the row `replacing` (an update of it).
  virtual absl::StatusOr<std::optional<Conflict>> FindConflict(RowId rowid, absl::Span<const Cell> row,
                                                               std::optional<RowRef> replacing) = 0;
  // REQUIRES: no conflict (kInternal otherwise).
  virtual absl::Status Insert(RowId rowid, absl::Span<const Cell> row) = 0;
  // Changes a row; `new_rowid` may differ. `changed` has a bool per column: only those indexes and vectors are touched.
  // `new_row` is whole but for vector columns that did not change; in a table with rowids where `new_rowid` does not differ,
  // only changed columns, and those of indexes that a changed column is in, need a cell. kInternal when there is no such row.
  virtual absl::Status Update(RowRef row, RowId new_rowid, absl::Span<const Cell> new_row,
                              const std::vector<bool>& changed) = 0;
  virtual absl::StatusOr<bool> Delete(RowRef row) = 0;  // false: no such row
  virtual absl::Status DeleteAll() = 0;  // and gives the space back
  // The stored row's columns that `wanted` marks, others undefined; false: no such row. Bytes hold until the next change,
  // or in the arena. A change of the same row that follows finds it without a search. Counts as reading. REQUIRES: no vector
  // column is wanted.
  virtual absl::StatusOr<bool> Read(RowRef row, const std::vector<bool>& wanted, Arena* arena, Cell* cells) = 0;
  // Rows whose entries in a B+tree index begin with these key cells: 0, 1 (and `row`), or 2 for several. Counts as reading.
  virtual absl::StatusOr<uint32_t> FindByIndex(const catalog::IndexDef& index, absl::Span<const Cell> key, RowId* row) = 0;
  // Becomes as new, for another transaction (or the same one after a rollback): what was made ready for the table is kept.
  // REQUIRES: the table is locked there as it was where the writer was made (is_guarded).
  virtual absl::Status Rebind(txn::Transaction* txn) = 0;
  // Whether others may write the table at the same time, so that every row is locked (table_lock.h).
  virtual bool is_guarded() const = 0;
  // FindConflict and Insert in one descent a tree, for the plain INSERT path: false and `conflict` when in the way.
  virtual absl::StatusOr<bool> TryInsert(RowId rowid, absl::Span<const Cell> row, Conflict* conflict) = 0;
};

// `*writer` becomes a writer of the table in `txn`: the one that it is (made for the same table), as new, or another. The table
// is locked for it in either case, since locks belong to the transaction.
absl::Status ReadyTableWriter(txn::Transaction* txn, const catalog::TableDef& table, const IndexExpressions& expressions,
                              std::unique_ptr<TableWriter>* writer);

absl::StatusOr<std::unique_ptr<TableWriter>> NewTableWriter(txn::Transaction* txn, const catalog::TableDef& table,
                                                            IndexExpressions expressions = nullptr);

// AUTOINCREMENT's high-water mark, as sqlite_sequence shows it; 0 before the first row.
absl::StatusOr<int64_t> ReadSequence(txn::Transaction* txn, const catalog::TableDef& table);
absl::Status WriteSequence(txn::Transaction* txn, const catalog::TableDef& table, int64_t value);

// Memory that a sort of index entries, or a graph that is built, may take, and where it goes on when that is used up.
struct SortSpace {
  env::TempPlace place;
  uint64_t memory_bytes = ~uint64_t{0};
};

// Bulk append: rows column by column, rowids given or the next ones. Empty indexes are built by sorting. Vectors go
// straight to their file. Either all rows are appended or the transaction must roll back (the caller's savepoint).
struct AppendBlock {
  uint32_t rows = 0;
  const int64_t* rowids = nullptr;               // in any order; nullptr: the next rowids
  std::vector<const ColumnVector*> columns;      // per table column; nullptr: default/NULL; not for vector columns
  std::vector<const float*> vectors;             // per table column; row-major [rows, dim] float32, or nullptr
  std::vector<size_t> vector_strides;            // floats from one row's vector to the next
  SortSpace sort_space;                          // of the entries of one index
};
using Progress = std::function<absl::Status(uint64_t done, uint64_t total)>;  // an error stops the work
absl::Status AppendRows(txn::Transaction* txn, const catalog::TableDef& table, const AppendBlock& block,
                        IndexExpressions expressions, const Progress& progress);

// Fills a new index from its table (CREATE INDEX, REINDEX): sorts and bulk-loads, or builds the graph with `threads`.
absl::Status BuildIndex(txn::Transaction* txn, const catalog::TableDef& table, const catalog::IndexDef& index,
                        IndexExpressions expressions, int threads, const Progress& progress, const SortSpace& space = {});

// Vectors committed but not in the graph yet, and their absorption (at most `limit` of them) into it.
absl::StatusOr<uint64_t> TailLength(txn::Transaction* txn, const catalog::TableDef& table, const catalog::IndexDef& index);
absl::StatusOr<uint64_t> AbsorbTail(txn::Transaction* txn, const catalog::TableDef& table, const catalog::IndexDef& index,
                                    uint64_t limit, int threads);

// index = table, keys ordered, vectors and graph sound; findings as sentences, empty when sound. `check` is asked time and again;
// its error ends the work.
absl::StatusOr<std::vector<std::string>> CheckTable(txn::Transaction* txn, const catalog::TableDef& table, IndexExpressions expressions,
                                                    const std::function<absl::Status()>& check = nullptr);

}  // namespace turdb::table
