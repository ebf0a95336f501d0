// Window: window functions over the whole input, kept in memory (sql/exec/operators.h).
//
// Calls with equal PARTITION BY and ORDER BY share one sort. Rows come out in the order of the last window's sort.
#include <algorithm>

#include "base/status_macros.h"
#include "sql/exec/operators.h"
#include "sql/exec/window_call.h"

namespace turdb::sql {
namespace {

bool HasSameOrder(const WindowCall& a, const WindowCall& b) {
  if (a.partition_by.size() != b.partition_by.size() || a.order_by.size() != b.order_by.size()) return false;
  for (size_t i = 0; i < a.partition_by.size(); ++i) {
    if (!ExprEquals(*a.partition_by[i], *b.partition_by[i])) return false;
  }
  for (size_t i = 0; i < a.order_by.size(); ++i) {
    const SortKey &x = a.order_by[i], &y = b.order_by[i];
    if (x.is_descending != y.is_descending || x.nulls_first != y.nulls_first || x.collation != y.collation) return false;
    if (!ExprEquals(*x.expr, *y.expr)) return false;
  }
  return true;
}

class Window : public Operator {
 public:
  Window(const PhysicalWindow& node, OperatorPtr child, ExecContext* context)
      : node_(node), child_(std::move(child)), context_(context), width_(node.children[0]->output.size()) {}

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
    emitted_ = 0;
    return child_->Open();
  }

  absl::Status Next(ColumnBatch* batch) override {
    if (!has_run_) {
      TURDB_RETURN_IF_ERROR(Run());
      has_run_ = true;
    }
    FreshArena(batch);
    const std::vector<uint64_t>& rows = order_.rows;
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
  void Close() override { child_->Close(); }

 private:
  struct CompiledCall {
    std::vector<EvaluatorPtr> keys, args;  // keys: partition, then order
    EvaluatorPtr filter, start, end;
    RowStore key_rows, arg_rows;
    std::vector<bool> passes;
    std::vector<Cell> results;
  };

  absl::Status Run() {
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
      rows_.Append(input_);
      for (CompiledCall& call : calls_) TURDB_RETURN_IF_ERROR(Take(&call));
    }
    for (size_t c = 0; c < calls_.size(); ++c) TURDB_RETURN_IF_ERROR(RunCall(c));
    return absl::OkStatus();
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
    static const WindowSpec kDefault;
    const WindowSpec& spec = call.frame != nullptr ? *call.frame : kDefault;
    Cell start, end;
    if (compiled.start != nullptr) TURDB_RETURN_IF_ERROR(EvalScalar(compiled.start.get(), &arena_, &start));
    if (compiled.end != nullptr) TURDB_RETURN_IF_ERROR(EvalScalar(compiled.end.get(), &arena_, &end));
    TURDB_ASSIGN_OR_RETURN(const FrameBounds frames, MakeFrames(order_, spec, start, end, compiled.key_rows,
                                                                call.partition_by.size(), call.order_by));
    compiled.results.assign(rows_.size(), Cell());
    WindowInput input;
    input.call = &call;
    input.order = &order_;
    input.frames = &frames;
    input.exclude = spec.exclude;
    input.args = &compiled.arg_rows;
    input.passes_filter = compiled.filter == nullptr ? nullptr : &compiled.passes;
    input.context = context_;
    return RunWindowCall(input, &arena_, &compiled.results);
  }

  const PhysicalWindow& node_;
  OperatorPtr child_;
  ExecContext* context_;
  size_t width_;
  std::vector<CompiledCall> calls_;
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
