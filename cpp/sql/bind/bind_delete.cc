// DELETE: the keys of the rows to go, or the whole rows when RETURNING shows them.
#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/bind/binding.h"

namespace turdb::sql {

absl::Status Binding::BindDelete(const Delete& statement) {
  CteFrame frame;
  Restore<CteFrame*> outside(&cte_frame_, cte_frame_);
  if (statement.with != nullptr) TURDB_RETURN_IF_ERROR(PushWith(statement.with, nullptr, &frame));
  std::unique_ptr<Scope> scope = NewScope(nullptr);
  WriteSource source{statement.table, nullptr, statement.where, &statement.order_by, statement.limit, statement.offset};
  TURDB_ASSIGN_OR_RETURN(LogicalPtr root, BindWriteSource(scope.get(), source));
  auto node = std::make_unique<LogicalDelete>();
  const catalog::TableDef& table = *scope->sources[0].table;
  node->table = &table;
  node->row_columns = NewRowColumns(table, "");
  node->row_expressions.row_columns = node->row_columns;
  TURDB_RETURN_IF_ERROR(BindRowExpressions(table, true, &node->row_expressions));
  TURDB_RETURN_IF_ERROR(BindReturning(statement.returning, table, node->row_columns, &node->returning));
  node->is_whole_table = statement.where == nullptr && statement.limit == nullptr && statement.offset == nullptr &&
                         !node->returning.is_present && catalog_->TriggersOf(table).empty();
  if (!node->is_whole_table) {
    if (node->returning.is_present) {
      root = ProjectRow(scope.get(), std::move(root), {&node->row_expressions, &node->returning}, {});
    } else {
      root = ProjectKey(scope.get(), std::move(root));
    }
    if (statement.with != nullptr) root = PopWith(&frame, std::move(root));
    node->children.push_back(std::move(root));
  }
  bound_.root = std::move(node);
  return absl::OkStatus();
}

// The rowid, or the columns of the primary key in its order.
LogicalPtr Binding::ProjectKey(Scope* scope, LogicalPtr input) {
  const catalog::TableDef& table = *scope->sources[0].table;
  std::vector<int> key = table.primary_key;
  if (!table.is_without_rowid) key = {RowIdColumnOf(table)};
  auto project = std::make_unique<LogicalProject>();
  for (int column : key) {
    project->exprs.push_back(SourceColumn(scope, 0, column, {}));
    project->output.push_back(NewColumn(bound_.column_names[project->exprs.back()->column.value()]));
  }
  project->children.push_back(std::move(input));
  return project;
}

}  // namespace turdb::sql
