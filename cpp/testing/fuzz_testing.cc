// LINKS: fuzz
// turdb._testing.fuzz: the fuzz targets as functions, for tests/fuzz: run(name, bytes). A finding ends the process.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <map>
#include <string>
#include <vector>

#include "fuzz/target.h"

namespace py = pybind11;

namespace {

using Target = void (*)(const uint8_t* data, size_t size);
const std::map<std::string, Target> kTargets = {
    {"btree_ops", turdb::fuzz::FuzzBtreeOps},
    {"database_decode", turdb::fuzz::FuzzDatabaseDecode},
    {"graph_decode", turdb::fuzz::FuzzGraphDecode},
    {"key_encoding", turdb::fuzz::FuzzKeyEncoding},
    {"page_decode", turdb::fuzz::FuzzPageDecode},
    {"record_codec", turdb::fuzz::FuzzRecordCodec},
    {"sql_syntax", turdb::fuzz::FuzzSqlSyntax},
    {"wal_reader", turdb::fuzz::FuzzWalReader},
};

}  // namespace

PYBIND11_MODULE(fuzz, m) {
  m.def("targets", [] {
    std::vector<std::string> names;
    for (const auto& [name, target] : kTargets) names.push_back(name);
    return names;
  });
  m.def("run", [](const std::string& name, const py::bytes& input) {
    const std::string bytes = input;
    kTargets.at(name)(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  });
}
