// Column definitions: type, constraints of one column.
#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/bind/bind_schema.h"

namespace turdb::sql {
namespace {

catalog::ConflictAction ToCatalog(ConflictAction action) { return static_cast<catalog::ConflictAction>(action); }

absl::Status CheckStrictType(std::string_view table, const catalog::ColumnDef& column) {
  if (column.type.is_vector()) return absl::OkStatus();
  if (column.type.declared.empty()) return NameError("missing datatype for ", table, ".", column.name);
  static constexpr std::string_view kStrictTypes[] = {"int", "integer", "real", "text", "blob", "any"};
  const std::string lower = AsciiLowerCopy(column.type.declared);
  if (std::find(std::begin(kStrictTypes), std::end(kStrictTypes), lower) != std::end(kStrictTypes)) return absl::OkStatus();
  return NameError("unknown datatype for ", table, ".", column.name, ": \"", column.type.declared, "\"");
}

std::string_view ActionText(ForeignKeyAction action) {
  switch (action) {
    case ForeignKeyAction::kNoAction: return "NO ACTION";
    case ForeignKeyAction::kRestrict: return "RESTRICT";
    case ForeignKeyAction::kSetNull: return "SET NULL";
    case ForeignKeyAction::kSetDefault: return "SET DEFAULT";
    case ForeignKeyAction::kCascade: return "CASCADE";
  }
  return "NO ACTION";
}

catalog::ForeignKeyDef MakeForeignKey(const Constraint& constraint, std::vector<int> columns) {
  const ForeignKeyClause& clause = *constraint.foreign_key;
  catalog::ForeignKeyDef key;
  key.name = std::string(constraint.name.text);
  key.columns = std::move(columns);
  key.parent_table = std::string(clause.table.text);
  for (const Name& name : clause.columns) key.parent_columns.emplace_back(name.text);
  key.on_delete = std::string(ActionText(clause.on_delete));
  key.on_update = std::string(ActionText(clause.on_update));
  key.match = clause.match.empty() ? "NONE" : std::string(clause.match.text);
  key.is_deferred = clause.is_initially_deferred;
  return key;
}

// DEFAULT word is the string 'word'; DEFAULT (word) is a column, which no default may read.
bool IsParenthesizedWord(const Constraint& constraint) {
  if (constraint.expr->kind != ExprKind::kColumn) return false;
  const char* before = constraint.expr_text.data() - 1;  // DEFAULT itself stands before, so there is something
  while (*before == ' ' || *before == '\t' || *before == '\n' || *before == '\r') --before;
  return *before == '(';
}

absl::Status ApplyConstraint(const Constraint& constraint, const BindOptions& options, catalog::ColumnDef* column,
                             std::vector<const Constraint*>* keys, catalog::TableDef* owner) {
  switch (constraint.type) {
    case ConstraintType::kPrimaryKey:
    case ConstraintType::kUnique: keys->push_back(&constraint); break;
    case ConstraintType::kNotNull:
      column->is_not_null = true;
      column->not_null_action = ToCatalog(constraint.on_conflict);
      break;
    case ConstraintType::kCheck:
      owner->checks.push_back({std::string(constraint.name.text), std::string(constraint.expr_text)});
      break;
    case ConstraintType::kDefault: {
      if (IsParenthesizedWord(constraint)) return NameError("default value of column [", column->name, "] is not constant");
      column->default_sql = std::string(constraint.expr_text);
      TURDB_RETURN_IF_ERROR(BindDefault(*column->default_sql, column->name, options).status());
      break;
    }
    case ConstraintType::kCollate: {
      const int collation = options.functions->FindCollation(constraint.collation.text);
      if (collation < 0) return NameError("no such collation sequence: ", constraint.collation.text);
      column->collation = static_cast<Collation>(collation);
      break;
    }
    case ConstraintType::kGenerated:
      column->generated = constraint.is_stored ? catalog::GeneratedKind::kStored : catalog::GeneratedKind::kVirtual;
      column->generated_sql = std::string(constraint.expr_text);
      break;
    case ConstraintType::kReferences:
      owner->foreign_keys.push_back(MakeForeignKey(constraint, {static_cast<int>(owner->columns.size())}));
      break;
    case ConstraintType::kForeignKey:
    case ConstraintType::kNull: break;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<catalog::ColumnDef> BindColumn(const ColumnDef& column, bool is_strict, std::string_view table,
                                              const BindOptions& options, std::vector<const Constraint*>* key_constraints,
                                              catalog::TableDef* owner) {
  catalog::ColumnDef def;
  def.name = std::string(column.name.text);
  for (const catalog::ColumnDef& other : owner->columns) {
    if (EqualsIgnoreCase(other.name, def.name)) return NameError("duplicate column name: ", def.name);
  }
  TURDB_ASSIGN_OR_RETURN(def.type, ParseLogicalType(column.type.text));
  if (is_strict) {
    TURDB_RETURN_IF_ERROR(CheckStrictType(table, def));
    if (EqualsIgnoreCase(def.type.declared, "any")) def.type.affinity = Affinity::kBlob;
  }
  for (const Constraint& constraint : column.constraints) {
    TURDB_RETURN_IF_ERROR(ApplyConstraint(constraint, options, &def, key_constraints, owner));
  }
  return def;
}

}  // namespace turdb::sql
