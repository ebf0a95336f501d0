// CREATE TABLE: keys, table constraints, the indexes that UNIQUE and PRIMARY KEY make.
#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/bind/bind_schema.h"
#include "sql/syntax/printer.h"

namespace turdb::sql {
namespace {

class TableMaker {
 public:
  TableMaker(const CreateTable& create, const BindOptions& options) : create_(create), options_(options) {}

  absl::StatusOr<NewTable> Make(std::string_view schema, std::string text) {
    catalog::TableDef& table = made_.table;
    table.schema = std::string(schema);
    table.name = std::string(create_.name.name.text);
    table.is_strict = create_.is_strict;
    table.is_without_rowid = create_.is_without_rowid;
    table.sql = std::move(text);
    TURDB_RETURN_IF_ERROR(AddColumns());
    for (const Constraint& constraint : create_.constraints) TURDB_RETURN_IF_ERROR(AddConstraint(constraint));
    if (table.is_without_rowid) TURDB_RETURN_IF_ERROR(RequirePrimaryKey());
    TURDB_RETURN_IF_ERROR(BindRowExpressions(table, options_).status());
    return std::move(made_);
  }

 private:
  absl::Status AddColumns() {
    catalog::TableDef& table = made_.table;
    bool has_plain_column = false;
    for (const ColumnDef& column : create_.columns) {
      std::vector<const Constraint*> keys;
      TURDB_ASSIGN_OR_RETURN(auto def, BindColumn(column, table.is_strict, table.name, options_, &keys, &table));
      has_plain_column = has_plain_column || def.generated == catalog::GeneratedKind::kNone;
      table.columns.push_back(std::move(def));
      const int number = static_cast<int>(table.columns.size()) - 1;
      for (const Constraint* key : keys) {
        const catalog::IndexColumn index_column{number, "", table.columns[number].collation, key->order == SortOrder::kDescending};
        TURDB_RETURN_IF_ERROR(AddKey(*key, {index_column}, true));
      }
    }
    return has_plain_column ? absl::OkStatus() : NameError("must have at least one non-generated column");
  }

  absl::StatusOr<int> ColumnNumber(std::string_view name) const {
    const int column = made_.table.FindColumn(name);
    if (column < 0) return NameError("no such column: ", name);
    return column;
  }

  // PRIMARY KEY (a COLLATE nocase DESC, b): plain columns only.
  absl::StatusOr<std::vector<catalog::IndexColumn>> KeyColumns(const List<OrderingTerm>& terms) const {
    std::vector<catalog::IndexColumn> columns;
    for (const OrderingTerm& term : terms) {
      const Expr* expr = term.expr;
      catalog::IndexColumn column;
      std::string_view collation;
      if (expr->kind == ExprKind::kCollate) {
        collation = expr->As<CollateExpr>().collation.text;
        expr = expr->As<CollateExpr>().operand;
      }
      std::string_view name;
      if (expr->kind == ExprKind::kColumn && expr->As<ColumnExpr>().table.empty()) {
        name = expr->As<ColumnExpr>().column.text;
      } else if (expr->kind == ExprKind::kLiteral && expr->As<LiteralExpr>().literal == LiteralKind::kText) {
        name = expr->As<LiteralExpr>().text;
      } else {
        return NameError("expressions prohibited in PRIMARY KEY and UNIQUE constraints");
      }
      TURDB_ASSIGN_OR_RETURN(column.column, ColumnNumber(name));
      column.collation = made_.table.columns[column.column].collation;
      column.is_descending = term.order == SortOrder::kDescending;
      if (!collation.empty()) {
        const int found = options_.functions->FindCollation(collation);
        if (found < 0) return NameError("no such collation sequence: ", collation);
        column.collation = static_cast<Collation>(found);
      }
      columns.push_back(std::move(column));
    }
    return columns;
  }

