// PartitionWindow: functions that look at any row of a partition, over sorted rows (sql/exec/window_pass.h).
//
// Whole partitions are gathered until memory is used up and computed together, as without a spill; the rows themselves
// wait in a KeptRows.
#include <algorithm>

#include "base/status_macros.h"
#include "sql/exec/window_call.h"
#include "sql/exec/window_pass.h"

namespace turdb::sql {
namespace {

class PartitionWindow : public WindowPass {
 public:
  explicit PartitionWindow(WindowPassInput input)
      : in_(std::move(input)), calls_(in_.last - in_.first), share_(&in_.context->memory),
        boundaries_(in_.layout, in_.node->calls[in_.first].order_by, in_.context), rows_(in_.context, in_.node->id) {
    Clear();
  }

  absl::Status Add(const ColumnBatch& sorted) override {
    boundaries_.Find(sorted);
    uint32_t begin = 0;
    for (uint32_t i = 0; i < sorted.size; ++i) {
      if (!boundaries_.StartsPartition(i) || !share_.IsOver()) continue;
      TURDB_RETURN_IF_ERROR(Keep(sorted, begin, i));
      TURDB_RETURN_IF_ERROR(RunCalls());
      begin = i;
    }
    return Keep(sorted, begin, sorted.size);
  }
  absl::Status Finish() override { return RunCalls(); }

 private:
  struct Gathered {
    RowStore args;
    std::vector<bool> passes;
    std::vector<Cell> results;
  };

  void Clear() {
    rows_.Reset(in_.layout.kept);
    keys_.Reset(in_.layout.keys);
    for (size_t c = 0; c < calls_.size(); ++c) {
      calls_[c].args.Reset((*in_.calls)[in_.first + c]->args.size());
      calls_[c].passes.clear();
    }
    arena_.Reset();
    share_.Set(0);
  }

  absl::Status Keep(const ColumnBatch& sorted, uint32_t begin, uint32_t end) {
    if (begin == end) return absl::OkStatus();
    std::vector<uint32_t> rows(end - begin);
    for (uint32_t i = 0; i < rows.size(); ++i) rows[i] = begin + i;
    const ColumnVector* columns = sorted.columns.data();
    TURDB_RETURN_IF_ERROR(rows_.Append(columns, rows.data(), end - begin));
    keys_.AppendRows(columns + in_.layout.kept, rows.data(), end - begin);
    uint64_t bytes = keys_.bytes();
    for (size_t c = 0; c < calls_.size(); ++c) {
      calls_[c].args.AppendRows(columns + in_.layout.args[c], rows.data(), end - begin);
      for (uint32_t row : rows) {
        if (in_.layout.filters[c] != 0) calls_[c].passes.push_back(columns[in_.layout.filters[c]].Get(row).integer != 0);
      }
      bytes += calls_[c].args.bytes() + keys_.size() * sizeof(Cell);
    }
    share_.Set(bytes + keys_.size() * kOrderBytes);
    return absl::OkStatus();
  }

  absl::Status RunCalls() {
    if (rows_.size() == 0) return absl::OkStatus();
    const WindowCall& first = in_.node->calls[in_.first];
    const WindowOrder order = MakeWindowOrder(keys_, in_.layout.partition_keys, first.order_by, in_.context->collations);
    for (size_t c = 0; c < calls_.size(); ++c) TURDB_RETURN_IF_ERROR(RunCall(c, order));
    ColumnBatch batch;
    for (uint64_t at = 0; at < rows_.size(); at += batch.size) {
      TURDB_RETURN_IF_ERROR(in_.context->CheckInterrupt());
      TURDB_RETURN_IF_ERROR(rows_.Read(at, &batch));
      const ColumnVector number = batch.columns.back();
      batch.columns.pop_back();
      for (Gathered& call : calls_) {
        batch.columns.emplace_back();
        std::copy_n(call.results.begin() + static_cast<ptrdiff_t>(at), batch.size, batch.columns.back().ResetCells(batch.size));
      }
      batch.columns.push_back(number);
      TURDB_RETURN_IF_ERROR(in_.out->Append(batch));
    }
    Clear();
    return absl::OkStatus();
  }

  absl::Status RunCall(size_t c, const WindowOrder& order) {
    const WindowCall& call = in_.node->calls[in_.first + c];
    const CompiledWindowCall& compiled = *(*in_.calls)[in_.first + c];
    calls_[c].results.assign(rows_.size(), Cell());
    WindowInput input;
    input.call = &call;
    input.order = &order;
    input.args = &calls_[c].args;
    input.passes_filter = compiled.filter == nullptr ? nullptr : &calls_[c].passes;
    input.context = in_.context;
    return RunFramedCall(input, keys_, call.partition_by.size(), compiled.start.get(), compiled.end.get(), &arena_, &calls_[c].results);
  }

  // Of a row while its partition is computed: its place, partition, peers and frame.
  static constexpr uint64_t kOrderBytes = 7 * sizeof(uint64_t);

  WindowPassInput in_;
  std::vector<Gathered> calls_;
  MemoryShare share_;
  WindowBoundaries boundaries_;
  KeptRows rows_;
  RowStore keys_;
  Arena arena_;
};

}  // namespace

std::unique_ptr<WindowPass> NewPartitionWindow(WindowPassInput input) {
  return std::make_unique<PartitionWindow>(std::move(input));
}

}  // namespace turdb::sql
