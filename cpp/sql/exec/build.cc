// BuildOperators: a physical plan -> operators (sql/exec/operator.h), each wrapped in a stopwatch for EXPLAIN ANALYZE.
#include <algorithm>

#include "base/errors.h"
#include "base/out_of_memory.h"
#include "base/status_macros.h"
#include "sql/exec/operators.h"

namespace turdb::sql {
namespace {

// Counts and times one operator, its children included.
class Timed : public Operator {
 public:
  Timed(OperatorPtr inner, int id, ExecContext* context) : inner_(std::move(inner)), id_(id), context_(context) {}
  absl::Status Open() override {
    const auto start = std::chrono::steady_clock::now();
    absl::Status status = inner_->Open();
    ++Counters().opens;
    Stop(start);
    return status;
  }
  absl::Status Next(ColumnBatch* batch) override {
    const auto start = std::chrono::steady_clock::now();
    absl::Status status = inner_->Next(batch);
    if (status.ok() && batch->size > 0) {
      ++Counters().batches;
      Counters().rows += batch->size;
    }
    Stop(start);
    return status;
  }
  void Close() override { inner_->Close(); }

 private:
  NodeCounters& Counters() {
    if (context_->counters.size() <= static_cast<size_t>(id_)) context_->counters.resize(id_ + 1);
    return context_->counters[id_];
  }
  void Stop(std::chrono::steady_clock::time_point start) {
    Counters().nanos += std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start).count();
  }
  OperatorPtr inner_;
  int id_;
  ExecContext* context_;
};

// Tells the operators below that a new execution begins.
class Root : public Operator {
 public:
  Root(OperatorPtr inner, ExecContext* context) : inner_(std::move(inner)), context_(context) {}
  absl::Status Open() override {
    ++context_->execution;
    TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
    return inner_->Open();
  }
  absl::Status Next(ColumnBatch* batch) override { return inner_->Next(batch); }
  void Close() override {
    inner_->Close();
    for (const auto& close : context_->at_close) close();
  }

 private:
  OperatorPtr inner_;
  ExecContext* context_;
};

BuiltOperator BuildOne(const PhysicalNode& node, Builder* b) {
  switch (node.kind) {
    case PhysicalKind::kTableScan: return BuildTableScan(node.As<PhysicalTableScan>(), b);
    case PhysicalKind::kRowIdLookup: return BuildRowIdLookup(node.As<PhysicalRowIdLookup>(), b);
    case PhysicalKind::kIndexScan: return BuildIndexScan(node.As<PhysicalIndexScan>(), b);
    case PhysicalKind::kVectorSearch: return BuildVectorSearch(node.As<PhysicalVectorSearch>(), b);
    case PhysicalKind::kValues: return BuildValues(node.As<PhysicalValues>(), b);
    case PhysicalKind::kTableFunction: return BuildTableFunction(node.As<PhysicalTableFunction>(), b);
    case PhysicalKind::kFilter: return BuildFilter(node.As<PhysicalFilter>(), b);
    case PhysicalKind::kProject: return BuildProject(node.As<PhysicalProject>(), b);
    case PhysicalKind::kNestedLoopJoin: return BuildNestedLoopJoin(node.As<PhysicalNestedLoopJoin>(), b);
    case PhysicalKind::kHashJoin: return BuildHashJoin(node.As<PhysicalHashJoin>(), b);
    case PhysicalKind::kAggregate: return BuildAggregate(node.As<PhysicalAggregate>(), b);
    case PhysicalKind::kWindow: return BuildWindow(node.As<PhysicalWindow>(), b);
    case PhysicalKind::kDistinct: return BuildDistinct(node.As<PhysicalDistinct>(), b);
    case PhysicalKind::kSort: return BuildSort(node.As<PhysicalSort>(), b);
    case PhysicalKind::kLockRows: return BuildLockRows(node.As<PhysicalLockRows>(), b);
    case PhysicalKind::kLimit: return BuildLimit(node.As<PhysicalLimit>(), b);
    case PhysicalKind::kSetOp: return BuildSetOp(node.As<PhysicalSetOp>(), b);
    case PhysicalKind::kMaterialize: return BuildMaterialize(node.As<PhysicalMaterialize>(), b);
    case PhysicalKind::kCteScan: return BuildCteScan(node.As<PhysicalCteScan>(), b);
    case PhysicalKind::kRecursiveCte: return BuildRecursiveCte(node.As<PhysicalRecursiveCte>(), b);
    case PhysicalKind::kInsert: return BuildInsert(node.As<PhysicalInsert>(), b);
    case PhysicalKind::kUpdate: return BuildUpdate(node.As<PhysicalUpdate>(), b);
    case PhysicalKind::kDelete: return BuildDelete(node.As<PhysicalDelete>(), b);
  }
  return InternalError("no operator for plan node ", static_cast<int>(node.kind));
}

}  // namespace

absl::StatusOr<OperatorPtr> Builder::Build(const PhysicalNode& node) {
  TURDB_ASSIGN_OR_RETURN(OperatorPtr made, BuildOne(node, this));
  if (context->is_timed) made = std::make_unique<Timed>(std::move(made), node.id, context);
  return made;
}

absl::StatusOr<OperatorPtr> BuildOperators(const PhysicalNode& plan, ExecContext* context) {
  Builder builder;
  builder.context = context;
  TURDB_ASSIGN_OR_RETURN(OperatorPtr made, builder.Build(plan));
  return OperatorPtr(std::make_unique<Root>(std::move(made), context));
}

absl::Status ExecContext::CheckInterrupt() const {
  if (interrupted != nullptr && interrupted->load(std::memory_order_relaxed)) return InterruptedError("interrupted");
  if (IsMemoryLow()) TURDB_RETURN_IF_ERROR(CheckMemory());
  return progress ? progress() : absl::OkStatus();
}

void SetRegister(ExecContext* context, int register_index, const Cell& cell) {
  if (context->registers.size() <= static_cast<size_t>(register_index)) context->registers.resize(register_index + 1);
  context->registers[register_index] = Value::FromCell(cell);
}

}  // namespace turdb::sql
