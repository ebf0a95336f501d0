// RunningWindow: functions whose frame begins with the partition, computed as sorted rows go by (sql/exec/window_pass.h).
//
// A result belongs to a row, to a group of peers or to a whole partition (the unit). Rows whose unit has not ended with their
// batch wait in a KeptRows, which goes to disk when there are many.
#include <algorithm>

#include "base/status_macros.h"
#include "sql/exec/window_pass.h"

namespace turdb::sql {

using Unit = SpilledWindow::Unit;

Unit UnitOf(const WindowCall& call) {
  const AggregateFunction& function = *call.call.function;
  if (function.is_window_only) {
    const bool is_counter = function.name == "row_number" || function.name == "rank" || function.name == "dense_rank";
    return is_counter ? Unit::kRow : Unit::kNone;
  }
  static const WindowSpec kDefault;
  const WindowSpec& spec = call.frame != nullptr ? *call.frame : kDefault;
  if (!function.create || spec.exclude != FrameExclude::kNoOthers || spec.start.kind != FrameBoundKind::kUnboundedPreceding) return Unit::kNone;
  if (spec.end.kind == FrameBoundKind::kUnboundedFollowing) return Unit::kPartition;
  if (spec.end.kind != FrameBoundKind::kCurrentRow) return Unit::kNone;
  return spec.mode == FrameMode::kRows ? Unit::kRow : Unit::kPeers;
}

WindowBoundaries::WindowBoundaries(const WindowLayout& layout, const std::vector<SortKey>& order_by, ExecContext* context)
    : by_partition_([&] {
        std::vector<OrderColumn> columns;
        for (size_t i = 0; i < layout.partition_keys; ++i) columns.push_back({layout.kept + i});
        return RowOrder(std::move(columns), context->collations);
      }()),
      by_order_(OrderColumns(order_by, layout.kept + layout.partition_keys), context->collations) {}

void WindowBoundaries::Find(const ColumnBatch& sorted) {
  const ColumnVector* columns = sorted.columns.data();
  partition_.assign(sorted.size, true);
  peers_.assign(sorted.size, true);
  std::vector<ColumnVector> before(sorted.columns.size());
  for (size_t c = 0; c < before.size() && last_.size() > 0; ++c) last_.ReadColumn(c, 0, 1, &before[c]);
  for (uint32_t i = last_.size() > 0 ? 0 : 1; i < sorted.size; ++i) {
    const ColumnVector* other = i == 0 ? before.data() : columns;
    const uint32_t row = i == 0 ? 0 : i - 1;
    partition_[i] = by_partition_.CompareRows(columns, i, other, row) != 0;
    peers_[i] = partition_[i] || by_order_.CompareRows(columns, i, other, row) != 0;
  }
  last_.Reset(sorted.columns.size());
  const uint32_t last = sorted.size - 1;
  last_.AppendRows(columns, &last, 1);
}

namespace {

// The state of one call within a partition.
class Running {
 public:
  Running(const WindowCall& call, size_t args, ExecContext* context)
      : function_(*call.call.function), unit_(UnitOf(call)), cells_(args) {
    function_context_.arena = &scratch_;
    function_context_.collation = call.call.collation;
    function_context_.exec = context;
  }
  Unit unit() const { return unit_; }

  void StartPartition() {
    rows_ = peers_ = rank_ = 0;
    if (!function_.is_window_only) state_ = function_.create();
  }
  absl::Status Step(const ColumnBatch& rows, uint32_t row, size_t first_arg, bool starts_peers, bool passes) {
    ++rows_;
    if (starts_peers) {
      ++peers_;
      rank_ = rows_;
    }
    if (function_.is_window_only || !passes) return absl::OkStatus();
    for (size_t a = 0; a < cells_.size(); ++a) cells_[a] = rows.columns[first_arg + a].Get(row);
    return state_->Step(&function_context_, cells_);
  }
  // Bytes of the value go to `arena`.
  absl::Status Value(Arena* arena, Cell* value) {
    if (function_.is_window_only) {
      *value = Cell::Integer(function_.name == "row_number" ? rows_ : function_.name == "rank" ? rank_ : peers_);
      return absl::OkStatus();
    }
    *value = Cell();
    TURDB_RETURN_IF_ERROR(state_->Finish(&function_context_, value));
    if (value->has_bytes()) value->bytes = arena->Copy(value->view()).data();
    if (scratch_.used_bytes() > (1 << 16)) scratch_.Reset();
    return absl::OkStatus();
  }

