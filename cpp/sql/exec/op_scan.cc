// TableScan, RowIdLookup and IndexScan (sql/exec/operators.h).
//
// The filter runs on the scan's batch and the rows that pass are gathered; a batch that passes whole is handed on.
#include <algorithm>
#include <limits>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/exec/cell_ops.h"
#include "sql/exec/operators.h"
#include "sql/exec/row_source.h"
#include "sql/exec/row_store.h"
#include "table/table_reader.h"
#include "types/number_text.h"

namespace turdb::sql {
namespace {

// A bound of a scan at Open.
struct BoundEvaluator {
  EvaluatorPtr value;
  bool is_inclusive = true;
};

absl::StatusOr<BoundEvaluator> CompileBound(const Bound& bound, Builder* builder) {
  BoundEvaluator compiled;
  compiled.is_inclusive = bound.is_inclusive;
  TURDB_ASSIGN_OR_RETURN(compiled.value, CompileOptional(bound.value, builder));
  return compiled;
}

// What scans share: a table::TableScan a range, the filter, growing batches.
class Scan : public Operator {
 public:
  Scan(EvaluatorPtr filter, size_t width, ExecContext* context) : context_(context), filter_(std::move(filter)), width_(width) {}

  absl::Status Next(ColumnBatch* batch) override {
    for (;;) {
      Release(batch);
      TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
      TURDB_RETURN_IF_ERROR(Fill());
      uint32_t count = input_.size;
      if (count > 0 && filter_ != nullptr) {
        rows_.resize(input_.size);
        TURDB_RETURN_IF_ERROR(filter_->EvalRows(FrameOf(input_), rows_.data(), &count));
        if (count == 0) continue;
      }
      HandOn(count, batch);
      return absl::OkStatus();
    }
  }
  void Close() override {
    if (!was_filled_) return;  // as of one that stands for the row that a write looks up itself
    was_filled_ = false;
    scan_.reset();
    Release(&input_);
    input_.arena = std::make_shared<Arena>();
  }

 protected:
  // The next range's scan into scan_, or leaves it null at the end.
  virtual absl::Status NextRange() = 0;
  void Start() {
    batch_rows_ = kFirstBatchRows;
    scan_.reset();
  }

  ExecContext* context_;
  std::unique_ptr<table::TableScan> scan_;

 private:
  absl::Status Fill() {
    was_filled_ = true;
    for (;;) {
      if (scan_ == nullptr) TURDB_RETURN_IF_ERROR(NextRange());
      input_.size = 0;
      if (scan_ == nullptr) {
        if (input_.arena == nullptr) input_.arena = std::make_shared<Arena>();
        return absl::OkStatus();
      }
      TURDB_RETURN_IF_ERROR(scan_->Next(batch_rows_, &input_));
      batch_rows_ = NextBatchRows(batch_rows_);
      if (input_.size > 0) return absl::OkStatus();
      scan_.reset();
    }
  }

  void HandOn(uint32_t count, ColumnBatch* batch) {
    batch->size = count;
    batch->arena = input_.arena;
    batch->columns.resize(width_);
    if (count == 0) return;
    for (size_t i = 0; i < width_; ++i) {
      if (count == input_.size) {
        batch->columns[i].Reference(input_.columns[i]);
      } else {
        batch->columns[i].Gather(input_.columns[i], rows_.data(), count);
      }
    }
  }

