// append and knn: whole arrays in and out. turdb/connection.py has brought them into the shapes told below.
#include <pybind11/numpy.h>

#include <deque>
#include <string>
#include <vector>

#include "bindings/errors.h"
#include "bindings/objects.h"
#include "bindings/parameters.h"

namespace py = pybind11;

namespace turdb::bindings {
namespace {

// References to objects whose bytes are read while the interpreter goes on: others may change the list that they came from.
class HeldObjects {
 public:
  HeldObjects() = default;
  HeldObjects(const HeldObjects&) = delete;
  HeldObjects& operator=(const HeldObjects&) = delete;
  ~HeldObjects() {
    for (size_t i = 0; i < objects_.size(); ++i) {
      if (i + kAhead < objects_.size()) __builtin_prefetch(objects_[i + kAhead], 1);
      Py_DECREF(objects_[i]);
    }
  }
  void Reserve(size_t n) { objects_.reserve(n); }
  void Add(PyObject* object) { objects_.push_back(NewReference(object)); }

  static constexpr size_t kAhead = 16;  // objects that are fetched from memory before they are needed

 private:
  std::vector<PyObject*> objects_;
};

// One column of an append, alive until it is done.
struct Column {
  std::string name;
  ColumnVector values;
  std::deque<Value> owned;  // what cells of `values` point into
  HeldObjects held;         // and these
  const float* vectors = nullptr;
  size_t stride = 0;
  uint32_t dim = 0;
};

void SetNulls(ColumnVector* values, const py::object& mask, uint32_t rows) {
  if (mask.is_none()) return;
  const auto nulls = py::cast<py::array_t<bool, py::array::c_style | py::array::forcecast>>(mask);
  for (uint32_t row = 0; row < rows; ++row) {
    if (nulls.at(row)) values->SetNull(row);
  }
}

void FillNumbers(const py::array& array, uint32_t rows, ColumnVector* values) {
  if (array.dtype().kind() == 'i') {
    const auto ints = py::cast<py::array_t<int64_t, py::array::c_style>>(array);
    std::copy(ints.data(), ints.data() + rows, values->ResetInt64(rows));
    return;
  }
  const auto doubles = py::cast<py::array_t<double, py::array::c_style>>(array);
  std::copy(doubles.data(), doubles.data() + rows, values->ResetDouble(rows));
  for (uint32_t row = 0; row < rows; ++row) {
    if (doubles.data()[row] != doubles.data()[row]) values->SetNull(row);  // SQL has no NaN
  }
}

// Any Python objects. Texts and bytes stay where they are and are held; the rest is converted. False with a Python error set.
bool FillObjects(const py::list& list, uint32_t rows, Column* column) {
  Cell* cells = column->values.ResetCells(rows);
  column->held.Reserve(rows);
  for (uint32_t row = 0; row < rows; ++row) {
    // What converts an object may run any code.
    if (row >= PyList_GET_SIZE(list.ptr())) {
      RaiseKind(ErrorKind::kMisuse, Cat("append(): column '", column->name, "' became shorter while it was read"));
      return false;
    }
    PyObject** const items = reinterpret_cast<PyListObject*>(list.ptr())->ob_item;
    if (row + HeldObjects::kAhead < rows && row + HeldObjects::kAhead < PyList_GET_SIZE(list.ptr())) {
      __builtin_prefetch(items[row + HeldObjects::kAhead], 1);
    }
    PyObject* const object = items[row];
    if (PyUnicode_CheckExact(object)) {
      Py_ssize_t size = 0;
      const char* text = PyUnicode_AsUTF8AndSize(object, &size);
      if (text == nullptr) return false;
      column->held.Add(object);
      cells[row] = Cell::Text({text, static_cast<size_t>(size)});
    } else if (PyBytes_CheckExact(object)) {
      column->held.Add(object);
      cells[row] = Cell::Blob({PyBytes_AS_STRING(object), static_cast<size_t>(PyBytes_GET_SIZE(object))});
    } else {
      const Ref held = Ref::Steal(NewReference(object));
      const std::string what = Cat("column '", column->name, "', row");
      if (!PythonToValue(object, {what.c_str(), int64_t{row} + 1}, &column->owned.emplace_back())) return false;
      cells[row] = column->owned.back().cell();
      if (!cells[row].has_bytes()) column->owned.pop_back();
    }
  }
  return true;
}

// `item` is (name, values, mask): values float32 [rows, dim] with dense rows, int64 or float64 [rows], or a list.
bool FillColumn(const py::tuple& item, uint32_t rows, Column* column) {
  column->name = item[0].cast<std::string>();
  if (py::isinstance<py::list>(item[1])) return FillObjects(item[1].cast<py::list>(), rows, column);
  const auto array = item[1].cast<py::array>();
  if (array.ndim() == 2) {
    column->vectors = static_cast<const float*>(array.data());
    column->stride = static_cast<size_t>(array.strides(0)) / sizeof(float);
    column->dim = static_cast<uint32_t>(array.shape(1));
    return true;
  }
  FillNumbers(array, rows, &column->values);
  SetNulls(&column->values, item[2], rows);
  return true;
}

PyObject* AppendColumns(Session* session, const std::string& table, uint32_t rows, const py::list& items) {
  std::deque<Column> columns;
  std::vector<engine::Connection::AppendColumn> views;
  for (py::handle item : items) {
    Column& column = columns.emplace_back();
    if (!FillColumn(py::reinterpret_borrow<py::tuple>(item), rows, &column)) return nullptr;
    engine::Connection::AppendColumn& view = views.emplace_back();
    view.name = column.name;
    view.values = column.vectors == nullptr ? &column.values : nullptr;
    view.vectors = column.vectors;
    view.vector_stride = column.stride;
    view.dim = column.dim;
  }
  absl::StatusOr<uint64_t> appended = uint64_t{0};
  std::shared_ptr<engine::Connection> engine = session->engine;
  const std::string begin = session->implicit_begin;
  {
    GilReleased released;
    absl::Status status = BeginIfNeeded(engine.get(), begin);
    appended = status.ok() ? engine->Append(table, rows, views) : absl::StatusOr<uint64_t>(status);
  }
  return appended.ok() ? PyLong_FromUnsignedLongLong(*appended) : RaiseStatus(appended.status());
}

// Runs `body`, turning pybind11's exceptions into Python errors.
template <typename Body>
PyObject* Guarded(Body body) {
  try {
    return body();
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (py::cast_error& error) {
    PyErr_SetString(PyExc_TypeError, error.what());
  }
  return nullptr;
}

// Buffers and texts of the request, alive until it is done.
struct KnnCall {
  engine::Connection::KnnRequest request;
  Parameters parameters;
  py::array_t<float> queries;
};

PyObject* RunKnn(Session* session, KnnCall* call) {
  const auto count = call->queries.shape(0);
  py::array_t<int64_t> ids({count, static_cast<py::ssize_t>(call->request.k)});
  py::array_t<float> distances({count, static_cast<py::ssize_t>(call->request.k)});
  int64_t* ids_out = ids.mutable_data();
  float* distances_out = distances.mutable_data();
  std::shared_ptr<engine::Connection> engine = session->engine;
  absl::Status status;
  {
    GilReleased released;
    status = engine->Knn(call->request, ids_out, distances_out);
  }
  if (!status.ok()) return RaiseStatus(status);
  return py::make_tuple(std::move(ids), std::move(distances)).release().ptr();
}

// The parameters of the WHERE text, bound as those of a statement with it. The text has to parse within parentheses and
// without, so that it is one expression: neither "1) or (1" nor "1 order by 2" is.
bool BindWhere(Session* session, const engine::Connection::KnnRequest& request, PyObject* given, Parameters* out) {
  if (request.where.empty()) {
    if (given != Py_None && PyObject_Length(given) > 0) {
      RaiseKind(ErrorKind::kParameter, "knn() got parameters but no where");
      return false;
    }
    return PyErr_Occurred() == nullptr;
  }
  std::string quoted;
  for (char c : request.table) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  std::shared_ptr<engine::Statement> statement;
  for (const auto& [open, close] : {std::pair("(", "\n)"), std::pair("", "\n")}) {
    const std::string sql = Cat("SELECT 1 FROM \"", quoted, "\" WHERE ", open, request.where, close);
    Ref text = Ref::Steal(PyUnicode_FromStringAndSize(sql.data(), static_cast<Py_ssize_t>(sql.size())));
    statement = text ? session->Prepare(text.get()) : nullptr;
    if (statement == nullptr) return false;
  }
  out->resize(statement->parameter_count());
  return BindParameters(*statement, given == Py_None ? nullptr : given, absl::MakeSpan(*out));
}

}  // namespace

// (table, rows, [(name, values, mask or None)])
PyObject* Append(PyObject* self, PyObject* args) {
  const char* table = nullptr;
  unsigned int rows = 0;
  PyObject* items = nullptr;
  if (!PyArg_ParseTuple(args, "sIO!", &table, &rows, &PyList_Type, &items)) return nullptr;
  Session* session = UsableSession(self);
  if (session == nullptr) return nullptr;
  return Guarded([&] { return AppendColumns(session, table, rows, py::reinterpret_borrow<py::list>(items)); });
}

// (table, column, queries float32 [n, dim] C-contiguous, k, where or "", parameters or None, ef, threads)
PyObject* Knn(PyObject* self, PyObject* args) {
  const char *table = nullptr, *column = nullptr, *where = nullptr;
  PyObject *queries = nullptr, *parameters = nullptr;
  unsigned int k = 0, ef = 0;
  int threads = 0;
  if (!PyArg_ParseTuple(args, "ssOIsOIi", &table, &column, &queries, &k, &where, &parameters, &ef, &threads)) return nullptr;
  Session* session = UsableSession(self);
  if (session == nullptr) return nullptr;
  return Guarded([&]() -> PyObject* {
    KnnCall call;
    call.queries = py::reinterpret_borrow<py::array_t<float>>(queries);
    call.request.table = table;
    call.request.column = column;
    call.request.where = where;
    if (!BindWhere(session, call.request, parameters, &call.parameters)) return nullptr;
    call.request.parameters = call.parameters;
    call.request.queries = call.queries.data();
    call.request.query_count = static_cast<uint64_t>(call.queries.shape(0));
    call.request.dim = static_cast<uint32_t>(call.queries.shape(1));
    call.request.k = k;
    call.request.ef = ef;
    call.request.threads = threads;
    return RunKnn(session, &call);
  });
}

}  // namespace turdb::bindings
