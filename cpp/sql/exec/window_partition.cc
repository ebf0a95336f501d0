// PartitionWindow: functions that look at any row of a partition, over sorted rows (sql/exec/window_pass.h).
//
// Whole partitions are gathered until memory is used up and computed together, as without a spill; the rows themselves
// wait in a KeptRows. When no partition ends soon after, what is gathered and the rest of the partition go to a LargeWindow.
#include <algorithm>

#include "base/status_macros.h"
#include "sql/exec/window_call.h"
#include "sql/exec/window_large.h"
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
      if (!boundaries_.StartsPartition(i) || (large_ == nullptr && !share_.IsOver())) continue;
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
    LargeVector<Cell> results;
  };

  void Clear() {
    rows_.Reset(in_.layout.kept);
    ClearGathered();
    large_ = nullptr;
  }

  void ClearGathered() {
    keys_.Reset(in_.layout.keys);
    for (size_t c = 0; c < calls_.size(); ++c) {
      calls_[c].args.Reset((*in_.calls)[in_.first + c]->args.size());
      calls_[c].passes.clear();
    }
    starts_partition_.clear();
    starts_peers_.clear();
    arena_.Reset();
    share_.Set(0);
    over_at_ = 0;
  }

  absl::Status Keep(const ColumnBatch& sorted, uint32_t begin, uint32_t end) {
    if (begin == end) return absl::OkStatus();
    std::vector<uint32_t> rows(end - begin);
    for (uint32_t i = 0; i < rows.size(); ++i) rows[i] = begin + i;
    TURDB_RETURN_IF_ERROR(rows_.Append(sorted.columns.data(), rows.data(), end - begin));
    for (uint32_t row : rows) {
      starts_partition_.push_back(boundaries_.StartsPartition(row));
      starts_peers_.push_back(boundaries_.StartsPeers(row));
    }
    return large_ != nullptr ? KeepOnDisk(sorted, rows) : KeepInMemory(sorted, rows);
  }

  absl::Status KeepInMemory(const ColumnBatch& sorted, const std::vector<uint32_t>& rows) {
    const ColumnVector* columns = sorted.columns.data();
    const uint32_t count = static_cast<uint32_t>(rows.size());
    keys_.AppendRows(columns + in_.layout.kept, rows.data(), count);
    uint64_t bytes = keys_.bytes();
    for (size_t c = 0; c < calls_.size(); ++c) {
      calls_[c].args.AppendRows(columns + in_.layout.args[c], rows.data(), count);
      for (uint32_t row : rows) {
        if (in_.layout.filters[c] != 0) calls_[c].passes.push_back(columns[in_.layout.filters[c]].Get(row).integer != 0);
      }
      bytes += calls_[c].args.bytes() + keys_.size() * sizeof(Cell);
    }
    share_.Set(bytes + keys_.size() * kOrderBytes);
    if (!share_.IsOver()) return absl::OkStatus();
    // A partition's end is waited for a little while.
    if (over_at_ == 0) over_at_ = share_.bytes();
    return share_.bytes() - over_at_ > in_.context->memory.limit() / 8 ? GoToDisk() : absl::OkStatus();
  }

  absl::Status KeepOnDisk(const ColumnBatch& sorted, const std::vector<uint32_t>& rows) {
    const uint32_t count = static_cast<uint32_t>(rows.size());
    std::vector<ColumnVector> columns(in_.layout.width - in_.layout.kept);
    for (size_t c = 0; c < columns.size(); ++c) columns[c].Gather(sorted.columns[in_.layout.kept + c], rows.data(), count);
    absl::Status status = large_->Append(std::move(columns), count, starts_partition_, starts_peers_);
    starts_partition_.clear();
    starts_peers_.clear();
    return status;
  }

  // What is gathered goes to a LargeWindow, and so does what comes until the partition ends.
  absl::Status GoToDisk() {
    large_ = std::make_unique<LargeWindow>(&in_);
    for (uint64_t first = 0; first < keys_.size(); first += kBatchRows) {
      const uint32_t n = static_cast<uint32_t>(std::min<uint64_t>(kBatchRows, keys_.size() - first));
      std::vector<ColumnVector> columns(in_.layout.width - in_.layout.kept);
      for (size_t k = 0; k < in_.layout.keys; ++k) keys_.ReadColumn(k, first, n, &columns[k]);
      for (size_t c = 0; c < calls_.size(); ++c) {
        const size_t first_arg = in_.layout.args[c] - in_.layout.kept;
        for (size_t a = 0; a < calls_[c].args.columns(); ++a) calls_[c].args.ReadColumn(a, first, n, &columns[first_arg + a]);
        if (in_.layout.filters[c] == 0) continue;
        int64_t* passes = columns[in_.layout.filters[c] - in_.layout.kept].ResetInt64(n);
        for (uint32_t i = 0; i < n; ++i) passes[i] = calls_[c].passes[first + i];
      }
      TURDB_RETURN_IF_ERROR(large_->Append(std::move(columns), n, starts_partition_, starts_peers_, first));
    }
    keys_.Free();
    for (Gathered& call : calls_) {
      call.args.Free();
      LargeVector<Cell>().swap(call.results);
    }
    ClearGathered();
    return absl::OkStatus();
  }

  absl::Status RunCalls() {
    if (rows_.size() == 0) return absl::OkStatus();
    if (large_ != nullptr) {
      TURDB_RETURN_IF_ERROR(large_->RunCalls());
    } else {
      const WindowOrder order = MakeSortedOrder(starts_partition_, starts_peers_);
      for (size_t c = 0; c < calls_.size(); ++c) TURDB_RETURN_IF_ERROR(RunCall(c, order));
    }
    ColumnBatch batch;
    for (uint64_t at = 0; at < rows_.size(); at += batch.size) {
      TURDB_RETURN_IF_ERROR(in_.context->CheckInterrupt());
      TURDB_RETURN_IF_ERROR(rows_.Read(at, &batch));
      const ColumnVector number = batch.columns.back();
      batch.columns.pop_back();
      for (size_t c = 0; c < calls_.size(); ++c) {
        batch.columns.emplace_back();
        TURDB_RETURN_IF_ERROR(Results(c, at, &batch, &batch.columns.back()));
      }
      batch.columns.push_back(number);
      TURDB_RETURN_IF_ERROR(in_.out->Append(batch));
    }
    Clear();
    return absl::OkStatus();
  }

  absl::Status Results(size_t c, uint64_t at, ColumnBatch* batch, ColumnVector* to) {
    if (large_ != nullptr) return large_->Results(c, at, batch->size, batch->arena.get(), to);
    std::copy_n(calls_[c].results.begin() + static_cast<ptrdiff_t>(at), batch->size, to->ResetCells(batch->size));
    return absl::OkStatus();
  }

  absl::Status RunCall(size_t c, const WindowOrder& order) {
    const WindowCall& call = in_.node->calls[in_.first + c];
    const CompiledWindowCall& compiled = *(*in_.calls)[in_.first + c];
    calls_[c].results.assign(rows_.size(), Cell());
    WindowInput input;
    input.call = &call;
    input.start = compiled.start.get();
    input.end = compiled.end.get();
    input.context = in_.context;
    MemoryWindow rows(order, keys_, call.partition_by.size(), calls_[c].args, compiled.filter == nullptr ? nullptr : &calls_[c].passes,
                      &arena_, &calls_[c].results);
    return RunWindowCall(input, &rows);
  }

  // Of a row while its partition is computed: its place, partition and peers.
  static constexpr uint64_t kOrderBytes = 7 * sizeof(uint64_t);

  WindowPassInput in_;
  std::vector<Gathered> calls_;
  MemoryShare share_;
  WindowBoundaries boundaries_;
  KeptRows rows_;
  RowStore keys_;
  std::vector<bool> starts_partition_, starts_peers_;
  uint64_t over_at_ = 0;  // bytes when memory was found used up; 0: it was not
  std::unique_ptr<LargeWindow> large_;
  Arena arena_;
};

}  // namespace

std::unique_ptr<WindowPass> NewPartitionWindow(WindowPassInput input) {
  return std::make_unique<PartitionWindow>(std::move(input));
}

}  // namespace turdb::sql
