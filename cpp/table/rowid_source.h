// RowIdSource: the next rowid of a table, as SQLite picks it.
//
// The largest rowid plus one; where that is taken by the largest integer there is, a random free one. AUTOINCREMENT
// never goes below a rowid that was ever used: its high-water mark is in the user area of the table file's page 0, so
// it commits and rolls back with the rows. Remembers the largest rowid between calls. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "btree/row_editor.h"
#include "catalog/definitions.h"
#include "pager/file_writer.h"

namespace turdb::table {

class RowIdSource {
 public:
  // `editor`, when given, works on the same file and finds the last row without a descent of its own.
  RowIdSource(const catalog::TableDef& table, pager::FileWriter* writer, btree::RowEditor* editor = nullptr)
      : table_(table), writer_(writer), editor_(editor) {}
  // As if made anew, for the file's writer in another transaction.
  void Reset(pager::FileWriter* writer) {
    writer_ = writer;
    is_known_ = false;
    sequence_.reset();
  }

  absl::StatusOr<RowId> Next();
  absl::Status Used(RowId rowid);  // a row was inserted
  void Forget() { is_known_ = false; }  // rows were deleted

 private:
  absl::StatusOr<RowId> RandomFree();
  absl::Status LoadLast();

  const catalog::TableDef& table_;
  pager::FileWriter* writer_;
  btree::RowEditor* editor_;
  bool is_known_ = false;
  std::optional<int64_t> last_;  // the largest rowid, when is_known_
  std::optional<int64_t> sequence_;
};

}  // namespace turdb::table
