// RowTree: the B+tree of a rowid table: 64-bit key -> row, column-wise leaves (record/row_leaf.h).
//
// The root is always page 1 of its file (a root split moves its content to new pages), so a FileView is all that a
// reader needs. Readers work on a FileView and are safe beside writers of other snapshots; a writer changes the tree
// through one FileWriter and is single-threaded. Values larger than a quarter page go to overflow chains.
// Cells handed out point into pages of the view (valid while it lives) or, for overflowed values, into the arena given.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/arena.h"
#include "pager/file_writer.h"
#include "types/cell.h"
#include "types/column_vector.h"

namespace turdb::btree {

// Makes an empty tree in a new file (allocates page 1).
absl::Status CreateRowTree(pager::FileWriter* writer);

// Reads rows by key and in order. Movable, not thread-safe; holds a copy of the view.
class RowCursor {
 public:
  RowCursor(pager::FileView view, Arena* arena);
  RowCursor(RowCursor&&) noexcept;
  RowCursor& operator=(RowCursor&&) noexcept;
  ~RowCursor();
  // As if made anew; memory is kept. A null view lets go of what the cursor held.
  void Reset(pager::FileView view, Arena* arena);

  // Position; afterwards valid() says whether there is a row.
  absl::Status SeekFirst();
  absl::Status SeekLast();
  absl::Status SeekAtLeast(RowId key);
  absl::Status SeekAtMost(RowId key);
  absl::StatusOr<bool> Find(RowId key);  // exactly; remembers the leaf, so nearby finds are cheap
  absl::Status Next();
  absl::Status Prev();
  bool valid() const { return valid_; }
  RowId key() const;

  // Column i of the current row; columns past the row's own (added later to the table) give nullopt.
  absl::StatusOr<std::optional<Cell>> Column(uint32_t i);

  // Reads up to max_rows rows from the current position on, forward, keys below or at `last`, and moves behind them:
  // `columns[j]` of the table into (*out)[j] (typed where the leaf is typed), their keys into keys[0..). Returns the
  // number of rows; 0 at the end. Missing trailing columns take defaults[j].
  absl::StatusOr<uint32_t> ReadBatch(uint32_t max_rows, RowId last, absl::Span<const uint32_t> columns,
                                     absl::Span<const Cell> defaults, int64_t* keys, ColumnVector* out);

 private:
  struct Position;
  Position* position_;
  bool valid_ = false;
};

// Writes. All take the row as `column_count` cells.
absl::StatusOr<bool> InsertRow(pager::FileWriter* writer, RowId key, absl::Span<const Cell> row);  // false: key exists
absl::StatusOr<bool> UpdateRow(pager::FileWriter* writer, RowId key, absl::Span<const Cell> row);  // false: no such key
absl::StatusOr<bool> EraseRow(pager::FileWriter* writer, RowId key);                               // false: no such key
absl::Status ClearRowTree(pager::FileWriter* writer);  // DELETE without WHERE: frees every page but the root
absl::StatusOr<std::optional<RowId>> LastRowId(const pager::FileView& view);
absl::StatusOr<uint64_t> CountRows(const pager::FileView& view);      // reads every leaf's header, not its rows
absl::StatusOr<uint64_t> EstimateRows(const pager::FileView& view);   // O(height): for the planner

// Rows in ascending key order, all greater than the last key of the tree, packed into full leaves; as fast as memory
// allows. Data come column by column.
struct RowBlock {
  const int64_t* keys = nullptr;             // null: first_key, first_key + 1, ...
  int64_t first_key = 0;
  uint32_t rows = 0;
  absl::Span<const ColumnVector> columns;
};
class RowAppender {
 public:
  // `did` is told of rows that went in, some at a time; its error ends the load.
  using Did = std::function<absl::Status(uint32_t rows)>;
  explicit RowAppender(pager::FileWriter* writer, Did did = nullptr);
  ~RowAppender();
  absl::Status Append(const RowBlock& block);
  absl::Status Finish();

 private:
  struct State;
  State* state_;
};

// Structural findings (keys ordered, pages reachable once, leaf links); empty when sound. `used` gets every page.
// `check` is asked time and again; its error ends the work.
absl::StatusOr<std::vector<std::string>> CheckRowTree(const pager::FileView& view, std::vector<PageId>* used,
                                                      const std::function<absl::Status()>& check = nullptr);

}  // namespace turdb::btree
