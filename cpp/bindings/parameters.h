// From Python objects to the engine's values: the parameters of a statement, results of user functions.
#pragma once

#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "bindings/python_ref.h"
#include "engine/connection.h"
#include "types/value.h"

namespace turdb::bindings {

using Parameters = absl::InlinedVector<Value, 4>;

// What a value is for, in messages: "parameter 2", "parameter :name", "column 'a', row 7", "result of f()".
struct Purpose {
  const char* what = "parameter";
  int64_t number = 0;       // 0: none
  const char* name = nullptr;
};

// int, float, str, bytes-like, bool, None, numpy scalars, numpy arrays and sequences of numbers (as vectors), and what
// the registered adapters turn into one of these. False with a Python error set: ProgrammingError for a type that cannot
// be stored, DataError (also an OverflowError) for an int beyond 64 bits, UnicodeEncodeError for lone surrogates.
bool PythonToValue(PyObject* object, const Purpose& purpose, Value* out);

// All parameters of a statement from a sequence or a mapping, into as many places. False with a Python error set.
bool BindParameters(const engine::Statement& statement, PyObject* parameters, absl::Span<Value> out);

// Where adapters are kept: a dict type -> callable, owned by turdb.types. Called once at import.
void SetAdapters(PyObject* adapters);
// From now on adapters are looked up for int, float, str and bytes as well.
void MarkBaseTypeAdapted();

}  // namespace turdb::bindings
