// Binder: from a syntax tree to a logical plan. Names become columns of tables, SQLite's rules on types, affinities,
// collations, aggregates and aliases are written out in the nodes, and every mistake is reported with its place.
//
// Binding reads the catalog snapshot and nothing else; it does no I/O and may run on any thread.
// Errors: kName (no such table, column, function, ...; with a suggestion), kSyntax (misuse that the grammar allows).
// Their messages begin with SQLite's words.
#pragma once

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "sql/bind/logical_plan.h"
#include "sql/syntax/parser.h"

namespace turdb::sql {

struct BindOptions {
  const FunctionSet* functions = nullptr;  // REQUIRED; outlives what is bound with it
};

// SELECT, VALUES, INSERT, UPDATE, DELETE, or EXPLAIN of one of them. `parsed` may go afterwards; the catalog is kept.
absl::StatusOr<BoundStatement> Bind(const ParsedStatement& parsed,
                                    std::shared_ptr<const catalog::CatalogSnapshot> catalog,
                                    const BindOptions& options);

// Expressions over a row of `table` as writes need them. ColumnIds count from 0 in order of row_columns.
// `table` need not be in any catalog yet: this is also how CREATE TABLE validates what it was given.
absl::StatusOr<RowExpressions> BindRowExpressions(const catalog::TableDef& table, const BindOptions& options);

// What an expression over one row may be used for; each has its prohibitions (subqueries, parameters, random(), ...).
enum class RowExpressionUse : uint8_t { kCheck, kGenerated, kIndexColumn, kIndexWhere };
// One such expression, over ColumnIds 0 .. columns - 1 and the rowid's, which is the number of columns.
absl::StatusOr<ExprPtr> BindRowExpression(std::string_view sql, const catalog::TableDef& table, RowExpressionUse use,
                                          const BindOptions& options);

// The value of a DEFAULT clause: no columns, parameters or subqueries.
absl::StatusOr<ExprPtr> BindDefault(std::string_view sql, std::string_view column, const BindOptions& options);

}  // namespace turdb::sql
