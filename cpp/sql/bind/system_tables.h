// sqlite_schema and its other names: the catalog as a table.
#pragma once

#include <string_view>

namespace turdb::sql {

// sqlite_schema, sqlite_master, sqlite_temp_schema, sqlite_temp_master.
bool IsSystemTable(std::string_view name);

}  // namespace turdb::sql
