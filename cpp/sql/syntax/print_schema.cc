// CREATE, DROP and ALTER back to text.
#include "base/strings.h"
#include "sql/syntax/sql_writer.h"

namespace turdb::sql {

void SqlWriter::WriteCreate(std::string_view what, bool if_not_exists, const QualifiedName& name) {
  Add(Cat("CREATE ", what, if_not_exists ? " IF NOT EXISTS " : " "));
  AddName(name);
}

void SqlWriter::WriteCreateTable(const CreateTable& table) {
  WriteCreate(table.is_temporary ? "TEMP TABLE" : "TABLE", table.if_not_exists, table.name);
  if (table.as_select != nullptr) {
    Add(" AS ");
    return Write(*table.as_select);
  }
  Add(" (");
  AddList(table.columns, [&](const ColumnDef& column) { WriteColumnDef(column); });
  for (const Constraint& constraint : table.constraints) {
    Add(", ");
    WriteConstraint(constraint, true);
  }
  Add(")");
  if (table.is_without_rowid) Add(" WITHOUT ROWID");
  if (table.is_strict) Add(table.is_without_rowid ? ", STRICT" : " STRICT");
}

void SqlWriter::WriteColumnDef(const ColumnDef& column) {
  AddName(column.name);
  if (!column.type.empty()) Add(Cat(" ", column.type.text));
  for (const Constraint& constraint : column.constraints) {
    Add(" ");
    WriteConstraint(constraint, false);
  }
}

void SqlWriter::WriteConstraint(const Constraint& constraint, bool is_of_table) {
  if (!constraint.name.empty()) {
    Add("CONSTRAINT ");
    AddName(constraint.name);
    Add(" ");
  }
  WriteConstraintBody(constraint, is_of_table);
  WriteOnConflict(" ON CONFLICT ", constraint.on_conflict);
  if (constraint.is_autoincrement && !is_of_table) Add(" AUTOINCREMENT");
}

void SqlWriter::WriteConstraintBody(const Constraint& constraint, bool is_of_table) {
  switch (constraint.type) {
    case ConstraintType::kPrimaryKey:
    case ConstraintType::kUnique:
      Add(constraint.type == ConstraintType::kUnique ? "UNIQUE" : "PRIMARY KEY");
      if (!is_of_table) return WriteSortOrder(constraint.order, NullsOrder::kUnspecified);
      Add(" (");
      AddList(constraint.columns, [&](const OrderingTerm& term) { WriteOrderingTerm(term); });
      return Add(constraint.is_autoincrement ? " AUTOINCREMENT)" : ")");
    case ConstraintType::kNotNull: return Add("NOT NULL");
    case ConstraintType::kNull: return Add("NULL");
    case ConstraintType::kCheck: return Add(Cat("CHECK (", ToSql(*constraint.expr), ")"));
    case ConstraintType::kDefault: return Add(Cat("DEFAULT (", ToSql(*constraint.expr), ")"));
    case ConstraintType::kCollate: Add("COLLATE "); return AddName(constraint.collation);
    case ConstraintType::kReferences: return WriteForeignKey(*constraint.foreign_key);
    case ConstraintType::kGenerated:
      Add(Cat("GENERATED ALWAYS AS (", ToSql(*constraint.expr), ")"));
      return Add(constraint.is_stored ? " STORED" : " VIRTUAL");
    case ConstraintType::kForeignKey:
      Add("FOREIGN KEY ");
      AddNames(constraint.key_columns);
      Add(" ");
      return WriteForeignKey(*constraint.foreign_key);
  }
}

void SqlWriter::WriteForeignKey(const ForeignKeyClause& key) {
  constexpr std::string_view kActions[] = {"", "RESTRICT", "SET NULL", "SET DEFAULT", "CASCADE"};
  Add("REFERENCES ");
  AddName(key.table);
  AddOptionalNames(key.columns);
  if (key.on_delete != ForeignKeyAction::kNoAction) {
    Add(Cat(" ON DELETE ", kActions[static_cast<size_t>(key.on_delete)]));
  }
  if (key.on_update != ForeignKeyAction::kNoAction) {
    Add(Cat(" ON UPDATE ", kActions[static_cast<size_t>(key.on_update)]));
  }
  if (!key.match.empty()) {
    Add(" MATCH ");
    AddName(key.match);
  }
  if (key.is_deferrable) Add(key.is_initially_deferred ? " DEFERRABLE INITIALLY DEFERRED" : " DEFERRABLE");
}

void SqlWriter::WriteVirtualTable(const CreateVirtualTable& table) {
  WriteCreate("VIRTUAL TABLE", table.if_not_exists, table.name);
  Add(" USING ");
  AddName(table.module);
  if (table.arguments.empty()) return;
  Add("(");
  AddList(table.arguments, [&](std::string_view argument) { Add(argument); });
  Add(")");
}

void SqlWriter::WriteCreateIndex(const CreateIndex& index) {
  WriteCreate(index.is_unique ? "UNIQUE INDEX" : "INDEX", index.if_not_exists, index.name);
  Add(" ON ");
  AddName(index.table);
  if (!index.method.empty()) {
    Add(" USING ");
    AddName(index.method);
  }
  Add(" (");
  AddList(index.columns, [&](const IndexedColumn& column) {
    Write(*column.expr);
    if (!column.op_class.empty()) {
      Add(" ");
      AddName(column.op_class);
    }
    WriteSortOrder(column.order, column.nulls);
  });
  Add(")");
  if (!index.options.empty()) {
    Add(" WITH (");
    AddList(index.options, [&](const IndexOption& option) {
      AddName(option.name);
      AddClause(" = ", option.value);
    });
    Add(")");
  }
  AddClause(" WHERE ", index.where);
}

void SqlWriter::WriteCreateView(const CreateView& view) {
  WriteCreate(view.is_temporary ? "TEMP VIEW" : "VIEW", view.if_not_exists, view.name);
  AddOptionalNames(view.columns);
  Add(" AS ");
  Write(*view.select);
}

void SqlWriter::WriteCreateTrigger(const CreateTrigger& trigger) {
  constexpr std::string_view kTimes[] = {"", " BEFORE", " AFTER", " INSTEAD OF"};
  constexpr std::string_view kEvents[] = {" DELETE", " INSERT", " UPDATE"};
  WriteCreate(trigger.is_temporary ? "TEMP TRIGGER" : "TRIGGER", trigger.if_not_exists, trigger.name);
  Add(kTimes[static_cast<size_t>(trigger.time)]);
  Add(kEvents[static_cast<size_t>(trigger.event)]);
  if (!trigger.update_columns.empty()) Add(" OF ");
  AddList(trigger.update_columns, [&](const Name& name) { AddName(name); });
  Add(" ON ");
  AddName(trigger.table);
  if (trigger.is_for_each_row) Add(" FOR EACH ROW");
  AddClause(" WHEN ", trigger.when);
  Add(" BEGIN ");
  for (const Statement* statement : trigger.body) {
    Write(*statement);
    Add("; ");
  }
  Add("END");
}

void SqlWriter::WriteDrop(const Drop& drop) {
  constexpr std::string_view kObjects[] = {"TABLE", "INDEX", "VIEW", "TRIGGER", "SCHEMA"};
  Add(Cat("DROP ", kObjects[static_cast<size_t>(drop.object)], drop.if_exists ? " IF EXISTS " : " "));
  AddName(drop.name);
  if (drop.is_cascade) Add(" CASCADE");
}

void SqlWriter::WriteAlter(const AlterTable& alter) {
  Add("ALTER TABLE ");
  AddName(alter.table);
  switch (alter.action) {
    case AlterAction::kRenameTable: Add(" RENAME TO "); return AddName(alter.new_name);
    case AlterAction::kRenameColumn:
      Add(" RENAME COLUMN ");
      AddName(alter.column);
      Add(" TO ");
      return AddName(alter.new_name);
    case AlterAction::kAddColumn: Add(" ADD COLUMN "); return WriteColumnDef(*alter.column_def);
    case AlterAction::kDropColumn: Add(" DROP COLUMN "); return AddName(alter.column);
  }
}

}  // namespace turdb::sql
