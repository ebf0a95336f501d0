// UPDATE: the rows to change with their new values.
#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/bind/binding.h"
#include "sql/bind/walk.h"

namespace turdb::sql {

// SET a = 1, (b, c) = (2, 3), (d, e) = (SELECT ..). Of several assignments to a column the last one counts.
absl::Status Binding::BindAssignments(const List<Assignment>& assignments, const catalog::TableDef& table,
                                      std::vector<std::pair<int, ExprPtr>>* out) {
  for (const Assignment& assignment : assignments) {
    const size_t width = assignment.columns.size();
    std::vector<ExprPtr> values;
    if (!assignment.is_row || width == 1) {
      const bool is_row = assignment.is_row && assignment.value->kind == ExprKind::kRow;
      if (is_row) return Misuse(Cat("1 columns assigned ", RowWidth(*assignment.value), " values"), assignment.value->pos);
      TURDB_ASSIGN_OR_RETURN(ExprPtr value, BindExpr(*assignment.value));
      values.push_back(std::move(value));
    } else {
      const size_t given = RowWidth(*assignment.value);
      if (given != width && given != 0) {
        return Misuse(Cat(width, " columns assigned ", given, " values"), assignment.value->pos);
      }
      TURDB_ASSIGN_OR_RETURN(values, BindRow(*assignment.value, width));
    }
    for (size_t i = 0; i < width; ++i) {
      TURDB_ASSIGN_OR_RETURN(const int column, ColumnToWrite(assignment.columns[i], table, false));
      const auto earlier =
          std::find_if(out->begin(), out->end(), [&](const auto& assigned) { return assigned.first == column; });
      if (earlier != out->end()) out->erase(earlier);
      out->emplace_back(column, std::move(values[i]));
    }
  }
  return absl::OkStatus();
}

// The target first in FROM, then what UPDATE .. FROM adds; filtered, ordered, limited.
absl::StatusOr<LogicalPtr> Binding::BindWriteSource(Scope* scope, const WriteSource& source) {
  const NamedTableRef& target = *source.target;
  TURDB_ASSIGN_OR_RETURN(const catalog::TableDef* table, TableToWrite(target.name));
  TURDB_ASSIGN_OR_RETURN(LogicalPtr root, BindStoredTable(scope, target, *table));
  std::vector<ExprPtr> conditions;
  if (source.from != nullptr) {
    TURDB_ASSIGN_OR_RETURN(LogicalPtr from, BindFromClause(scope, *source.from, &conditions));
    auto join = std::make_unique<LogicalJoin>();
    join->children.push_back(std::move(root));
    join->children.push_back(std::move(from));
    root = std::move(join);
  }
  Restore<Scope*> inside(&scope_, scope);
  TURDB_ASSIGN_OR_RETURN(root, BindWhere(std::move(root), source.where, std::move(conditions)));
  if (!source.order_by->empty()) {
    if (source.limit == nullptr) return Misuse("ORDER BY without LIMIT on a write", target.pos);
    auto sort = std::make_unique<LogicalSort>();
    TURDB_RETURN_IF_ERROR(BindSortKeys(*source.order_by, &sort->keys));
    sort->children.push_back(std::move(root));
    root = std::move(sort);
  }
  return BindLimit(std::move(root), source.limit, source.offset);
}

// The target's columns, its rowid, then `values`. NULL stands for the rowid of a WITHOUT ROWID table, and for vectors
// that no expression of the write reads: they are large, and lie apart from the row.
LogicalPtr Binding::ProjectRow(Scope* scope, LogicalPtr input, const WrittenRow& row, std::vector<ExprPtr> values) {
  const catalog::TableDef& table = *scope->sources[0].table;
  auto project = std::make_unique<LogicalProject>();
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const bool is_read = !table.columns[i].type.is_vector() || ReadsColumn(row, row.expressions->row_columns[i]);
    project->exprs.push_back(is_read ? SourceColumn(scope, 0, static_cast<int>(i), {}) : NewConstant(Value()));
  }
  project->exprs.push_back(table.is_without_rowid ? NewConstant(Value())
                                                  : SourceColumn(scope, 0, RowIdColumnOf(table), {}));
  for (ExprPtr& value : values) project->exprs.push_back(std::move(value));
  for (size_t i = 0; i < project->exprs.size(); ++i) {
    const size_t columns = table.columns.size();
    project->output.push_back(
        NewColumn(i < columns ? std::string_view(table.columns[i].name) : i == columns ? "rowid" : "new value"));
  }
  project->children.push_back(std::move(input));
  return project;
}

