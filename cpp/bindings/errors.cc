// The one map from ErrorKind to exception classes and SQLite's error codes.
//
// A callback's exception cannot travel through the engine, so it waits here, in one place guarded by the interpreter
// lock, until the call that the engine then fails raises it. It is tagged with a number that the Status carries in
// its payload, so that a failure on another thread never takes it.
#include "bindings/errors.h"

#include <string>
#include <unordered_map>

#include "absl/strings/cord.h"

namespace turdb::bindings {
namespace {

constexpr char kStashUrl[] = "turdb/python";

struct Stashed {
  Ref type, value, traceback;
  bool is_transparent = false;
};

std::unordered_map<uint64_t, Stashed>& Stash() {
  static auto* stash = new std::unordered_map<uint64_t, Stashed>();  // never freed: outlives the interpreter's end
  return *stash;
}

struct Mapping {
  const char* class_name;
  int code;
  const char* code_name;
  bool is_retryable = false;
};

Mapping MappingOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kOk: return {"InternalError", 2, "SQLITE_INTERNAL"};
    case ErrorKind::kSyntax: return {"SQLSyntaxError", 1, "SQLITE_ERROR"};
    case ErrorKind::kName: return {"SQLNameError", 1, "SQLITE_ERROR"};
    case ErrorKind::kParameter: return {"ProgrammingError", 25, "SQLITE_RANGE"};
    case ErrorKind::kMisuse: return {"MisuseError", 21, "SQLITE_MISUSE"};
    case ErrorKind::kConstraint: return {"IntegrityError", 19, "SQLITE_CONSTRAINT"};
    case ErrorKind::kOverflow: return {"DataError", 1, "SQLITE_ERROR"};
    case ErrorKind::kBadValue: return {"DataError", 20, "SQLITE_MISMATCH"};
    case ErrorKind::kDimension: return {"DataError", 20, "SQLITE_MISMATCH"};
    case ErrorKind::kTooBig: return {"DataError", 18, "SQLITE_TOOBIG"};
    case ErrorKind::kConflict: return {"OperationalError", 517, "SQLITE_BUSY_SNAPSHOT", true};
    case ErrorKind::kBusy: return {"OperationalError", 5, "SQLITE_BUSY", true};
    case ErrorKind::kDeadlock: return {"OperationalError", 6, "SQLITE_LOCKED", true};
    case ErrorKind::kIo: return {"OperationalError", 10, "SQLITE_IOERR"};
    case ErrorKind::kDiskFull: return {"OperationalError", 13, "SQLITE_FULL"};
    case ErrorKind::kReadOnly: return {"OperationalError", 8, "SQLITE_READONLY"};
    case ErrorKind::kInterrupted: return {"OperationalError", 9, "SQLITE_INTERRUPT"};
    case ErrorKind::kOutOfMemory: return {"OutOfMemoryError", 7, "SQLITE_NOMEM"};
    case ErrorKind::kCorruption: return {"CorruptionError", 11, "SQLITE_CORRUPT"};
    case ErrorKind::kForeignFile: return {"DatabaseError", 26, "SQLITE_NOTADB"};
    case ErrorKind::kNewerFormat: return {"DatabaseError", 26, "SQLITE_NOTADB"};
    case ErrorKind::kInternal: return {"InternalError", 2, "SQLITE_INTERNAL"};
    case ErrorKind::kUnsupported: return {"NotSupportedError", 1, "SQLITE_ERROR"};
  }
  return {"InternalError", 2, "SQLITE_INTERNAL"};
}

void RefineConstraint(ConstraintKind constraint, Mapping* mapping) {
  switch (constraint) {
    case ConstraintKind::kNone: return;
    case ConstraintKind::kUnique: *mapping = {mapping->class_name, 2067, "SQLITE_CONSTRAINT_UNIQUE"}; return;
    case ConstraintKind::kPrimaryKey: *mapping = {mapping->class_name, 1555, "SQLITE_CONSTRAINT_PRIMARYKEY"}; return;
    case ConstraintKind::kRowId: *mapping = {mapping->class_name, 2579, "SQLITE_CONSTRAINT_ROWID"}; return;
    case ConstraintKind::kNotNull: *mapping = {mapping->class_name, 1299, "SQLITE_CONSTRAINT_NOTNULL"}; return;
    case ConstraintKind::kCheck: *mapping = {mapping->class_name, 275, "SQLITE_CONSTRAINT_CHECK"}; return;
    case ConstraintKind::kForeignKey: *mapping = {mapping->class_name, 787, "SQLITE_CONSTRAINT_FOREIGNKEY"}; return;
    case ConstraintKind::kDataType: *mapping = {mapping->class_name, 3091, "SQLITE_CONSTRAINT_DATATYPE"}; return;
  }
}