  EvaluatorPtr filter_;
  size_t width_;
  uint32_t batch_rows_ = kFirstBatchRows;
  ColumnBatch input_;
  bool was_filled_ = false;
  std::vector<uint32_t> rows_;
};

// Narrows [first, last] by a bound of any type; false when nothing is left. Numbers stand before texts, so a text (or
// blob) bounds the integers from above everything.
bool NarrowRowIds(const Cell& bound, bool is_lower, bool is_inclusive, table::RowIdRange* range) {
  const Cell cell = TextToNumberIfWhole(bound);
  if (cell.is_null()) return false;
  if (cell.has_bytes()) return !is_lower;
  constexpr int64_t kSmallest = std::numeric_limits<int64_t>::min(), kLargest = std::numeric_limits<int64_t>::max();
  int64_t value = cell.integer;
  if (cell.is_real()) {
    if (cell.real >= 9223372036854775808.0) return !is_lower;
    if (cell.real < -9223372036854775808.0) return is_lower;
    value = static_cast<int64_t>(cell.real);
    const double fraction = cell.real - static_cast<double>(value);
    if (fraction != 0) {  // towards the inside of the range; then the bound itself is in it
      if (is_lower && fraction > 0) ++value;
      if (!is_lower && fraction < 0) --value;
      is_inclusive = true;
    }
  }
  if (is_lower) {
    if (!is_inclusive && value == kLargest) return false;
    range->first = std::max(range->first, is_inclusive ? value : value + 1);
  } else {
    if (!is_inclusive && value == kSmallest) return false;
    range->last = std::min(range->last, is_inclusive ? value : value - 1);
  }
  return range->first <= range->last;
}

class TableScanOperator : public Scan {
 public:
  TableScanOperator(const PhysicalTableScan& node, BoundEvaluator lower, BoundEvaluator upper, EvaluatorPtr filter,
                    ExecContext* context)
      : Scan(std::move(filter), node.output.size(), context), node_(node), lower_(std::move(lower)), upper_(std::move(upper)) {}

  absl::Status Open() override {
    Start();
    range_ = {};
    arena_.Reset();
    is_done_ = false;
    for (BoundEvaluator* bound : {&lower_, &upper_}) {
      if (bound->value == nullptr) continue;
      Cell cell;
      TURDB_RETURN_IF_ERROR(EvalScalar(bound->value.get(), &arena_, &cell));
      if (!NarrowRowIds(cell, bound == &lower_, bound->is_inclusive, &range_)) is_done_ = true;
    }
    return absl::OkStatus();
  }

 private:
  absl::Status NextRange() override {
    if (is_done_) return absl::OkStatus();
    is_done_ = true;
    TURDB_ASSIGN_OR_RETURN(scan_, table::ScanTable(context_->txn, *node_.table, node_.columns, range_, node_.is_descending));
    return absl::OkStatus();
  }

  const PhysicalTableScan& node_;
  BoundEvaluator lower_, upper_;
  Arena arena_;
  table::RowIdRange range_;
  bool is_done_ = false;
};

class RowIdLookupOperator : public Operator {
 public:
  RowIdLookupOperator(const PhysicalRowIdLookup& node, std::vector<EvaluatorPtr> values, EvaluatorPtr filter, ExecContext* context)
      : node_(node), values_(std::move(values)), filter_(std::move(filter)), context_(context),
        cells_(node.columns.size()) {}

  absl::Status Open() override {
    rowids_.clear();
    arena_.Reset();
    for (const EvaluatorPtr& value : values_) {
      Cell cell;
      int64_t rowid;
      TURDB_RETURN_IF_ERROR(EvalScalar(value.get(), &arena_, &cell));
      if (RowIdOf(cell, &rowid)) rowids_.push_back(rowid);
    }
    if (rowids_.size() > 1) {
      std::sort(rowids_.begin(), rowids_.end());
      rowids_.erase(std::unique(rowids_.begin(), rowids_.end()), rowids_.end());
    }
    at_ = 0;
    return absl::OkStatus();
  }

  absl::Status Next(ColumnBatch* batch) override {
    batch->size = 0;
    batch->columns.resize(cells_.size());
    while (at_ < rowids_.size() && batch->size == 0) TURDB_RETURN_IF_ERROR(FillOnce(batch));
    return absl::OkStatus();
  }
  void Close() override {
    if (lookup_ != nullptr) lookup_->Release();
  }

