// Statements that change the schema: CREATE, DROP, ALTER, REINDEX, ANALYZE, run inside a transaction that is writing.
//
// The tree is checked and turned into catalog definitions by sql/bind (bind_schema.h); here files are filled, indexes
// built and existing rows validated. Everything is undone when the transaction rolls back.
#pragma once

#include "sql/exec/exec_context.h"
#include "sql/syntax/parser.h"
#include "table/table_writer.h"

namespace turdb::sql {

struct SchemaContext {
  ExecContext* exec = nullptr;            // its txn is writing; its catalog is the one before the statement
  catalog::CatalogCache* cache = nullptr;
  const FunctionSet* functions = nullptr;
  int threads = 1;                        // of index builds
  table::Progress progress;
};

absl::Status ExecuteSchemaStatement(const ParsedStatement& parsed, SchemaContext* context);

// What is wrong with a table, its indexes, vectors and graphs (table::CheckTable), expressions of indexes evaluated.
absl::StatusOr<std::vector<std::string>> CheckStoredTable(const catalog::TableDef& table, ExecContext* context);

}  // namespace turdb::sql
