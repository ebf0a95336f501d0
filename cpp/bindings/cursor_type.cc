// _core.Cursor as Python sees it: methods, attributes, life and death. The work is in execute.cc and fetch.cc.
#include "bindings/errors.h"
#include "bindings/guarded.h"
#include "bindings/objects.h"

#include <structmember.h>  // after Python.h

namespace turdb::bindings {

PyTypeObject* cursor_type = nullptr;
PyObject* default_cursor_class = nullptr;

namespace {

CursorObject* Self(PyObject* self) { return reinterpret_cast<CursorObject*>(self); }

void Attach(CursorObject* cursor, ConnectionObject* connection) {
  cursor->connection = connection;
  Py_INCREF(connection);
  cursor->row_factory = connection->session->row_factory.NewReference();
  cursor->fetch = new Fetch();
  cursor->array_size = 1;
  cursor->is_closed = cursor->is_busy = false;
}

int CursorInit(PyObject* self, PyObject* args, PyObject* kwargs) {
  PyObject* connection = nullptr;
  static const char* names[] = {"connection", nullptr};
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!", const_cast<char**>(names), connection_type, &connection)) return -1;
  if (Self(self)->connection != nullptr) {
    RaiseKind(ErrorKind::kMisuse, "a cursor cannot be initialised twice");
    return -1;
  }
  Session* session = UsableSession(connection);
  if (session == nullptr) return -1;
  Attach(Self(self), reinterpret_cast<ConnectionObject*>(connection));
  return 0;
}

int CursorTraverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(Self(self)->connection);
  Py_VISIT(Self(self)->row_factory);
  return 0;
}

void DropFetch(CursorObject* cursor) {
  Fetch* fetch = cursor->fetch;
  cursor->fetch = nullptr;
  if (fetch == nullptr) return;
  if (cursor->connection != nullptr && cursor->connection->session != nullptr && fetch->result == nullptr) {
    SessionOf(cursor)->GiveBack(std::move(fetch->batch));
  }
  // The last handle of a statement or result frees engine memory: not under the interpreter lock.
  if (fetch->result != nullptr || fetch->statement.use_count() == 1) {
    std::unique_ptr<engine::Result> result = std::move(fetch->result);
    std::shared_ptr<engine::Statement> statement = std::move(fetch->statement);
    GilReleased released;
    result.reset();
    statement.reset();
  }
  delete fetch;
}

int CursorClear(PyObject* self) {
  DropFetch(Self(self));
  Py_CLEAR(Self(self)->connection);
  Py_CLEAR(Self(self)->row_factory);
  return 0;
}

void CursorDealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  if (Self(self)->weak_references != nullptr) PyObject_ClearWeakRefs(self);
  CursorClear(self);
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* ReturnSelf(CursorObject* cursor, bool is_done) {
  return is_done ? NewReference(reinterpret_cast<PyObject*>(cursor)) : nullptr;
}

bool CheckArity(const char* name, Py_ssize_t given, Py_ssize_t least, Py_ssize_t most) {
  if (given >= least && given <= most) return true;
  PyErr_Format(PyExc_TypeError, "%s() takes %zd to %zd positional arguments (%zd given)", name, least, most, given);
  return false;
}

PyObject* ExecuteMethod(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  if (!CheckArity("execute", count, 1, 2)) return nullptr;
  return ReturnSelf(Self(self), Execute(Self(self), args[0], count > 1 ? args[1] : nullptr));
}

PyObject* ExecuteManyMethod(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  if (!CheckArity("executemany", count, 2, 2)) return nullptr;
  return ReturnSelf(Self(self), ExecuteMany(Self(self), args[0], args[1]));
}

PyObject* ExecuteScriptMethod(PyObject* self, PyObject* script) {
  return ReturnSelf(Self(self), ExecuteScript(Self(self), script));
}

PyObject* Iter(PyObject* self) { return NewReference(self); }

PyObject* IterNext(PyObject* self) { return CheckCursor(Self(self)) ? FetchRow(Self(self)) : nullptr; }

PyObject* FetchOneMethod(PyObject* self, PyObject*) {
  PyObject* row = IterNext(self);
  return row == nullptr && !PyErr_Occurred() ? NewReference(Py_None) : row;
}

PyObject* FetchManyMethod(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"size", nullptr};
  long long size = Self(self)->array_size;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|L", const_cast<char**>(names), &size)) return nullptr;
  if (!CheckCursor(Self(self))) return nullptr;
  return FetchRows(Self(self), size);
}

PyObject* FetchAllMethod(PyObject* self, PyObject*) {
  return CheckCursor(Self(self)) ? FetchRows(Self(self), -1) : nullptr;
}

PyObject* FetchColumnsMethod(PyObject* self, PyObject*) {
  return CheckCursor(Self(self)) ? FetchColumns(Self(self)) : nullptr;
}

PyObject* CloseMethod(PyObject* self, PyObject*) {
  CursorObject* cursor = Self(self);
  if (cursor->connection == nullptr) return RaiseKind(ErrorKind::kMisuse, "Base Cursor.__init__ not called.");
  if (cursor->is_busy) return RaiseKind(ErrorKind::kMisuse, "Recursive use of cursors not allowed.");
  if (!SessionOf(cursor)->Check()) return nullptr;
  ResetFetch(cursor);
  cursor->is_closed = true;
  Py_RETURN_NONE;
}

