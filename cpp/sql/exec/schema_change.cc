#include "sql/exec/schema_change.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "catalog/catalog_rows.h"
#include "catalog/definition_codec.h"
#include "catalog/object_files.h"
#include "sql/bind/bind_schema.h"
#include "sql/syntax/printer.h"
#include "table/row_reader.h"
#include "table/row_store.h"

namespace turdb::sql {
namespace {

// A message without its place: that of a stored text would mislead.
std::string WithoutPlace(const absl::Status& status) {
  const std::string_view message = FromAbsl(status.message());
  return std::string(message.substr(0, message.find(" at line ")));
}

absl::Status ErrorAfter(std::string_view kind, std::string_view name, std::string_view what, const absl::Status& status) {
  return NameError("error in ", kind, " ", name, " after ", what, ": ", WithoutPlace(status));
}

void CarryOver(const TableChange& change, catalog::TableDef* table) {
  const catalog::TableDef& old = *change.old_table;
  table->id = old.id;
  table->file = old.file;
  table->path = old.path;
  for (size_t i = 0; i < table->columns.size(); ++i) {
    if (change.origins[i] < 0) continue;
    const catalog::ColumnDef& from = old.columns[change.origins[i]];
    table->columns[i].added_default = from.added_default;
    table->columns[i].vector_file = from.vector_file;
    table->columns[i].vector_path = from.vector_path;
  }
}

void CarryOver(const catalog::IndexDef& old, catalog::IndexDef* index) {
  index->id = old.id;
  index->file = old.file;
  index->path = old.path;
  index->has_short_row_keys = old.has_short_row_keys;
}

absl::StatusOr<catalog::IndexDef> BindIndexText(const std::string& sql, const catalog::TableDef& table, SchemaStatement* statement) {
  size_t consumed = 0;
  TURDB_ASSIGN_OR_RETURN(const ParsedStatement parsed, ParseStatement(sql, &consumed));
  if (parsed.statement == nullptr) return CorruptionError("catalog: an index has no text");
  return BindIndexDefinition(parsed.statement->As<CreateIndex>(), parsed, table, statement->bind_options());
}

absl::Status BindView(const catalog::TableDef& view, SchemaStatement* statement) {
  size_t consumed = 0;
  const std::string sql = Cat("SELECT * FROM ", QuoteName(view.schema), ".", QuoteName(view.name));
  TURDB_ASSIGN_OR_RETURN(const ParsedStatement parsed, ParseStatement(sql, &consumed));
  return Bind(parsed, statement->context->exec->catalog, statement->bind_options()).status();
}

}  // namespace

absl::StatusOr<ChangedTable> BindChange(const TableChange& change, SchemaStatement* statement) {
  const catalog::TableDef& old = *change.old_table;
  size_t consumed = 0;
  TURDB_ASSIGN_OR_RETURN(const ParsedStatement parsed, ParseStatement(change.sql, &consumed));
  auto made = BindTableDefinition(parsed.statement->As<CreateTable>(), parsed, old.schema, statement->bind_options());
  if (!made.ok()) return ErrorAfter("table", old.name, change.what, made.status());
  ChangedTable changed{std::move(made->table), {}};
  CarryOver(change, &changed.table);
  size_t automatic = 0;
  for (const catalog::IndexDef& index : old.indexes) {
    if (index.sql.empty()) {
      if (automatic >= made->indexes.size()) return InternalError("table ", old.name, " lost the index ", index.name);
      changed.indexes.push_back(made->indexes[automatic++]);
    } else {
      std::string sql = index.sql;
      if (change.index_sql != nullptr) {
        TURDB_ASSIGN_OR_RETURN(sql, change.index_sql(index));
      }
      auto bound = BindIndexText(sql, changed.table, statement);
      if (!bound.ok()) return ErrorAfter("index", index.name, change.what, bound.status());
      changed.indexes.push_back(*std::move(bound));
    }
    CarryOver(index, &changed.indexes.back());
  }
  return changed;
}

absl::Status StoreChange(const ChangedTable& changed, SchemaStatement* statement) {
  TURDB_RETURN_IF_ERROR(catalog::ReplaceTable(statement->cache(), statement->txn(), changed.table));
  // Row by row, without a look at the catalog in between: an index fits its table only when both are changed.
  for (const catalog::IndexDef& index : changed.indexes) {
    TURDB_RETURN_IF_ERROR(catalog::ReplaceRow(statement->txn(), catalog::RowKind::kIndex, index.id, catalog::EncodeDefinition(index)));
  }
  return statement->Reload();
}

std::vector<const catalog::TableDef*> SoundViews(SchemaStatement* statement) {
  std::vector<const catalog::TableDef*> sound;
  for (const catalog::TableDef* table : statement->catalog().Tables()) {
    if (table->kind == catalog::TableKind::kView && BindView(*table, statement).ok()) sound.push_back(table);
  }
  return sound;
}

absl::Status CheckViews(const std::vector<const catalog::TableDef*>& views, std::string_view what, SchemaStatement* statement) {
  for (const catalog::TableDef* view : views) {
    const absl::Status bound = BindView(*view, statement);
    if (!bound.ok()) return ErrorAfter("view", view->name, what, bound);
  }
  return absl::OkStatus();
}

absl::Status RewriteRows(const catalog::TableDef& old_table, catalog::TableDef* new_table, SchemaStatement* statement,
                         const ShapeRow& shape) {
  txn::Transaction* txn = statement->txn();
  TURDB_RETURN_IF_ERROR(catalog::CreateTableFile(txn, new_table));
  TURDB_ASSIGN_OR_RETURN(auto store, table::OpenRowStore(txn, *new_table));
  std::vector<Cell> stored(old_table.columns.size()), row(new_table->columns.size());
  const std::vector<bool> needed(old_table.columns.size(), true);
  uint64_t done = 0;
  TURDB_RETURN_IF_ERROR(table::ForEachRow(txn, old_table, needed, true, [&](table::RowRef ref, absl::Span<const Cell> given) -> absl::Status {
    std::copy(given.begin(), given.end(), stored.begin());
    if (old_table.rowid_alias >= 0) stored[old_table.rowid_alias] = Cell();
    TURDB_RETURN_IF_ERROR(shape(ref.rowid, stored, row.data()));
    TURDB_ASSIGN_OR_RETURN(const bool is_new, store->Insert(store->RefOf(ref.rowid, row), row));
    if (!is_new) return CorruptionError("table '", old_table.name, "' has two rows of one key");
    return ++done % kBatchRows == 0 ? statement->context->exec->CheckInterrupt() : absl::OkStatus();
  }));
  if (old_table.is_autoincrement) {
    TURDB_ASSIGN_OR_RETURN(const int64_t sequence, table::ReadSequence(txn, old_table));
    TURDB_RETURN_IF_ERROR(table::WriteSequence(txn, *new_table, sequence));
  }
  return txn->DropFile(old_table.file);
}

}  // namespace turdb::sql