PyObject* exception_classes[kErrorKindCount];  // owned for the life of the process

bool SetAttribute(PyObject* object, const char* name, Ref value) {
  return value && PyObject_SetAttrString(object, name, value.get()) == 0;
}

// A new exception object with its codes, or an empty Ref with an error set.
Ref MakeException(ErrorKind kind, ConstraintKind constraint, std::string_view message) {
  Mapping mapping = MappingOf(kind);
  RefineConstraint(constraint, &mapping);
  Ref text = Ref::Steal(PyUnicode_DecodeUTF8(message.data(), message.size(), "replace"));
  if (!text) return Ref();
  Ref error = Ref::Steal(PyObject_CallFunctionObjArgs(ExceptionClass(kind), text.get(), nullptr));
  if (!error) return Ref();
  const std::string kind_name(ErrorKindName(kind));
  if (!SetAttribute(error.get(), "sqlite_errorcode", Ref::Steal(PyLong_FromLong(mapping.code))) ||
      !SetAttribute(error.get(), "sqlite_errorname", Ref::Steal(PyUnicode_FromString(mapping.code_name))) ||
      !SetAttribute(error.get(), "retryable", Ref::Steal(PyBool_FromLong(mapping.is_retryable))) ||
      !SetAttribute(error.get(), "kind", Ref::Steal(PyUnicode_FromString(kind_name.c_str())))) {
    return Ref();
  }
  return error;
}

// Takes the exception that `status` refers to out of the stash; false when it refers to none.
bool TakeStashed(const absl::Status& status, Stashed* out) {
  auto payload = status.GetPayload(kStashUrl);
  if (!payload.has_value()) return false;
  auto found = Stash().find(std::stoull(std::string(*payload)));
  if (found == Stash().end()) return false;
  *out = std::move(found->second);
  Stash().erase(found);
  return true;
}

}  // namespace

bool LoadExceptions() {
  Ref module = Ref::Steal(PyImport_ImportModule("turdb.exceptions"));
  if (!module) return false;
  for (int kind = 0; kind < kErrorKindCount; ++kind) {
    exception_classes[kind] = PyObject_GetAttrString(module.get(), MappingOf(static_cast<ErrorKind>(kind)).class_name);
    if (exception_classes[kind] == nullptr) return false;
  }
  return true;
}

PyObject* ExceptionClass(ErrorKind kind) { return exception_classes[static_cast<int>(kind)]; }

PyObject* RaiseKind(ErrorKind kind, std::string_view message) {
  Ref error = MakeException(kind, ConstraintKind::kNone, message);
  if (error) PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.get())), error.get());
  return nullptr;
}

PyObject* RaiseStatus(const absl::Status& status) {
  Stashed stashed;
  const bool has_stashed = TakeStashed(status, &stashed);
  if (has_stashed && stashed.is_transparent) {
    PyErr_Restore(stashed.type.release(), stashed.value.release(), stashed.traceback.release());
    return nullptr;
  }
  Ref error = MakeException(KindOf(status), ConstraintOf(status), FromAbsl(status.message()));
  if (!error) return nullptr;
  if (has_stashed && stashed.value) {
    // A user function failed: SQLite's generic code, whatever kind carried the failure here.
    Ref kind = Ref::Steal(PyUnicode_FromString("Function"));
    if (!SetAttribute(error.get(), "sqlite_errorcode", Ref::Steal(PyLong_FromLong(1))) ||
        !SetAttribute(error.get(), "sqlite_errorname", Ref::Steal(PyUnicode_FromString("SQLITE_ERROR"))) ||
        !SetAttribute(error.get(), "kind", std::move(kind))) {
      return nullptr;
    }
    if (stashed.traceback) PyException_SetTraceback(stashed.value.get(), stashed.traceback.get());
    PyException_SetCause(error.get(), stashed.value.release());  // steals
  }
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.get())), error.get());
  return nullptr;
}

absl::Status StashPythonError(bool is_transparent, std::string_view message) {
  static uint64_t next_ticket = 1;
  constexpr size_t kMostStashed = 64;  // a failure that the engine swallows leaves its exception behind
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  PyErr_NormalizeException(&type, &value, &traceback);
  if (Stash().size() >= kMostStashed) Stash().clear();
  const bool is_exception = PyErr_GivenExceptionMatches(type, PyExc_Exception) != 0;
  const uint64_t ticket = next_ticket++;
  Stash()[ticket] = {Ref::Steal(type), Ref::Steal(value), Ref::Steal(traceback), is_transparent || !is_exception};
  absl::Status status = MakeError(is_transparent ? ErrorKind::kInterrupted : ErrorKind::kIo, message);
  status.SetPayload(kStashUrl, absl::Cord(std::to_string(ticket)));
  return status;
}

}  // namespace turdb::bindings
