// RowShaper: makes a row fit its table: affinities, STRICT types, vectors, generated columns, NOT NULL and CHECK.
//
// Works on one row of cells laid out as the write nodes' expressions see it (physical_plan.h): [0, n) the table's columns,
// n the rowid, then for upserts n excluded columns and the excluded rowid. Not thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "sql/exec/evaluator.h"
#include "sql/exec/kept_rows.h"
#include "sql/plan/physical_plan.h"
#include "table/table_writer.h"

namespace turdb::sql {

class RowShaper {
 public:
  static absl::StatusOr<std::unique_ptr<RowShaper>> Make(const catalog::TableDef& table, const RowExpressions& expressions,
                                                         Builder* builder);

  size_t width() const { return table_.columns.size(); }
  std::vector<Cell>& row() { return row_; }
  Cell& rowid() { return row_[width()]; }
  // row()[column] = value as the column takes it. kBadValue, kDimension, kConstraint (STRICT).
  absl::Status Store(int column, const Cell& value, Arena* arena);
  // rowid() = value; "datatype mismatch" when it is no integer. The alias column shows it too.
  absl::Status StoreRowId(const Cell& value);
  bool has_generated() const { return !generated_.empty(); }
  bool IsGenerated(int column) const { return table_.columns[column].generated != catalog::GeneratedKind::kNone; }
  absl::Status Generate(Arena* arena);
  // NOT NULL, then CHECK. False: the row is to be left out (OR IGNORE). `defaults` are what OR REPLACE puts for NULL.
  // With `changed`, a bool a column, only those are looked at for NULL: others may not have been read.
  absl::StatusOr<bool> Check(catalog::ConflictAction action, const std::vector<EvaluatorPtr>& defaults, Arena* arena,
                             const std::vector<bool>* changed = nullptr);

  // Over the row as it is. Bytes live in `arena` or with the row.
  absl::Status Eval(Evaluator* evaluator, Arena* arena, Cell* value);
  table::IndexExpressions IndexCallback();
  // The columns that generated columns, checks and index expressions read.
  void CollectSlots(std::vector<int>* slots) const;

 private:
  RowShaper(const catalog::TableDef& table, ExecContext* context);
  absl::Status CheckStrict(int column, const Cell& value) const;
  absl::StatusOr<bool> EvalIndex(const catalog::IndexDef& index, RowId rowid, absl::Span<const Cell> row, Cell* key);

  struct NamedCheck {
    std::string name;
    EvaluatorPtr expr;
  };
  struct GeneratedColumn {
    int column;
    EvaluatorPtr expr;
  };
  struct IndexExprs {
    const catalog::IndexDef* index;
    std::vector<EvaluatorPtr> columns;
    EvaluatorPtr where;
  };
  const catalog::TableDef& table_;
  ExecContext* context_;
  std::vector<NamedCheck> checks_;
  std::vector<GeneratedColumn> generated_;
  std::vector<IndexExprs> indexes_;
  std::vector<int> not_null_;  // columns
  std::vector<Cell> row_;
  std::vector<ColumnVector> columns_;
  Arena index_arena_;
};

// A constraint failed under `action`: notes in the context what is to become of the transaction, and gives the error.
absl::Status Fail(ExecContext* context, catalog::ConflictAction action, absl::Status error);
// The statement's OR clause, else the constraint's own, else ABORT.
inline catalog::ConflictAction ActionOf(catalog::ConflictAction statement, catalog::ConflictAction constraint) {
  if (statement != catalog::ConflictAction::kDefault) return statement;
  return constraint != catalog::ConflictAction::kDefault ? constraint : catalog::ConflictAction::kAbort;
}
catalog::ConflictAction ActionOfConflict(const catalog::TableDef& table, const table::Conflict& conflict,
                                         catalog::ConflictAction statement);
// Copies the bytes: what a cell points to may change while rows are written.
Cell KeepCell(const Cell& cell, Arena* arena);

// RETURNING: rows are computed as they are written and handed out when all are.
class ReturnedRows {
 public:
  absl::Status Compile(const Returning& returning, Builder* builder);
  bool is_present() const { return is_present_; }
  const std::vector<EvaluatorPtr>& exprs() const { return exprs_; }
  void Reset();
  absl::Status Add(RowShaper* shaper, Arena* arena);
  absl::Status Emit(ColumnBatch* batch);
  void Close();

 private:
  bool is_present_ = false;
  std::vector<EvaluatorPtr> exprs_;
  std::vector<Cell> cells_;
  std::unique_ptr<KeptRows> rows_;  // when present
  uint64_t emitted_ = 0;
};

}  // namespace turdb::sql
