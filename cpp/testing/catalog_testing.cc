// LINKS: catalog
// turdb._testing.catalog: definitions as bytes, and DDL inside transactions.
#include <chrono>

#include "catalog/definition_codec.h"
#include "catalog/object_files.h"
#include "testing/database_fixture.h"

namespace turdb {
namespace {

namespace py = pybind11;
using testing::Check;
using testing::Database;
using testing::Transaction;

const catalog::TableDef& TableOf(const catalog::CatalogSnapshot& snapshot, const std::string& name) {
  const catalog::TableDef* table = snapshot.FindTable("", name);
  if (table == nullptr) throw py::key_error(name);
  return *table;
}

// A definition that has something in every field.
catalog::TableDef RichTable(const std::string& name) {
  catalog::TableDef table = testing::MakeTable(name, {}, 0, {0, 1}, false, true);
  table.id = ObjectId(7);
  table.schema = "root";
  table.is_strict = true;
  table.primary_key_action = catalog::ConflictAction::kReplace;
  catalog::ColumnDef column;
  column.name = "a";
  column.type = Check(ParseLogicalType("INTEGER"));
  column.is_not_null = true;
  column.not_null_action = catalog::ConflictAction::kFail;
  column.default_sql = "1 + 2";
  column.added_default = Value::Text("three");
  column.generated = catalog::GeneratedKind::kStored;
  column.generated_sql = "b * 2";
  column.primary_key_position = 1;
  table.columns.push_back(column);
  column = {};
  column.name = "e";
  column.type = Check(ParseLogicalType("VECTOR(3)"));
  column.collation = Collation::kNocase;
  column.added_default = Value::Real(1.5);
  column.vector_file = FileId(9);
  column.vector_path = "root/t.e.vec";
  table.columns.push_back(column);
  table.checks = {{"positive", "a > 0"}, {"", "b"}};
  table.foreign_keys = {{"fk", {0, 1}, "parent", {"x", "y"}, "CASCADE", "NO ACTION", "FULL", true}};
  table.file = FileId(12);
  table.path = "root/t.tbd";
  table.view_sql = "SELECT 1";
  table.view_columns = {"p", "q"};
  return table;
}

py::bytes Encoded(const catalog::TableDef& table) { return py::bytes(catalog::EncodeDefinition(table)); }

// Decodes and encodes again.
py::bytes Recoded(const std::string& bytes) {
  catalog::TableDef table;
  Check(catalog::DecodeDefinition(bytes, &table));
  return Encoded(table);
}
py::bytes RecodedIndex(const std::string& bytes) {
  catalog::IndexDef index;
  Check(catalog::DecodeDefinition(bytes, &index));
  return py::bytes(catalog::EncodeDefinition(index));
}
py::bytes RichIndex() {
  catalog::IndexDef index;
  index.id = ObjectId(3);
  index.schema = "root";
  index.name = "i";
  index.table = "t";
  index.kind = catalog::IndexKind::kHnsw;
  index.origin = catalog::IndexOrigin::kPrimaryKey;
  index.is_unique = true;
  index.conflict_action = catalog::ConflictAction::kIgnore;
  index.columns = {{2, "", Collation::kRtrim, true}, {catalog::kExpressionColumn, "a + b", Collation::kBinary, false}};
  index.where_sql = "a IS NOT NULL";
  index.hnsw = {catalog::Metric::kCosine, 24, 100, "sq8"};
  index.file = FileId(5);
  index.path = "root/t.i.hnsw";
  index.sql = "CREATE INDEX i";
  return py::bytes(catalog::EncodeDefinition(index));
}

double MeasureLoad(Transaction& t, int rounds) {  // nanoseconds a LoadCatalog that is a hit
  const auto begin = std::chrono::steady_clock::now();
  size_t sum = 0;
  for (int i = 0; i < rounds; ++i) sum += t.Catalog()->version();
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
  return took.count() / rounds + (sum == 1 ? 1 : 0);
}

}  // namespace

PYBIND11_MODULE(catalog, m) {
  testing::BindDatabase(m);
  m.def("rich_table", [](const std::string& name) { return Encoded(RichTable(name)); });
  m.def("rich_index", &RichIndex);
  m.def("recode_table", &Recoded);
  m.def("recode_index", &RecodedIndex);
  m.def("encode_trigger", [](uint64_t id, const std::string& schema, const std::string& name, const std::string& table,
                             const std::string& sql) {
    return py::bytes(catalog::EncodeDefinition(catalog::TriggerDef{ObjectId(id), schema, name, table, sql}));
  });
  m.def("escape", [](const std::string& name) { return catalog::EscapeFileName(name); });
  m.def("measure_load", &MeasureLoad);

  m.def("create_table", [](Transaction& t, const std::string& schema, const std::string& name,
                           const std::vector<py::tuple>& columns, bool without_rowid) {
    catalog::TableDef table = testing::MakeTable(name, columns, -1, {0}, without_rowid, false);
    table.schema = schema;
    return Check(catalog::CreateTable(t.cache(), t.get(), std::move(table))).path;
  });
  m.def("create_view", [](Transaction& t, const std::string& name) {
    catalog::TableDef view;
    view.name = name;
    view.kind = catalog::TableKind::kView;
    view.view_sql = "SELECT 1";
    Check(catalog::CreateTable(t.cache(), t.get(), std::move(view)));
  });
  m.def("create_index", [](Transaction& t, const std::string& table, const std::string& name, int column) {
    catalog::IndexDef index;
    index.name = name;
    index.table = table;
    index.columns = {{column, "", Collation::kBinary, false}};
    return Check(catalog::CreateIndex(t.cache(), t.get(), std::move(index))).path;
  });
  m.def("create_trigger", [](Transaction& t, const std::string& table, const std::string& name) {
    Check(catalog::CreateTrigger(t.cache(), t.get(), {ObjectId(), "", name, table, "CREATE TRIGGER"}));
  });
  m.def("create_schema", [](Transaction& t, const std::string& n) { Check(catalog::CreateSchema(t.cache(), t.get(), n)); });
  m.def("drop_schema", [](Transaction& t, const std::string& n) { Check(catalog::DropSchema(t.cache(), t.get(), n)); });
  m.def("drop_table", [](Transaction& t, const std::string& name) {
    const auto snapshot = t.Catalog();
    Check(catalog::DropTable(t.cache(), t.get(), TableOf(*snapshot, name)));
  });
  m.def("drop_index", [](Transaction& t, const std::string& name) {
    Check(catalog::DropIndex(t.cache(), t.get(), [&] { catalog::IndexDef i; i.name = name; return i; }()));
  });
  m.def("drop_trigger", [](Transaction& t, const std::string& name) {
    Check(catalog::DropTrigger(t.cache(), t.get(), {ObjectId(), "", name, "", ""}));
  });
  m.def("rename_table", [](Transaction& t, const std::string& name, const std::string& new_name) {
    const auto snapshot = t.Catalog();
    catalog::TableDef table = TableOf(*snapshot, name);
    table.name = new_name;
    Check(catalog::ReplaceTable(t.cache(), t.get(), table));
  });
  m.def("add_column", [](Transaction& t, const std::string& name, const std::string& column, const std::string& type) {
    const auto snapshot = t.Catalog();
    catalog::TableDef table = TableOf(*snapshot, name);
    catalog::ColumnDef def;
    def.name = column;
    def.type = Check(ParseLogicalType(type));
    table.columns.push_back(def);
    Check(catalog::ReplaceTable(t.cache(), t.get(), table));
  });
  // {"tables": {name: ([columns], [indexes], [triggers])}, "views": [...], "schemas": [...], "version": n}
  m.def("describe", [](Transaction& t) {
    const auto snapshot = t.Catalog();
    py::dict tables;
    py::list views;
    for (const catalog::TableDef* table : snapshot->Tables()) {
      if (table->kind == catalog::TableKind::kView) {
        views.append(table->name);
        continue;
      }
      py::list columns, indexes, triggers;
      for (const auto& column : table->columns) columns.append(column.name);
      for (const auto& index : table->indexes) indexes.append(index.name);
      for (const auto* trigger : snapshot->TriggersOf(*table)) triggers.append(trigger->name);
      tables[py::str(table->name)] = py::make_tuple(columns, indexes, triggers);
    }
    py::dict out;
    out["tables"] = tables;
    out["views"] = views;
    out["schemas"] = snapshot->Schemas();
    out["version"] = snapshot->version();
    return out;
  });
  m.def("find", [](Transaction& t, const std::string& schema, const std::string& name) {
    const auto snapshot = t.Catalog();
    return std::make_tuple(snapshot->FindTable(schema, name) != nullptr, snapshot->FindIndex(schema, name) != nullptr,
                           snapshot->FindTrigger(schema, name) != nullptr);
  });
  m.def("similar", [](Transaction& t, const std::string& name) { return t.Catalog()->SimilarTables(name); });
}

}  // namespace turdb
