#include "engine/pragma_functions.h"

#include <algorithm>
#include <mutex>

#include "absl/strings/numbers.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/application_numbers.h"
#include "engine/integrity.h"
#include "engine/listed_rows.h"
#include "engine/lock_list.h"
#include "format/page.h"
#include "sql/bind/table_functions.h"
#include "sql/exec/schema.h"
#include "sql/exec/table_function.h"

namespace turdb::engine {
namespace {

using Row = std::vector<Value>;
using Rows = std::vector<Row>;
// What a pragma function gives for its argument, without the hidden columns.
using Lister = absl::StatusOr<Rows> (*)(sql::ExecContext* context, std::string_view argument, std::string_view schema);

Value Text(std::string_view s) { return Value::Text(std::string(s)); }
Value Int(int64_t v) { return Value::Integer(v); }

const catalog::TableDef* FindTable(sql::ExecContext* context, std::string_view name, std::string_view schema) {
  return context->catalog->FindTable(schema, name);
}

Row ColumnRow(const catalog::TableDef& table, size_t i) {
  const catalog::ColumnDef& column = table.columns[i];
  return {Int(static_cast<int64_t>(i)), Text(column.name), Text(column.type.declared), Int(column.is_not_null),
          column.default_sql.has_value() ? Text(*column.default_sql) : Value(), Int(column.primary_key_position)};
}

absl::StatusOr<Rows> TableInfo(sql::ExecContext* context, std::string_view name, std::string_view schema) {
  Rows rows;
  const catalog::TableDef* table = FindTable(context, name, schema);
  for (size_t i = 0; table != nullptr && i < table->columns.size(); ++i) {
    if (table->columns[i].generated == catalog::GeneratedKind::kNone) rows.push_back(ColumnRow(*table, i));
  }
  return rows;
}

absl::StatusOr<Rows> TableXInfo(sql::ExecContext* context, std::string_view name, std::string_view schema) {
  Rows rows;
  const catalog::TableDef* table = FindTable(context, name, schema);
  for (size_t i = 0; table != nullptr && i < table->columns.size(); ++i) {
    rows.push_back(ColumnRow(*table, i));
    const catalog::GeneratedKind generated = table->columns[i].generated;
    rows.back().push_back(Int(generated == catalog::GeneratedKind::kNone ? 0 : generated == catalog::GeneratedKind::kVirtual ? 2 : 3));
  }
  return rows;
}

absl::StatusOr<Rows> TableList(sql::ExecContext* context, std::string_view name, std::string_view) {
  Rows rows;
  for (const catalog::TableDef* table : context->catalog->Tables()) {
    if (!name.empty() && !EqualsIgnoreCase(table->name, name)) continue;
    rows.push_back({Text(table->schema == catalog::kDefaultSchema ? "main" : table->schema), Text(table->name),
                    Text(table->kind == catalog::TableKind::kView ? "view" : "table"), Int(static_cast<int64_t>(table->columns.size())),
                    Int(table->is_without_rowid), Int(table->is_strict)});
  }
  return rows;
}

absl::StatusOr<Rows> IndexList(sql::ExecContext* context, std::string_view name, std::string_view schema) {
  Rows rows;
  const catalog::TableDef* table = FindTable(context, name, schema);
  if (table == nullptr) return rows;
  for (auto it = table->indexes.rbegin(); it != table->indexes.rend(); ++it) {  // the newest first, as SQLite
    static constexpr std::string_view kOrigins[] = {"c", "u", "pk"};
    rows.push_back({Int(static_cast<int64_t>(rows.size())), Text(it->name), Int(it->is_unique),
                    Text(kOrigins[static_cast<int>(it->origin)]), Int(!it->where_sql.empty())});
  }
  return rows;
}

Value ColumnName(const catalog::TableDef& table, int column) { return column >= 0 ? Text(table.columns[column].name) : Value(); }

std::string_view CollationText(Collation collation) {
  switch (collation) {
    case Collation::kNocase: return "NOCASE";
    case Collation::kRtrim: return "RTRIM";
    default: return "BINARY";
  }
}

absl::StatusOr<Rows> IndexRows(sql::ExecContext* context, std::string_view name, std::string_view schema, bool is_extended) {
  Rows rows;
  const catalog::IndexDef* index = context->catalog->FindIndex(schema, name);
  const catalog::TableDef* table = index == nullptr ? nullptr : context->catalog->FindTable(index->schema, index->table);
  if (table == nullptr) return rows;
  for (const catalog::IndexColumn& column : index->columns) {
    rows.push_back({Int(static_cast<int64_t>(rows.size())), Int(column.column), ColumnName(*table, column.column)});
    if (is_extended) rows.back().insert(rows.back().end(), {Int(column.is_descending), Text(CollationText(column.collation)), Int(1)});
  }
  if (is_extended && index->kind == catalog::IndexKind::kBtree && !table->is_without_rowid) {
    rows.push_back({Int(static_cast<int64_t>(rows.size())), Int(-1), Value(), Int(0), Text("BINARY"), Int(0)});
  }
  return rows;
}

absl::StatusOr<Rows> IndexInfo(sql::ExecContext* context, std::string_view name, std::string_view schema) {
  return IndexRows(context, name, schema, false);
}
absl::StatusOr<Rows> IndexXInfo(sql::ExecContext* context, std::string_view name, std::string_view schema) {
  return IndexRows(context, name, schema, true);
}

absl::StatusOr<Rows> ForeignKeyList(sql::ExecContext* context, std::string_view name, std::string_view schema) {
  Rows rows;
  const catalog::TableDef* table = FindTable(context, name, schema);
  for (size_t k = 0; table != nullptr && k < table->foreign_keys.size(); ++k) {
    const catalog::ForeignKeyDef& key = table->foreign_keys[table->foreign_keys.size() - 1 - k];
    for (size_t i = 0; i < key.columns.size(); ++i) {
      rows.push_back({Int(static_cast<int64_t>(k)), Int(static_cast<int64_t>(i)), Text(key.parent_table),
                      ColumnName(*table, key.columns[i]), i < key.parent_columns.size() ? Text(key.parent_columns[i]) : Value(),
                      Text(key.on_update), Text(key.on_delete), Text(key.match)});
    }
  }
  return rows;
}

absl::StatusOr<Rows> DatabaseList(sql::ExecContext* context, std::string_view, std::string_view) {
  Rows rows;
  for (const std::string& schema : context->catalog->Schemas()) {
    rows.push_back({Int(static_cast<int64_t>(rows.size())), Text(schema == catalog::kDefaultSchema ? "main" : schema), Text("")});
  }
  return rows;
}

absl::StatusOr<Rows> CollationList(sql::ExecContext*, std::string_view, std::string_view) {
  return Rows{{Int(0), Text("RTRIM")}, {Int(1), Text("NOCASE")}, {Int(2), Text("BINARY")}};
}

// The argument is a table or the most findings to show.
absl::StatusOr<Rows> Findings(sql::ExecContext* context, std::string_view argument, bool is_quick) {
  IntegrityRequest request;
  request.is_quick = is_quick;
  int64_t most = 0;
  if (!absl::SimpleAtoi(ToAbsl(argument), &most)) request.table = argument;
  else if (most > 0) request.max_findings = static_cast<size_t>(most);
  TURDB_ASSIGN_OR_RETURN(const auto findings, CheckIntegrity(context, request));
  Rows rows;
  for (const std::string& finding : findings) rows.push_back({Text(finding)});
  if (rows.empty()) rows.push_back({Text("ok")});
  return rows;
}
absl::StatusOr<Rows> IntegrityCheck(sql::ExecContext* context, std::string_view argument, std::string_view) {
  return Findings(context, argument, false);
}
absl::StatusOr<Rows> QuickCheck(sql::ExecContext* context, std::string_view argument, std::string_view) {
  return Findings(context, argument, true);
}

absl::StatusOr<Rows> PageSize(sql::ExecContext*, std::string_view, std::string_view) {
  return Rows{{Int(static_cast<int64_t>(format::kPageBytes))}};
}
absl::StatusOr<Rows> SchemaVersion(sql::ExecContext* context, std::string_view, std::string_view) {
  return Rows{{Int(static_cast<int64_t>(context->catalog->version()))}};
}
absl::StatusOr<Rows> Encoding(sql::ExecContext*, std::string_view, std::string_view) { return Rows{{Text("UTF-8")}}; }

absl::StatusOr<Rows> UserVersion(sql::ExecContext* context, std::string_view, std::string_view) {
  TURDB_ASSIGN_OR_RETURN(const int32_t value, ReadApplicationNumber(context->txn, ApplicationNumber::kUserVersion));
  return Rows{{Int(value)}};
}
absl::StatusOr<Rows> ApplicationId(sql::ExecContext* context, std::string_view, std::string_view) {
  TURDB_ASSIGN_OR_RETURN(const int32_t value, ReadApplicationNumber(context->txn, ApplicationNumber::kApplicationId));
  return Rows{{Int(value)}};
}

absl::StatusOr<Rows> LockList(sql::ExecContext* context, std::string_view, std::string_view) {
  Rows rows;
  if (context->store == nullptr) return rows;
  for (const LockRow& lock : ListLocks(*context->store, *context->catalog)) {
    rows.push_back({Int(lock.transaction_id), Text(lock.kind), lock.name.empty() ? Value() : Text(lock.name),
                    lock.row_id.has_value() ? Int(*lock.row_id) : Value(), Text(lock.mode), Int(lock.is_granted)});
  }
  return rows;
}

std::string ArgumentText(absl::Span<const Value> arguments, size_t i) {
  if (i >= arguments.size()) return "";
  const Cell cell = arguments[i].cell();
  if (cell.is_text()) return std::string(cell.view());
  return cell.is_integer() ? std::to_string(cell.integer) : "";
}

void Register(std::string_view name, Lister lister) {
  const sql::TableFunctionDef* def = nullptr;
  for (const sql::TableFunctionDef& each : sql::TableFunctions()) {
    if (each.name == name) def = &each;
  }
  const size_t hidden = def->hidden_columns.size();
  sql::TableFunction function;
  function.name = std::string(name);
  function.columns = def->columns.size() + hidden;
  function.open = [lister, hidden](sql::ExecContext* context,
                                   absl::Span<const Value> arguments) -> absl::StatusOr<std::unique_ptr<sql::TableFunctionRows>> {
    TURDB_ASSIGN_OR_RETURN(Rows rows, lister(context, ArgumentText(arguments, 0), ArgumentText(arguments, 1)));
    for (Row& row : rows) {
      for (size_t i = 0; i < hidden; ++i) row.push_back(i < arguments.size() ? arguments[i] : Value());
    }
    return std::unique_ptr<sql::TableFunctionRows>(std::make_unique<ListedRows>(std::move(rows)));
  };
  sql::RegisterTableFunction(std::move(function));
}

}  // namespace

void RegisterPragmaFunctions() {
  static std::once_flag once;
  std::call_once(once, [] {
    Register("pragma_table_info", TableInfo);
    Register("pragma_table_xinfo", TableXInfo);
    Register("pragma_table_list", TableList);
    Register("pragma_index_list", IndexList);
    Register("pragma_index_info", IndexInfo);
    Register("pragma_index_xinfo", IndexXInfo);
    Register("pragma_foreign_key_list", ForeignKeyList);
    Register("pragma_database_list", DatabaseList);
    Register("pragma_collation_list", CollationList);
    Register("pragma_integrity_check", IntegrityCheck);
    Register("pragma_quick_check", QuickCheck);
    Register("pragma_page_size", PageSize);
    Register("pragma_schema_version", SchemaVersion);
    Register("pragma_encoding", Encoding);
    Register("pragma_user_version", UserVersion);
    Register("pragma_application_id", ApplicationId);
    Register("pragma_lock_list", LockList);
  });
}

}  // namespace turdb::engine