  absl::Status AddConstraint(const Constraint& constraint) {
    catalog::TableDef& table = made_.table;
    switch (constraint.type) {
      case ConstraintType::kPrimaryKey:
      case ConstraintType::kUnique: {
        TURDB_ASSIGN_OR_RETURN(auto columns, KeyColumns(constraint.columns));
        return AddKey(constraint, std::move(columns), false);
      }
      case ConstraintType::kCheck:
        table.checks.push_back({std::string(constraint.name.text), std::string(constraint.expr_text)});
        return absl::OkStatus();
      case ConstraintType::kForeignKey: {
        catalog::ForeignKeyDef key;
        for (const Name& name : constraint.key_columns) {
          key.columns.push_back(table.FindColumn(name.text));
          if (key.columns.back() < 0) return NameError("unknown column \"", name.text, "\" in foreign key definition");
        }
        key.name = std::string(constraint.name.text);
        key.parent_table = std::string(constraint.foreign_key->table.text);
        for (const Name& name : constraint.foreign_key->columns) key.parent_columns.emplace_back(name.text);
        if (!key.parent_columns.empty() && key.parent_columns.size() != key.columns.size()) {
          return NameError("number of columns in foreign key does not match the number of columns in the referenced table");
        }
        table.foreign_keys.push_back(std::move(key));
        return absl::OkStatus();
      }
      default: return absl::OkStatus();
    }
  }

  bool IsRowIdAlias(const Constraint& key, const std::vector<catalog::IndexColumn>& columns, bool is_column_constraint) const {
    if (made_.table.is_without_rowid || columns.size() != 1) return false;
    if (is_column_constraint && key.order == SortOrder::kDescending) return false;
    return EqualsIgnoreCase(made_.table.columns[columns[0].column].type.declared, "integer");
  }

  absl::Status AddPrimaryKey(const Constraint& key, const std::vector<catalog::IndexColumn>& columns, bool is_column_constraint) {
    catalog::TableDef& table = made_.table;
    if (!table.primary_key.empty()) return NameError("table \"", table.name, "\" has more than one primary key");
    for (size_t i = 0; i < columns.size(); ++i) {
      table.primary_key.push_back(columns[i].column);
      table.columns[columns[i].column].primary_key_position = static_cast<int>(i) + 1;
    }
    table.primary_key_action = static_cast<catalog::ConflictAction>(key.on_conflict);
    const bool is_alias = IsRowIdAlias(key, columns, is_column_constraint);
    if (is_alias) table.rowid_alias = columns[0].column;
    if (key.is_autoincrement) {
      if (table.is_without_rowid) return NameError("AUTOINCREMENT not allowed on WITHOUT ROWID tables");
      if (!is_alias) return NameError("AUTOINCREMENT is only allowed on an INTEGER PRIMARY KEY");
      table.is_autoincrement = true;
    }
    if (is_alias || table.is_without_rowid) return absl::OkStatus();
    AddIndex(key, columns, catalog::IndexOrigin::kPrimaryKey);
    return absl::OkStatus();
  }

  absl::Status AddKey(const Constraint& key, std::vector<catalog::IndexColumn> columns, bool is_column_constraint) {
    for (const catalog::IndexColumn& column : columns) {
      const catalog::ColumnDef& def = made_.table.columns[column.column];
      if (def.type.is_vector()) return BadValueError("column ", def.name, " is ", def.type.declared, ": a vector cannot be a key");
    }
    if (key.type == ConstraintType::kPrimaryKey) return AddPrimaryKey(key, columns, is_column_constraint);
    AddIndex(key, columns, catalog::IndexOrigin::kUnique);
    return absl::OkStatus();
  }

  // A second constraint on the same columns needs no second index.
  void AddIndex(const Constraint& key, const std::vector<catalog::IndexColumn>& columns, catalog::IndexOrigin origin) {
    auto same = [&](const catalog::IndexDef& index) {
      return std::equal(index.columns.begin(), index.columns.end(), columns.begin(), columns.end(),
                        [](const auto& a, const auto& b) { return a.column == b.column && a.collation == b.collation; });
    };
    auto existing = std::find_if(made_.indexes.begin(), made_.indexes.end(), same);
    if (existing != made_.indexes.end()) {
      if (origin == catalog::IndexOrigin::kPrimaryKey) existing->origin = origin;
      return;
    }
    catalog::IndexDef index;
    index.schema = made_.table.schema;
    index.table = made_.table.name;
    index.name = Cat("sqlite_autoindex_", made_.table.name, "_", made_.indexes.size() + 1);
    index.origin = origin;
    index.is_unique = true;
    index.conflict_action = static_cast<catalog::ConflictAction>(key.on_conflict);
    index.columns = columns;
    made_.indexes.push_back(std::move(index));
  }