 private:
  absl::Status FillOnce(ColumnBatch* batch) {
    TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
    FreshArena(batch);
    // The look-up's values go to the arena of the batch at hand.
    if (lookup_ != nullptr) {
      TURDB_RETURN_IF_ERROR(lookup_->Rebind(context_->txn, batch->arena.get()));
    } else {
      TURDB_ASSIGN_OR_RETURN(lookup_, table::LookUpRows(context_->txn, *node_.table, node_.columns, batch->arena.get()));
    }
    const uint32_t most = static_cast<uint32_t>(std::min<size_t>(kBatchRows, rowids_.size() - at_));
    if (most == 1) return One(batch);
    for (ColumnVector& column : batch->columns) column.ResetCells(most);
    uint32_t n = 0;
    for (uint32_t i = 0; i < most; ++i) {
      TURDB_ASSIGN_OR_RETURN(const bool found, lookup_->Find(RowId(rowids_[at_++]), cells_.data()));
      if (!found) continue;
      for (size_t c = 0; c < cells_.size(); ++c) batch->columns[c].mutable_cells()[n] = cells_[c];
      ++n;
    }
    for (ColumnVector& column : batch->columns) NarrowCells(n, &column);
    batch->size = n;
    return Keep(batch);
  }

  absl::Status One(ColumnBatch* batch) {
    TURDB_ASSIGN_OR_RETURN(const bool found, lookup_->Find(RowId(rowids_[at_++]), cells_.data()));
    if (!found) return absl::OkStatus();
    for (size_t c = 0; c < cells_.size(); ++c) batch->columns[c].SetConstant(cells_[c]);
    batch->size = 1;
    return Keep(batch);
  }

  // Applies the filter.
  absl::Status Keep(ColumnBatch* batch) {
    if (filter_ == nullptr || batch->size == 0) return absl::OkStatus();
    kept_.resize(batch->size);
    uint32_t count = 0;
    TURDB_RETURN_IF_ERROR(filter_->EvalRows(FrameOf(*batch), kept_.data(), &count));
    if (count != batch->size && count > 0) {
      for (ColumnVector& column : batch->columns) {
        ColumnVector kept;
        kept.Gather(column, kept_.data(), count);
        column = std::move(kept);
      }
    }
    batch->size = count;
    return absl::OkStatus();
  }

  const PhysicalRowIdLookup& node_;
  std::vector<EvaluatorPtr> values_;
  EvaluatorPtr filter_;
  ExecContext* context_;
  std::unique_ptr<table::RowLookup> lookup_;
  Arena arena_;
  std::vector<int64_t> rowids_;
  size_t at_ = 0;
  std::vector<Cell> cells_;
  std::vector<uint32_t> kept_;
};

class IndexScanOperator : public Scan {
 public:
  IndexScanOperator(const PhysicalIndexScan& node, EvaluatorPtr filter, ExecContext* context)
      : Scan(std::move(filter), node.output.size(), context), node_(node) {}

  absl::Status Compile(Builder* builder) {
    TURDB_ASSIGN_OR_RETURN(prefix_, CompileAll(node_.prefix, builder));
    TURDB_ASSIGN_OR_RETURN(in_list_, CompileAll(node_.in_list, builder));
    TURDB_ASSIGN_OR_RETURN(lower_, CompileBound(node_.lower, builder));
    TURDB_ASSIGN_OR_RETURN(upper_, CompileBound(node_.upper, builder));
    return absl::OkStatus();
  }

  absl::Status Open() override {
    Start();
    range_ = {};
    arena_.Reset();
    is_done_ = false;
    for (size_t i = 0; i < prefix_.size(); ++i) {
      TURDB_ASSIGN_OR_RETURN(Value value, Evaluate(prefix_[i].get()));
      const bool is_null_safe = i < node_.prefix_is_null_safe.size() && node_.prefix_is_null_safe[i];
      if (value.is_null() && !is_null_safe) is_done_ = true;
      range_.prefix.push_back(std::move(value));
    }
    TURDB_RETURN_IF_ERROR(OpenBound(lower_, &range_.lower, &range_.lower_is_inclusive));
    TURDB_RETURN_IF_ERROR(OpenBound(upper_, &range_.upper, &range_.upper_is_inclusive));
    return in_list_.empty() ? absl::OkStatus() : OpenList();
  }

 private:
  absl::StatusOr<Value> Evaluate(Evaluator* evaluator) {
    Cell cell;
    TURDB_RETURN_IF_ERROR(EvalScalar(evaluator, &arena_, &cell));
    return Value::FromCell(cell);
  }

