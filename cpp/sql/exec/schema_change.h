// ChangeTable: a stored table gets the definition that a changed text of its CREATE TABLE gives.
//
// ALTER TABLE edits the text, as SQLite does, and binds it anew: so everything that CREATE TABLE refuses is refused. What
// the definition owns on disk (ids, files, defaults of added columns) is carried over from the old one.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sql/exec/schema_statements.h"

namespace turdb::sql {

struct TableChange {
  const catalog::TableDef* old_table = nullptr;
  std::string sql;           // of the new CREATE TABLE
  std::vector<int> origins;  // per new column: its old number, or -1
  std::string_view what;     // "rename", "drop column", "add column": for messages
  // The text of an index of the table after the change; null: as it was.
  std::function<absl::StatusOr<std::string>(const catalog::IndexDef&)> index_sql;
};

struct ChangedTable {
  catalog::TableDef table;                 // with what it owns; without indexes
  std::vector<catalog::IndexDef> indexes;  // in the order of the old ones
};
absl::StatusOr<ChangedTable> BindChange(const TableChange& change, SchemaStatement* statement);
// Stores it and loads the catalog again.
absl::Status StoreChange(const ChangedTable& changed, SchemaStatement* statement);

// Names of the views that bind now; CheckViews then says which of them does not any more, in SQLite's words.
std::vector<const catalog::TableDef*> SoundViews(SchemaStatement* statement);
absl::Status CheckViews(const std::vector<const catalog::TableDef*>& views, std::string_view what, SchemaStatement* statement);

// Copies all rows to a new file, each as `shape` leaves it: given a row of the old table as it is stored (slot numbers of
// vectors, NULL for the rowid's alias), it fills one of the new table. new_table->file and path change.
using ShapeRow = std::function<absl::Status(RowId rowid, absl::Span<const Cell> old_row, Cell* new_row)>;
absl::Status RewriteRows(const catalog::TableDef& old_table, catalog::TableDef* new_table, SchemaStatement* statement,
                         const ShapeRow& shape);

}  // namespace turdb::sql
