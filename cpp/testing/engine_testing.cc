// LINKS: engine
// turdb._testing.engine: connections to a database on a file system of the test's choice, one that injects faults above
// all. Statements are plain text; several connections to one path of one Env share its database, as those of a process do.
#include <memory>
#include <string>

#include "engine/connection.h"
#include "engine/statement_shape.h"
#include "testing/env_fixture.h"
#include "testing/python_cells.h"

namespace turdb::testing {
namespace {

class Connection {
 public:
  Connection(TestEnv env, const std::string& path, uint64_t timeout_ms) : env_(env.env) {
    engine::OpenOptions options;
    options.env = env_.get();
    options.path = path;
    options.timeout_ms = timeout_ms;
    connection_ = Check(engine::Connection::Open(options));
  }
  // (rows, rows changed or -1)
  py::tuple Execute(const std::string& sql) {
    if (connection_ == nullptr) throw std::runtime_error("Misuse: the connection is closed");
    size_t consumed = 0;
    auto statement = Check(connection_->Prepare(sql, &consumed));
    auto result = Check(statement->Execute({}));
    py::list rows;
    ColumnBatch batch;
    while (!result->columns().empty()) {
      Check(result->Next(&batch));
      if (batch.size == 0) break;
      for (uint32_t row = 0; row < batch.size; ++row) rows.append(Row(batch, row));
    }
    const int64_t changes = result->changes();
    result->Close();
    return py::make_tuple(rows, changes);
  }
  // Lets go of the connection whatever becomes of its file system.
  void Close() {
    if (connection_ == nullptr) return;
    auto closing = std::move(connection_);
    Check(closing->Close());
  }
  bool in_transaction() const { return connection_ != nullptr && connection_->in_transaction(); }

 private:
  static py::tuple Row(const ColumnBatch& batch, uint32_t row) {
    py::tuple out(batch.columns.size());
    for (size_t i = 0; i < batch.columns.size(); ++i) out[i] = ToPython(batch.columns[i].Get(row));
    return out;
  }
  std::shared_ptr<env::Env> env_;  // outlives the connection
  std::unique_ptr<engine::Connection> connection_;
};

// (shape, [values]), or None when the text has none.
py::object Shape(const std::string& sql) {
  engine::StatementShape shape;
  if (!engine::FindShape(sql, &shape)) return py::none();
  py::list values;
  for (const Value& value : shape.values) values.append(ToPython(value.cell()));
  return py::make_tuple(shape.text, values);
}

}  // namespace
}  // namespace turdb::testing

PYBIND11_MODULE(engine, m) {
  m.def("statement_shape", &turdb::testing::Shape);
  using turdb::testing::Connection;
  using turdb::testing::TestEnv;
  turdb::testing::BindEnvs(m);
  pybind11::class_<Connection>(m, "Connection", pybind11::module_local())
      .def(pybind11::init<TestEnv, const std::string&, uint64_t>(), pybind11::arg("env"), pybind11::arg("path"),
           pybind11::arg("timeout_ms") = 0)
      .def("execute", &Connection::Execute)
      .def("close", &Connection::Close)
      .def_property_readonly("in_transaction", &Connection::in_transaction);
}
