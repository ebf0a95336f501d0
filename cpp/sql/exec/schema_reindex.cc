// REINDEX: indexes made anew from the rows, in new files under the same ids; the old files are not read, so damage in them is
// gone with them. ANALYZE.
//
// ANALYZE checks its argument and stores nothing: row counts come from the trees themselves (table::EstimateTableRows).
#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "catalog/object_files.h"
#include "catalog/replace_files.h"
#include "sql/exec/schema_statements.h"

namespace turdb::sql {
namespace {

bool UsesCollation(const catalog::IndexDef& index, Collation collation) {
  return std::any_of(index.columns.begin(), index.columns.end(),
                     [&](const catalog::IndexColumn& column) { return column.collation == collation; });
}

template <typename Predicate>
absl::Status RebuildWhere(SchemaStatement* statement, Predicate is_wanted) {
  for (const catalog::TableDef* table : statement->catalog().Tables()) {
    catalog::TableDef anew = *table;
    bool is_any_wanted = false;
    for (catalog::IndexDef& index : anew.indexes) {
      if (!is_wanted(*table, index)) continue;
      is_any_wanted = true;
      index.has_short_row_keys = catalog::CanHaveShortRowKeys(*table, index);  // one of an older format had none
      TURDB_RETURN_IF_ERROR(catalog::CreateIndexFile(statement->txn(), &index));
      TURDB_RETURN_IF_ERROR(FillIndex(anew, index, statement));
    }
    if (is_any_wanted) TURDB_RETURN_IF_ERROR(catalog::ReplaceFiles(statement->txn(), *table, anew));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ExecuteReindex(const Reindex& reindex, SchemaStatement* statement) {
  if (reindex.name.name.empty()) {
    return RebuildWhere(statement, [](const auto&, const auto&) { return true; });
  }
  const std::string_view schema = reindex.name.schema.text, name = reindex.name.name.text;
  const int collation = reindex.name.schema.empty() ? statement->context->functions->FindCollation(name) : -1;
  if (collation >= 0) {
    return RebuildWhere(statement, [&](const auto&, const catalog::IndexDef& index) {
      return UsesCollation(index, static_cast<Collation>(collation));
    });
  }
  if (const catalog::TableDef* wanted = statement->catalog().FindTable(schema, name)) {
    return RebuildWhere(statement, [&](const catalog::TableDef& table, const auto&) { return &table == wanted; });
  }
  const catalog::IndexDef* wanted = statement->catalog().FindIndex(schema, name);
  if (wanted == nullptr) return statement->Problem("unable to identify the object to be reindexed", reindex.name.name.pos);
  return RebuildWhere(statement, [&](const auto&, const catalog::IndexDef& index) { return index.id == wanted->id; });
}

absl::Status ExecuteAnalyze(const Analyze& analyze, SchemaStatement* statement) {
  const Name &schema = analyze.name.schema, &name = analyze.name.name;
  if (name.empty()) return absl::OkStatus();
  if (!schema.empty() && !statement->catalog().HasSchema(schema.text) && !EqualsIgnoreCase(schema.text, "main")) {
    return statement->Problem(Cat("unknown database ", schema.text), schema.pos);
  }
  const bool is_schema = schema.empty() && (statement->catalog().HasSchema(name.text) || EqualsIgnoreCase(name.text, "main"));
  if (is_schema || statement->catalog().FindTable(schema.text, name.text) != nullptr ||
      statement->catalog().FindIndex(schema.text, name.text) != nullptr) {
    return absl::OkStatus();
  }
  return statement->NoSuchTable(analyze.name, "table");
}

}  // namespace turdb::sql