 private:
  const AggregateFunction& function_;
  Unit unit_;
  std::vector<Cell> cells_;
  Arena scratch_;
  FunctionContext function_context_;
  std::unique_ptr<AggregateState> state_;
  int64_t rows_ = 0, peers_ = 0, rank_ = 0;
};

class RunningWindow : public WindowPass {
 public:
  RunningWindow(WindowPassInput input, Unit unit)
      : in_(std::move(input)), unit_(unit), boundaries_(in_.layout, in_.node->calls[in_.first].order_by, in_.context),
        waiting_(in_.context, in_.node->id) {
    for (size_t c = in_.first; c < in_.last; ++c) {
      calls_.push_back(std::make_unique<Running>(in_.node->calls[c], (*in_.calls)[c]->args.size(), in_.context));
    }
    waiting_.Reset(in_.layout.kept + calls_.size());
  }

  absl::Status Add(const ColumnBatch& sorted) override {
    boundaries_.Find(sorted);
    arena_.Reset();
    results_.clear();
    results_.resize(calls_.size());
    std::vector<Cell*> cells;
    for (ColumnVector& result : results_) cells.push_back(result.ResetCells(sorted.size));
    uint32_t begin = 0;  // of the unit at hand, in this batch
    for (uint32_t i = 0; i < sorted.size; ++i) {
      if (unit_ != Unit::kRow && (unit_ == Unit::kPeers ? boundaries_.StartsPeers(i) : boundaries_.StartsPartition(i))) {
        TURDB_RETURN_IF_ERROR(EndUnit(begin, i, cells));
        begin = i;
      }
      for (size_t c = 0; c < calls_.size(); ++c) {
        if (boundaries_.StartsPartition(i)) calls_[c]->StartPartition();
        const size_t filter = in_.layout.filters[c];
        const bool passes = filter == 0 || sorted.columns[filter].Get(i).integer != 0;
        TURDB_RETURN_IF_ERROR(calls_[c]->Step(sorted, i, in_.layout.args[c], boundaries_.StartsPeers(i), passes));
        cells[c][i] = Cell();
        if (calls_[c]->unit() == Unit::kRow) TURDB_RETURN_IF_ERROR(calls_[c]->Value(&arena_, &cells[c][i]));
      }
      has_unit_ = true;
    }
    if (unit_ == Unit::kRow) begin = sorted.size;
    TURDB_RETURN_IF_ERROR(Hand(sorted, 0, begin, in_.out));
    return Hand(sorted, begin, sorted.size, &waiting_);
  }

  absl::Status Finish() override { return unit_ == Unit::kRow ? absl::OkStatus() : EndUnit(0, 0, {}); }

 private:
  // The unit's results are known: for rows [begin, end) of the batch, and for those that wait.
  absl::Status EndUnit(uint32_t begin, uint32_t end, const std::vector<Cell*>& cells) {
    if (!has_unit_) return absl::OkStatus();
    std::vector<Cell> values(calls_.size());
    for (size_t c = 0; c < calls_.size(); ++c) {
      if (calls_[c]->unit() == Unit::kRow) continue;
      TURDB_RETURN_IF_ERROR(calls_[c]->Value(&arena_, &values[c]));
      for (uint32_t i = begin; i < end; ++i) cells[c][i] = values[c];
    }
    ColumnBatch rows;
    for (uint64_t at = 0; at < waiting_.size(); at += rows.size) {
      TURDB_RETURN_IF_ERROR(in_.context->CheckInterrupt());
      TURDB_RETURN_IF_ERROR(waiting_.Read(at, &rows));
      for (size_t c = 0; c < calls_.size(); ++c) {
        if (calls_[c]->unit() != Unit::kRow) rows.columns[in_.layout.kept - 1 + c].SetConstant(values[c]);
      }
      TURDB_RETURN_IF_ERROR(in_.out->Append(rows));
    }
    if (waiting_.size() > 0) waiting_.Reset(in_.layout.kept + calls_.size());
    return absl::OkStatus();
  }

  // Rows of a batch with the results, which stand before the row's number.
  absl::Status Hand(const ColumnBatch& sorted, uint32_t begin, uint32_t end, KeptRows* to) {
    if (begin == end) return absl::OkStatus();
    std::vector<ColumnVector> row(sorted.columns.begin(), sorted.columns.begin() + static_cast<ptrdiff_t>(in_.layout.kept));
    row.insert(row.end() - 1, results_.begin(), results_.end());
    std::vector<uint32_t> rows(end - begin);
    for (uint32_t i = 0; i < rows.size(); ++i) rows[i] = begin + i;
    return to->Append(row.data(), rows.data(), end - begin);
  }

  WindowPassInput in_;
  Unit unit_;
  WindowBoundaries boundaries_;
  std::vector<std::unique_ptr<Running>> calls_;
  KeptRows waiting_;  // rows of a unit that began in an earlier batch
  std::vector<ColumnVector> results_;
  Arena arena_;
  bool has_unit_ = false;
};

}  // namespace

std::unique_ptr<WindowPass> NewRunningWindow(WindowPassInput input, Unit unit) {
  return std::make_unique<RunningWindow>(std::move(input), unit);
}

}  // namespace turdb::sql