  absl::Status OpenBound(const BoundEvaluator& bound, std::optional<Value>* value, bool* is_inclusive) {
    if (bound.value == nullptr) return absl::OkStatus();
    TURDB_ASSIGN_OR_RETURN(*value, Evaluate(bound.value.get()));
    *is_inclusive = bound.is_inclusive;
    if ((*value)->is_null()) is_done_ = true;
    return absl::OkStatus();
  }

  // The values of the list in index order, each once.
  absl::Status OpenList() {
    list_.clear();
    next_ = 0;
    for (const EvaluatorPtr& evaluator : in_list_) {
      TURDB_ASSIGN_OR_RETURN(Value value, Evaluate(evaluator.get()));
      if (!value.is_null()) list_.push_back(std::move(value));
    }
    Collation collation = Collation::kBinary;
    bool is_descending = node_.is_descending;
    const size_t place = prefix_.size();
    if (node_.index != nullptr && place < node_.index->columns.size()) {
      collation = node_.index->columns[place].collation;
      is_descending = is_descending != node_.index->columns[place].is_descending;
    } else if (node_.index == nullptr && place < node_.table->primary_key.size()) {
      collation = node_.table->columns[node_.table->primary_key[place]].collation;
    }
    auto compare = [&](const Value& a, const Value& b) { return CompareCells(a.cell(), b.cell(), collation); };
    std::sort(list_.begin(), list_.end(),
              [&](const Value& a, const Value& b) { return is_descending ? compare(b, a) < 0 : compare(a, b) < 0; });
    list_.erase(std::unique(list_.begin(), list_.end(), [&](const Value& a, const Value& b) { return compare(a, b) == 0; }),
                list_.end());
    return absl::OkStatus();
  }

  absl::Status NextRange() override {
    if (is_done_) return absl::OkStatus();
    if (!in_list_.empty()) {
      if (next_ == list_.size()) return absl::OkStatus();
      range_.prefix.resize(prefix_.size());
      range_.prefix.push_back(list_[next_++]);
    } else {
      is_done_ = true;
    }
    TURDB_ASSIGN_OR_RETURN(scan_, table::ScanIndex(context_->txn, *node_.table, node_.index, node_.columns, range_, node_.is_descending));
    return absl::OkStatus();
  }

  const PhysicalIndexScan& node_;
  std::vector<EvaluatorPtr> prefix_, in_list_;
  BoundEvaluator lower_, upper_;
  Arena arena_;
  table::IndexRange range_;
  std::vector<Value> list_;
  size_t next_ = 0;
  bool is_done_ = false;
};

}  // namespace

BuiltOperator BuildTableScan(const PhysicalTableScan& node, Builder* builder) {
  TURDB_ASSIGN_OR_RETURN(BoundEvaluator lower, CompileBound(node.lower, builder));
  TURDB_ASSIGN_OR_RETURN(BoundEvaluator upper, CompileBound(node.upper, builder));
  TURDB_ASSIGN_OR_RETURN(EvaluatorPtr filter, CompileOptional(node.filter, builder));
  return OperatorPtr(std::make_unique<TableScanOperator>(node, std::move(lower), std::move(upper), std::move(filter), builder->context));
}

BuiltOperator BuildRowIdLookup(const PhysicalRowIdLookup& node, Builder* builder) {
  TURDB_ASSIGN_OR_RETURN(auto values, CompileAll(node.values, builder));
  TURDB_ASSIGN_OR_RETURN(EvaluatorPtr filter, CompileOptional(node.filter, builder));
  return OperatorPtr(std::make_unique<RowIdLookupOperator>(node, std::move(values), std::move(filter), builder->context));
}

BuiltOperator BuildIndexScan(const PhysicalIndexScan& node, Builder* builder) {
  TURDB_ASSIGN_OR_RETURN(EvaluatorPtr filter, CompileOptional(node.filter, builder));
  auto scan = std::make_unique<IndexScanOperator>(node, std::move(filter), builder->context);
  TURDB_RETURN_IF_ERROR(scan->Compile(builder));
  return OperatorPtr(std::move(scan));
}

}  // namespace turdb::sql
