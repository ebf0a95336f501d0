// Exact built-in types take the first branches, in the order of how often they occur; everything else is looked at once.
// Adapters come before anything but those exact types, as in the sqlite3 module (which looks them up for a built-in
// type only after one has been registered for it).
#include "bindings/parameters.h"

#include <pybind11/numpy.h>

#include "bindings/errors.h"

namespace py = pybind11;

namespace turdb::bindings {
namespace {

PyObject* adapters_by_type = nullptr;
bool is_base_type_adapted = false;

std::string Describe(const Purpose& purpose) {
  if (purpose.name != nullptr) return Cat(purpose.what, " ", purpose.name);
  if (purpose.number > 0) return Cat(purpose.what, " ", purpose.number);
  return purpose.what;
}

bool IntegerToValue(PyObject* object, const Purpose& purpose, Value* out) {
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(object, &overflow);
  if (overflow != 0) {
    Ref module = Ref::Steal(PyImport_ImportModule("turdb.exceptions"));
    Ref type = module ? Ref::Steal(PyObject_GetAttrString(module.get(), "IntegerOverflowError")) : Ref();
    if (type) {
      PyErr_SetString(type.get(), Cat("Python int too large to convert to SQLite INTEGER (", Describe(purpose),
                                      " needs more than 64 bits)").c_str());
    }
    return false;
  }
  if (value == -1 && PyErr_Occurred()) return false;
  out->SetInteger(value);
  return true;
}

bool TextToValue(PyObject* object, Value* out) {
  Py_ssize_t size = 0;
  const char* text = PyUnicode_AsUTF8AndSize(object, &size);
  if (text == nullptr) return false;
  out->SetText({text, static_cast<size_t>(size)});
  return true;
}

bool BufferToValue(PyObject* object, Value* out) {
  Py_buffer view;
  if (PyObject_GetBuffer(object, &view, PyBUF_SIMPLE) != 0) return false;
  out->SetBlob({static_cast<const char*>(view.buf), static_cast<size_t>(view.len)});
  PyBuffer_Release(&view);
  return true;
}

bool RaiseUnsupported(PyObject* object, const Purpose& purpose) {
  RaiseKind(ErrorKind::kParameter, Cat("Error binding ", Describe(purpose), ": type '", Py_TYPE(object)->tp_name,
                                       "' is not supported"));
  return false;
}

bool ArrayToValue(PyObject* object, const Purpose& purpose, Value* out) {
  const auto array = py::reinterpret_borrow<py::array>(object);
  const char kind = array.dtype().kind();
  if (array.ndim() == 0) {
    Ref scalar = Ref::Steal(PyObject_CallMethod(object, "item", nullptr));
    return scalar && PythonToValue(scalar.get(), purpose, out);
  }
  if (array.ndim() != 1 || (kind != 'f' && kind != 'i' && kind != 'u')) {
    const auto dtype = py::str(array.dtype()).cast<std::string>();
    RaiseKind(ErrorKind::kBadValue,
              Cat("Error binding ", Describe(purpose), ": a vector is a 1-d array of floats or ints, not ", array.ndim(),
                  "-d of ", dtype));
    return false;
  }
  constexpr int kAligned = py::detail::npy_api::NPY_ARRAY_ALIGNED_;  // numpy takes any address, C++ does not
  if (py::isinstance<py::array_t<float>>(array) && array.strides(0) == sizeof(float) && (array.flags() & kAligned) != 0) {
    out->SetVector(static_cast<const float*>(array.data()), static_cast<uint32_t>(array.size()));
    return true;
  }
  // Narrowed here and not by numpy, which would warn of overflow: the engine refuses what became infinite.
  const auto doubles = py::array_t<double, py::array::c_style | py::array::forcecast | kAligned>::ensure(array);
  if (!doubles) return false;
  const std::vector<float> floats(doubles.data(), doubles.data() + doubles.size());
  out->SetVector(floats.data(), static_cast<uint32_t>(floats.size()));
  return true;
}

// A list or tuple of numbers is a vector.
bool SequenceToValue(PyObject* object, const Purpose& purpose, Value* out) {
  PyObject** items = PySequence_Fast_ITEMS(object);
  const Py_ssize_t size = PySequence_Fast_GET_SIZE(object);
  std::vector<float> values(static_cast<size_t>(size));
  for (Py_ssize_t i = 0; i < size; ++i) {
    const bool is_number = PyFloat_Check(items[i]) || PyLong_Check(items[i]) || py::isinstance<py::array>(items[i]) ||
                           PyNumber_Check(items[i]);
    const double value = is_number && !PyUnicode_Check(items[i]) ? PyFloat_AsDouble(items[i]) : -1.0;
    if (!is_number || (value == -1.0 && PyErr_Occurred())) {
      PyErr_Clear();
      RaiseKind(ErrorKind::kBadValue, Cat("Error binding ", Describe(purpose), ": a vector needs numbers, but element ", i,
                                          " is a '", Py_TYPE(items[i])->tp_name, "'"));
      return false;
    }
    values[static_cast<size_t>(i)] = static_cast<float>(value);
  }
  out->SetVector(values.data(), static_cast<uint32_t>(size));
  return true;
}

PyObject* NumpyGeneric() {
  static PyObject* type = nullptr;
  if (type == nullptr) {
    Ref numpy = Ref::Steal(PyImport_ImportModule("numpy"));
    type = numpy ? PyObject_GetAttrString(numpy.get(), "generic") : nullptr;
  }
  return type;
}

// numpy scalars: bool, integers and floats of any width (float64 and str_ are subclasses of Python's own).
bool NumpyScalarToValue(PyObject* object, const Purpose& purpose, Value* out) {
  if (PyIndex_Check(object)) {
    Ref integer = Ref::Steal(PyNumber_Index(object));
    if (integer) return IntegerToValue(integer.get(), purpose, out);
    PyErr_Clear();
  }
  Ref scalar = Ref::Steal(PyObject_CallMethod(object, "item", nullptr));
  if (!scalar) return false;
  if (PyObject_IsInstance(scalar.get(), NumpyGeneric()) == 1) return RaiseUnsupported(object, purpose);
  if (PyLong_Check(scalar.get()) || PyFloat_Check(scalar.get())) return PythonToValue(scalar.get(), purpose, out);
  return RaiseUnsupported(object, purpose);
}

// What an adapter or the object's own __conform__ makes of it; a new reference to the object itself when there is none.
PyObject* Adapted(PyObject* object) {
  if (adapters_by_type != nullptr) {
    PyObject* adapter = PyDict_GetItemWithError(adapters_by_type, reinterpret_cast<PyObject*>(Py_TYPE(object)));
    if (adapter != nullptr) return PyObject_CallFunctionObjArgs(adapter, object, nullptr);
    if (PyErr_Occurred()) return nullptr;
  }
  PyObject* conform = PyObject_GetAttrString(object, "__conform__");
  if (conform == nullptr) {
    if (!PyErr_ExceptionMatches(PyExc_AttributeError)) return nullptr;
    PyErr_Clear();
    return NewReference(object);
  }
  Ref method = Ref::Steal(conform);
  Ref module = Ref::Steal(PyImport_ImportModule("turdb.types"));
  Ref protocol = module ? Ref::Steal(PyObject_GetAttrString(module.get(), "PrepareProtocol")) : Ref();
  if (!protocol) return nullptr;
  PyObject* result = PyObject_CallFunctionObjArgs(method.get(), protocol.get(), nullptr);
  if (result == Py_None) {
    Py_DECREF(result);
    return NewReference(object);
  }
  return result;
}

bool StorableToValue(PyObject* object, const Purpose& purpose, Value* out) {
  if (object == Py_None) return out->SetNull(), true;
  if (PyLong_Check(object)) return IntegerToValue(object, purpose, out);  // bool is one
  if (PyFloat_Check(object)) return out->SetReal(PyFloat_AS_DOUBLE(object)), true;
  if (PyUnicode_Check(object)) return TextToValue(object, out);
  if (py::isinstance<py::array>(object)) return ArrayToValue(object, purpose, out);
  PyObject* generic = NumpyGeneric();
  if (generic == nullptr) return false;
  if (!PyBytes_Check(object) && PyObject_IsInstance(object, generic) == 1) return NumpyScalarToValue(object, purpose, out);
  if (PyObject_CheckBuffer(object)) return BufferToValue(object, out);
  if (PyList_Check(object) || PyTuple_Check(object)) return SequenceToValue(object, purpose, out);
  return RaiseUnsupported(object, purpose);
}

bool BindSequence(const engine::Statement& statement, PyObject* parameters, absl::Span<Value> out) {
  Ref fast = Ref::Steal(PySequence_Fast(parameters, "parameters are of unsupported type"));
  if (!fast) return false;
  const Py_ssize_t given = PySequence_Fast_GET_SIZE(fast.get());
  if (given != static_cast<Py_ssize_t>(statement.parameter_count())) {
    RaiseKind(ErrorKind::kParameter, Cat("Incorrect number of bindings supplied. The current statement uses ",
                                         statement.parameter_count(), ", and there are ", given, " supplied."));
    return false;
  }
  for (Py_ssize_t i = 0; i < given; ++i) {
    // Looked up each time: an adapter may run code that changes a list.
    if (i >= PySequence_Fast_GET_SIZE(fast.get())) {
      RaiseKind(ErrorKind::kParameter, "the sequence of parameters changed while it was read");
      return false;
    }
    Ref item = Ref::Borrow(PySequence_Fast_GET_ITEM(fast.get(), i));
    if (!PythonToValue(item.get(), {"parameter", i + 1}, &out[static_cast<size_t>(i)])) return false;
  }
  return true;
}

bool BindMapping(const engine::Statement& statement, PyObject* parameters, absl::Span<Value> out) {
  const auto& names = statement.parameter_names();
  for (size_t i = 0; i < out.size(); ++i) {
    if (i >= names.size() || names[i].size() < 2) {
      RaiseKind(ErrorKind::kParameter, Cat("Binding ", i + 1, " has no name, but you supplied a dictionary (which has only names)."));
      return false;
    }
    const char* name = names[i].c_str() + 1;  // without its sign
    Ref value = Ref::Steal(PyMapping_GetItemString(parameters, name));
    if (!value) {
      if (!PyErr_ExceptionMatches(PyExc_LookupError)) return false;
      PyErr_Clear();
      RaiseKind(ErrorKind::kParameter, Cat("You did not supply a value for binding parameter :", name, "."));
      return false;
    }
    if (!PythonToValue(value.get(), {"parameter", 0, names[i].c_str()}, &out[i])) return false;
  }
  return true;
}

}  // namespace

void SetAdapters(PyObject* adapters) { adapters_by_type = NewReference(adapters); }
void MarkBaseTypeAdapted() { is_base_type_adapted = true; }

bool PythonToValue(PyObject* object, const Purpose& purpose, Value* out) {
  if (object == Py_None) return out->SetNull(), true;
  if (!is_base_type_adapted) {
    if (PyLong_CheckExact(object)) return IntegerToValue(object, purpose, out);
    if (PyUnicode_CheckExact(object)) return TextToValue(object, out);
    if (PyFloat_CheckExact(object)) return out->SetReal(PyFloat_AS_DOUBLE(object)), true;
    if (PyBytes_CheckExact(object) || PyByteArray_CheckExact(object)) return BufferToValue(object, out);
  }
  try {
    Ref adapted = Ref::Steal(Adapted(object));
    return adapted && StorableToValue(adapted.get(), purpose, out);
  } catch (py::error_already_set& error) {  // from numpy's conversions
    error.restore();
    return false;
  }
}

bool BindParameters(const engine::Statement& statement, PyObject* parameters, absl::Span<Value> out) {
  if (parameters == nullptr) {
    if (statement.parameter_count() == 0) return true;
    RaiseKind(ErrorKind::kParameter, Cat("Incorrect number of bindings supplied. The current statement uses ",
                                         statement.parameter_count(), ", and there are 0 supplied."));
    return false;
  }
  if (PyTuple_CheckExact(parameters) || PyList_CheckExact(parameters)) return BindSequence(statement, parameters, out);
  if (PyDict_Check(parameters)) return BindMapping(statement, parameters, out);
  if (PyUnicode_Check(parameters) || !PySequence_Check(parameters)) {
    if (PyMapping_Check(parameters) && !PyUnicode_Check(parameters)) return BindMapping(statement, parameters, out);
    if (!PyUnicode_Check(parameters)) {
      RaiseKind(ErrorKind::kParameter, "parameters are of unsupported type");
      return false;
    }
  }
  return BindSequence(statement, parameters, out);
}

}  // namespace turdb::bindings
