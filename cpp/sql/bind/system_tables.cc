// The rows of sqlite_schema are made of the catalog snapshot while a statement that reads it is bound: the plan is
// good as long as the snapshot is, as every other plan. rootpage is the object's id.
#include "sql/bind/system_tables.h"

#include "base/strings.h"
#include "sql/bind/binding.h"

namespace turdb::sql {
namespace {

struct Row {
  std::string_view type, name, table, sql;
  uint64_t id;
};

std::vector<Row> SchemaRows(const catalog::CatalogSnapshot& catalog) {
  std::vector<Row> rows;
  for (const catalog::TableDef* table : catalog.Tables()) {
    if (table->schema != catalog::kDefaultSchema && !table->schema.empty()) continue;
    const bool is_view = table->kind == catalog::TableKind::kView;
    rows.push_back({is_view ? "view" : "table", table->name, table->name, table->sql, is_view ? 0 : table->id.value()});
    for (const catalog::IndexDef& index : table->indexes) {
      rows.push_back({"index", index.name, table->name, index.sql, index.id.value()});
    }
    for (const catalog::TriggerDef* trigger : catalog.TriggersOf(*table)) {
      rows.push_back({"trigger", trigger->name, table->name, trigger->sql, 0});
    }
  }
  return rows;
}

ExprPtr Text(std::string_view text) { return NewConstant(Value::Text(std::string(text))); }

}  // namespace

bool IsSystemTable(std::string_view name) {
  if (name.size() < 13 || !EqualsIgnoreCase(name.substr(0, 7), "sqlite_")) return false;
  const std::string_view rest = name.substr(7);
  return EqualsIgnoreCase(rest, "schema") || EqualsIgnoreCase(rest, "master") ||
         EqualsIgnoreCase(rest, "temp_schema") || EqualsIgnoreCase(rest, "temp_master");
}

PlanResult Binding::BindSystemTable(Scope* scope, const NamedTableRef& ref) {
  const std::string_view name = ref.name.name.text;
  const bool is_temporary = EqualsIgnoreCase(name.substr(7, 4), "temp") ||
                            EqualsIgnoreCase(ref.name.schema.text, "temp");
  const bool is_schema_known = ref.name.schema.empty() || is_temporary || catalog_->HasSchema(ref.name.schema.text);
  if (!is_schema_known) return NoSuchTable(ref.name);
  auto values = std::make_unique<LogicalValues>();
  int64_t rowid = 0;
  for (const Row& row : is_temporary ? std::vector<Row>() : SchemaRows(*catalog_)) {
    std::vector<ExprPtr>& out = values->rows.emplace_back();
    out.push_back(Text(row.type));
    out.push_back(Text(row.name));
    out.push_back(Text(row.table));
    out.push_back(NewConstant(Value::Integer(static_cast<int64_t>(row.id))));
    out.push_back(row.sql.empty() ? NewConstant(Value()) : Text(row.sql));
    out.push_back(NewConstant(Value::Integer(++rowid)));
  }
  std::vector<OutColumn> columns;
  for (std::string_view column_name : {"type", "name", "tbl_name", "rootpage", "sql", "rowid"}) {
    OutColumn column;
    column.name = column_name;
    column.id = NewColumn(column_name);
    const bool is_integer = column_name == "rootpage" || column_name == "rowid";
    column.affinity = is_integer ? Affinity::kInteger : Affinity::kText;
    column.is_hidden = column_name == "rowid";
    values->output.push_back(column.id);
    columns.push_back(column);
  }
  return AddDerivedSource(scope, ref.alias.empty() ? name : ref.alias.text, std::move(values), std::move(columns));
}

}  // namespace turdb::sql
