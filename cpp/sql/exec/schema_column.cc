// ALTER TABLE ADD COLUMN and DROP COLUMN.
//
// An added column costs nothing: rows written before show its default (ColumnDef::added_default). Only a generated
// column is computed for every row. A dropped column's values are taken out of every row.
#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/bind/bind_schema.h"
#include "sql/exec/operator.h"
#include "sql/exec/schema_change.h"
#include "sql/syntax/lexer.h"
#include "table/row_reader.h"
#include "table/table_reader.h"

namespace turdb::sql {
namespace {

absl::StatusOr<ParsedStatement> ParseCreate(const catalog::TableDef& table) {
  size_t consumed = 0;
  TURDB_ASSIGN_OR_RETURN(ParsedStatement parsed, ParseStatement(table.sql, &consumed));
  const bool is_create = parsed.statement != nullptr && parsed.statement->kind == StatementKind::kCreateTable;
  if (!is_create) return CorruptionError("catalog: the text of table '", table.name, "' is no CREATE TABLE");
  return parsed;
}

// Where the comma or parenthesis behind the last column stands.
size_t EndOfColumns(const ParsedStatement& parsed) {
  const size_t end = parsed.statement->As<CreateTable>().columns.back().pos.end();
  return end + Lexer(parsed.text.substr(end)).Next().offset;
}

absl::StatusOr<bool> HasRows(const catalog::TableDef& table, SchemaStatement* statement) {
  TURDB_ASSIGN_OR_RETURN(const uint64_t rows, table::CountTableRows(statement->txn(), table));
  return rows > 0;
}

// The default's value as the column stores it. False: it is not a constant.
absl::StatusOr<bool> ConstantDefault(const catalog::ColumnDef& column, const catalog::TableDef& table, SchemaStatement* statement,
                                     Value* value) {
  *value = Value();
  if (!column.default_sql.has_value()) return true;
  TURDB_ASSIGN_OR_RETURN(const ExprPtr bound, BindDefault(*column.default_sql, column.name, statement->bind_options()));
  bool is_constant = bound->kind == BoundKind::kConstant;
  const bool is_signed = bound->kind == BoundKind::kArithmetic && bound->args.size() == 1;
  if (is_signed && bound->args[0]->kind == BoundKind::kConstant) is_constant = true;
  if (!is_constant) return false;
  TURDB_ASSIGN_OR_RETURN(const Value given, EvaluateScalar(*bound, statement->context->exec));
  TURDB_ASSIGN_OR_RETURN(const auto expressions, TableExpressions::Make(table, statement));
  Arena arena;
  TURDB_RETURN_IF_ERROR(expressions->shaper->Store(static_cast<int>(table.columns.size()) - 1, given.cell(), &arena));
  *value = Value::FromCell(expressions->shaper->row()[table.columns.size() - 1]);
  return true;
}

// What is wrong with the column when there are rows already; all of it is well in an empty table.
absl::Status CheckForRows(const catalog::ColumnDef& column, bool is_constant, SchemaStatement* statement, SourcePos pos) {
  if (column.generated == catalog::GeneratedKind::kStored) return statement->Problem("cannot add a STORED column", pos);
  if (column.generated != catalog::GeneratedKind::kNone) return absl::OkStatus();
  if (!is_constant) return statement->Problem("Cannot add a column with non-constant default", pos);
  const bool is_null = !column.added_default.has_value() || column.added_default->is_null();
  if (column.is_not_null && is_null) return statement->Problem("Cannot add a NOT NULL column with default value NULL", pos);
  if (column.type.is_vector() && !is_null) {
    return statement->Problem("Cannot add a vector column with a default to a table that has rows", pos);
  }
  return absl::OkStatus();
}

// Rows that are there have to pass the new column's constraints.
absl::Status CheckRows(const catalog::TableDef& table, SchemaStatement* statement) {
  TURDB_ASSIGN_OR_RETURN(const auto expressions, TableExpressions::Make(table, statement));
  RowShaper& shaper = *expressions->shaper;
  Arena arena;
  const std::vector<bool> needed(table.columns.size(), true);
  return table::ForEachRow(statement->txn(), table, needed, false, [&](table::RowRef ref, absl::Span<const Cell> row) -> absl::Status {
    arena.Reset();
    std::copy(row.begin(), row.end(), shaper.row().begin());
    shaper.rowid() = Cell::Integer(ref.rowid.value());
    return shaper.Check(catalog::ConflictAction::kAbort, {}, &arena).status();
  });
}

// A generated column is stored in every row.
absl::Status GenerateRows(const catalog::TableDef& old_table, catalog::TableDef* table, SchemaStatement* statement) {
  for (const catalog::ColumnDef& column : table->columns) {
    if (column.type.is_vector()) return UnsupportedError("a generated column cannot be added to a table with vectors: make a new table");
  }
  TURDB_ASSIGN_OR_RETURN(const auto expressions, TableExpressions::Make(*table, statement));
  RowShaper& shaper = *expressions->shaper;
  Arena arena;
  return RewriteRows(old_table, table, statement, [&](RowId rowid, absl::Span<const Cell> from, Cell* to) -> absl::Status {
    arena.Reset();
    std::copy(from.begin(), from.end(), shaper.row().begin());
    shaper.rowid() = Cell::Integer(rowid.value());
    if (table->rowid_alias >= 0) shaper.row()[table->rowid_alias] = shaper.rowid();
    TURDB_RETURN_IF_ERROR(shaper.Generate(&arena));
    std::copy_n(shaper.row().begin(), table->columns.size(), to);
    if (table->rowid_alias >= 0) to[table->rowid_alias] = Cell();
    return absl::OkStatus();
  });
}

}  // namespace

absl::Status AddColumn(const catalog::TableDef& table, const ColumnDef& column, SchemaStatement* statement) {
  for (const Constraint& constraint : column.constraints) {
    if (constraint.type == ConstraintType::kPrimaryKey) return statement->Problem("Cannot add a PRIMARY KEY column", column.pos);
    if (constraint.type == ConstraintType::kUnique) return statement->Problem("Cannot add a UNIQUE column", column.pos);
  }
  if (table.FindColumn(column.name.text) >= 0) {
    return statement->Problem(Cat("duplicate column name: ", column.name.text), column.name.pos);
  }
  TURDB_ASSIGN_OR_RETURN(const ParsedStatement parsed, ParseCreate(table));
  const size_t end = EndOfColumns(parsed);
  TableChange change;
  change.old_table = &table;
  change.sql = Cat(parsed.text.substr(0, end), ", ", statement->parsed.Slice(column.pos), parsed.text.substr(end));
  for (size_t i = 0; i < table.columns.size(); ++i) change.origins.push_back(static_cast<int>(i));
  change.origins.push_back(-1);
  change.what = "add column";
  TURDB_ASSIGN_OR_RETURN(ChangedTable changed, BindChange(change, statement));
  catalog::ColumnDef& added = changed.table.columns.back();
  Value value;
  TURDB_ASSIGN_OR_RETURN(const bool is_constant, ConstantDefault(added, changed.table, statement, &value));
  if (!value.is_null()) added.added_default = std::move(value);
  TURDB_ASSIGN_OR_RETURN(const bool has_rows, HasRows(table, statement));
  if (has_rows) TURDB_RETURN_IF_ERROR(CheckForRows(added, is_constant, statement, column.pos));
  const bool is_generated = added.generated != catalog::GeneratedKind::kNone;
  if (has_rows && is_generated) TURDB_RETURN_IF_ERROR(GenerateRows(table, &changed.table, statement));
  TURDB_RETURN_IF_ERROR(StoreChange(changed, statement));
  const bool is_checked = is_generated || added.is_not_null || changed.table.checks.size() > table.checks.size();
  const catalog::TableDef* stored = statement->catalog().FindTable(table.schema, table.name);
  return has_rows && is_checked && stored != nullptr ? CheckRows(*stored, statement) : absl::OkStatus();
}

absl::Status DropColumn(const catalog::TableDef& table, const Name& name, SchemaStatement* statement) {
  const int column = table.FindColumn(name.text);
  if (column < 0) return NoSuchColumn(table, name, statement);
  const catalog::ColumnDef& dropped = table.columns[column];
  auto refuse = [&](std::string_view why) {
    return statement->Problem(Cat("cannot drop ", why, "column: \"", name.text, "\""), name.pos);
  };
  if (dropped.primary_key_position > 0) return refuse("PRIMARY KEY ");
  for (const catalog::IndexDef& index : table.indexes) {
    const bool is_own = index.origin == catalog::IndexOrigin::kUnique && index.columns.size() == 1 && index.columns[0].column == column;
    if (is_own) return refuse("UNIQUE ");
  }
  if (table.columns.size() == 1) {
    return statement->Problem(Cat("cannot drop column \"", name.text, "\": no other columns exist"), name.pos);
  }
  TURDB_ASSIGN_OR_RETURN(const ParsedStatement parsed, ParseCreate(table));
  const List<ColumnDef>& columns = parsed.statement->As<CreateTable>().columns;
  const size_t i = static_cast<size_t>(column);
  const bool is_last = i + 1 == columns.size();
  const size_t from = is_last ? columns[i - 1].pos.end() : columns[i].pos.offset;
  const size_t to = is_last ? EndOfColumns(parsed) : columns[i + 1].pos.offset;
  TableChange change;
  change.old_table = &table;
  change.sql = Cat(parsed.text.substr(0, from), parsed.text.substr(to));
  for (size_t c = 0; c < table.columns.size(); ++c) {
    if (c != i) change.origins.push_back(static_cast<int>(c));
  }
  change.what = "drop column";
  const auto views = SoundViews(statement);
  TURDB_ASSIGN_OR_RETURN(ChangedTable changed, BindChange(change, statement));
  TURDB_RETURN_IF_ERROR(RewriteRows(table, &changed.table, statement, [&](RowId, absl::Span<const Cell> old_row, Cell* new_row) {
    for (size_t c = 0; c < change.origins.size(); ++c) new_row[c] = old_row[change.origins[c]];
    return absl::OkStatus();
  }));
  for (catalog::ColumnDef& kept : changed.table.columns) kept.added_default.reset();  // every row is whole now
  TURDB_RETURN_IF_ERROR(StoreChange(changed, statement));
  return CheckViews(views, "drop column", statement);
}

}  // namespace turdb::sql
