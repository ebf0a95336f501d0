// _core.Connection as Python sees it: methods, attributes, life and death. turdb.Connection adds what is plain Python.
#include <string>

#include "bindings/errors.h"
#include "bindings/guarded.h"
#include "bindings/objects.h"

#include <structmember.h>  // after Python.h

namespace turdb::bindings {

PyTypeObject* connection_type = nullptr;

namespace {

ConnectionObject* Self(PyObject* self) { return reinterpret_cast<ConnectionObject*>(self); }

// (path, timeout_s, detect_types, isolation_level, check_same_thread, autocommit, read_only, may_create, cache_bytes)
int ConnectionInit(PyObject* self, PyObject* args, PyObject*) {
  const char* path = nullptr;
  double timeout_s = 0;
  int detect_types = 0, check_same_thread = 1, read_only = 0, may_create = 1;
  PyObject *isolation_level = nullptr, *autocommit = nullptr;
  unsigned long long cache_bytes = 0;
  if (!PyArg_ParseTuple(args, "sdiOpOppK", &path, &timeout_s, &detect_types, &isolation_level, &check_same_thread,
                        &autocommit, &read_only, &may_create, &cache_bytes)) {
    return -1;
  }
  if (Self(self)->session != nullptr) {
    RaiseKind(ErrorKind::kMisuse, "a connection cannot be opened twice; call turdb.connect() again");
    return -1;
  }
  auto session = std::make_unique<Session>();
  session->detect_types = detect_types;
  session->check_same_thread = check_same_thread != 0;
  session->thread_id = PyThread_get_thread_ident();
  if (!SetIsolationLevel(session.get(), isolation_level)) return -1;
  engine::OpenOptions options;
  options.path = path;
  options.timeout_ms = timeout_s > 0 ? static_cast<uint64_t>(timeout_s * 1000) : 0;
  options.is_read_only = read_only != 0;
  options.create_if_missing = may_create != 0;
  options.page_cache_bytes = cache_bytes;
  options.check_interrupt = SignalCheck();
  absl::StatusOr<std::unique_ptr<engine::Connection>> opened = absl::InternalError("");
  {
    GilReleased released;
    opened = engine::Connection::Open(options);
  }
  if (!opened.ok()) {
    RaiseStatus(opened.status());
    return -1;
  }
  session->engine = *std::move(opened);
  session->InstallProgress();
  Self(self)->session = session.release();
  return SetAutocommit(Self(self)->session, autocommit) ? 0 : -1;
}

int ConnectionTraverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  return Self(self)->session == nullptr ? 0 : Self(self)->session->Traverse(visit, arg);
}

int ConnectionClear(PyObject* self) {
  if (Self(self)->session != nullptr) Self(self)->session->ClearReferences();
  return 0;
}

void ConnectionFinalize(PyObject* self) {
  Session* session = Self(self)->session;
  if (session == nullptr || session->engine == nullptr) return;
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  if (PyErr_ResourceWarning(self, 1, "unclosed database in %R", self) != 0 && PyErr_ExceptionMatches(PyExc_Warning)) {
    PyErr_WriteUnraisable(self);
  }
  if (!CloseSession(session)) PyErr_WriteUnraisable(self);
  PyErr_Restore(type, value, traceback);
}

void ConnectionDealloc(PyObject* self) {
  if (PyObject_CallFinalizerFromDealloc(self) < 0) return;
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  if (Self(self)->weak_references != nullptr) PyObject_ClearWeakRefs(self);
  delete Self(self)->session;
  Self(self)->session = nullptr;
  type->tp_free(self);
  Py_DECREF(type);
}

CursorObject* CursorFor(PyObject* self) {
  return UsableSession(self) == nullptr ? nullptr : NewCursor(Self(self));
}

PyObject* FinishCall(CursorObject* cursor, bool is_done) {
  if (is_done) return reinterpret_cast<PyObject*>(cursor);
  Py_DECREF(cursor);
  return nullptr;
}

PyObject* ExecuteMethod(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  if (count < 1 || count > 2) return PyErr_Format(PyExc_TypeError, "execute() takes 1 or 2 positional arguments (%zd given)", count);
  CursorObject* cursor = CursorFor(self);
  return cursor == nullptr ? nullptr : FinishCall(cursor, Execute(cursor, args[0], count > 1 ? args[1] : nullptr));
}

PyObject* ExecuteManyMethod(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  if (count != 2) return PyErr_Format(PyExc_TypeError, "executemany() takes 2 positional arguments (%zd given)", count);
  CursorObject* cursor = CursorFor(self);
  return cursor == nullptr ? nullptr : FinishCall(cursor, ExecuteMany(cursor, args[0], args[1]));
}

PyObject* ExecuteScriptMethod(PyObject* self, PyObject* script) {
  CursorObject* cursor = CursorFor(self);
  return cursor == nullptr ? nullptr : FinishCall(cursor, ExecuteScript(cursor, script));
}

PyObject* CursorMethod(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"factory", nullptr};
  PyObject* factory = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O", const_cast<char**>(names), &factory)) return nullptr;
  if (UsableSession(self) == nullptr) return nullptr;
  if (factory == nullptr) return reinterpret_cast<PyObject*>(NewCursor(Self(self)));
  Ref cursor = Ref::Steal(PyObject_CallFunctionObjArgs(factory, self, nullptr));
  if (!cursor) return nullptr;
  if (!PyObject_TypeCheck(cursor.get(), cursor_type)) {
    return PyErr_Format(PyExc_TypeError, "factory must return a cursor, not %.100s", Py_TYPE(cursor.get())->tp_name);
  }
  return cursor.release();
}

