// LINKS: sql/bind
// turdb._testing.bind: the binder over a schema given as CREATE statements, with functions that only have names.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <chrono>
#include <deque>
#include <map>

#include "sql/bind/bind_schema.h"
#include "sql/bind/binder.h"
#include "testing/check.h"

namespace py = pybind11;
using namespace turdb;
using namespace turdb::sql;

namespace {

using turdb::testing::Check;

struct NamedFunctions : FunctionSet {
  NamedFunctions() {
    const struct { const char* name; int min, max; bool deterministic; } kScalars[] = {
        {"abs", 1, 1, true}, {"max", 2, -1, true}, {"min", 2, -1, true}, {"length", 1, 1, true}, {"upper", 1, 1, true},
        {"lower", 1, 1, true}, {"typeof", 1, 1, true}, {"substr", 2, 3, true}, {"round", 1, 2, true},
        {"nullif", 2, 2, true}, {"random", 0, 0, false}, {"like", 2, 3, true}, {"glob", 2, 2, true},
        {"match", 2, 2, true}, {"changes", 0, 0, false}, {"last_insert_rowid", 0, 0, false}, {"hex", 1, 1, true},
        {"current_timestamp", 0, 0, false}, {"current_date", 0, 0, false}, {"current_time", 0, 0, false},
        {"date", 0, -1, true}, {"->", 2, 2, true}, {"->>", 2, 2, true}, {"vector_distance_l2", 2, 2, true},
        {"vector_distance_cosine", 2, 2, true}, {"vector_distance_inner_product", 2, 2, true},
        {"vector_distance_l1", 2, 2, true}, {"vector_distance_hamming", 2, 2, true}, {"quote", 1, 1, true},
        {"instr", 2, 2, true}, {"replace", 3, 3, true}, {"trim", 1, 2, true}, {"printf", 0, -1, true}};
    for (const auto& f : kScalars) {
      ScalarFunction& function = scalars.emplace_back();
      function.name = f.name;
      function.min_args = f.min;
      function.max_args = f.max;
      function.is_deterministic = f.deterministic;
      function.needs_collation = function.name == "min" || function.name == "max" || function.name == "nullif";
    }
    const struct { const char* name; int min, max; bool window; } kAggregates[] = {
        {"count", 0, 1, false}, {"sum", 1, 1, false}, {"total", 1, 1, false}, {"avg", 1, 1, false},
        {"min", 1, 1, false}, {"max", 1, 1, false}, {"group_concat", 1, 2, false}, {"row_number", 0, 0, true},
        {"rank", 0, 0, true}, {"dense_rank", 0, 0, true}, {"lag", 1, 3, true}, {"lead", 1, 3, true},
        {"first_value", 1, 1, true}, {"last_value", 1, 1, true}, {"nth_value", 2, 2, true}, {"ntile", 1, 1, true}};
    for (const auto& f : kAggregates) {
      AggregateFunction& function = aggregates.emplace_back();
      function.name = f.name;
      function.min_args = f.min;
      function.max_args = f.max;
      function.is_window_only = f.window;
    }
    for (const auto& f : scalars) scalar_names[f.name] = &f;
    for (const auto& f : aggregates) aggregate_names[f.name] = &f;
  }
  const ScalarFunction* FindScalar(std::string_view name, int count) const override {
    const auto f = scalar_names.find(name);
    if (f == scalar_names.end() || count < f->second->min_args) return nullptr;
    return f->second->max_args >= 0 && count > f->second->max_args ? nullptr : f->second;
  }
  const AggregateFunction* FindAggregate(std::string_view name, int count) const override {
    const auto f = aggregate_names.find(name);
    if (f == aggregate_names.end()) return nullptr;
    return count < f->second->min_args || count > f->second->max_args ? nullptr : f->second;
  }
  bool HasName(std::string_view name) const override {
    return scalar_names.count(name) > 0 || aggregate_names.count(name) > 0;
  }
  std::vector<std::string> SimilarNames(std::string_view name) const override {
    for (const auto& f : scalars) {
      if (f.name.substr(0, 2) == name.substr(0, 2)) return {f.name};
    }
    return {};
  }
  int FindCollation(std::string_view name) const override {
    if (EqualsIgnoreCase(name, "binary")) return 0;
    if (EqualsIgnoreCase(name, "nocase")) return 1;
    return EqualsIgnoreCase(name, "rtrim") ? 2 : -1;
  }
  std::deque<ScalarFunction> scalars;
  std::deque<AggregateFunction> aggregates;
  std::map<std::string, const ScalarFunction*, std::less<>> scalar_names;
  std::map<std::string, const AggregateFunction*, std::less<>> aggregate_names;
};

struct Snapshot : catalog::CatalogSnapshot {
  std::deque<catalog::TableDef> tables;
  std::map<std::string, const catalog::TableDef*> names;

