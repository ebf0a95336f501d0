#include "sql/exec/window_spill.h"

#include <algorithm>

#include "base/status_macros.h"
#include "sql/exec/window_pass.h"

namespace turdb::sql {

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

SpilledWindow::SpilledWindow(const PhysicalWindow& node, std::vector<CompiledWindowCall*> calls, ExecContext* context)
    : node_(node), calls_(std::move(calls)), context_(context), width_(node.children[0]->output.size()),
      rows_(std::make_unique<KeptRows>(context, node.id)) {
  rows_->Reset(width_ + 1);
}

absl::Status SpilledWindow::Add(const ColumnVector* columns, uint32_t rows) {
  std::vector<ColumnVector> row(columns, columns + width_);
  row.emplace_back();
  int64_t* numbers = row.back().ResetInt64(rows);
  for (uint32_t i = 0; i < rows; ++i) numbers[i] = static_cast<int64_t>(count_++);
  return rows_->Append(row.data(), nullptr, rows);
}

absl::Status SpilledWindow::Run() {
  for (size_t first = 0; first < calls_.size();) {
    // Calls that take their results at the same moment share a pass; those of a row go with any.
    Unit unit = UnitOf(node_.calls[first]);
    size_t last = first + 1;
    for (; last < calls_.size() && HasSameOrder(node_.calls[first], node_.calls[last]); ++last) {
      const Unit other = UnitOf(node_.calls[last]);
      if ((unit == Unit::kNone) != (other == Unit::kNone)) break;
      if (unit != other && unit != Unit::kRow && other != Unit::kRow) break;
      if (unit == Unit::kRow) unit = other;
    }
    TURDB_RETURN_IF_ERROR(RunPass(first, last));
    first = last;
  }
  return absl::OkStatus();
}

absl::Status SpilledWindow::RunPass(size_t first, size_t last) {
  WindowPassInput input;
  input.node = &node_;
  input.calls = &calls_;
  input.first = first;
  input.last = last;
  input.context = context_;
  input.layout.kept = width_ + first + 1;
  input.layout.partition_keys = node_.calls[first].partition_by.size();
  input.layout.keys = calls_[first]->keys.size();
  size_t column = input.layout.kept + input.layout.keys;
  Unit unit = Unit::kRow;
  for (size_t c = first; c < last; ++c) {
    input.layout.args.push_back(column);
    column += calls_[c]->args.size();
    input.layout.filters.push_back(calls_[c]->filter == nullptr ? 0 : column);
    column += calls_[c]->filter == nullptr ? 0 : 1;
    if (UnitOf(node_.calls[c]) != Unit::kRow) unit = UnitOf(node_.calls[c]);
  }
  input.layout.width = column;
  std::vector<OrderColumn> order;
  for (size_t i = 0; i < input.layout.partition_keys; ++i) order.push_back({input.layout.kept + i});
  const auto keys = OrderColumns(node_.calls[first].order_by, input.layout.kept + input.layout.partition_keys);
  order.insert(order.end(), keys.begin(), keys.end());
  order.push_back({input.layout.kept - 1});
  RowSorter sorter(context_, node_.id, std::move(order));
  sorter.Reset(column);
  TURDB_RETURN_IF_ERROR(SortInput(first, last, &sorter));
  rows_ = std::make_unique<KeptRows>(context_, node_.id);
  rows_->Reset(width_ + last + 1);
  input.out = rows_.get();
  const auto pass = unit == Unit::kNone ? NewPartitionWindow(std::move(input)) : NewRunningWindow(std::move(input), unit);
  ColumnBatch batch;
  for (;;) {
    TURDB_RETURN_IF_ERROR(sorter.Next(column, &batch));
    if (batch.size == 0) return pass->Finish();
    TURDB_RETURN_IF_ERROR(pass->Add(batch));
  }
}

absl::Status SpilledWindow::SortInput(size_t first, size_t last, RowSorter* sorter) {
  ColumnBatch batch;
  std::vector<ColumnVector> row;
  std::vector<uint32_t> passing;
  for (uint64_t at = 0; at < rows_->size(); at += batch.size) {
    TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
    TURDB_RETURN_IF_ERROR(rows_->Read(at, &batch));
    const Frame frame = FrameOf(batch);
    row.assign(batch.columns.begin(), batch.columns.end());
    auto add = [&](const EvaluatorPtr& evaluator) -> absl::Status {
      const ColumnVector* value = nullptr;
      TURDB_RETURN_IF_ERROR(evaluator->Eval(frame, &value));
      row.push_back(*value);
      return absl::OkStatus();
    };
    for (const EvaluatorPtr& key : calls_[first]->keys) TURDB_RETURN_IF_ERROR(add(key));
    for (size_t c = first; c < last; ++c) {
      for (const EvaluatorPtr& arg : calls_[c]->args) TURDB_RETURN_IF_ERROR(add(arg));
      if (calls_[c]->filter == nullptr) continue;
      passing.resize(batch.size);
      uint32_t count = 0;
      TURDB_RETURN_IF_ERROR(calls_[c]->filter->EvalRows(frame, passing.data(), &count));
      row.emplace_back();
      int64_t* passes = row.back().ResetInt64(batch.size);
      std::fill_n(passes, batch.size, 0);
      for (uint32_t i = 0; i < count; ++i) passes[passing[i]] = 1;
    }
    TURDB_RETURN_IF_ERROR(sorter->Add(row.data(), nullptr, batch.size));
    row.clear();
  }
  return sorter->Finish();
}

absl::Status SpilledWindow::Next(ColumnBatch* batch) {
  TURDB_RETURN_IF_ERROR(rows_->Read(emitted_, batch));
  emitted_ += batch->size;
  batch->columns.resize(width_ + calls_.size());  // without the row's number
  return absl::OkStatus();
}

}  // namespace turdb::sql