PyObject* EndMethod(PyObject* self, const char* verb) {
  Session* session = UsableSession(self);
  if (session == nullptr || !EndTransaction(session, verb)) return nullptr;
  Py_RETURN_NONE;
}
PyObject* CommitMethod(PyObject* self, PyObject*) { return EndMethod(self, "COMMIT"); }
PyObject* RollbackMethod(PyObject* self, PyObject*) { return EndMethod(self, "ROLLBACK"); }

PyObject* CloseMethod(PyObject* self, PyObject*) {
  Session* session = Self(self)->session;
  if (session == nullptr) return RaiseKind(ErrorKind::kMisuse, "Base Connection.__init__ not called.");
  if (!session->CheckThread() || !CloseSession(session)) return nullptr;
  Py_RETURN_NONE;
}

PyObject* InterruptMethod(PyObject* self, PyObject*) {
  Session* session = Self(self)->session;
  if (session == nullptr || !session->CheckOpen()) return nullptr;
  std::shared_ptr<engine::Connection> engine = session->engine;
  {
    GilReleased released;
    engine->Interrupt();
    engine.reset();
  }
  Py_RETURN_NONE;
}

PyObject* EnterMethod(PyObject* self, PyObject*) {
  return UsableSession(self) == nullptr ? nullptr : NewReference(self);
}

PyObject* ExitMethod(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  Session* session = UsableSession(self);
  if (session == nullptr) return nullptr;
  const bool is_clean = count < 1 || args[0] == Py_None;
  if (!EndTransaction(session, is_clean ? "COMMIT" : "ROLLBACK")) {
    if (!is_clean) return nullptr;
    PyObject *type, *value, *traceback;  // a failed commit: roll back and raise why it failed
    PyErr_Fetch(&type, &value, &traceback);
    if (!EndTransaction(session, "ROLLBACK")) PyErr_Clear();
    PyErr_Restore(type, value, traceback);
    return nullptr;
  }
  Py_RETURN_FALSE;
}

// Callbacks: (attribute of the session, whether the engine's progress callback is to be installed anew).
PyObject* SetCallback(PyObject* self, PyObject* callback, Ref Session::*member, bool installs) {
  Session* session = UsableSession(self);
  if (session == nullptr) return nullptr;
  session->*member = callback == Py_None ? Ref() : Ref::Borrow(callback);
  if (installs) session->InstallProgress();
  Py_RETURN_NONE;
}
PyObject* SetProgressMethod(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"progress_handler", "n", nullptr};
  PyObject* callback = nullptr;
  int n = 0;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|i", const_cast<char**>(names), &callback, &n)) return nullptr;
  return SetCallback(self, callback, &Session::progress, true);
}
PyObject* SetTraceMethod(PyObject* self, PyObject* callback) { return SetCallback(self, callback, &Session::trace, false); }
PyObject* SetReportMethod(PyObject* self, PyObject* callback) { return SetCallback(self, callback, &Session::report, true); }

