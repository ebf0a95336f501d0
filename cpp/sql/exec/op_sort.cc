// Sort: stable; with a limit above only the first rows are kept (sql/exec/operators.h).
//
// Rows and computed keys go through a RowSorter.
#include "base/status_macros.h"
#include "sql/exec/operators.h"
#include "sql/exec/row_sorter.h"

namespace turdb::sql {
namespace {

class Sort : public Operator {
 public:
  Sort(const PhysicalSort& node, OperatorPtr child, std::vector<EvaluatorPtr> keys, ExecContext* context)
      : child_(std::move(child)), keys_(std::move(keys)), context_(context), width_(node.output.size()),
        sorter_(context, node.id, PlaceKeys(node)) {}

  absl::Status Compile(const PhysicalSort& node, Builder* builder) {
    TURDB_ASSIGN_OR_RETURN(limit_, CompileOptional(node.limit, builder));
    TURDB_ASSIGN_OR_RETURN(offset_, CompileOptional(node.offset, builder));
    return absl::OkStatus();
  }

  absl::Status Open() override {
    has_run_ = false;
    most_ = RowSorter::kAll;
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
    return sorter_.Next(width_, batch);
  }
  void Close() override {
    sorter_.Close();
    child_->Close();
  }

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
    sorter_.Reset(width_ + computed_.size(), most_);
    row_.resize(width_ + computed_.size());
    while (most_ > 0) {
      TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
      TURDB_RETURN_IF_ERROR(child_->Next(&input_));
      if (input_.size == 0) break;
      TURDB_RETURN_IF_ERROR(Add());
    }
    return sorter_.Finish();
  }

  absl::Status Add() {
    const Frame frame = FrameOf(input_);
    for (size_t c = 0; c < width_; ++c) row_[c].Reference(input_.columns[c]);
    for (size_t c = 0; c < computed_.size(); ++c) {
      const ColumnVector* key = nullptr;
      TURDB_RETURN_IF_ERROR(keys_[computed_[c]]->Eval(frame, &key));
      row_[width_ + c].Reference(*key);
    }
    TURDB_RETURN_IF_ERROR(sorter_.Add(row_.data(), nullptr, input_.size));
    for (ColumnVector& column : row_) column = ColumnVector();
    return absl::OkStatus();
  }

  OperatorPtr child_;
  std::vector<EvaluatorPtr> keys_;
  EvaluatorPtr limit_, offset_;
  ExecContext* context_;
  size_t width_;
  std::vector<size_t> computed_;  // keys that are stored behind the input's columns
  RowSorter sorter_;
  std::vector<ColumnVector> row_;
  ColumnBatch input_;
  uint64_t most_ = 0;
  bool has_run_ = false;
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
