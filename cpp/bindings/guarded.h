// Functions that Python calls: what they throw must not get into the interpreter, which is C. std::bad_alloc becomes MemoryError, before
// or after the engine has made an error of what it met itself.
#pragma once

#include "bindings/python_ref.h"

#include <new>

namespace turdb::bindings {

template <auto function>
struct Guarded;

template <typename... Args, PyObject* (*function)(Args...)>
struct Guarded<function> {
  static PyObject* Call(Args... args) {
    try {
      return function(args...);
    } catch (const std::bad_alloc&) {
      return PyErr_NoMemory();
    }
  }
};

template <typename... Args, int (*function)(Args...)>
struct Guarded<function> {
  static int Call(Args... args) {
    try {
      return function(args...);
    } catch (const std::bad_alloc&) {
      PyErr_NoMemory();
      return -1;
    }
  }
};

// As the types of methods and slots want them.
template <auto function>
PyCFunction Method() {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&Guarded<function>::Call));
}
template <auto function>
void* Slot() {
  return reinterpret_cast<void*>(&Guarded<function>::Call);
}

}  // namespace turdb::bindings
