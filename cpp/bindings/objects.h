// The two Python types of the extension, _core.Connection and _core.Cursor, bases of turdb.Connection and turdb.Cursor.
// They are plain C types: a point query through Python must cost less than the engine's work for it.
#pragma once

#include <memory>
#include <vector>

#include "bindings/python_ref.h"
#include "bindings/session.h"
#include "bindings/to_python.h"

namespace turdb::bindings {

struct ConnectionObject {
  PyObject_HEAD
  PyObject* weak_references;
  Session* session;  // nullptr before __init__
};

// Rows being fetched and what is left of the statement that made them.
struct Fetch {
  std::shared_ptr<engine::Statement> statement;  // of the last execute
  std::shared_ptr<const engine::ResultColumns> columns;  // of what it gave; nullptr: no rows
  std::unique_ptr<engine::Result> result;        // nullptr when there is nothing more to fetch
  std::unique_ptr<ColumnBatch> batch;
  uint32_t next_row = 0;
  absl::Status pending;  // of a batch fetched ahead; raised by the next fetch
  std::vector<Ref> converters;  // a column each, when detect_types asks for them
  int64_t row_count = -1;
  int64_t last_rowid = 0;
  bool has_last_rowid = false;
};

struct CursorObject {
  PyObject_HEAD
  PyObject* weak_references;
  ConnectionObject* connection;  // owned; nullptr before __init__
  PyObject* row_factory;         // owned; nullptr: tuples
  Fetch* fetch;
  int64_t array_size;
  bool is_closed;
  bool is_busy;  // the engine works for it, without the interpreter lock
};

extern PyTypeObject* connection_type;
extern PyTypeObject* cursor_type;
extern PyObject* default_cursor_class;  // turdb.Cursor; set at import

bool MakeConnectionType(PyObject* module);
bool MakeCursorType(PyObject* module);

inline Session* SessionOf(PyObject* connection) { return reinterpret_cast<ConnectionObject*>(connection)->session; }
inline Session* SessionOf(CursorObject* cursor) { return cursor->connection->session; }

// The session of a connection that may be used here and now; nullptr with a Python error set.
Session* UsableSession(PyObject* connection);
// A new cursor of the default class, without going through its __init__.
CursorObject* NewCursor(ConnectionObject* connection);

// --- execute.cc -----------------------------------------------------------------------------------
// Closed, uninitialised, in use, wrong thread: false with a Python error set.
bool CheckCursor(CursorObject* cursor);
bool Execute(CursorObject* cursor, PyObject* sql, PyObject* parameters);
bool ExecuteMany(CursorObject* cursor, PyObject* sql, PyObject* sets);
bool ExecuteScript(CursorObject* cursor, PyObject* script);
void ResetFetch(CursorObject* cursor);  // ends what the cursor was fetching

// --- fetch.cc -------------------------------------------------------------------------------------
// The next row, made by the row factory; nullptr without an error at the end.
PyObject* FetchRow(CursorObject* cursor);
PyObject* FetchRows(CursorObject* cursor, int64_t limit);  // a list; limit < 0: all
PyObject* Description(CursorObject* cursor);
// Gets the next batch when the present one is used up; its failure waits in fetch->pending.
void AdvanceBatch(CursorObject* cursor);

// --- transaction.cc -------------------------------------------------------------------------------
bool SetIsolationLevel(Session* session, PyObject* level);
bool SetAutocommit(Session* session, PyObject* value);
bool EndTransaction(Session* session, const char* verb);  // COMMIT or ROLLBACK, as the autocommit mode wants it
bool CloseSession(Session* session);
int InTransaction(Session* session);

// --- functions.cc ---------------------------------------------------------------------------------
PyObject* CreateFunction(PyObject* self, PyObject* args, PyObject* kwargs);
PyObject* CreateAggregate(PyObject* self, PyObject* args, PyObject* kwargs);
PyObject* CreateWindowFunction(PyObject* self, PyObject* args, PyObject* kwargs);
PyObject* CreateCollation(PyObject* self, PyObject* args);

// --- columns.cc, bulk.cc --------------------------------------------------------------------------
PyObject* FetchColumns(CursorObject* cursor);
PyObject* Append(PyObject* self, PyObject* args);
PyObject* Knn(PyObject* self, PyObject* args);

// --- backup.cc ------------------------------------------------------------------------------------
PyObject* BackupStart(PyObject* self, PyObject* args);  // (target, name) -> capsule
PyObject* BackupStep(PyObject* self, PyObject* args);   // (capsule, pages) -> (is done, remaining, total)

}  // namespace turdb::bindings
