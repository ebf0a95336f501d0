// Window: window functions over the whole input, kept in memory while it fits (sql/exec/operators.h).
//
// Calls with equal PARTITION BY and ORDER BY share one sort. Rows come out in the order of the last window's sort. When
// memory is used up the rows so far and all later ones go to a SpilledWindow, which gives the same.
#include <algorithm>

#include "base/status_macros.h"
#include "sql/exec/idle_memory.h"
#include "sql/exec/operators.h"
#include "sql/exec/window_call.h"
#include "sql/exec/window_spill.h"

namespace turdb::sql {
namespace {

class Window : public Operator {
 public:
  Window(const PhysicalWindow& node, OperatorPtr child, ExecContext* context)
      : node_(node), child_(std::move(child)), context_(context), width_(node.children[0]->output.size()), share_(&context->memory) {}

  absl::Status Compile(Builder* builder) {
    for (const WindowCall& call : node_.calls) {
      CompiledCall made;
      for (const ExprPtr& expr : call.partition_by) {
        TURDB_ASSIGN_OR_RETURN(EvaluatorPtr key, sql::Compile(*expr, builder));
        made.keys.push_back(std::move(key));
      }
      for (const SortKey& sort : call.order_by) {
        TURDB_ASSIGN_OR_RETURN(EvaluatorPtr key, sql::Compile(*sort.expr, builder));
        made.keys.push_back(std::move(key));
      }
      TURDB_ASSIGN_OR_RETURN(made.args, CompileAll(call.call.args, builder));
      TURDB_ASSIGN_OR_RETURN(made.filter, CompileOptional(call.call.filter, builder));
      TURDB_ASSIGN_OR_RETURN(made.start, CompileOptional(call.start_offset, builder));
      TURDB_ASSIGN_OR_RETURN(made.end, CompileOptional(call.end_offset, builder));
      calls_.push_back(std::move(made));
    }
    return absl::OkStatus();
  }

  absl::Status Open() override {
    has_run_ = false;
    spilled_ = nullptr;
    emitted_ = 0;
    return child_->Open();
  }

  absl::Status Next(ColumnBatch* batch) override {
    if (!has_run_) {
      TURDB_RETURN_IF_ERROR(Run());
      has_run_ = true;
    }
    if (spilled_ != nullptr) return spilled_->Next(batch);
    Arena* arena = FreshArena(batch);
    arena->Hold(rows_.arena());
    for (const CompiledCall& call : calls_) arena->Hold(call.arg_rows.arena());
    const LargeVector<uint64_t>& rows = order_.rows;
    batch->columns.resize(width_ + calls_.size());
    batch->size = static_cast<uint32_t>(std::min<uint64_t>(kBatchRows, rows.size() - emitted_));
    if (batch->size == 0) return absl::OkStatus();
    rows_.Gather(rows.data() + emitted_, batch->size, batch);
    for (size_t c = 0; c < calls_.size(); ++c) {
      Cell* to = batch->columns[width_ + c].ResetCells(batch->size);
      for (uint32_t i = 0; i < batch->size; ++i) to[i] = calls_[c].results[rows[emitted_ + i]];
      NarrowCells(batch->size, &batch->columns[width_ + c]);
    }
    emitted_ += batch->size;
    return absl::OkStatus();
  }
  void Close() override {
    spilled_ = nullptr;
    if (share_.bytes() > 0 && !idle_.Keep(share_.bytes())) Free();
    share_.Set(0);
    child_->Close();
  }

 private:
  // Of a row while it is computed: its place, partition and peers.
  static constexpr uint64_t kOrderBytes = 7 * sizeof(uint64_t);

  struct CompiledCall : CompiledWindowCall {
    RowStore key_rows, arg_rows;
    std::vector<bool> passes;
    LargeVector<Cell> results;
  };

  absl::Status Run() {
    idle_.Release();
    arena_.Reset();
    rows_.Reset(width_);
    for (CompiledCall& call : calls_) {
      call.key_rows.Reset(call.keys.size());
      call.arg_rows.Reset(call.args.size());
      call.passes.clear();
    }
    for (;;) {
      TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
      TURDB_RETURN_IF_ERROR(child_->Next(&input_));
      if (input_.size == 0) break;
      if (spilled_ != nullptr) {
        TURDB_RETURN_IF_ERROR(spilled_->Add(input_.columns.data(), input_.size));
        continue;
      }
      rows_.Append(input_);
      for (CompiledCall& call : calls_) TURDB_RETURN_IF_ERROR(Take(&call));
      LookAtMemory();
      if (share_.IsOver()) TURDB_RETURN_IF_ERROR(Spill());
    }
    if (spilled_ != nullptr) return spilled_->Run();
    for (size_t c = 0; c < calls_.size(); ++c) TURDB_RETURN_IF_ERROR(RunCall(c));
    return absl::OkStatus();
  }

