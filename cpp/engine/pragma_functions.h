// The pragma_* table functions: facts about the schema as rows, for SELECT .. FROM pragma_table_info('t') and PRAGMA.
#pragma once

namespace turdb::engine {

// Registers them, once for the process. Thread-safe.
void RegisterPragmaFunctions();

}  // namespace turdb::engine
