// ChangeLog and ReadLog: what a transaction did, in terms that outlive its pages. The table room implements both.
//
// A transaction that shares the database with other writers may find at commit that a file has moved on. Then its pages of
// that file are of no use, and the changes are made anew on the newest state from the ChangeLog. A SERIALIZABLE transaction
// also keeps a ReadLog, which tells whether what it has read is still so. Belong to the transaction's thread.
#pragma once

#include <cstddef>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "base/strong_id.h"

namespace turdb::txn {

class Transaction;

class ChangeLog {
 public:
  using Mark = std::vector<size_t>;  // a place in the log, for savepoints

  virtual ~ChangeLog() = default;
  virtual Mark MarkEnd() const = 0;
  virtual void CutBackTo(const Mark& mark) = 0;
  // Adds the files of all tables that have changes in the log, written or not: their contents belong together.
  virtual void AddFiles(absl::flat_hash_set<FileId>* files) const = 0;
  // Adds to `files` those that are of one table with one of them: all of a table's files are written anew, or none. False
  // when a file is of no table that keeps a log.
  virtual bool Complete(absl::flat_hash_set<FileId>* files) const = 0;
  // Makes the changes of the tables that have one of the files again, on what the transaction now sees. kConflict when they
  // do not fit any more.
  virtual absl::Status Repeat(Transaction* txn, const absl::flat_hash_set<FileId>& files) = 0;
};

class ReadLog {
 public:
  virtual ~ReadLog() = default;
  // Compares what was read in the transaction's snapshot with the newest state. kConflict when something differs.
  virtual absl::Status Validate(Transaction* txn) = 0;
};

}  // namespace turdb::txn
