// Values of tests as Python sees them: None, int, float, str, bytes, and lists or arrays of floats for vectors.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>

#include "base/coding.h"
#include "types/value.h"

namespace turdb::testing {

namespace py = pybind11;

inline Value FromPython(const py::handle& object) {
  if (object.is_none()) return Value();
  if (py::isinstance<py::int_>(object)) return Value::Integer(object.cast<int64_t>());
  if (py::isinstance<py::float_>(object)) return Value::Real(object.cast<double>());
  if (py::isinstance<py::str>(object)) return Value::Text(object.cast<std::string>());
  if (py::isinstance<py::bytes>(object)) return Value::Blob(object.cast<std::string>());
  const auto floats = object.cast<py::array_t<float, py::array::c_style | py::array::forcecast>>();
  return Value::Vector(floats.data(), static_cast<uint32_t>(floats.size()));
}

// Text that is not UTF-8 comes out with surrogates for its bytes, a vector as a list.
inline py::object ToPython(const Cell& cell) {
  switch (cell.type) {
    case StorageClass::kNull: return py::none();
    case StorageClass::kInteger: return py::int_(cell.integer);
    case StorageClass::kReal: return py::float_(cell.real);
    case StorageClass::kText:
      return py::reinterpret_steal<py::object>(PyUnicode_DecodeUTF8(cell.bytes, cell.length, "surrogateescape"));
    case StorageClass::kBlob: return py::bytes(cell.bytes, cell.length);
    case StorageClass::kVector: {
      py::list floats;
      for (uint32_t i = 0; i < cell.dim(); ++i) floats.append(Load<float>(cell.bytes + 4 * size_t{i}));  // at any address
      return floats;
    }
  }
  return py::none();
}

}  // namespace turdb::testing
