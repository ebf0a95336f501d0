#include "engine/insert_batch.h"

#include <algorithm>

namespace turdb::engine {
namespace {

// A column of one parameter, typed when all its values are integers or all are reals.
void FillColumn(absl::Span<const std::vector<Value>> rows, uint32_t parameter, ColumnVector* column) {
  const auto n = static_cast<uint32_t>(rows.size());
  auto all = [&](StorageClass type) {
    return std::all_of(rows.begin(), rows.end(), [&](const std::vector<Value>& row) { return row[parameter].type() == type; });
  };
  if (all(StorageClass::kInteger)) {
    int64_t* values = column->ResetInt64(n);
    for (uint32_t i = 0; i < n; ++i) values[i] = rows[i][parameter].cell().integer;
  } else if (all(StorageClass::kReal)) {
    double* values = column->ResetDouble(n);
    for (uint32_t i = 0; i < n; ++i) values[i] = rows[i][parameter].cell().real;
  } else {
    Cell* values = column->ResetCells(n);
    for (uint32_t i = 0; i < n; ++i) values[i] = rows[i][parameter].cell();
  }
}

}  // namespace

bool InsertBatch::Takes(const sql::PhysicalPlan& plan) {
  if (plan.root->kind != sql::PhysicalKind::kInsert) return false;
  const auto& insert = plan.root->As<sql::PhysicalInsert>();
  const sql::PhysicalNode& source = *insert.children[0];
  if (source.kind != sql::PhysicalKind::kValues || source.As<sql::PhysicalValues>().rows.size() != 1) return false;
  if (!insert.upserts.empty() || insert.returning.is_present || insert.on_conflict != catalog::ConflictAction::kDefault) return false;
  const catalog::TableDef& table = *insert.table;
  if (table.primary_key_action != catalog::ConflictAction::kDefault || !IsPlainTable(table, *plan.bound.catalog)) return false;
  for (const catalog::IndexDef& index : table.indexes) {
    if (index.conflict_action != catalog::ConflictAction::kDefault) return false;
  }
  for (const catalog::ColumnDef& column : table.columns) {
    if (column.type.is_vector() || column.not_null_action != catalog::ConflictAction::kDefault) return false;
  }
  const auto& values = source.As<sql::PhysicalValues>().rows[0];
  return std::all_of(values.begin(), values.end(), [](const sql::ExprPtr& expr) { return expr->kind == sql::BoundKind::kParameter; });
}

InsertBatch::InsertBatch(const sql::PhysicalPlan& plan) : insert_(plan.root->As<sql::PhysicalInsert>()) {
  for (const sql::ExprPtr& expr : insert_.children[0]->As<sql::PhysicalValues>().rows[0]) parameters_.push_back(expr->parameter - 1);
}

void InsertBatch::Add(const std::vector<Value>& parameters) {
  if (n_ == rows_.size()) rows_.emplace_back();
  rows_[n_++] = parameters;
}

absl::Status InsertBatch::AppendTo(txn::Transaction* txn, ConnectionState* state) {
  std::vector<ColumnVector> columns(parameters_.size());
  std::vector<Connection::AppendColumn> given(parameters_.size());
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const int column = insert_.target_columns[i];
    FillColumn(rows(), parameters_[i], &columns[i]);
    given[i].name = column < 0 ? std::string("rowid") : insert_.table->columns[static_cast<size_t>(column)].name;
    given[i].values = &columns[i];
  }
  return AppendPlain(txn, *insert_.table, static_cast<uint32_t>(n_), given, state);
}

}  // namespace turdb::engine
