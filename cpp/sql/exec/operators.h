// The makers of operators, one a file (op_*.cc); called by Builder::Build (build.cc) alone.
#pragma once

#include <memory>

#include "sql/exec/evaluator.h"
#include "sql/exec/operator.h"

namespace turdb::sql {

using OperatorPtr = std::unique_ptr<Operator>;
using BuiltOperator = absl::StatusOr<OperatorPtr>;

// Rows of the first batches of scans: a first row comes early, then batches grow to kBatchRows.
inline constexpr uint32_t kFirstBatchRows = 64;
inline uint32_t NextBatchRows(uint32_t rows) { return rows * 4 < kBatchRows ? rows * 4 : kBatchRows; }

BuiltOperator BuildTableScan(const PhysicalTableScan& node, Builder* builder);
BuiltOperator BuildRowIdLookup(const PhysicalRowIdLookup& node, Builder* builder);
BuiltOperator BuildIndexScan(const PhysicalIndexScan& node, Builder* builder);
BuiltOperator BuildVectorSearch(const PhysicalVectorSearch& node, Builder* builder);
BuiltOperator BuildValues(const PhysicalValues& node, Builder* builder);
BuiltOperator BuildTableFunction(const PhysicalTableFunction& node, Builder* builder);
BuiltOperator BuildFilter(const PhysicalFilter& node, Builder* builder);
BuiltOperator BuildProject(const PhysicalProject& node, Builder* builder);
BuiltOperator BuildNestedLoopJoin(const PhysicalNestedLoopJoin& node, Builder* builder);
BuiltOperator BuildHashJoin(const PhysicalHashJoin& node, Builder* builder);
BuiltOperator BuildAggregate(const PhysicalAggregate& node, Builder* builder);
BuiltOperator BuildWindow(const PhysicalWindow& node, Builder* builder);
BuiltOperator BuildDistinct(const PhysicalDistinct& node, Builder* builder);
BuiltOperator BuildSort(const PhysicalSort& node, Builder* builder);
BuiltOperator BuildLockRows(const PhysicalLockRows& node, Builder* builder);
BuiltOperator BuildLimit(const PhysicalLimit& node, Builder* builder);
BuiltOperator BuildSetOp(const PhysicalSetOp& node, Builder* builder);
BuiltOperator BuildMaterialize(const PhysicalMaterialize& node, Builder* builder);
BuiltOperator BuildCteScan(const PhysicalCteScan& node, Builder* builder);
BuiltOperator BuildRecursiveCte(const PhysicalRecursiveCte& node, Builder* builder);
BuiltOperator BuildInsert(const PhysicalInsert& node, Builder* builder);
BuiltOperator BuildUpdate(const PhysicalUpdate& node, Builder* builder);
BuiltOperator BuildDelete(const PhysicalDelete& node, Builder* builder);

// LIMIT and OFFSET as SQLite reads them: a value that is not an integer is a "datatype mismatch"; negative limit: no
// limit; negative offset: 0. Null evaluators give no limit and 0.
struct LimitRange {
  uint64_t limit = ~uint64_t{0};
  uint64_t offset = 0;
  uint64_t end() const { return limit > ~uint64_t{0} - offset ? ~uint64_t{0} : limit + offset; }
};
absl::StatusOr<LimitRange> EvalLimit(Evaluator* limit, Evaluator* offset);

}  // namespace turdb::sql
