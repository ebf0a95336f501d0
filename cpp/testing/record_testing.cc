// LINKS: record
// turdb._testing.record: the key encoding. Errors are RuntimeError("Kind: message").
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <chrono>

#include "base/errors.h"
#include "record/key_encoding.h"
#include "testing/check.h"
#include "testing/python_cells.h"

namespace py = pybind11;

namespace turdb {
namespace {

using testing::Check;
using testing::FromPython;
using testing::ToPython;

record::KeyColumn ColumnOf(int collation, bool is_descending) {
  return {static_cast<Collation>(collation), is_descending};
}

py::bytes EncodeKey(const py::sequence& values, const std::vector<std::pair<int, bool>>& columns) {
  std::string key;
  size_t i = 0;
  for (const py::handle value : values) {
    const auto [collation, is_descending] = columns.at(i++);
    record::AppendKey(&key, FromPython(value).cell(), ColumnOf(collation, is_descending));
  }
  return key;
}

py::tuple DecodeKey(const std::string& key, const std::vector<std::pair<int, bool>>& columns) {
  Arena arena;
  std::string_view rest = key;
  py::list values;
  for (const auto& [collation, is_descending] : columns) {
    const absl::StatusOr<Cell> cell = record::DecodeKey(&rest, ColumnOf(collation, is_descending), &arena);
    Check(cell.status());
    values.append(ToPython(*cell));
  }
  return py::make_tuple(values, py::bytes(std::string(rest)));
}

int Compare(const py::object& a, const py::object& b, int collation) {
  const int order = CompareCells(FromPython(a).cell(), FromPython(b).cell(), static_cast<Collation>(collation));
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

py::bytes EncodeRowId(int64_t rowid) {
  std::string key;
  record::AppendRowId(&key, RowId(rowid));
  return key;
}

int64_t DecodeRowId(const std::string& key) {
  std::string_view rest = key;
  const absl::StatusOr<RowId> rowid = record::DecodeRowId(&rest);
  Check(rowid.status());
  if (!rest.empty()) throw std::runtime_error("bytes are left over");
  return rowid->value();
}

py::tuple MeasureIntegers(uint32_t n) {  // ns to encode and to decode one
  std::string key;
  key.reserve(16);
  size_t bytes = 0;
  auto begin = std::chrono::steady_clock::now();
  for (uint32_t i = 0; i < n; ++i) {
    key.clear();
    record::AppendKey(&key, Cell::Integer(int64_t{i} * 2654435761), {});
    bytes += key.size();
  }
  const std::chrono::duration<double, std::nano> encode = std::chrono::steady_clock::now() - begin;
  Arena arena;
  int64_t sum = static_cast<int64_t>(bytes);
  begin = std::chrono::steady_clock::now();
  for (uint32_t i = 0; i < n; ++i) {
    std::string_view rest = key;
    sum += record::DecodeKey(&rest, {}, &arena)->integer;
  }
  const std::chrono::duration<double, std::nano> decode = std::chrono::steady_clock::now() - begin;
  return py::make_tuple(encode.count() / n, decode.count() / n, sum);
}

}  // namespace
}  // namespace turdb

PYBIND11_MODULE(record, m) {
  using namespace turdb;
  m.def("encode_key", &EncodeKey);
  m.def("decode_key", &DecodeKey);
  m.def("compare", &Compare);
  m.def("encode_rowid", &EncodeRowId);
  m.def("decode_rowid", &DecodeRowId);
  m.def("after_prefix", [](const std::string& prefix) { return py::bytes(record::AfterPrefix(prefix)); });
  m.def("measure_integers", &MeasureIntegers);
}
