// KeySet: a set of rows, in memory while they fit and in KeyRuns on disk when they do not.
//
// What asks of a row at once whether it has come before stands on it: IN (SELECT ...), recursive UNION. (DISTINCT and GROUP BY
// can wait with their answer, which is cheaper: sql/exec/key_groups.h.) Rows are equal as in a KeyTable. Not thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "sql/exec/key_runs.h"
#include "sql/exec/key_table.h"

namespace turdb::sql {

class KeySet {
 public:
  // `node_id` as of RowSpill.
  KeySet(ExecContext* context, int node_id) : context_(context), node_id_(node_id), share_(&context->memory) {}
  // Empty, for rows of collations.size() columns.
  void Reset(const std::vector<Collation>& collations);
  bool empty() const { return table_.size() == 0 && runs_ == nullptr; }

  // Errors as of RowSpill::Write. Adds rows without asking whether they are there.
  absl::Status Add(const ColumnVector* columns, uint32_t rows);
  // is_new[i]: no row equal to row i was there, in the set or before it among these rows.
  absl::Status AddNew(const ColumnVector* columns, uint32_t rows, bool* is_new);
  absl::Status Find(const ColumnVector* columns, uint32_t rows, bool* found);

  // All rows, in no order and some of them twice: batches from a place that begins as Place(). size 0: the end.
  struct Place {
    uint64_t row = 0;
    KeyRuns::Place in_runs;
  };
  absl::Status Next(Place* place, ColumnBatch* batch) const;
  // Empty; gives disk and large memory back. Reset before the next use.
  void Close();

 private:
  absl::Status LookAtMemory();

  ExecContext* context_;
  int node_id_;
  MemoryShare share_;
  std::vector<Collation> collations_;
  KeyTable table_;
  std::unique_ptr<KeyRuns> runs_;
  std::vector<uint32_t> numbers_, rows_;
  std::vector<uint64_t> hashes_;
  std::vector<ColumnVector> rest_;
  std::vector<char> flags_;
};

}  // namespace turdb::sql
