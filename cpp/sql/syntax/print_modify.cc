// INSERT, UPDATE and DELETE back to text.
#include "base/strings.h"
#include "sql/syntax/sql_writer.h"

namespace turdb::sql {

std::string_view ConflictActionText(ConflictAction action) {
  constexpr std::string_view kTexts[] = {"", "ROLLBACK", "ABORT", "FAIL", "IGNORE", "REPLACE"};
  return kTexts[static_cast<size_t>(action)];
}

void SqlWriter::WriteOnConflict(std::string_view prefix, ConflictAction action) {
  if (action != ConflictAction::kDefault) Add(Cat(prefix, ConflictActionText(action)));
}

void SqlWriter::WriteInsert(const Insert& insert) {
  WriteWith(insert.with);
  Add("INSERT");
  WriteOnConflict(" OR ", insert.on_conflict);
  Add(" INTO ");
  AddName(insert.table);
  AddAlias(insert.alias);
  AddOptionalNames(insert.columns);
  Add(insert.has_default_values ? " DEFAULT VALUES" : " ");
  if (insert.source != nullptr) Write(*insert.source);
  for (const Upsert& upsert : insert.upserts) WriteUpsert(upsert);
  WriteReturning(insert.returning);
}

void SqlWriter::WriteUpsert(const Upsert& upsert) {
  Add(" ON CONFLICT");
  if (!upsert.target.empty()) {
    Add(" (");
    AddList(upsert.target, [&](const OrderingTerm& term) { WriteOrderingTerm(term); });
    Add(")");
    AddClause(" WHERE ", upsert.target_where);
  }
  if (!upsert.is_update) return Add(" DO NOTHING");
  Add(" DO UPDATE SET ");
  WriteAssignments(upsert.assignments);
  AddClause(" WHERE ", upsert.where);
}

void SqlWriter::WriteUpdate(const Update& update) {
  WriteWith(update.with);
  Add("UPDATE ");
  if (update.on_conflict != ConflictAction::kDefault) {
    Add(Cat("OR ", ConflictActionText(update.on_conflict), " "));
  }
  WriteNamedTable(*update.table);
  Add(" SET ");
  WriteAssignments(update.assignments);
  if (update.from != nullptr) {
    Add(" FROM ");
    WriteTableRef(*update.from);
  }
  AddClause(" WHERE ", update.where);
  WriteReturning(update.returning);
  WriteOrderBy(update.order_by);
  WriteLimit(update.limit, update.offset);
}

void SqlWriter::WriteDelete(const Delete& statement) {
  WriteWith(statement.with);
  Add("DELETE FROM ");
  WriteNamedTable(*statement.table);
  AddClause(" WHERE ", statement.where);
  WriteReturning(statement.returning);
  WriteOrderBy(statement.order_by);
  WriteLimit(statement.limit, statement.offset);
}

void SqlWriter::WriteAssignments(const List<Assignment>& assignments) {
  AddList(assignments, [&](const Assignment& assignment) {
    if (assignment.is_row) {
      AddNames(assignment.columns);
    } else {
      AddName(assignment.columns[0]);
    }
    AddClause(" = ", assignment.value);
  });
}

void SqlWriter::WriteReturning(const List<ResultColumn>& columns) {
  if (columns.empty()) return;
  Add(" RETURNING ");
  WriteResultColumns(columns);
}

}  // namespace turdb::sql
