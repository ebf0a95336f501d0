// RowSpill: the temporary file of one operator. RowRun: rows written there one after another. RunReader reads one again.
//
// Rows go out in blocks of about MemoryBudget::block_bytes() (row_block.h); a row larger than that is a block of its own.
// What an operator wrote shows in EXPLAIN ANALYZE. Not thread-safe.
#pragma once

#include <string>
#include <vector>

#include "env/temp_file.h"
#include "sql/exec/exec_context.h"
#include "sql/exec/row_store.h"

namespace turdb::sql {

struct RowRun {
  struct Block {
    env::TempBlock place;
    uint64_t first_row = 0;
  };
  std::vector<Block> blocks;
  uint64_t rows = 0;
  uint64_t bytes = 0;
};

class RowSpill {
 public:
  static constexpr int kNoNode = -1;
  // `node_id`: the plan node whose counters tell what was written. `block_bytes`: 0 for those of the budget.
  RowSpill(ExecContext* context, int node_id, uint64_t block_bytes = 0)
      : context_(context), node_id_(node_id), block_bytes_(block_bytes != 0 ? block_bytes : context->memory.block_bytes()),
        space_(context->temp_place) {}

  // Appends rows to a run. kDiskFull, kIo, kInterrupted.
  absl::Status Write(const ColumnVector* columns, size_t width, uint32_t rows, RowRun* run);
  absl::Status Write(const RowStore& store, RowRun* run);
  // One block as a batch whose arena holds the bytes.
  absl::Status Read(const RowRun& run, size_t block, size_t width, ColumnBatch* batch);
  // The file's space is free again; runs in it are gone.
  void Reset() { space_.Reset(); }
  void CountRun();  // a run, or what else the operator counts, is complete

 private:
  absl::Status WriteRange(const ColumnVector* columns, size_t width, uint32_t first, uint32_t count, RowRun* run);
  NodeCounters* counters();

  ExecContext* context_;
  int node_id_;
  uint64_t block_bytes_;
  env::TempSpace space_;
  std::string block_;
};

// The blocks of a run, each as a batch.
class RunReader {
 public:
  RunReader(RowSpill* spill, const RowRun* run, size_t width) : spill_(spill), run_(run), width_(width) {}
  // size 0: the end.
  absl::Status Next(ColumnBatch* batch);

 private:
  RowSpill* spill_;
  const RowRun* run_;
  size_t width_, block_ = 0;
};

}  // namespace turdb::sql