PyObject* Ignore(PyObject*, PyObject* const*, Py_ssize_t) { Py_RETURN_NONE; }

PyObject* GetDescription(PyObject* self, void*) { return Description(Self(self)); }
PyObject* GetRowCount(PyObject* self, void*) {
  return PyLong_FromLongLong(Self(self)->fetch == nullptr ? -1 : Self(self)->fetch->row_count);
}
PyObject* GetLastRowId(PyObject* self, void*) {
  const Fetch* fetch = Self(self)->fetch;
  return fetch == nullptr || !fetch->has_last_rowid ? NewReference(Py_None) : PyLong_FromLongLong(fetch->last_rowid);
}
PyObject* GetConnection(PyObject* self, void*) {
  PyObject* connection = reinterpret_cast<PyObject*>(Self(self)->connection);
  return NewReference(connection == nullptr ? Py_None : connection);
}
PyObject* GetRowFactory(PyObject* self, void*) {
  return NewReference(Self(self)->row_factory == nullptr ? Py_None : Self(self)->row_factory);
}
int SetRowFactory(PyObject* self, PyObject* value, void*) {
  PyObject* old = Self(self)->row_factory;
  Self(self)->row_factory = value == nullptr || value == Py_None ? nullptr : NewReference(value);
  Py_XDECREF(old);
  return 0;
}

PyMethodDef methods[] = {
    {"execute", Method<ExecuteMethod>(), METH_FASTCALL, "execute(sql, parameters=(), /)\n--\n\nRuns one statement; returns the cursor."},
    {"executemany", Method<ExecuteManyMethod>(), METH_FASTCALL,
     "executemany(sql, sets_of_parameters, /)\n--\n\nRuns an INSERT, UPDATE, DELETE or REPLACE once per set; returns the cursor."},
    {"executescript", Method<ExecuteScriptMethod>(), METH_O, "executescript(script, /)\n--\n\nRuns all statements of a text, after a COMMIT."},
    {"fetchone", Method<FetchOneMethod>(), METH_NOARGS, "fetchone()\n--\n\nThe next row, or None."},
    {"fetchmany", Method<FetchManyMethod>(), METH_VARARGS | METH_KEYWORDS, "fetchmany(size=cursor.arraysize)\n--\n\nA list of the next rows."},
    {"fetchall", Method<FetchAllMethod>(), METH_NOARGS, "fetchall()\n--\n\nA list of all remaining rows."},
    {"_fetch_columns", Method<FetchColumnsMethod>(), METH_NOARGS, nullptr},
    {"close", Method<CloseMethod>(), METH_NOARGS, "close()\n--\n\nEnds the cursor; using it afterwards is a ProgrammingError."},
    {"setinputsizes", Method<Ignore>(), METH_FASTCALL, "setinputsizes(sizes, /)\n--\n\nDoes nothing (PEP 249 asks for it)."},
    {"setoutputsize", Method<Ignore>(), METH_FASTCALL, "setoutputsize(size, column=None, /)\n--\n\nDoes nothing (PEP 249 asks for it)."},
    {nullptr, nullptr, 0, nullptr}};

PyGetSetDef attributes[] = {
    {"description", Guarded<GetDescription>::Call, nullptr, "A 7-tuple per column, name first; None when the statement gives no rows.", nullptr},
    {"rowcount", Guarded<GetRowCount>::Call, nullptr, "Rows changed by the last statement; -1 when it was not a write.", nullptr},
    {"lastrowid", Guarded<GetLastRowId>::Call, nullptr, "Rowid of the last row inserted on this connection.", nullptr},
    {"connection", Guarded<GetConnection>::Call, nullptr, "The connection that the cursor belongs to.", nullptr},
    {"row_factory", Guarded<GetRowFactory>::Call, Guarded<SetRowFactory>::Call, "Called with (cursor, tuple) for each row; None: tuples.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

PyMemberDef members[] = {
    {"arraysize", T_LONGLONG, offsetof(CursorObject, array_size), 0, "Rows that fetchmany() gives by default."},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(CursorObject, weak_references), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr}};

PyType_Slot slots[] = {{Py_tp_init, Slot<CursorInit>()},
                       {Py_tp_traverse, reinterpret_cast<void*>(CursorTraverse)},
                       {Py_tp_clear, reinterpret_cast<void*>(CursorClear)},
                       {Py_tp_dealloc, reinterpret_cast<void*>(CursorDealloc)},
                       {Py_tp_iter, Slot<Iter>()},
                       {Py_tp_iternext, Slot<IterNext>()},
                       {Py_tp_methods, methods},
                       {Py_tp_getset, attributes},
                       {Py_tp_members, members},
                       {0, nullptr}};

PyType_Spec spec = {"turdb._core.Cursor", sizeof(CursorObject), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};

}  // namespace

CursorObject* NewCursor(ConnectionObject* connection) {
  PyTypeObject* type = reinterpret_cast<PyTypeObject*>(default_cursor_class);
  CursorObject* cursor = Self(type->tp_alloc(type, 0));
  if (cursor != nullptr) Attach(cursor, connection);
  return cursor;
}

bool MakeCursorType(PyObject* module) {
  cursor_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  default_cursor_class = reinterpret_cast<PyObject*>(cursor_type);
  return cursor_type != nullptr && PyModule_AddObject(module, "Cursor", NewReference(default_cursor_class)) == 0;
}

}  // namespace turdb::bindings
