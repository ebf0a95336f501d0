// The statements that schema.cc hands out, one group a file: schema_create.cc, schema_create_as.cc, schema_drop.cc,
// schema_reindex.cc, schema_alter.cc, schema_column.cc; and what they share.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "sql/bind/binder.h"
#include "sql/exec/row_shaper.h"
#include "sql/exec/schema.h"

namespace turdb::sql {

struct SchemaStatement {
  const ParsedStatement& parsed;
  SchemaContext* context;

  txn::Transaction* txn() const { return context->exec->txn; }
  catalog::CatalogCache* cache() const { return context->cache; }
  const catalog::CatalogSnapshot& catalog() const { return *context->exec->catalog; }
  BindOptions bind_options() const { return BindOptions{context->functions}; }
  // After a change: the catalog as it is now. What the old one gave out stays good until then.
  absl::Status Reload();
  // kName at the place of `pos` in the statement's text.
  absl::Status Problem(std::string_view message, SourcePos pos, std::string_view hint = {}) const;
  absl::Status NoSuchTable(const QualifiedName& name, std::string_view what) const;  // what: "table" or "view"
};

absl::Status ExecuteCreateTable(const CreateTable& create, SchemaStatement* statement);
absl::Status ExecuteCreateTableAs(const CreateTable& create, SchemaStatement* statement);
absl::Status ExecuteCreateIndex(const CreateIndex& create, SchemaStatement* statement);
absl::Status ExecuteCreateView(const CreateView& create, SchemaStatement* statement);
absl::Status ExecuteCreateSchema(const CreateSchema& create, SchemaStatement* statement);
absl::Status ExecuteDrop(const Drop& drop, SchemaStatement* statement);
absl::Status ExecuteReindex(const Reindex& reindex, SchemaStatement* statement);
absl::Status ExecuteAnalyze(const Analyze& analyze, SchemaStatement* statement);
absl::Status ExecuteAlter(const AlterTable& alter, SchemaStatement* statement);

// The parts of ALTER TABLE. `table` is one of the statement's catalog.
absl::Status RenameTable(const catalog::TableDef& table, const Name& new_name, SchemaStatement* statement);
absl::Status RenameColumn(const catalog::TableDef& table, const AlterTable& alter, SchemaStatement* statement);
absl::Status AddColumn(const catalog::TableDef& table, const ColumnDef& column, SchemaStatement* statement);
absl::Status DropColumn(const catalog::TableDef& table, const Name& column, SchemaStatement* statement);
absl::Status NoSuchColumn(const catalog::TableDef& table, const Name& column, SchemaStatement* statement);

// The expressions of a stored table's rows, bound, compiled and kept together.
struct TableExpressions {
  RowExpressions bound;
  Builder builder;
  std::unique_ptr<RowShaper> shaper;

  // `table` and the context outlive what is made.
  static absl::StatusOr<std::unique_ptr<TableExpressions>> Make(const catalog::TableDef& table, SchemaStatement* statement);
  table::IndexExpressions index_callback() { return shaper->IndexCallback(); }
};

// Fills an index from its table, whatever it holds.
absl::Status FillIndex(const catalog::TableDef& table, const catalog::IndexDef& index, SchemaStatement* statement);

}  // namespace turdb::sql