  const catalog::TableDef* FindTable(std::string_view schema, std::string_view name) const override {
    if (!HasSchema(schema)) return nullptr;
    const auto found = names.find(AsciiLowerCopy(name));
    return found == names.end() ? nullptr : found->second;
  }
  const catalog::IndexDef* FindIndex(std::string_view, std::string_view) const override { return nullptr; }
  const catalog::TriggerDef* FindTrigger(std::string_view, std::string_view) const override { return nullptr; }
  bool HasSchema(std::string_view schema) const override {
    return schema.empty() || EqualsIgnoreCase(schema, "main") || EqualsIgnoreCase(schema, "root");
  }
  std::vector<const catalog::TableDef*> Tables() const override {
    std::vector<const catalog::TableDef*> all;
    for (const auto& table : tables) all.push_back(&table);
    return all;
  }
  std::vector<const catalog::TriggerDef*> TriggersOf(const catalog::TableDef&) const override { return {}; }
  std::vector<std::string> Schemas() const override { return {"root"}; }
  std::vector<std::string> SimilarTables(std::string_view name) const override {
    for (const auto& table : tables) {
      if (table.name.substr(0, 2) == name.substr(0, 2)) return {table.name};
    }
    return {};
  }
  uint64_t version() const override { return 1; }
};

class Schema {
 public:
  explicit Schema(const std::vector<std::string>& statements) : snapshot_(std::make_shared<Snapshot>()) {
    options_.functions = &functions_;
    for (const std::string& sql : statements) Run(sql);
  }

  py::dict Bind(const std::string& sql) const {
    size_t consumed = 0;
    ParsedStatement parsed = Check(ParseStatement(sql, &consumed));
    if (parsed.statement == nullptr) throw std::runtime_error("Syntax: nothing to bind");
    const BoundStatement bound = Check(sql::Bind(parsed, snapshot_, options_));
    parsed = ParsedStatement();  // the plan stands alone
    py::list columns;
    for (const ResultColumnInfo& column : bound.columns) {
      columns.append(py::make_tuple(column.name, column.declared_type, std::string(AffinityName(column.affinity))));
    }
    py::dict result;
    result["plan"] = LogicalText(*bound.root, bound.column_names);
    result["columns"] = columns;
    result["parameters"] = bound.parameter_count;
    result["is_read_only"] = bound.is_read_only;
    return result;
  }

  // Of the outermost expression of SELECT <expr> FROM ...: affinity and collation of its comparison.
  py::tuple Comparison(const std::string& sql) const {
    size_t consumed = 0;
    const ParsedStatement parsed = Check(ParseStatement(sql, &consumed));
    const BoundStatement bound = Check(sql::Bind(parsed, snapshot_, options_));
    const BoundExpr& expr = *bound.root->As<LogicalProject>().exprs[0];
    return py::make_tuple(std::string(AffinityName(expr.compare_affinity)), static_cast<int>(expr.compare_collation));
  }

  // Microseconds to bind (not to parse) `sql`, the mean of `times`.
  double Time(const std::string& sql, int times) const {
    size_t consumed = 0;
    const ParsedStatement parsed = Check(ParseStatement(sql, &consumed));
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < times; ++i) Check(sql::Bind(parsed, snapshot_, options_).status());
    return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count() / times;
  }

 private:
  void Run(const std::string& sql) {
    size_t consumed = 0;
    const ParsedStatement parsed = Check(ParseStatement(sql, &consumed));
    if (parsed.statement->kind == StatementKind::kCreateIndex) {
      const CreateIndex& create = parsed.statement->As<CreateIndex>();
      catalog::IndexDef index = Check(BindCreateIndex(create, parsed, *snapshot_, options_));
      for (auto& table : snapshot_->tables) {
        if (EqualsIgnoreCase(table.name, create.table.text)) table.indexes.push_back(index);
      }
      return;
    }
    catalog::TableDef& table = snapshot_->tables.emplace_back();
    if (parsed.statement->kind == StatementKind::kCreateView) {
      const CreateView& create = parsed.statement->As<CreateView>();
      table.name = std::string(create.name.name.text);
      table.kind = catalog::TableKind::kView;
      table.view_sql = std::string(create.select_text);
      for (const Name& name : create.columns) table.view_columns.emplace_back(name.text);
    } else {
      NewTable made = Check(BindCreateTable(parsed.statement->As<CreateTable>(), parsed, *snapshot_, options_));
      table = std::move(made.table);
      table.indexes = std::move(made.indexes);
    }
    table.schema = "root";
    snapshot_->names[AsciiLowerCopy(table.name)] = &table;
  }

  NamedFunctions functions_;
  BindOptions options_;
  std::shared_ptr<Snapshot> snapshot_;
};

}  // namespace

PYBIND11_MODULE(bind, m) {
  py::class_<Schema>(m, "Schema")
      .def(py::init<const std::vector<std::string>&>())
      .def("bind", &Schema::Bind)
      .def("comparison", &Schema::Comparison)
      .def("time", &Schema::Time);
}
