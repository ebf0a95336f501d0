// SpilledWindow: window functions over an input that does not fit in memory.
//
// The rows are sorted on disk once for each different order of the calls (a pass), and every pass appends the results of its
// calls. Running functions (row_number, rank, dense_rank, aggregates over everything from the partition's first row to the
// current row, its peers or the partition's end) are computed as the sorted rows go by; their memory does not depend on
// the rows. Others see whole partitions: as many as fit are computed together in memory, and of a partition that does
// not fit only the keys, arguments and results are there, not the rows.
// Rows between passes are: the input's columns, results so far, the row's number in the input. Not thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "sql/exec/evaluator.h"
#include "sql/exec/kept_rows.h"
#include "sql/exec/row_sorter.h"
#include "sql/plan/physical_plan.h"

namespace turdb::sql {

struct CompiledWindowCall {
  std::vector<EvaluatorPtr> keys, args;  // keys: partition, then order
  EvaluatorPtr filter, start, end;
};

bool HasSameOrder(const WindowCall& a, const WindowCall& b);

class SpilledWindow {
 public:
  SpilledWindow(const PhysicalWindow& node, std::vector<CompiledWindowCall*> calls, ExecContext* context);
  absl::Status Add(const ColumnVector* columns, uint32_t rows);  // of the input
  absl::Status Run();
  absl::Status Next(ColumnBatch* batch);  // the input's columns, then a result a call

  // When the result of a running function is known.
  enum class Unit { kRow, kPeers, kPartition, kNone };  // kNone: it is no running function

 private:
  absl::Status RunPass(size_t first, size_t last);
  absl::Status SortInput(size_t first, size_t last, RowSorter* sorter);

  const PhysicalWindow& node_;
  std::vector<CompiledWindowCall*> calls_;
  ExecContext* context_;
  size_t width_;
  std::unique_ptr<KeptRows> rows_;  // between passes
  uint64_t count_ = 0, emitted_ = 0;
};

}  // namespace turdb::sql
