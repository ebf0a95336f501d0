// LINKS: sql/exec
// turdb._testing.exec: number text, single functions and operations on cells, for tests/sql/test_functions.py and
// tests/sql/test_exec_values.py. Operators are tested through SQL.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "sql/exec/accumulator.h"
#include "sql/exec/cell_ops.h"
#include "sql/exec/in_set.h"
#include "sql/exec/operator.h"
#include "testing/python_cells.h"
#include "types/number_text.h"

namespace py = pybind11;
using namespace turdb;
using namespace turdb::sql;

namespace {

using turdb::testing::FromPython;
using turdb::testing::ToPython;

void Check(const absl::Status& status) {
  if (!status.ok()) throw py::value_error(std::string(status.message()));
}

py::object Call(const std::string& name, const py::args& args) {
  const ScalarFunction* function = BuiltinFunctions().FindScalar(name, static_cast<int>(args.size()));
  if (function == nullptr) throw py::key_error(name);
  std::vector<Value> values;
  for (const auto& arg : args) values.push_back(FromPython(arg));
  std::vector<Cell> cells;
  for (const Value& value : values) cells.push_back(value.cell());
  Arena arena;
  FunctionContext context;
  context.arena = &arena;
  Cell result;
  Check(function->call(&context, cells, &result));
  return ToPython(result);
}

py::object Aggregate(const std::string& name, const py::list& rows) {
  const AggregateFunction* function = BuiltinFunctions().FindAggregate(name, 1);
  if (function == nullptr) throw py::key_error(name);
  auto state = function->create();
  Arena arena;
  FunctionContext context;
  context.arena = &arena;
  for (const auto& row : rows) {
    const Value value = FromPython(row);
    const Cell cell = value.cell();
    Check(state->Step(&context, {&cell, 1}));
  }
  Cell result;
  Check(state->Finish(&context, &result));
  return ToPython(result);
}

py::object Operate(const std::string& op, const py::object& a, const py::object& b) {
  static const std::vector<std::string> kOps = {"+", "-", "*", "/", "%", "&", "|", "<<", ">>", "||"};
  const auto found = std::find(kOps.begin(), kOps.end(), op);
  if (found == kOps.end()) throw py::key_error(op);
  const Value x = FromPython(a), y = FromPython(b);
  Arena arena;
  Cell result;
  if (op == "||") {
    Check(Concat(x.cell(), y.cell(), &arena, &result));
  } else {
    result = Arithmetic(static_cast<ArithmeticOp>(found - kOps.begin()), x.cell(), y.cell());
  }
  return ToPython(result);
}

Affinity AffinityByName(const std::string& name) {
  for (Affinity a : {Affinity::kBlob, Affinity::kText, Affinity::kNumeric, Affinity::kInteger, Affinity::kReal}) {
    if (AffinityName(a) == name) return a;
  }
  throw py::key_error(name);
}

}  // namespace

PYBIND11_MODULE(exec, m) {
  m.def("real_to_text", [](double v) { return RealToText(v); });
  m.def("call", &Call);
  m.def("aggregate", &Aggregate);
  m.def("operate", &Operate);
  m.def("cast", [](const py::object& value, const std::string& type) {
    const Value v = FromPython(value);
    auto parsed = ParseLogicalType(type);
    Check(parsed.status());
    Arena arena;
    Cell result;
    Check(Cast(v.cell(), *parsed, &arena, &result));
    return ToPython(result);
  });
  m.def("affinity", [](const py::object& value, const std::string& affinity) {
    const Value v = FromPython(value);
    Arena arena;
    return ToPython(ApplyAffinity(v.cell(), AffinityByName(affinity), &arena));
  });
  m.def("truth", [](const py::object& value) { return Truth(FromPython(value).cell()); });
}