template <typename Get>
PyObject* Counter(PyObject* self, Get get) {
  Session* session = UsableSession(self);
  if (session == nullptr) return nullptr;
  std::shared_ptr<engine::Connection> engine = session->engine;
  int64_t value;
  {
    GilReleased released;
    value = get(engine.get());
  }
  return PyLong_FromLongLong(value);
}

PyObject* GetInTransaction(PyObject* self, void*) {
  Session* session = UsableSession(self);
  return session == nullptr ? nullptr : PyBool_FromLong(InTransaction(session));
}
PyObject* GetTotalChanges(PyObject* self, void*) {
  return Counter(self, [](engine::Connection* engine) { return engine->total_changes(); });
}
PyObject* GetIsolationLevel(PyObject* self, void*) {
  return Self(self)->session == nullptr ? NewReference(Py_None) : Self(self)->session->isolation_level.NewReference();
}
int PutIsolationLevel(PyObject* self, PyObject* value, void*) {
  Session* session = UsableSession(self);
  return session != nullptr && SetIsolationLevel(session, value) ? 0 : -1;
}
PyObject* GetAutocommit(PyObject* self, void*) {
  Session* session = UsableSession(self);
  if (session == nullptr) return nullptr;
  if (session->autocommit == Autocommit::kLegacy) return PyLong_FromLong(-1);
  return PyBool_FromLong(session->autocommit == Autocommit::kOn);
}
int PutAutocommit(PyObject* self, PyObject* value, void*) {
  Session* session = UsableSession(self);
  return session != nullptr && SetAutocommit(session, value) ? 0 : -1;
}
PyObject* GetRowFactory(PyObject* self, void*) {
  Session* session = Self(self)->session;
  return session == nullptr || !session->row_factory ? NewReference(Py_None) : session->row_factory.NewReference();
}
int PutRowFactory(PyObject* self, PyObject* value, void*) {
  if (Self(self)->session == nullptr) return -1;
  Self(self)->session->row_factory = value == nullptr || value == Py_None ? Ref() : Ref::Borrow(value);
  return 0;
}
PyObject* GetTextFactory(PyObject* self, void*) {
  Session* session = Self(self)->session;
  PyObject* text = reinterpret_cast<PyObject*>(&PyUnicode_Type);
  return session == nullptr || !session->text_factory ? NewReference(text) : session->text_factory.NewReference();
}
int PutTextFactory(PyObject* self, PyObject* value, void*) {
  if (Self(self)->session == nullptr) return -1;
  const bool is_default = value == nullptr || value == reinterpret_cast<PyObject*>(&PyUnicode_Type);
  Self(self)->session->text_factory = is_default ? Ref() : Ref::Borrow(value);
  return 0;
}
PyObject* GetPath(PyObject* self, void*) {
  Session* session = UsableSession(self);
  return session == nullptr ? nullptr : PyUnicode_FromString(session->engine->path().c_str());
}

constexpr int kKeywords = METH_VARARGS | METH_KEYWORDS;

