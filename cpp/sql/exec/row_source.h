// RowSource: the one row that a statement changes, when `WHERE` names it by its rowid or by values of an index: read through
// the table's writer, which then knows where it is.
//
// Stands for the plan Project over RowIdLookup of one value, or over IndexScan of equal values, with its filter, below an
// UPDATE or DELETE of a table with rowids and without vectors. Not thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "sql/exec/evaluator.h"
#include "sql/plan/physical_plan.h"
#include "table/table_writer.h"

namespace turdb::sql {

class RowSource {
 public:
  // Null when the plan is another one. `wanted`: a bool a table column, those of the row that are read; empty when the plan
  // does not give the row.
  static absl::StatusOr<std::unique_ptr<RowSource>> Make(const PhysicalNode& source, const catalog::TableDef& table,
                                                         std::vector<bool> wanted, Builder* builder);

  // kNone: no such row, or the filter leaves it out. kSeveral: the plan has to be run. Bytes of the row live in the arena.
  enum class Found : uint8_t { kNone, kOne, kSeveral };
  absl::StatusOr<Found> Find(table::TableWriter* writer, Arena* arena);
  bool may_be_several() const { return index_ != nullptr; }
  RowId rowid() const { return rowid_; }
  const std::vector<Cell>& row() const { return row_; }  // of the row found: a cell per table column, NULL for those not read
  // Output i of the plan, for the row found.
  absl::Status Eval(size_t i, Cell* value);

 private:
  explicit RowSource(const catalog::TableDef& table) : table_(table) {}
  bool Takes(const PhysicalNode& scan);  // notes what to look for
  absl::Status Prepare(const PhysicalProject& project, std::vector<bool> wanted, Builder* builder);
  absl::StatusOr<Found> FindRowId(table::TableWriter* writer, Arena* arena);
  void Want(const std::vector<int>& slots);

  const catalog::TableDef& table_;
  const catalog::IndexDef* index_ = nullptr;   // null: by rowid
  const std::vector<ExprPtr>* values_ = nullptr;  // of the index's first columns, or the rowid
  const std::vector<int>* read_columns_ = nullptr;
  const ExprPtr* predicate_ = nullptr;
  std::vector<EvaluatorPtr> keys_;
  std::vector<Cell> key_cells_;
  EvaluatorPtr filter_;
  std::vector<EvaluatorPtr> outputs_;
  std::vector<bool> wanted_;    // by table column
  std::vector<int> used_slots_;  // of read_columns_, that expressions read
  RowId rowid_;
  std::vector<Cell> row_;
  std::vector<ColumnVector> columns_;  // as the expressions see them
  Frame frame_;                        // of the row found
};

// The rowid that a value names, when it names one: 5, 5.0 and '5' do, 5.5 and 'x' do not.
bool RowIdOf(const Cell& cell, int64_t* rowid);

}  // namespace turdb::sql
