// LINKS: engine
// turdb._testing.measure: what a statement costs without Python around it, for benchmarks/oltp.py.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/connection.h"
#include "testing/check.h"

namespace py = pybind11;

namespace turdb {
namespace {

using testing::Check;

// A prepared statement, executed with each key, and its rows read. Nanoseconds an execution, one figure a round.
std::vector<double> MeasureReads(const std::string& path, const std::string& sql, const std::vector<int64_t>& keys, int rounds) {
  py::gil_scoped_release release;
  engine::OpenOptions options;
  options.path = path;
  options.create_if_missing = false;
  const auto connection = Check(engine::Connection::Open(options));
  size_t consumed = 0;
  const auto statement = Check(connection->Prepare(sql, &consumed));
  std::vector<double> nanoseconds;
  ColumnBatch batch;
  for (int round = -1; round < rounds; ++round) {  // the first warms up
    const auto begin = std::chrono::steady_clock::now();
    for (const int64_t key : keys) {
      const Value parameter = Value::Integer(key);
      const auto result = Check(statement->Execute({&parameter, 1}));
      const absl::Status status = result->Next(&batch);
      if (!status.ok() || batch.size != 1) throw std::runtime_error("a key did not give one row");
    }
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    if (round >= 0) nanoseconds.push_back(took.count() / static_cast<double>(keys.size()));
  }
  return nanoseconds;
}

}  // namespace

PYBIND11_MODULE(measure, m) {
  m.def("measure_reads", &MeasureReads, py::arg("path"), py::arg("sql"), py::arg("keys"), py::arg("rounds"));
}

}  // namespace turdb
