// Transaction control as the sqlite3 module knows it: isolation_level, autocommit, commit, rollback, close.
#include <string>

#include "bindings/errors.h"
#include "bindings/objects.h"

namespace turdb::bindings {
namespace {

bool RunUnlocked(Session* session, std::string_view sql) {
  std::shared_ptr<engine::Connection> engine = session->engine;
  absl::Status status;
  {
    GilReleased released;
    status = RunStatement(engine.get(), sql);
  }
  if (!status.ok()) RaiseStatus(status);
  return status.ok();
}

void UpdateImplicitBegin(Session* session) {
  session->implicit_begin.clear();
  if (session->autocommit != Autocommit::kLegacy || session->isolation_level.get() == Py_None) return;
  session->implicit_begin = "BEGIN";
  const char* level = PyUnicode_AsUTF8(session->isolation_level.get());
  if (level != nullptr && *level != '\0') session->implicit_begin += std::string(" ") + level;
}

}  // namespace

int InTransaction(Session* session) {
  std::shared_ptr<engine::Connection> engine = session->engine;
  if (engine == nullptr) return 0;
  GilReleased released;
  return engine->in_transaction() ? 1 : 0;
}

bool SetIsolationLevel(Session* session, PyObject* level) {
  if (level == nullptr) {
    PyErr_SetString(PyExc_AttributeError, "cannot delete attribute");
    return false;
  }
  if (level != Py_None) {
    if (!PyUnicode_Check(level)) {
      PyErr_SetString(PyExc_TypeError, "isolation_level must be str or None");
      return false;
    }
    const char* text = PyUnicode_AsUTF8(level);
    if (text == nullptr) return false;
    bool is_known = false;
    for (std::string_view known : {"", "DEFERRED", "IMMEDIATE", "EXCLUSIVE", "ISOLATION LEVEL SNAPSHOT",
                                   "ISOLATION LEVEL READ COMMITTED", "ISOLATION LEVEL SERIALIZABLE"}) {
      is_known = is_known || EqualsIgnoreCase(text, known);
    }
    if (!is_known) {
      PyErr_SetString(PyExc_ValueError,
                      "isolation_level string must be '', 'DEFERRED', 'IMMEDIATE', or 'EXCLUSIVE'");
      return false;
    }
  }
  session->isolation_level = Ref::Borrow(level);
  UpdateImplicitBegin(session);
  if (level == Py_None && session->autocommit == Autocommit::kLegacy && session->engine != nullptr &&
      InTransaction(session) == 1) {
    return RunUnlocked(session, "COMMIT");  // what sqlite3 does
  }
  return true;
}

bool SetAutocommit(Session* session, PyObject* value) {
  Autocommit mode;
  if (value == Py_True) {
    mode = Autocommit::kOn;
  } else if (value == Py_False) {
    mode = Autocommit::kOff;
  } else if (value != nullptr && PyLong_Check(value) && PyLong_AsLong(value) == -1 && !PyErr_Occurred()) {
    mode = Autocommit::kLegacy;
  } else {
    PyErr_Clear();
    PyErr_SetString(PyExc_ValueError, "autocommit must be True, False, or turdb.LEGACY_TRANSACTION_CONTROL");
    return false;
  }
  if (session->engine != nullptr) {
    const bool is_open = InTransaction(session) == 1;
    if (mode == Autocommit::kOn && is_open && !RunUnlocked(session, "COMMIT")) return false;
    if (mode == Autocommit::kOff && !is_open && !RunUnlocked(session, "BEGIN")) return false;
  }
  session->autocommit = mode;
  UpdateImplicitBegin(session);
  return true;
}

bool EndTransaction(Session* session, const char* verb) {
  if (session->autocommit == Autocommit::kOn) return true;
  if (InTransaction(session) == 1) {
    if (session->trace) {
      Ref text = Ref::Steal(PyUnicode_FromString(verb));
      if (text) session->Trace(text.get());
    }
    if (!RunUnlocked(session, verb)) return false;
  }
  return session->autocommit == Autocommit::kOff ? RunUnlocked(session, "BEGIN") : true;
}

bool CloseSession(Session* session) {
  session->ForgetStatements();
  std::shared_ptr<engine::Connection> engine = std::move(session->engine);
  session->engine = nullptr;
  if (engine == nullptr) return true;
  absl::Status status;
  {
    GilReleased released;
    status = engine->Close();
    engine.reset();
  }
  if (!status.ok()) RaiseStatus(status);
  return status.ok();
}

}  // namespace turdb::bindings
