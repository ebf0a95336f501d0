// CREATE TABLE AS SELECT: the select runs on the catalog before the statement, its batches go into the new table.
#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/bind/bind_schema.h"
#include "sql/exec/operator.h"
#include "sql/exec/schema_statements.h"
#include "sql/plan/planner.h"
#include "sql/plan/tree_statistics.h"

namespace turdb::sql {
namespace {

bool HasVectors(const catalog::TableDef& table) {
  for (const catalog::ColumnDef& column : table.columns) {
    if (column.type.is_vector()) return true;
  }
  return false;
}

// Puts batches into a table that nobody else knows yet.
class Filler {
 public:
  Filler(const catalog::TableDef& table, SchemaStatement* statement)
      : table_(table), statement_(statement), is_plain_(!HasVectors(table)) {}

  absl::Status Start() {
    TURDB_ASSIGN_OR_RETURN(expressions_, TableExpressions::Make(table_, statement_));
    if (is_plain_) return absl::OkStatus();
    TURDB_ASSIGN_OR_RETURN(writer_, table::NewTableWriter(statement_->txn(), table_));
    return absl::OkStatus();
  }

  absl::Status Add(const ColumnBatch& batch) {
    return is_plain_ ? AddColumns(batch) : AddRows(batch);
  }

 private:
  // A column's affinity is that of the expression it comes from, so that its values are as they have to be already,
  // but for NUM, whose expressions may give text.
  absl::Status AddColumns(const ColumnBatch& batch) {
    shaped_.resize(batch.columns.size());
    arena_.Reset();
    table::AppendBlock block;
    block.rows = batch.size;
    for (size_t c = 0; c < batch.columns.size(); ++c) {
      TURDB_ASSIGN_OR_RETURN(const ColumnVector* column, Shape(static_cast<int>(c), batch));
      block.columns.push_back(column);
    }
    return table::AppendRows(statement_->txn(), table_, block, nullptr, nullptr);
  }

  absl::StatusOr<const ColumnVector*> Shape(int c, const ColumnBatch& batch) {
    const ColumnVector& from = batch.columns[c];
    const bool is_kept = table_.columns[c].type.affinity == Affinity::kBlob ||
                         (from.layout() == ColumnVector::Layout::kInt64 && table_.columns[c].type.affinity == Affinity::kInteger);
    if (is_kept) return &from;
    Cell* cells = shaped_[c].ResetCells(batch.size);
    for (uint32_t i = 0; i < batch.size; ++i) {
      TURDB_RETURN_IF_ERROR(expressions_->shaper->Store(c, from.Get(i), &arena_));
      cells[i] = expressions_->shaper->row()[c];
    }
    return &shaped_[c];
  }

  absl::Status AddRows(const ColumnBatch& batch) {
    RowShaper& shaper = *expressions_->shaper;
    for (uint32_t i = 0; i < batch.size; ++i) {
      arena_.Reset();
      for (size_t c = 0; c < batch.columns.size(); ++c) {
        TURDB_RETURN_IF_ERROR(shaper.Store(static_cast<int>(c), batch.columns[c].Get(i), &arena_));
      }
      TURDB_ASSIGN_OR_RETURN(const RowId rowid, writer_->NextRowId());
      TURDB_RETURN_IF_ERROR(writer_->Insert(rowid, {shaper.row().data(), table_.columns.size()}));
    }
    return absl::OkStatus();
  }

  const catalog::TableDef& table_;
  SchemaStatement* statement_;
  const bool is_plain_;
  std::unique_ptr<TableExpressions> expressions_;
  std::unique_ptr<table::TableWriter> writer_;
  std::vector<ColumnVector> shaped_;
  Arena arena_;
};

absl::Status RunInto(const PhysicalPlan& plan, ExecContext* context, Filler* filler) {
  context->registers.resize(static_cast<size_t>(plan.register_count));
  context->counters.resize(static_cast<size_t>(plan.node_count));
  TURDB_ASSIGN_OR_RETURN(auto root, BuildOperators(*plan.root, context));
  TURDB_RETURN_IF_ERROR(root->Open());
  TURDB_RETURN_IF_ERROR(filler->Start());
  ColumnBatch batch;
  absl::Status status;
  while (status.ok()) {
    status = root->Next(&batch);
    if (!status.ok() || batch.size == 0) break;
    status = filler->Add(batch);
  }
  root->Close();
  return status;
}

}  // namespace

absl::Status ExecuteCreateTableAs(const CreateTable& create, SchemaStatement* statement) {
  const ParsedStatement& parsed = statement->parsed;
  ParsedStatement select;  // a view of the tree: the nodes stay those of `parsed`
  select.text = parsed.text;
  select.statement = create.as_select;
  select.parameter_count = parsed.parameter_count;
  select.parameter_names = parsed.parameter_names;
  TURDB_ASSIGN_OR_RETURN(BoundStatement bound, Bind(select, statement->context->exec->catalog, statement->bind_options()));
  TURDB_ASSIGN_OR_RETURN(NewTable made, BindCreateTableAs(create, bound.columns, statement->catalog()));
  TreeStatistics statistics(statement->txn());
  TURDB_ASSIGN_OR_RETURN(auto plan, PlanStatement(std::move(bound), PlannerOptions{&statistics, {}}));
  TURDB_ASSIGN_OR_RETURN(const catalog::TableDef table,
                         catalog::CreateTable(statement->cache(), statement->txn(), std::move(made.table)));
  Filler filler(table, statement);
  return RunInto(*plan, statement->context->exec, &filler);
}

}  // namespace turdb::sql
