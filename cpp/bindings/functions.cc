// Python callables as functions, aggregates, window functions and collations of SQL.
//
// The engine calls them without the interpreter lock and on any thread; each call takes the lock. An exception stops the
// statement with an OperationalError whose cause is that exception. Callables are kept by the engine's registrations.
#include <memory>
#include <string>

#include "bindings/errors.h"
#include "bindings/objects.h"
#include "bindings/parameters.h"

namespace turdb::bindings {
namespace {

// A Python object owned by C++ code that runs without the interpreter lock.
class Callable {
 public:
  explicit Callable(PyObject* object) : object_(NewReference(object)) {}
  ~Callable() {
    GilHeld held;
    Py_DECREF(object_);
  }
  Callable(const Callable&) = delete;
  Callable& operator=(const Callable&) = delete;
  PyObject* get() const { return object_; }

 private:
  PyObject* object_;
};
using SharedCallable = std::shared_ptr<Callable>;

Ref ArgumentsTuple(absl::Span<const Cell> args) {
  Ref tuple = Ref::Steal(PyTuple_New(static_cast<Py_ssize_t>(args.size())));
  for (size_t i = 0; tuple && i < args.size(); ++i) {
    PyObject* value = CellToPython(args[i], nullptr);
    if (value == nullptr) return Ref();
    PyTuple_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i), value);
  }
  return tuple;
}

// Into the call's arena. False with a Python error set.
bool StoreResult(PyObject* object, sql::FunctionContext* context, Cell* result) {
  Value value;
  if (!PythonToValue(object, {"result of a function"}, &value)) return false;
  *result = value.cell();
  if (result->has_bytes()) result->bytes = context->arena->Copy(result->view()).data();
  return true;
}

absl::Status CallScalar(PyObject* function, sql::FunctionContext* context, absl::Span<const Cell> args, Cell* result) {
  GilHeld held;
  Ref arguments = ArgumentsTuple(args);
  Ref answer = arguments ? Ref::Steal(PyObject_CallObject(function, arguments.get())) : Ref();
  if (answer && StoreResult(answer.get(), context, result)) return absl::OkStatus();
  return StashPythonError(false, "user-defined function raised exception");
}

// One instance of the user's class. `is_window`: value() is asked for at each row, finalize() comes at the end.
class PythonAggregate : public sql::AggregateState {
 public:
  PythonAggregate(SharedCallable factory, bool is_window) : factory_(std::move(factory)), is_window_(is_window) {}
  ~PythonAggregate() override {
    if (!instance_) return;
    GilHeld held;
    if (is_window_ && !is_finalized_) {
      Ref ignored = Ref::Steal(PyObject_CallMethod(instance_.get(), "finalize", nullptr));
      if (!ignored) PyErr_WriteUnraisable(instance_.get());
    }
    instance_ = Ref();
    answer_ = Ref();
  }

  absl::Status Step(sql::FunctionContext*, absl::Span<const Cell> args) override { return CallWith("step", args); }
  absl::Status Inverse(sql::FunctionContext*, absl::Span<const Cell> args) override { return CallWith("inverse", args); }

  absl::Status Finish(sql::FunctionContext* context, Cell* result) override {
    GilHeld held;
    const char* method = is_window_ ? "value" : "finalize";
    if (!Instance()) return Failure("__init__");
    if (is_window_ || !is_finalized_) {
      answer_ = Ref::Steal(PyObject_CallMethod(instance_.get(), method, nullptr));
      is_finalized_ = !is_window_;
    }
    if (!answer_ || !StoreResult(answer_.get(), context, result)) return Failure(method);
    return absl::OkStatus();
  }

 private:
  bool Instance() {
    if (!instance_) instance_ = Ref::Steal(PyObject_CallObject(factory_->get(), nullptr));
    return static_cast<bool>(instance_);
  }
  absl::Status Failure(const char* method) {
    return StashPythonError(false, Cat("user-defined aggregate's '", method, "' method raised error"));
  }
  absl::Status CallWith(const char* method, absl::Span<const Cell> args) {
    GilHeld held;
    if (!Instance()) return Failure("__init__");
    Ref bound = Ref::Steal(PyObject_GetAttrString(instance_.get(), method));
    Ref arguments = bound ? ArgumentsTuple(args) : Ref();
    Ref answer = arguments ? Ref::Steal(PyObject_CallObject(bound.get(), arguments.get())) : Ref();
    return answer ? absl::OkStatus() : Failure(method);
  }