  void LookAtMemory() {
    uint64_t bytes = rows_.bytes() + rows_.size() * kOrderBytes;
    for (const CompiledCall& call : calls_) bytes += call.key_rows.bytes() + call.arg_rows.bytes() + rows_.size() * sizeof(Cell);
    share_.Set(bytes);
  }

  absl::Status Spill() {
    std::vector<CompiledWindowCall*> calls;
    for (CompiledCall& call : calls_) calls.push_back(&call);
    spilled_ = std::make_unique<SpilledWindow>(node_, std::move(calls), context_);
    ColumnBatch batch;
    batch.columns.resize(width_);
    for (uint64_t first = 0; first < rows_.size(); first += kBatchRows) {
      const uint32_t n = static_cast<uint32_t>(std::min<uint64_t>(kBatchRows, rows_.size() - first));
      rows_.Read(first, n, &batch);
      TURDB_RETURN_IF_ERROR(spilled_->Add(batch.columns.data(), n));
    }
    Free();
    share_.Set(0);
    return absl::OkStatus();
  }

  void Free() {
    rows_.Free();
    order_ = WindowOrder();
    for (CompiledCall& call : calls_) {
      call.key_rows.Free();
      call.arg_rows.Free();
      std::vector<bool>().swap(call.passes);
      LargeVector<Cell>().swap(call.results);
    }
  }

  absl::Status Append(std::vector<EvaluatorPtr>& evaluators, const Frame& frame, RowStore* to) {
    columns_.resize(evaluators.size());
    for (size_t i = 0; i < evaluators.size(); ++i) {
      const ColumnVector* value = nullptr;
      TURDB_RETURN_IF_ERROR(evaluators[i]->Eval(frame, &value));
      columns_[i].Reference(*value);
    }
    to->Append(columns_.data(), frame.rows);
    columns_.clear();
    return absl::OkStatus();
  }

  absl::Status Take(CompiledCall* call) {
    const Frame frame = FrameOf(input_);
    TURDB_RETURN_IF_ERROR(Append(call->keys, frame, &call->key_rows));
    TURDB_RETURN_IF_ERROR(Append(call->args, frame, &call->arg_rows));
    if (call->filter == nullptr) return absl::OkStatus();
    selected_.resize(input_.size);
    uint32_t count = 0;
    TURDB_RETURN_IF_ERROR(call->filter->EvalRows(frame, selected_.data(), &count));
    const size_t first = call->passes.size();
    call->passes.resize(first + input_.size, false);
    for (uint32_t i = 0; i < count; ++i) call->passes[first + selected_[i]] = true;
    return absl::OkStatus();
  }

  absl::Status RunCall(size_t c) {
    const WindowCall& call = node_.calls[c];
    CompiledCall& compiled = calls_[c];
    if (c == 0 || !HasSameOrder(node_.calls[c - 1], call)) {
      order_ = MakeWindowOrder(compiled.key_rows, call.partition_by.size(), call.order_by, context_->collations);
    }
    compiled.results.assign(rows_.size(), Cell());
    WindowInput input;
    input.call = &call;
    input.start = compiled.start.get();
    input.end = compiled.end.get();
    input.context = context_;
    MemoryWindow rows(order_, compiled.key_rows, call.partition_by.size(), compiled.arg_rows,
                      compiled.filter == nullptr ? nullptr : &compiled.passes, &arena_, &compiled.results);
    return RunWindowCall(input, &rows);
  }

  const PhysicalWindow& node_;
  OperatorPtr child_;
  ExecContext* context_;
  size_t width_;
  std::vector<CompiledCall> calls_;
  MemoryShare share_;
  IdleMemory idle_;
  std::unique_ptr<SpilledWindow> spilled_;
  RowStore rows_;
  WindowOrder order_;
  ColumnBatch input_;
  std::vector<ColumnVector> columns_;
  std::vector<uint32_t> selected_;
  Arena arena_;
  uint64_t emitted_ = 0;
  bool has_run_ = false;
};

}  // namespace

BuiltOperator BuildWindow(const PhysicalWindow& node, Builder* builder) {
  TURDB_ASSIGN_OR_RETURN(OperatorPtr child, builder->Build(*node.children[0]));
  auto window = std::make_unique<Window>(node, std::move(child), builder->context);
  TURDB_RETURN_IF_ERROR(window->Compile(builder));
  return OperatorPtr(std::move(window));
}

}  // namespace turdb::sql
