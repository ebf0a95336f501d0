// ALTER TABLE: what may be altered; RENAME TO and RENAME COLUMN, with the texts of everything that uses the name.
#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/exec/schema_change.h"
#include "sql/exec/schema_rename.h"
#include "sql/syntax/syntax_error.h"

namespace turdb::sql {
namespace {

absl::Status CheckIsTable(const catalog::TableDef& table, const AlterTable& alter, SchemaStatement* statement) {
  if (table.kind == catalog::TableKind::kTable) return absl::OkStatus();
  const SourcePos pos = alter.table.name.pos;
  switch (alter.action) {
    case AlterAction::kRenameTable: return statement->Problem(Cat("view ", table.name, " may not be altered"), pos);
    case AlterAction::kRenameColumn: return statement->Problem(Cat("cannot rename columns of view \"", table.name, "\""), pos);
    case AlterAction::kAddColumn: return statement->Problem("Cannot add a column to a view", pos);
    case AlterAction::kDropColumn: return statement->Problem(Cat("cannot drop column from view \"", table.name, "\""), pos);
  }
  return absl::OkStatus();
}

// Views keep their text twice: whole, and their select.
absl::StatusOr<catalog::TableDef> ViewOfText(const catalog::TableDef& old, const std::string& sql) {
  size_t consumed = 0;
  TURDB_ASSIGN_OR_RETURN(const ParsedStatement parsed, ParseStatement(sql, &consumed));
  catalog::TableDef view = old;
  view.sql = sql;
  view.view_sql = std::string(parsed.statement->As<CreateView>().select_text);
  return view;
}

std::vector<int> Identity(size_t n) {
  std::vector<int> numbers(n);
  for (size_t i = 0; i < n; ++i) numbers[i] = static_cast<int>(i);
  return numbers;
}

// The renamed table, its indexes, tables whose foreign keys name it, views.
absl::Status Rename(const Renaming& renaming, SchemaStatement* statement) {
  const auto before = statement->context->exec->catalog;
  const auto views = SoundViews(statement);
  for (const catalog::TableDef* table : before->Tables()) {
    const bool is_view = table->kind == catalog::TableKind::kView;
    if (!is_view && table->schema != renaming.table->schema) continue;
    TURDB_ASSIGN_OR_RETURN(const auto sql, RenameInText(table->sql, renaming, *before));
    if (!sql.has_value()) continue;
    if (is_view) {
      TURDB_ASSIGN_OR_RETURN(const catalog::TableDef view, ViewOfText(*table, *sql));
      TURDB_RETURN_IF_ERROR(catalog::ReplaceTable(statement->cache(), statement->txn(), view));
      continue;
    }
    TableChange change;
    change.old_table = table;
    change.sql = *sql;
    change.origins = Identity(table->columns.size());
    change.what = "rename";
    change.index_sql = [&](const catalog::IndexDef& index) -> absl::StatusOr<std::string> {
      TURDB_ASSIGN_OR_RETURN(const auto renamed, RenameInText(index.sql, renaming, *before));
      return renamed.value_or(index.sql);
    };
    TURDB_ASSIGN_OR_RETURN(const ChangedTable changed, BindChange(change, statement));
    TURDB_RETURN_IF_ERROR(StoreChange(changed, statement));
  }
  TURDB_RETURN_IF_ERROR(statement->Reload());
  return CheckViews(views, "rename", statement);
}

}  // namespace

absl::Status RenameTable(const catalog::TableDef& table, const Name& new_name, SchemaStatement* statement) {
  const catalog::CatalogSnapshot& catalog = statement->catalog();
  if (EqualsIgnoreCase(new_name.text.substr(0, 7), "sqlite_")) {
    return statement->Problem(Cat("object name reserved for internal use: ", new_name.text), new_name.pos);
  }
  if (catalog.FindTable(table.schema, new_name.text) != nullptr || catalog.FindIndex(table.schema, new_name.text) != nullptr) {
    return statement->Problem(Cat("there is already another table or index with this name: ", new_name.text), new_name.pos);
  }
  return Rename({&table, "", new_name}, statement);
}

absl::Status RenameColumn(const catalog::TableDef& table, const AlterTable& alter, SchemaStatement* statement) {
  const int column = table.FindColumn(alter.column.text);
  if (column < 0) return NoSuchColumn(table, alter.column, statement);
  return Rename({&table, table.columns[column].name, alter.new_name}, statement);
}

absl::Status NoSuchColumn(const catalog::TableDef& table, const Name& column, SchemaStatement* statement) {
  NearestWord nearest(column.text);
  for (const catalog::ColumnDef& other : table.columns) nearest.Consider(other.name);
  return statement->Problem(Cat("no such column: \"", column.text, "\""), column.pos,
                            nearest.best().empty() ? "" : Cat("did you mean ", nearest.best(), "?"));
}

absl::Status ExecuteAlter(const AlterTable& alter, SchemaStatement* statement) {
  const std::string_view name = alter.table.name.text;
  const auto before = statement->context->exec->catalog;  // holds the table's definition to the end
  const catalog::TableDef* table = before->FindTable(alter.table.schema.text, name);
  if (table == nullptr && EqualsIgnoreCase(name.substr(0, 7), "sqlite_")) {
    return statement->Problem(Cat("table ", name, " may not be altered"), alter.table.name.pos);
  }
  if (table == nullptr) return statement->NoSuchTable(alter.table, "table");
  TURDB_RETURN_IF_ERROR(CheckIsTable(*table, alter, statement));
  switch (alter.action) {
    case AlterAction::kRenameTable: return RenameTable(*table, alter.new_name, statement);
    case AlterAction::kRenameColumn: return RenameColumn(*table, alter, statement);
    case AlterAction::kAddColumn: return AddColumn(*table, *alter.column_def, statement);
    case AlterAction::kDropColumn: return DropColumn(*table, alter.column, statement);
  }
  return InternalError("ALTER TABLE with an unknown action");
}

}  // namespace turdb::sql
