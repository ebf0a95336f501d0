// TableFunction: the registry and its operator (sql/exec/table_function.h, operators.h).
#include "absl/container/flat_hash_map.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/exec/operators.h"
#include "sql/exec/row_store.h"
#include "sql/exec/table_function.h"

namespace turdb::sql {
namespace {

using Registry = absl::flat_hash_map<std::string, std::unique_ptr<TableFunction>>;

Registry& Functions() {
  static Registry* functions = [] {
    auto* all = new Registry();
    for (TableFunction f : {GenerateSeries(), JsonEach(), JsonTree()}) {
      std::string name = f.name;
      (*all)[name] = std::make_unique<TableFunction>(std::move(f));
    }
    return all;
  }();
  return *functions;
}

class TableFunctionOperator : public Operator {
 public:
  TableFunctionOperator(const TableFunction& function, std::vector<EvaluatorPtr> arguments, size_t width, ExecContext* context)
      : function_(function), arguments_(std::move(arguments)), width_(width), context_(context),
        cells_(std::max(width, function.columns)) {}

  absl::Status Open() override {
    arena_.Reset();
    values_.clear();
    for (const EvaluatorPtr& argument : arguments_) {
      Cell cell;
      TURDB_RETURN_IF_ERROR(EvalScalar(argument.get(), &arena_, &cell));
      values_.push_back(Value::FromCell(cell));
    }
    TURDB_ASSIGN_OR_RETURN(rows_, function_.open(context_, values_));
    batch_rows_ = kFirstBatchRows;
    return absl::OkStatus();
  }

  absl::Status Next(ColumnBatch* batch) override {
    Arena* arena = FreshArena(batch);
    TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
    batch->columns.resize(width_);
    batch->size = 0;
    for (ColumnVector& column : batch->columns) column.ResetCells(batch_rows_);
    while (batch->size < batch_rows_) {
      TURDB_ASSIGN_OR_RETURN(const bool has_row, rows_->Next(cells_.data(), arena));
      if (!has_row) break;
      for (size_t c = 0; c < width_; ++c) batch->columns[c].mutable_cells()[batch->size] = cells_[c];
      ++batch->size;
    }
    for (ColumnVector& column : batch->columns) NarrowCells(batch->size, &column);
    batch_rows_ = NextBatchRows(batch_rows_);
    return absl::OkStatus();
  }
  void Close() override { rows_.reset(); }

 private:
  const TableFunction& function_;
  std::vector<EvaluatorPtr> arguments_;
  size_t width_;
  ExecContext* context_;
  std::vector<Cell> cells_;
  std::vector<Value> values_;
  Arena arena_;
  std::unique_ptr<TableFunctionRows> rows_;
  uint32_t batch_rows_ = kFirstBatchRows;
};

}  // namespace

void RegisterTableFunction(TableFunction function) {
  std::string name = function.name;
  Functions()[name] = std::make_unique<TableFunction>(std::move(function));
}

const TableFunction* FindRowFunction(std::string_view name) {
  const auto found = Functions().find(ToAbsl(name));
  return found == Functions().end() ? nullptr : found->second.get();
}

BuiltOperator BuildTableFunction(const PhysicalTableFunction& node, Builder* builder) {
  const TableFunction* function = FindRowFunction(node.name);
  if (function == nullptr) return NameError("no such table function: ", node.name);
  TURDB_ASSIGN_OR_RETURN(auto arguments, CompileAll(node.arguments, builder));
  return OperatorPtr(
      std::make_unique<TableFunctionOperator>(*function, std::move(arguments), node.output.size(), builder->context));
}

}  // namespace turdb::sql