// UPDATE .. FROM may meet a row several times; one of them is taken.
LogicalPtr Binding::OncePerRow(LogicalPtr project, const catalog::TableDef& table) {
  auto node = std::make_unique<LogicalAggregate>();
  const auto is_key = [&](size_t i) {
    if (!table.is_without_rowid) return i == table.columns.size();
    return std::find(table.primary_key.begin(), table.primary_key.end(), static_cast<int>(i)) != table.primary_key.end();
  };
  const std::vector<ColumnId>& in = project->output;
  auto order = std::make_unique<LogicalProject>();
  order->exprs.resize(in.size());
  for (const bool keys : {true, false}) {
    for (size_t i = 0; i < in.size(); ++i) {
      if (is_key(i) != keys) continue;
      OutColumn column;
      column.id = in[i];
      OutColumn result;
      result.id = NewColumn(bound_.column_names[in[i].value()]);
      node->output.push_back(result.id);
      order->exprs[i] = NewColumnExpr(result);
      if (keys) {
        node->groups.push_back(NewColumnExpr(column));
        node->group_collations.push_back(Collation::kBinary);
        continue;
      }
      AggregateCall bare;
      bare.args.push_back(NewColumnExpr(column));
      bare.output = result.id;
      node->aggregates.push_back(std::move(bare));
    }
  }
  for (ColumnId id : in) order->output.push_back(NewColumn(bound_.column_names[id.value()]));
  node->children.push_back(std::move(project));
  order->children.push_back(std::move(node));
  return order;
}

bool Binding::ReadsColumn(const WrittenRow& row, ColumnId id) {
  bool is_read = false;
  const auto look = [&](ExprPtr* expr) {
    std::vector<ColumnId> columns;
    CollectColumns(**expr, &columns);
    // What a subquery reads is not known yet.
    is_read = is_read || HasSubquery(**expr) || std::find(columns.begin(), columns.end(), id) != columns.end();
  };
  VisitRowExprs(row.expressions, look);
  for (ExprPtr& expr : row.returning->exprs) look(&expr);
  return is_read;
}

absl::Status Binding::BindUpdate(const Update& update) {
  CteFrame frame;
  Restore<CteFrame*> outside(&cte_frame_, cte_frame_);
  if (update.with != nullptr) TURDB_RETURN_IF_ERROR(PushWith(update.with, nullptr, &frame));
  std::unique_ptr<Scope> scope = NewScope(nullptr);
  WriteSource source{update.table, update.from, update.where, &update.order_by, update.limit, update.offset};
  TURDB_ASSIGN_OR_RETURN(LogicalPtr root, BindWriteSource(scope.get(), source));
  auto node = std::make_unique<LogicalUpdate>();
  node->table = scope->sources[0].table;
  node->on_conflict = static_cast<catalog::ConflictAction>(update.on_conflict);
  std::vector<std::pair<int, ExprPtr>> assignments;
  {
    Restore<Scope*> inside(&scope_, scope.get());
    TURDB_RETURN_IF_ERROR(BindAssignments(update.assignments, *node->table, &assignments));
  }
  std::vector<ExprPtr> values;
  for (auto& [column, value] : assignments) {
    node->assigned_columns.push_back(column);
    values.push_back(std::move(value));
  }
  node->row_expressions.row_columns = NewRowColumns(*node->table, "");
  TURDB_RETURN_IF_ERROR(BindRowExpressions(*node->table, false, &node->row_expressions));
  TURDB_RETURN_IF_ERROR(
      BindReturning(update.returning, *node->table, node->row_expressions.row_columns, &node->returning));
  const WrittenRow row{&node->row_expressions, &node->returning};
  root = ProjectRow(scope.get(), std::move(root), row, std::move(values));
  if (update.from != nullptr) root = OncePerRow(std::move(root), *node->table);
  if (update.with != nullptr) root = PopWith(&frame, std::move(root));
  node->children.push_back(std::move(root));
  bound_.root = std::move(node);
  return absl::OkStatus();
}

}  // namespace turdb::sql
