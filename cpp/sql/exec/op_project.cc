// Project, Filter, Limit and Values (sql/exec/operators.h).
#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/exec/cell_ops.h"
#include "sql/exec/operators.h"
#include "sql/exec/row_store.h"
#include "types/number_text.h"

namespace turdb::sql {
namespace {

class Project : public Operator {
 public:
  Project(OperatorPtr child, std::vector<EvaluatorPtr> exprs) : child_(std::move(child)), exprs_(std::move(exprs)) {}
  absl::Status Open() override { return child_->Open(); }
  absl::Status Next(ColumnBatch* batch) override {
    Release(batch);
    batch->columns.resize(exprs_.size());
    TURDB_RETURN_IF_ERROR(child_->Next(&input_));
    batch->size = input_.size;
    batch->arena = input_.arena;
    if (input_.size == 0) return absl::OkStatus();
    const Frame frame = FrameOf(input_);
    for (size_t i = 0; i < exprs_.size(); ++i) {
      const ColumnVector* value = nullptr;
      TURDB_RETURN_IF_ERROR(exprs_[i]->Eval(frame, &value));
      batch->columns[i].Reference(*value);
    }
    return absl::OkStatus();
  }
  void Close() override { child_->Close(); }

 private:
  OperatorPtr child_;
  std::vector<EvaluatorPtr> exprs_;
  ColumnBatch input_;
};

class Filter : public Operator {
 public:
  Filter(OperatorPtr child, EvaluatorPtr predicate, ExecContext* context)
      : child_(std::move(child)), predicate_(std::move(predicate)), context_(context) {}
  absl::Status Open() override { return child_->Open(); }
  absl::Status Next(ColumnBatch* batch) override {
    for (;;) {
      Release(batch);
      TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
      TURDB_RETURN_IF_ERROR(child_->Next(&input_));
      uint32_t count = 0;
      if (input_.size > 0) {
        rows_.resize(input_.size);
        TURDB_RETURN_IF_ERROR(predicate_->EvalRows(FrameOf(input_), rows_.data(), &count));
        if (count == 0) continue;
      }
      Forward(input_, rows_.data(), count, batch);
      return absl::OkStatus();
    }
  }
  void Close() override { child_->Close(); }

 private:
  OperatorPtr child_;
  EvaluatorPtr predicate_;
  ExecContext* context_;
  ColumnBatch input_;
  std::vector<uint32_t> rows_;
};

class Limit : public Operator {
 public:
  Limit(OperatorPtr child, EvaluatorPtr limit, EvaluatorPtr offset)
      : child_(std::move(child)), limit_(std::move(limit)), offset_(std::move(offset)) {}
  absl::Status Open() override {
    TURDB_ASSIGN_OR_RETURN(range_, EvalLimit(limit_.get(), offset_.get()));
    to_skip_ = range_.offset;
    left_ = range_.limit;
    return child_->Open();
  }
  absl::Status Next(ColumnBatch* batch) override {
    batch->size = 0;
    while (left_ > 0) {
      TURDB_RETURN_IF_ERROR(child_->Next(batch));
      if (batch->size == 0) return absl::OkStatus();
      const uint32_t skipped = static_cast<uint32_t>(std::min<uint64_t>(to_skip_, batch->size));
      to_skip_ -= skipped;
      const uint32_t kept = static_cast<uint32_t>(std::min<uint64_t>(left_, batch->size - skipped));
      if (kept == 0) continue;
      left_ -= kept;
      if (skipped > 0) Shift(batch, skipped, kept);
      batch->size = kept;
      return absl::OkStatus();
    }
    batch->size = 0;
    return absl::OkStatus();
  }
  void Close() override { child_->Close(); }

