// LINKS: engine
// turdb._testing.backup: connections on a file system that loses power on command, driven by SQL. Errors are
// RuntimeError("Kind: message").
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <vector>

#include "base/errors.h"
#include "engine/backup.h"
#include "engine/connection.h"
#include "env/fault_env.h"
#include "testing/check.h"
#include "testing/python_cells.h"

namespace py = pybind11;

namespace turdb {
namespace {

using testing::Check;
using testing::FromPython;
using testing::ToPython;

class TestConnection {
 public:
  TestConnection(std::shared_ptr<env::FaultEnv> env, const std::string& path) : env_(std::move(env)) {
    engine::OpenOptions options;
    options.path = path;
    options.timeout_ms = 0;
    options.env = env_.get();
    py::gil_scoped_release release;
    connection_ = Check(engine::Connection::Open(options));
  }
  ~TestConnection() { Close(); }

  py::list Execute(const std::string& sql, const py::sequence& parameters) {
    std::vector<Value> values;
    for (const auto& each : parameters) values.push_back(FromPython(each));
    size_t consumed = 0;
    const auto statement = Check(connection_->Prepare(sql, &consumed));
    const auto result = Check(statement->Execute(values));
    py::list rows;
    ColumnBatch batch;
    while (!result->columns().empty()) {
      Check(result->Next(&batch));
      if (batch.size == 0) break;
      for (uint32_t i = 0; i < batch.size; ++i) {
        py::tuple row(batch.columns.size());
        for (size_t c = 0; c < batch.columns.size(); ++c) row[c] = ToPython(batch.columns[c].Get(i));
        rows.append(row);
      }
    }
    return rows;
  }
  void Backup(TestConnection& target, int64_t pages) {
    const auto backup = Check(engine::Backup::Start(connection_.get(), target.connection_.get(), "main"));
    while (!Check(backup->Step(pages))) {
    }
  }
  void Close() {
    py::gil_scoped_release release;
    connection_ = nullptr;
  }

 private:
  std::shared_ptr<env::FaultEnv> env_;
  std::unique_ptr<engine::Connection> connection_;
};

}  // namespace

PYBIND11_MODULE(backup, m) {
  py::class_<env::FaultEnv, std::shared_ptr<env::FaultEnv>>(m, "FaultEnv", py::module_local())
      .def(py::init([] { return std::shared_ptr<env::FaultEnv>(env::NewFaultEnv()); }))
      .def("calls", &env::FaultEnv::calls)
      .def("cut_power_at", [](env::FaultEnv& e, uint64_t call) { e.FailAt(call, env::Fault::kPowerLoss); })
      .def("fail_at", [](env::FaultEnv& e, uint64_t call) { e.FailAt(call, env::Fault::kIo); })
      .def("fill_disk_at", [](env::FaultEnv& e, uint64_t call, uint64_t n) { e.FailAt(call, env::Fault::kDiskFull, n); })
      .def("restart", &env::FaultEnv::Restart)
      .def("list", [](env::FaultEnv& e, const std::string& path) { return Check(e.ListDir(path)); })
      .def("exists", [](env::FaultEnv& e, const std::string& path) { return e.DirExists(path); });
  py::class_<TestConnection>(m, "Connection", py::module_local())
      .def(py::init<std::shared_ptr<env::FaultEnv>, const std::string&>(), py::arg("env"), py::arg("path") = "db")
      .def("execute", &TestConnection::Execute, py::arg("sql"), py::arg("parameters") = py::tuple())
      .def("backup", &TestConnection::Backup, py::arg("target"), py::arg("pages") = -1)
      .def("close", &TestConnection::Close);
}

}  // namespace turdb