PyMethodDef methods[] = {
    {"execute", Method<ExecuteMethod>(), METH_FASTCALL, "execute(sql, parameters=(), /)\n--\n\nRuns one statement on a new cursor and returns it."},
    {"executemany", Method<ExecuteManyMethod>(), METH_FASTCALL, "executemany(sql, sets_of_parameters, /)\n--\n\nRuns a write once per set on a new cursor and returns it."},
    {"executescript", Method<ExecuteScriptMethod>(), METH_O, "executescript(script, /)\n--\n\nRuns all statements of a text on a new cursor and returns it."},
    {"cursor", Method<CursorMethod>(), kKeywords, "cursor(factory=Cursor)\n--\n\nA new cursor."},
    {"commit", Method<CommitMethod>(), METH_NOARGS, "commit()\n--\n\nCommits the open transaction, if any."},
    {"rollback", Method<RollbackMethod>(), METH_NOARGS, "rollback()\n--\n\nRolls back the open transaction, if any."},
    {"close", Method<CloseMethod>(), METH_NOARGS, "close()\n--\n\nCloses the connection; an open transaction is rolled back. Calling it again does nothing."},
    {"interrupt", Method<InterruptMethod>(), METH_NOARGS, "interrupt()\n--\n\nStops the statement that is running; may be called from any thread."},
    {"__enter__", Method<EnterMethod>(), METH_NOARGS, nullptr},
    {"__exit__", Method<ExitMethod>(), METH_FASTCALL, nullptr},
    {"set_progress_handler", Method<SetProgressMethod>(), kKeywords,
     "set_progress_handler(progress_handler, n=0)\n--\n\nCalls the handler now and then while a statement runs; a true answer interrupts it."},
    {"set_trace_callback", Method<SetTraceMethod>(), METH_O, "set_trace_callback(trace_callback, /)\n--\n\nCalls it with the text of each statement before it runs."},
    {"set_report_handler", Method<SetReportMethod>(), METH_O,
     "set_report_handler(handler, /)\n--\n\nCalls handler(phase, done, total) while appends, index builds and VACUUM go on (phase: 'load', 'index' or 'vacuum')."},
    {"create_function", Method<CreateFunction>(), kKeywords, "create_function(name, narg, func, *, deterministic=False)\n--\n\nMakes a Python callable a function of SQL; None removes it."},
    {"create_aggregate", Method<CreateAggregate>(), kKeywords, "create_aggregate(name, n_arg, aggregate_class)\n--\n\nMakes a class with step() and finalize() an aggregate of SQL."},
    {"create_window_function", Method<CreateWindowFunction>(), kKeywords, "create_window_function(name, num_params, aggregate_class, /)\n--\n\nMakes a class with step(), inverse(), value() and finalize() a window function."},
    {"create_collation", Method<CreateCollation>(), METH_VARARGS, "create_collation(name, callback, /)\n--\n\nMakes callback(a, b) -> int an order of texts for COLLATE."},
    {"_append", Method<Append>(), METH_VARARGS, nullptr},
    {"_knn", Method<Knn>(), METH_VARARGS, nullptr},
    {"_backup_start", Method<BackupStart>(), METH_VARARGS, nullptr},
    {"_backup_step", Method<BackupStep>(), METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr}};

PyGetSetDef attributes[] = {
    {"in_transaction", Guarded<GetInTransaction>::Call, nullptr, "Whether a transaction is open.", nullptr},
    {"total_changes", Guarded<GetTotalChanges>::Call, nullptr, "Rows changed since the connection was opened.", nullptr},
    {"isolation_level", Guarded<GetIsolationLevel>::Call, Guarded<PutIsolationLevel>::Call, "How transactions are begun before writes; None: never.", nullptr},
    {"autocommit", Guarded<GetAutocommit>::Call, Guarded<PutAutocommit>::Call, "True, False or LEGACY_TRANSACTION_CONTROL, as in Python 3.12.", nullptr},
    {"row_factory", Guarded<GetRowFactory>::Call, Guarded<PutRowFactory>::Call, "For new cursors: called with (cursor, tuple) for each row.", nullptr},
    {"text_factory", Guarded<GetTextFactory>::Call, Guarded<PutTextFactory>::Call, "What makes a Python object of a text: str, bytes, bytearray or a callable taking bytes.", nullptr},
    {"path", Guarded<GetPath>::Call, nullptr, "The database's path.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

PyMemberDef members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(ConnectionObject, weak_references), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr}};

PyType_Slot slots[] = {{Py_tp_init, Slot<ConnectionInit>()},
                       {Py_tp_traverse, reinterpret_cast<void*>(ConnectionTraverse)},
                       {Py_tp_clear, reinterpret_cast<void*>(ConnectionClear)},
                       {Py_tp_finalize, reinterpret_cast<void*>(ConnectionFinalize)},
                       {Py_tp_dealloc, reinterpret_cast<void*>(ConnectionDealloc)},
                       {Py_tp_methods, methods},
                       {Py_tp_getset, attributes},
                       {Py_tp_members, members},
                       {0, nullptr}};

PyType_Spec spec = {"turdb._core.Connection", sizeof(ConnectionObject), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};

}  // namespace

Session* UsableSession(PyObject* connection) {
  Session* session = SessionOf(connection);
  if (session == nullptr) {
    RaiseKind(ErrorKind::kMisuse, "Base Connection.__init__ not called.");
    return nullptr;
  }
  return session->Check() ? session : nullptr;
}

bool MakeConnectionType(PyObject* module) {
  connection_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  return connection_type != nullptr &&
         PyModule_AddObject(module, "Connection", NewReference(reinterpret_cast<PyObject*>(connection_type))) == 0;
}

}  // namespace turdb::bindings