  SharedCallable factory_;
  bool is_window_;
  bool is_finalized_ = false;
  Ref instance_, answer_;
};

std::string LowerName(const char* name) { return AsciiLowerCopy(name); }

// Runs `call` on the engine without the interpreter lock; None or a raised error.
template <typename Call>
PyObject* OnEngine(Session* session, Call call) {
  std::shared_ptr<engine::Connection> engine = session->engine;
  absl::Status status;
  {
    GilReleased released;
    status = call(engine.get());
    engine.reset();
  }
  if (!status.ok()) return RaiseStatus(status);
  session->ForgetStatements();
  Py_RETURN_NONE;
}

PyObject* RegisterAggregate(PyObject* self, const char* name, int arg_count, PyObject* factory, bool is_window) {
  Session* session = UsableSession(self);
  if (session == nullptr) return nullptr;
  sql::AggregateFunction function;
  function.name = LowerName(name);
  function.min_args = arg_count < 0 ? 0 : arg_count;
  function.max_args = arg_count;
  if (factory != Py_None) {
    auto shared = std::make_shared<Callable>(factory);
    function.create = [shared, is_window] { return std::make_unique<PythonAggregate>(shared, is_window); };
  }
  return OnEngine(session, [&](engine::Connection* engine) { return engine->CreateAggregate(std::move(function)); });
}

int CompareWith(PyObject* callback, std::string_view a, std::string_view b) {
  GilHeld held;
  Ref answer = Ref::Steal(PyObject_CallFunction(callback, "s#s#", a.data(), static_cast<Py_ssize_t>(a.size()), b.data(),
                                                static_cast<Py_ssize_t>(b.size())));
  int overflow = 0;
  const long order = answer ? PyLong_AsLongAndOverflow(answer.get(), &overflow) : 0;
  if (PyErr_Occurred()) PyErr_WriteUnraisable(callback);
  if (overflow != 0) return overflow;
  return order < 0 ? -1 : order > 0;
}

}  // namespace

PyObject* CreateFunction(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"name", "narg", "func", "deterministic", nullptr};
  const char* name = nullptr;
  int arg_count = 0, is_deterministic = 0;
  PyObject* callable = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "siO|$p", const_cast<char**>(names), &name, &arg_count, &callable,
                                   &is_deterministic)) {
    return nullptr;
  }
  Session* session = UsableSession(self);
  if (session == nullptr) return nullptr;
  sql::ScalarFunction function;
  function.name = LowerName(name);
  function.min_args = arg_count < 0 ? 0 : arg_count;
  function.max_args = arg_count;
  function.is_deterministic = is_deterministic != 0;
  if (callable != Py_None) {
    auto shared = std::make_shared<Callable>(callable);
    function.call = [shared](sql::FunctionContext* context, absl::Span<const Cell> cells, Cell* result) {
      return CallScalar(shared->get(), context, cells, result);
    };
  }
  return OnEngine(session, [&](engine::Connection* engine) { return engine->CreateScalar(std::move(function)); });
}

PyObject* CreateAggregate(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"name", "n_arg", "aggregate_class", nullptr};
  const char* name = nullptr;
  int arg_count = 0;
  PyObject* factory = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "siO", const_cast<char**>(names), &name, &arg_count, &factory)) return nullptr;
  return RegisterAggregate(self, name, arg_count, factory, false);
}

PyObject* CreateWindowFunction(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"name", "num_params", "aggregate_class", nullptr};
  const char* name = nullptr;
  int arg_count = 0;
  PyObject* factory = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "siO", const_cast<char**>(names), &name, &arg_count, &factory)) return nullptr;
  return RegisterAggregate(self, name, arg_count, factory, true);
}

PyObject* CreateCollation(PyObject* self, PyObject* args) {
  const char* name = nullptr;
  PyObject* callback = nullptr;
  if (!PyArg_ParseTuple(args, "sO", &name, &callback)) return nullptr;
  if (callback != Py_None && !PyCallable_Check(callback)) {
    PyErr_SetString(PyExc_TypeError, "parameter must be callable");
    return nullptr;
  }
  Session* session = UsableSession(self);
  if (session == nullptr) return nullptr;
  std::function<int(std::string_view, std::string_view)> compare;
  if (callback != Py_None) {
    auto shared = std::make_shared<Callable>(callback);
    compare = [shared](std::string_view a, std::string_view b) { return CompareWith(shared->get(), a, b); };
  }
  return OnEngine(session, [&](engine::Connection* engine) { return engine->CreateCollation(name, std::move(compare)); });
}

}  // namespace turdb::bindings