 private:
  void Shift(ColumnBatch* batch, uint32_t first, uint32_t count) {
    rows_.resize(count);
    for (uint32_t i = 0; i < count; ++i) rows_[i] = first + i;
    for (ColumnVector& column : batch->columns) {
      ColumnVector moved;
      moved.Gather(column, rows_.data(), count);
      column = std::move(moved);
    }
  }
  OperatorPtr child_;
  EvaluatorPtr limit_, offset_;
  LimitRange range_;
  uint64_t to_skip_ = 0, left_ = 0;
  std::vector<uint32_t> rows_;
};

class Values : public Operator {
 public:
  Values(std::vector<std::vector<EvaluatorPtr>> rows, size_t width, ExecContext* context)
      : rows_(std::move(rows)), width_(width), context_(context) {}
  absl::Status Open() override {
    at_ = 0;
    return absl::OkStatus();
  }
  absl::Status Next(ColumnBatch* batch) override {
    Arena* arena = FreshArena(batch);
    TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
    batch->size = static_cast<uint32_t>(std::min<size_t>(kBatchRows, rows_.size() - at_));
    batch->columns.resize(width_);
    if (batch->size == 1) return OneRow(batch, arena);
    for (size_t c = 0; c < width_ && batch->size > 0; ++c) {
      Cell* to = batch->columns[c].ResetCells(batch->size);
      for (uint32_t i = 0; i < batch->size; ++i) TURDB_RETURN_IF_ERROR(EvalScalar(rows_[at_ + i][c].get(), arena, &to[i]));
      NarrowCells(batch->size, &batch->columns[c]);
    }
    at_ += batch->size;
    return absl::OkStatus();
  }

 private:
  absl::Status OneRow(ColumnBatch* batch, Arena* arena) {
    for (size_t c = 0; c < width_; ++c) {
      Cell cell;
      TURDB_RETURN_IF_ERROR(EvalScalar(rows_[at_][c].get(), arena, &cell));
      batch->columns[c].SetConstant(cell);
    }
    ++at_;
    return absl::OkStatus();
  }
  std::vector<std::vector<EvaluatorPtr>> rows_;
  size_t width_;
  ExecContext* context_;
  size_t at_ = 0;
};

}  // namespace

absl::StatusOr<LimitRange> EvalLimit(Evaluator* limit, Evaluator* offset) {
  LimitRange range;
  Arena arena;
  for (Evaluator* evaluator : {limit, offset}) {
    if (evaluator == nullptr) continue;
    Cell cell;
    TURDB_RETURN_IF_ERROR(EvalScalar(evaluator, &arena, &cell));
    cell = TextToNumberIfWhole(cell);
    int64_t value = cell.integer;
    if (!cell.is_integer() && !(cell.is_real() && RealIsInteger(cell.real, &value))) return ConstraintError(ConstraintKind::kDataType, "datatype mismatch");
    if (evaluator == limit) {
      range.limit = value < 0 ? ~uint64_t{0} : static_cast<uint64_t>(value);
    } else {
      range.offset = value < 0 ? 0 : static_cast<uint64_t>(value);
    }
  }
  return range;
}

BuiltOperator BuildProject(const PhysicalProject& node, Builder* builder) {
  TURDB_ASSIGN_OR_RETURN(OperatorPtr child, builder->Build(*node.children[0]));
  TURDB_ASSIGN_OR_RETURN(auto exprs, CompileAll(node.exprs, builder));
  return OperatorPtr(std::make_unique<Project>(std::move(child), std::move(exprs)));
}

BuiltOperator BuildFilter(const PhysicalFilter& node, Builder* builder) {
  TURDB_ASSIGN_OR_RETURN(OperatorPtr child, builder->Build(*node.children[0]));
  TURDB_ASSIGN_OR_RETURN(EvaluatorPtr predicate, Compile(*node.predicate, builder));
  return OperatorPtr(std::make_unique<Filter>(std::move(child), std::move(predicate), builder->context));
}

BuiltOperator BuildLimit(const PhysicalLimit& node, Builder* builder) {
  TURDB_ASSIGN_OR_RETURN(OperatorPtr child, builder->Build(*node.children[0]));
  TURDB_ASSIGN_OR_RETURN(EvaluatorPtr limit, CompileOptional(node.limit, builder));
  TURDB_ASSIGN_OR_RETURN(EvaluatorPtr offset, CompileOptional(node.offset, builder));
  return OperatorPtr(std::make_unique<Limit>(std::move(child), std::move(limit), std::move(offset)));
}

BuiltOperator BuildValues(const PhysicalValues& node, Builder* builder) {
  std::vector<std::vector<EvaluatorPtr>> rows;
  for (const auto& row : node.rows) {
    TURDB_ASSIGN_OR_RETURN(auto compiled, CompileAll(row, builder));
    rows.push_back(std::move(compiled));
  }
  return OperatorPtr(std::make_unique<Values>(std::move(rows), node.output.size(), builder->context));
}

}  // namespace turdb::sql