  absl::Status RequirePrimaryKey() {
    catalog::TableDef& table = made_.table;
    if (table.primary_key.empty()) return NameError("PRIMARY KEY missing on table ", table.name);
    for (int column : table.primary_key) table.columns[column].is_not_null = true;
    return absl::OkStatus();
  }

  const CreateTable& create_;
  const BindOptions& options_;
  NewTable made_;
};

std::string_view DeclaredTypeOf(Affinity affinity) {
  switch (affinity) {
    case Affinity::kInteger: return "INT";
    case Affinity::kReal: return "REAL";
    case Affinity::kText: return "TEXT";
    case Affinity::kNumeric: return "NUM";
    case Affinity::kBlob:
    case Affinity::kNone: break;
  }
  return "";
}

// The statement that would make such columns; laid out as SQLite does it: short ones on a line.
std::string CreateTableText(const catalog::TableDef& table) {
  size_t length = table.name.size() + 2;
  for (const catalog::ColumnDef& column : table.columns) length += column.name.size() + 7;
  const bool is_short = length < 50;
  std::string text = Cat("CREATE TABLE ", QuoteName(table.name), "(");
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const catalog::ColumnDef& column = table.columns[i];
    text += Cat(i == 0 ? "" : ",", is_short ? "" : "\n  ", QuoteName(column.name), column.type.declared.empty() ? "" : " ", column.type.declared);
  }
  return text + (is_short ? ")" : "\n)");
}

}  // namespace

absl::StatusOr<NewTable> BindCreateTable(const CreateTable& create, const ParsedStatement& parsed,
                                         const catalog::CatalogSnapshot& catalog, const BindOptions& options) {
  if (create.is_temporary) return UnsupportedError("TEMP tables are not supported: create an ordinary table, or use a CTE");
  TURDB_ASSIGN_OR_RETURN(std::string schema, ResolveSchemaName(create.name.schema, catalog));
  TURDB_RETURN_IF_ERROR(CheckNewName(schema, create.name.name.text, catalog));
  return BindTableDefinition(create, parsed, schema, options);
}

absl::StatusOr<NewTable> BindTableDefinition(const CreateTable& create, const ParsedStatement& parsed, std::string_view schema,
                                             const BindOptions& options) {
  // What is stored begins as SQLite's does: without TEMP, IF NOT EXISTS and schema.
  const uint32_t name = create.name.name.pos.offset;
  return TableMaker(create, options).Make(schema, Cat("CREATE TABLE ", parsed.Slice({name, create.pos.end() - name})));
}

absl::StatusOr<NewTable> BindCreateTableAs(const CreateTable& create, const std::vector<ResultColumnInfo>& columns,
                                           const catalog::CatalogSnapshot& catalog) {
  if (create.is_temporary) return UnsupportedError("TEMP tables are not supported: create an ordinary table, or use a CTE");
  TURDB_ASSIGN_OR_RETURN(std::string schema, ResolveSchemaName(create.name.schema, catalog));
  TURDB_RETURN_IF_ERROR(CheckNewName(schema, create.name.name.text, catalog));
  NewTable made;
  made.table.schema = std::move(schema);
  made.table.name = std::string(create.name.name.text);
  for (size_t i = 0; i < columns.size(); ++i) {
    catalog::ColumnDef column;
    column.name = columns[i].name;
    for (int copy = 1; made.table.FindColumn(column.name) >= 0; ++copy) column.name = Cat(columns[i].name, ":", copy);
    const bool is_vector = columns[i].type.is_vector();
    const std::string_view declared = is_vector ? columns[i].type.declared : DeclaredTypeOf(columns[i].affinity);
    TURDB_ASSIGN_OR_RETURN(column.type, ParseLogicalType(declared));
    made.table.columns.push_back(std::move(column));
  }
  made.table.sql = CreateTableText(made.table);
  return made;
}

}  // namespace turdb::sql
