// The list. Column names are SQLite's.
#include "sql/bind/table_functions.h"

#include "absl/container/flat_hash_map.h"
#include "base/strings.h"

namespace turdb::sql {

const std::vector<TableFunctionDef>& TableFunctions() {
  static const auto* functions = new std::vector<TableFunctionDef>{
      {"generate_series", 3, {"value"}, {"start", "stop", "step"}},
      {"json_each", 2, {"key", "value", "type", "atom", "id", "parent", "fullkey", "path"}, {"json", "root"}},
      {"json_tree", 2, {"key", "value", "type", "atom", "id", "parent", "fullkey", "path"}, {"json", "root"}},
      {"pragma_table_info", 2, {"cid", "name", "type", "notnull", "dflt_value", "pk"}, {"arg", "schema"}},
      {"pragma_table_xinfo", 2, {"cid", "name", "type", "notnull", "dflt_value", "pk", "hidden"}, {"arg", "schema"}},
      {"pragma_table_list", 2, {"schema", "name", "type", "ncol", "wr", "strict"}, {"arg"}},
      {"pragma_index_list", 2, {"seq", "name", "unique", "origin", "partial"}, {"arg", "schema"}},
      {"pragma_index_info", 2, {"seqno", "cid", "name"}, {"arg", "schema"}},
      {"pragma_index_xinfo", 2, {"seqno", "cid", "name", "desc", "coll", "key"}, {"arg", "schema"}},
      {"pragma_foreign_key_list",
       2,
       {"id", "seq", "table", "from", "to", "on_update", "on_delete", "match"},
       {"arg", "schema"}},
      {"pragma_foreign_key_check", 2, {"table", "rowid", "parent", "fkid"}, {"arg", "schema"}},
      {"pragma_database_list", 0, {"seq", "name", "file"}, {}},
      {"pragma_collation_list", 0, {"seq", "name"}, {}},
      {"pragma_function_list", 0, {"name", "builtin", "type", "enc", "narg", "flags"}, {}},
      {"pragma_module_list", 0, {"name"}, {}},
      {"pragma_pragma_list", 0, {"name"}, {}},
      {"pragma_compile_options", 0, {"compile_options"}, {}},
      {"pragma_integrity_check", 1, {"integrity_check"}, {"arg", "schema"}},
      {"pragma_quick_check", 1, {"quick_check"}, {"arg", "schema"}},
      {"pragma_page_count", 1, {"page_count"}, {"schema"}},
      {"pragma_page_size", 1, {"page_size"}, {"schema"}},
      {"pragma_freelist_count", 1, {"freelist_count"}, {"schema"}},
      {"pragma_user_version", 1, {"user_version"}, {"schema"}},
      {"pragma_schema_version", 1, {"schema_version"}, {"schema"}},
      {"pragma_application_id", 1, {"application_id"}, {"schema"}},
      {"pragma_encoding", 0, {"encoding"}, {}},
      {"pragma_lock_list", 0, {"transaction_id", "kind", "name", "row_id", "mode", "granted"}, {}},
  };
  return *functions;
}

const TableFunctionDef* DescribeTableFunction(std::string_view name) {
  static const auto* by_name = [] {
    auto* map = new absl::flat_hash_map<std::string, const TableFunctionDef*>;
    for (const TableFunctionDef& function : TableFunctions()) map->emplace(std::string(function.name), &function);
    return map;
  }();
  const auto found = by_name->find(AsciiLowerCopy(name));
  return found == by_name->end() ? nullptr : found->second;
}

const std::vector<TableFunctionDef>& SystemViews() {
  static const auto* views = new std::vector<TableFunctionDef>{
      {"storage", 0, {"schema", "name", "kind", "table_name", "path", "pages", "free_pages", "bytes", "dead_bytes", "unused_bytes", "rows"}, {}},
      {"statistics", 0, {"name", "value", "unit", "description"}, {}},
      {"transactions", 0, {"id", "connection", "is_own", "isolation", "state", "started", "snapshot_lsn", "private_bytes"}, {}},
      {"snapshots", 0, {"process_id", "is_own", "lsn", "since", "log_bytes", "kept_pages", "kept_bytes"}, {}},
      {"locks", 0, {"transaction_id", "kind", "name", "row_id", "mode", "granted"}, {}},
  };
  return *views;
}

const TableFunctionDef* DescribeSystemView(std::string_view name) {
  for (const TableFunctionDef& view : SystemViews()) {
    if (EqualsIgnoreCase(view.name, name)) return &view;
  }
  return nullptr;
}

}  // namespace turdb::sql
