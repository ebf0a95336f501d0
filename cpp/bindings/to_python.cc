// Rows are made with the C API, cell by cell, since this is what a fetch spends its time on.
#include "bindings/to_python.h"

#include <pybind11/numpy.h>

#include <cstring>
#include <string>

#include "bindings/errors.h"

namespace turdb::bindings {
namespace {

PyObject* TextToPython(std::string_view text, PyObject* text_factory) {
  if (text_factory == nullptr) {
    PyObject* result = PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), nullptr);
    if (result != nullptr || !PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) return result;
    PyErr_Clear();
    return RaiseKind(ErrorKind::kIo, Cat("could not decode a text value to UTF-8: '", text.substr(0, 60),
                                         "'; set text_factory = bytes to read it"));
  }
  const Py_ssize_t size = static_cast<Py_ssize_t>(text.size());
  if (text_factory == reinterpret_cast<PyObject*>(&PyBytes_Type)) return PyBytes_FromStringAndSize(text.data(), size);
  if (text_factory == reinterpret_cast<PyObject*>(&PyByteArray_Type)) {
    return PyByteArray_FromStringAndSize(text.data(), size);
  }
  Ref bytes = Ref::Steal(PyBytes_FromStringAndSize(text.data(), size));
  if (!bytes) return nullptr;
  return PyObject_CallFunctionObjArgs(text_factory, bytes.get(), nullptr);
}

PyObject* Converted(const Cell& cell, PyObject* converter) {
  if (cell.is_null()) return NewReference(Py_None);
  Ref bytes = Ref::Steal(CellToConverterBytes(cell));
  if (!bytes) return nullptr;
  return PyObject_CallFunctionObjArgs(converter, bytes.get(), nullptr);
}

PyObject* ColumnValue(const ColumnVector& column, uint32_t row, PyObject* text_factory) {
  if (column.is_constant()) row = 0;
  switch (column.layout()) {
    case ColumnVector::Layout::kInt64:
      if (column.IsNull(row)) return NewReference(Py_None);
      return PyLong_FromLongLong(column.ints()[row]);
    case ColumnVector::Layout::kDouble:
      if (column.IsNull(row)) return NewReference(Py_None);
      return PyFloat_FromDouble(column.doubles()[row]);
    case ColumnVector::Layout::kCells: return CellToPython(column.cells()[row], text_factory);
  }
  return NewReference(Py_None);
}

}  // namespace

PyObject* VectorToPython(const float* values, uint32_t dim) {
  try {
    pybind11::array_t<float> array(static_cast<pybind11::ssize_t>(dim));
    if (dim > 0) std::memcpy(array.mutable_data(), values, dim * sizeof(float));
    return array.release().ptr();
  } catch (pybind11::error_already_set& error) {
    error.restore();
    return nullptr;
  }
}

PyObject* CellToPython(const Cell& cell, PyObject* text_factory) {
  switch (cell.type) {
    case StorageClass::kNull: return NewReference(Py_None);
    case StorageClass::kInteger: return PyLong_FromLongLong(cell.integer);
    case StorageClass::kReal: return PyFloat_FromDouble(cell.real);
    case StorageClass::kText: return TextToPython(cell.view(), text_factory);
    case StorageClass::kBlob: return PyBytes_FromStringAndSize(cell.bytes, cell.length);
    case StorageClass::kVector: return VectorToPython(reinterpret_cast<const float*>(cell.bytes), cell.dim());
  }
  return NewReference(Py_None);
}

PyObject* CellToConverterBytes(const Cell& cell) {
  if (cell.has_bytes()) return PyBytes_FromStringAndSize(cell.bytes, cell.length);
  Ref value = Ref::Steal(CellToPython(cell, nullptr));
  if (!value) return nullptr;
  Ref text = Ref::Steal(PyObject_Str(value.get()));
  return text ? PyUnicode_AsUTF8String(text.get()) : nullptr;
}

PyObject* RowToTuple(const ColumnBatch& batch, uint32_t row, const ValueStyle& style) {
  const size_t width = batch.columns.size();
  PyObject* tuple = PyTuple_New(static_cast<Py_ssize_t>(width));
  if (tuple == nullptr) return nullptr;
  for (size_t i = 0; i < width; ++i) {
    PyObject* converter = style.converters == nullptr ? nullptr : (*style.converters)[i].get();
    PyObject* value = converter != nullptr ? Converted(batch.columns[i].Get(row), converter)
                                           : ColumnValue(batch.columns[i], row, style.text_factory);
    if (value == nullptr) {
      Py_DECREF(tuple);
      return nullptr;
    }
    PyTuple_SET_ITEM(tuple, static_cast<Py_ssize_t>(i), value);
  }
  return tuple;
}

}  // namespace turdb::bindings
