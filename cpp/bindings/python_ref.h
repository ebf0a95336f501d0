// Ref: a counted reference to a Python object. GilReleased, GilHeld: the interpreter lock, scoped.
//
// Every file of this room may be entered by Python with the lock held. While the engine works the lock is released
// (GilReleased); callbacks from the engine take it back (GilHeld), on whatever thread they run. What may block on the
// engine's own locks (even a getter) is called without the interpreter lock, or two threads could wait for each other.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <utility>

namespace turdb::bindings {

class Ref {
 public:
  Ref() = default;
  Ref(const Ref& other) : object_(other.object_) { Py_XINCREF(object_); }
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() { Py_XDECREF(object_); }

  static Ref Steal(PyObject* object) { return Ref(object); }  // takes over a new reference (or nullptr)
  static Ref Borrow(PyObject* object) {
    Py_XINCREF(object);
    return Ref(object);
  }

  PyObject* get() const { return object_; }
  PyObject* release() { return std::exchange(object_, nullptr); }
  PyObject* NewReference() const {
    Py_XINCREF(object_);
    return object_;
  }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  explicit Ref(PyObject* object) : object_(object) {}
  PyObject* object_ = nullptr;
};

class GilReleased {
 public:
  GilReleased() : state_(PyEval_SaveThread()) {}
  ~GilReleased() { PyEval_RestoreThread(state_); }
  GilReleased(const GilReleased&) = delete;
  GilReleased& operator=(const GilReleased&) = delete;

 private:
  PyThreadState* state_;
};

class GilHeld {
 public:
  GilHeld() : state_(PyGILState_Ensure()) {}
  ~GilHeld() { PyGILState_Release(state_); }
  GilHeld(const GilHeld&) = delete;
  GilHeld& operator=(const GilHeld&) = delete;

 private:
  PyGILState_STATE state_;
};

inline PyObject* NewReference(PyObject* object) {
  Py_INCREF(object);
  return object;
}

}  // namespace turdb::bindings
