// WindowPass: the calls of one order over sorted rows; RunningWindow and PartitionWindow are its two methods
// (sql/exec/window_spill.h says when which is taken).
#pragma once

#include <memory>
#include <vector>

#include "sql/exec/row_order.h"
#include "sql/exec/window_spill.h"

namespace turdb::sql {

// Where the columns of a sorted row are: those that go on, then keys, then for each call its arguments and filter.
struct WindowLayout {
  size_t kept = 0;                      // input, results so far, the row's number
  size_t partition_keys = 0, keys = 0;  // keys: with those of the partition
  size_t width = 0;                     // all columns
  std::vector<size_t> args, filters;    // first argument and filter of each call; filters 0: none
};

class WindowPass {
 public:
  virtual ~WindowPass() = default;
  virtual absl::Status Add(const ColumnBatch& sorted) = 0;
  virtual absl::Status Finish() = 0;
};

struct WindowPassInput {
  const PhysicalWindow* node = nullptr;
  const std::vector<CompiledWindowCall*>* calls = nullptr;
  size_t first = 0, last = 0;  // the calls
  WindowLayout layout;
  ExecContext* context = nullptr;
  KeptRows* out = nullptr;  // rows with the new results before the row's number
};

SpilledWindow::Unit UnitOf(const WindowCall& call);
std::unique_ptr<WindowPass> NewRunningWindow(WindowPassInput input, SpilledWindow::Unit unit);
std::unique_ptr<WindowPass> NewPartitionWindow(WindowPassInput input);

// Whether rows of a sorted input begin a partition or a group of peers; remembers the last row between batches.
class WindowBoundaries {
 public:
  WindowBoundaries(const WindowLayout& layout, const std::vector<SortKey>& order_by, ExecContext* context);
  void Find(const ColumnBatch& sorted);
  bool StartsPartition(uint32_t row) const { return partition_[row]; }
  bool StartsPeers(uint32_t row) const { return peers_[row]; }

 private:
  RowOrder by_partition_, by_order_;
  std::vector<bool> partition_, peers_;
  RowStore last_;
};

}  // namespace turdb::sql
