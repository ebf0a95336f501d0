// DROP TABLE, VIEW, INDEX, TRIGGER and SCHEMA.
#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/exec/schema_statements.h"

namespace turdb::sql {
namespace {

bool IsReserved(std::string_view name) { return EqualsIgnoreCase(name.substr(0, 7), "sqlite_"); }

absl::Status DropTableOrView(const Drop& drop, SchemaStatement* statement) {
  const bool wants_view = drop.object == ObjectType::kView;
  const std::string_view name = drop.name.name.text;
  const catalog::TableDef* table = statement->catalog().FindTable(drop.name.schema.text, name);
  if (table == nullptr) {
    if (IsReserved(name)) return statement->Problem(Cat("table ", name, " may not be dropped"), drop.name.name.pos);
    return drop.if_exists ? absl::OkStatus() : statement->NoSuchTable(drop.name, wants_view ? "view" : "table");
  }
  const bool is_view = table->kind == catalog::TableKind::kView;
  if (is_view && !wants_view) return statement->Problem(Cat("use DROP VIEW to delete view ", table->name), drop.name.name.pos);
  if (!is_view && wants_view) return statement->Problem(Cat("use DROP TABLE to delete table ", table->name), drop.name.name.pos);
  return catalog::DropTable(statement->cache(), statement->txn(), *table);
}

absl::Status DropIndex(const Drop& drop, SchemaStatement* statement) {
  const catalog::IndexDef* index = statement->catalog().FindIndex(drop.name.schema.text, drop.name.name.text);
  if (index == nullptr) {
    const Name& schema = drop.name.schema;
    const std::string full = schema.empty() ? std::string(drop.name.name.text) : Cat(schema.text, ".", drop.name.name.text);
    return drop.if_exists ? absl::OkStatus() : statement->Problem(Cat("no such index: ", full), drop.name.name.pos);
  }
  if (index->origin != catalog::IndexOrigin::kCreateIndex) {
    return statement->Problem("index associated with UNIQUE or PRIMARY KEY constraint cannot be dropped", drop.name.name.pos);
  }
  return catalog::DropIndex(statement->cache(), statement->txn(), *index);
}

absl::Status DropTrigger(const Drop& drop, SchemaStatement* statement) {
  const catalog::TriggerDef* trigger = statement->catalog().FindTrigger(drop.name.schema.text, drop.name.name.text);
  if (trigger != nullptr) return catalog::DropTrigger(statement->cache(), statement->txn(), *trigger);
  if (drop.if_exists) return absl::OkStatus();
  return statement->Problem(Cat("no such trigger: ", drop.name.name.text), drop.name.name.pos);
}

absl::Status DropSchema(const Drop& drop, SchemaStatement* statement) {
  const std::string_view name = drop.name.name.text;
  if (!statement->catalog().HasSchema(name)) {
    return drop.if_exists ? absl::OkStatus() : statement->Problem(Cat("no such schema: ", name), drop.name.name.pos);
  }
  const bool is_default = EqualsIgnoreCase(name, catalog::kDefaultSchema) || EqualsIgnoreCase(name, "main");
  if (drop.is_cascade && !is_default) {
    const auto before = statement->context->exec->catalog;  // keeps the definitions while they are dropped
    for (const catalog::TableDef* table : before->Tables()) {
      if (!EqualsIgnoreCase(table->schema, name)) continue;
      TURDB_RETURN_IF_ERROR(catalog::DropTable(statement->cache(), statement->txn(), *table));
    }
  }
  return catalog::DropSchema(statement->cache(), statement->txn(), name);
}

}  // namespace

absl::Status ExecuteDrop(const Drop& drop, SchemaStatement* statement) {
  switch (drop.object) {
    case ObjectType::kTable:
    case ObjectType::kView: return DropTableOrView(drop, statement);
    case ObjectType::kIndex: return DropIndex(drop, statement);
    case ObjectType::kTrigger: return DropTrigger(drop, statement);
    case ObjectType::kSchema: return DropSchema(drop, statement);
  }
  return InternalError("DROP of an unknown kind of object");
}

}  // namespace turdb::sql
