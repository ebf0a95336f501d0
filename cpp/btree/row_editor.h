// RowEditor: one writer's work on a row tree, row after row. It remembers the leaf where it was last, so that finding a row,
// reading it and changing it take one descent, and rows that lie together take none.
//
// What it remembers counts only while FileWriter::change_count() is as it left it: whoever else changes the file, takes a
// savepoint or rolls back makes it descend again. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/arena.h"
#include "btree/row_path.h"
#include "pager/file_writer.h"
#include "types/cell.h"

namespace turdb::btree {

class RowEditor {
 public:
  explicit RowEditor(pager::FileWriter* writer) : writer_(writer) {}
  // Turns to another writer, or to the same one anew.
  void Reset(pager::FileWriter* writer) {
    writer_ = writer;
    has_path_ = false;
  }
  pager::FileWriter* writer() const { return writer_; }

  absl::StatusOr<bool> Find(RowId key);
  // Column i of the row found last; nullopt past the row's own columns. Bytes hold until the next change, or in the arena,
  // which is the same for all columns of a row. REQUIRES: nothing but Column was called since Find gave true.
  absl::StatusOr<std::optional<Cell>> Column(uint32_t i, Arena* arena);
  absl::StatusOr<std::optional<RowId>> LastKey();

  absl::StatusOr<bool> Insert(RowId key, absl::Span<const Cell> row);  // false: the key exists
  absl::StatusOr<bool> Update(RowId key, absl::Span<const Cell> row);  // false: no such key
  // Writes the columns that `changed` marks in place; of the others nothing is looked at. False, and nothing is done, when
  // there is no such key or no place: Update tells.
  absl::StatusOr<bool> TryUpdateColumns(RowId key, absl::Span<const Cell> row, const std::vector<bool>& changed);
  absl::StatusOr<bool> Erase(RowId key);  // false: no such key

 private:
  absl::Status GoTo(int64_t key);  // to the leaf of the key
  bool IsAt(int64_t key) const { return at_ < path_.leaf.rows() && path_.leaf.KeyAt(at_) == key; }
  // The leaf was changed in place: it is seen as it is now.
  absl::Status Reopen(const uint8_t* page);

  pager::FileWriter* writer_;
  bool has_path_ = false;
  uint64_t change_count_ = 0;  // of the writer, when path_ was good
  RowPath path_;
  uint32_t at_ = 0;  // in the leaf
  std::vector<Cell> record_;  // of the row found last, in a leaf of records
  bool has_record_ = false;
};

}  // namespace turdb::btree
