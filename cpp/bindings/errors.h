// How a Status becomes a Python exception of the PEP 249 tree (turdb/exceptions.py).
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "base/errors.h"
#include "bindings/python_ref.h"

namespace turdb::bindings {

// Looks up the classes of turdb.exceptions. False with a Python error set when one is missing.
bool LoadExceptions();

// Sets the Python error for `status`; always returns nullptr. An exception that a callback raised on the way
// (see StashPythonError) is raised instead, or as the cause.
PyObject* RaiseStatus(const absl::Status& status);
PyObject* RaiseKind(ErrorKind kind, std::string_view message);
// The class that `kind` maps to (borrowed).
PyObject* ExceptionClass(ErrorKind kind);

// For callbacks: keeps the current Python error aside for this thread's next RaiseStatus and gives the Status that
// stops the engine. `is_transparent`: raised as it is (KeyboardInterrupt, progress handlers), otherwise it becomes the
// cause of an OperationalError with `message`. REQUIRES: the interpreter lock is held and an error is set.
absl::Status StashPythonError(bool is_transparent, std::string_view message);

}  // namespace turdb::bindings
