// The views of the schema turdb_catalog: storage per object, counters, open transactions (docs/space.md). Their columns are
// listed in sql/bind/table_functions.cc; the rows are made when a statement opens them.
#pragma once

namespace turdb::engine {

// Registers them, and the pragmas that sum them up (page_count, freelist_count), once for the process. Thread-safe.
void RegisterSystemViews();

}  // namespace turdb::engine
