// Sort: stable; with a limit above only the first rows are kept (sql/exec/operators.h).
//
// Rows and computed keys go to a RowStore and row numbers are sorted. With a limit the store is cut back to it whenever
// it has grown to a multiple, and rows that come after the last one kept are not even stored.
#include <algorithm>

#include "base/status_macros.h"
#include "sql/exec/operators.h"
#include "sql/exec/row_order.h"

namespace turdb::sql {
namespace {

class Sort : public Operator {
 public:
  Sort(const PhysicalSort& node, OperatorPtr child, std::vector<EvaluatorPtr> keys, ExecContext* context)
      : child_(std::move(child)), keys_(std::move(keys)), context_(context), width_(node.output.size()),
        order_(PlaceKeys(node), context->collations) {}

  absl::Status Compile(const PhysicalSort& node, Builder* builder) {
    TURDB_ASSIGN_OR_RETURN(limit_, CompileOptional(node.limit, builder));
    TURDB_ASSIGN_OR_RETURN(offset_, CompileOptional(node.offset, builder));
    return absl::OkStatus();
  }

  absl::Status Open() override {
    has_run_ = false;
    emitted_ = 0;
    most_ = ~uint64_t{0};
    if (limit_ != nullptr) {
      TURDB_ASSIGN_OR_RETURN(const LimitRange range, EvalLimit(limit_.get(), offset_.get()));
      most_ = range.end();
    }
    return child_->Open();
  }

  absl::Status Next(ColumnBatch* batch) override {
    if (!has_run_) {
      TURDB_RETURN_IF_ERROR(Run());
      has_run_ = true;
    }
    FreshArena(batch);
    batch->columns.resize(width_);
    batch->size = static_cast<uint32_t>(std::min<uint64_t>(kBatchRows, order_of_rows_.size() - emitted_));
    for (size_t c = 0; c < width_ && batch->size > 0; ++c) {
      store_.GatherColumn(c, order_of_rows_.data() + emitted_, batch->size, &batch->columns[c]);
    }
    emitted_ += batch->size;
    return absl::OkStatus();
  }
  void Close() override { child_->Close(); }

 private:
  // A key that is a column of the input is not stored twice.
  std::vector<OrderColumn> PlaceKeys(const PhysicalSort& node) {
    std::vector<OrderColumn> columns = OrderColumns(node.keys, 0);
    size_t next = node.output.size();
    for (size_t i = 0; i < node.keys.size(); ++i) {
      const BoundExpr& key = *node.keys[i].expr;
      const bool is_slot = key.kind == BoundKind::kSlot && key.slot < static_cast<int>(node.output.size());
      columns[i].column = is_slot ? static_cast<size_t>(key.slot) : next++;
      if (!is_slot) computed_.push_back(i);
    }
    return columns;
  }

  absl::Status Run() {
    store_.Reset(width_ + computed_.size());
    has_bound_ = false;
    row_.resize(width_ + computed_.size());
    key_columns_.resize(keys_.size());
    while (most_ > 0) {
      TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
      TURDB_RETURN_IF_ERROR(child_->Next(&input_));
      if (input_.size == 0) break;
      TURDB_RETURN_IF_ERROR(Add());
      if (most_ != ~uint64_t{0} && store_.size() >= most_ * 2 + kBatchRows) CutBack();
    }
    SortRows();
    if (order_of_rows_.size() > most_) order_of_rows_.resize(most_);
    return absl::OkStatus();
  }

  absl::Status Add() {
    const Frame frame = FrameOf(input_);
    for (size_t i = 0; i < keys_.size(); ++i) TURDB_RETURN_IF_ERROR(keys_[i]->Eval(frame, &key_columns_[i]));
    for (size_t c = 0; c < width_; ++c) row_[c].Reference(input_.columns[c]);
    for (size_t c = 0; c < computed_.size(); ++c) row_[width_ + c].Reference(*key_columns_[computed_[c]]);
    if (!has_bound_) {
      store_.Append(row_.data(), input_.size);
    } else {
      selected_.clear();
      for (uint32_t i = 0; i < input_.size; ++i) {
        if (order_.CompareLoose(key_columns_.data(), i, store_, bound_) < 0) selected_.push_back(i);
      }
      store_.AppendRows(row_.data(), selected_.data(), static_cast<uint32_t>(selected_.size()));
    }
    for (ColumnVector& column : row_) column = ColumnVector();
    return absl::OkStatus();
  }

  void SortRows() {
    order_of_rows_.resize(store_.size());
    for (uint64_t i = 0; i < order_of_rows_.size(); ++i) order_of_rows_[i] = i;
    order_.Sort(store_, &order_of_rows_);
  }

  // Only the first most_ rows stay; rows not before the last of them are out from now on.
  void CutBack() {
    SortRows();
    order_of_rows_.resize(most_);
    RowStore kept;
    kept.Reset(store_.columns());
    std::vector<ColumnVector> columns(store_.columns());
    for (uint64_t first = 0; first < most_; first += kBatchRows) {
      const uint32_t n = static_cast<uint32_t>(std::min<uint64_t>(kBatchRows, most_ - first));
      for (size_t c = 0; c < columns.size(); ++c) store_.GatherColumn(c, order_of_rows_.data() + first, n, &columns[c]);
      kept.Append(columns.data(), n);
    }
    store_ = std::move(kept);
    bound_ = most_ - 1;
    has_bound_ = true;
  }

  OperatorPtr child_;
  std::vector<EvaluatorPtr> keys_;
  EvaluatorPtr limit_, offset_;
  ExecContext* context_;
  size_t width_;
  std::vector<size_t> computed_;  // keys that are stored behind the input's columns
  RowOrder order_;
  RowStore store_;
  std::vector<uint64_t> order_of_rows_;
  std::vector<ColumnVector> row_;
  std::vector<const ColumnVector*> key_columns_;
  std::vector<uint32_t> selected_;
  ColumnBatch input_;
  uint64_t most_ = 0, emitted_ = 0, bound_ = 0;
  bool has_run_ = false, has_bound_ = false;
};

}  // namespace

BuiltOperator BuildSort(const PhysicalSort& node, Builder* builder) {
  TURDB_ASSIGN_OR_RETURN(OperatorPtr child, builder->Build(*node.children[0]));
  std::vector<EvaluatorPtr> keys;
  for (const SortKey& key : node.keys) {
    TURDB_ASSIGN_OR_RETURN(EvaluatorPtr compiled, Compile(*key.expr, builder));
    keys.push_back(std::move(compiled));
  }
  auto sort = std::make_unique<Sort>(node, std::move(child), std::move(keys), builder->context);
  TURDB_RETURN_IF_ERROR(sort->Compile(node, builder));
  return OperatorPtr(std::move(sort));
}

}  // namespace turdb::sql
