// INSERT: where the values go, what fills the rest, the source rows, ON CONFLICT, RETURNING.
#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/bind/binding.h"
#include "sql/syntax/syntax_error.h"

namespace turdb::sql {
namespace {

bool IsRowIdName(std::string_view name) {
  return EqualsIgnoreCase(name, "rowid") || EqualsIgnoreCase(name, "oid") || EqualsIgnoreCase(name, "_rowid_");
}

}  // namespace

absl::StatusOr<int> Binding::ColumnToWrite(const Name& name, const catalog::TableDef& table, bool is_insert) const {
  const int column = table.FindColumn(name.text);
  if (column >= 0) {
    if (table.columns[column].generated == catalog::GeneratedKind::kNone) return column;
    return NameProblem(Cat("cannot ", is_insert ? "INSERT into" : "UPDATE", " generated column \"",
                           table.columns[column].name, "\""),
                       name.pos);
  }
  if (IsRowIdName(name.text) && !table.is_without_rowid) {
    return RowIdColumnOf(table);
  }
  NearestWord nearest(name.text);
  for (const catalog::ColumnDef& other : table.columns) nearest.Consider(other.name);
  const std::string hint = nearest.best().empty() ? "" : Cat("did you mean ", nearest.best(), "?");
  if (is_insert) return NameProblem(Cat("table ", table.name, " has no column named ", name.text), name.pos, hint);
  return NameProblem(Cat("no such column: ", name.text), name.pos, hint);
}

absl::Status Binding::BindInsertTargets(const Insert& insert, const catalog::TableDef& table,
                                        std::vector<int>* targets) {
  for (const Name& name : insert.columns) {
    TURDB_ASSIGN_OR_RETURN(const int column, ColumnToWrite(name, table, true));
    targets->push_back(column);
  }
  if (!insert.columns.empty()) return absl::OkStatus();
  for (size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].generated == catalog::GeneratedKind::kNone) targets->push_back(static_cast<int>(i));
  }
  return absl::OkStatus();
}

// A column named twice takes the first of its values.
void Binding::DropRepeatedTargets(BoundSelect* source, std::vector<int>* targets) {
  std::vector<int> unique;
  std::vector<OutColumn> columns;
  for (size_t i = 0; i < targets->size(); ++i) {
    if (std::find(unique.begin(), unique.end(), (*targets)[i]) != unique.end()) continue;
    unique.push_back((*targets)[i]);
    columns.push_back(source->columns[i]);
  }
  if (unique.size() == targets->size()) return;
  auto project = std::make_unique<LogicalProject>();
  for (const OutColumn& column : columns) {
    project->exprs.push_back(NewColumnExpr(column));
    project->output.push_back(NewColumn(column.name));
  }
  project->children.push_back(std::move(source->root));
  source->root = std::move(project);
  *targets = std::move(unique);
}

absl::Status Binding::BindInsert(const Insert& insert) {
  TURDB_ASSIGN_OR_RETURN(const catalog::TableDef* table, TableToWrite(insert.table));
  auto node = std::make_unique<LogicalInsert>();
  node->table = table;
  node->on_conflict = static_cast<catalog::ConflictAction>(insert.on_conflict);
  CteFrame frame;
  Restore<CteFrame*> outside(&cte_frame_, cte_frame_);
  if (insert.with != nullptr) TURDB_RETURN_IF_ERROR(PushWith(insert.with, nullptr, &frame));
  TURDB_RETURN_IF_ERROR(BindInsertTargets(insert, *table, &node->target_columns));
  BoundSelect source;
  if (insert.source == nullptr) {
    node->target_columns.clear();
    auto row = std::make_unique<LogicalValues>();
    row->rows.emplace_back();
    source.root = std::move(row);
  } else {
    TURDB_ASSIGN_OR_RETURN(source, BindSelect(*insert.source, nullptr));
    const size_t targets = node->target_columns.size(), values = source.columns.size();
    if (targets != values && insert.columns.empty()) {
      return NameProblem(Cat("table ", table->name, " has ", targets, " columns but ", values, " values were supplied"),
                         insert.table.name.pos);
    }
    if (targets != values) {
      return NameProblem(Cat(values, " values for ", targets, " columns"), insert.columns.front().pos);
    }
    DropRepeatedTargets(&source, &node->target_columns);
  }
  TURDB_RETURN_IF_ERROR(BindDefaults(*table, &node->defaults));
  node->row_expressions.row_columns = NewRowColumns(*table, "");
  TURDB_RETURN_IF_ERROR(BindRowExpressions(*table, false, &node->row_expressions));
  if (!insert.upserts.empty()) TURDB_RETURN_IF_ERROR(BindUpserts(insert, *table, node.get()));
  TURDB_RETURN_IF_ERROR(BindReturning(insert.returning, *table, node->row_expressions.row_columns, &node->returning));
  if (insert.with != nullptr) source.root = PopWith(&frame, std::move(source.root));
  node->children.push_back(std::move(source.root));
  bound_.root = std::move(node);
  return absl::OkStatus();
}

}  // namespace turdb::sql
