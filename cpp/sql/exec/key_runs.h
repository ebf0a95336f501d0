// KeyRuns: keys on disk that can be looked up, a batch at a time; what a KeySet has that does not fit in memory.
//
// A run holds keys sorted by their hash, then by value; in memory are the first hash of each block and, for all runs, a
// filter (Bloom 1970) of at most a sixteenth of the statement's memory, which spares most keys that are not there a read. A run
// that is at least half as large as the one before it is merged with it, so there are as many runs as their total doubles.
// Not thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "sql/exec/run_merger.h"

namespace turdb::sql {

class KeyRuns {
 public:
  // Keys of collations.size() columns.
  KeyRuns(ExecContext* context, int node_id, std::vector<Collation> collations);

  // All keys of the store, which has no two equal ones, as a run. Errors as of RowSpill::Write.
  absl::Status Write(const RowStore& keys);
  // found[i] = true for the rows whose key is in a run; others are left as they are. `hashes` as HashKeys gives them.
  absl::Status Find(const ColumnVector* keys, uint32_t rows, const uint64_t* hashes, bool* found);
  // The keys of one run after another, with the hash behind them: a place, and the block there. size 0: the end.
  struct Place {
    size_t run = 0, block = 0;
  };
  absl::Status Next(Place* place, ColumnBatch* batch);
  uint64_t bytes() const { return filter_.size() * sizeof(uint64_t); }

 private:
  static constexpr size_t kNoBlock = ~size_t{0};
  struct Run {
    std::unique_ptr<RowSpill> spill;
    RowRun rows;
    std::vector<int64_t> first_hashes;  // by block
    ColumnBatch block;                  // the one that was read last
    size_t loaded = kNoBlock;
  };
  static std::vector<OrderColumn> Order(const std::vector<Collation>& collations);

  size_t width() const { return collations_.size() + 1; }
  void NewRun();
  absl::Status Append(const ColumnVector* columns, uint32_t rows);  // to the last run
  absl::Status MergeLast();
  absl::Status Load(Run* run, size_t block);
  // The last block whose first row is not after the probe's row.
  absl::Status FindBlock(Run* run, const ColumnVector* probe, uint32_t row, size_t* block);
  bool IsInBlock(const Run& run, const ColumnVector* probe, uint32_t row) const;
  bool MayContain(uint64_t hash) const;

  ExecContext* context_;
  int node_id_;
  std::vector<Collation> collations_;
  RowOrder order_, by_key_;  // order_: the hash first
  std::vector<Run> runs_;
  std::vector<uint64_t> filter_;
  std::vector<uint32_t> rows_;
};

}  // namespace turdb::sql
