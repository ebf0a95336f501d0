// A result as numpy arrays, column by column: int64, float64, float32 [rows, dim] for vectors, objects for the rest.
//
// A column starts without a type and takes that of its first value that is not NULL; a later value of another type
// widens it (int64 -> float64 -> objects). NULLs are kept as a mask.
#include <pybind11/numpy.h>

#include <memory>
#include <vector>

#include "bindings/errors.h"
#include "bindings/objects.h"

namespace py = pybind11;

namespace turdb::bindings {
namespace {

// Hands a vector's memory to numpy without copying it.
template <typename T>
py::array ArrayOf(std::vector<T>&& values, std::vector<py::ssize_t> shape) {
  auto owner = std::make_unique<std::vector<T>>(std::move(values));
  T* data = owner->data();
  py::capsule base(owner.release(), [](void* p) { delete static_cast<std::vector<T>*>(p); });
  return py::array_t<T>(std::move(shape), data, base);
}

class ColumnBuilder {
 public:
  explicit ColumnBuilder(PyObject* text_factory) : text_factory_(text_factory) {}

  // Adds rows [from, to) of a column. Throws py::error_already_set.
  void Add(const ColumnVector& column, uint32_t from, uint32_t to) {
    using Layout = ColumnVector::Layout;
    const bool is_plain = !column.is_constant() && !column.has_nulls();
    if (is_plain && column.layout() == Layout::kInt64 && (state_ == State::kInts || rows_ == 0)) {
      Become(State::kInts);
      ints_.insert(ints_.end(), column.ints() + from, column.ints() + to);
      return CountPlain(to - from);
    }
    if (is_plain && column.layout() == Layout::kDouble && (state_ == State::kDoubles || rows_ == 0)) {
      Become(State::kDoubles);
      doubles_.insert(doubles_.end(), column.doubles() + from, column.doubles() + to);
      return CountPlain(to - from);
    }
    for (uint32_t row = from; row < to; ++row) AddCell(column.Get(row));
  }

  // (values, mask or None)
  py::tuple Finish() {
    py::object mask = py::none();
    const auto rows = static_cast<py::ssize_t>(rows_);
    if (has_nulls_) {
      std::vector<uint8_t> nulls(nulls_.begin(), nulls_.end());
      nulls.resize(rows_);
      mask = ArrayOf(std::move(nulls), {rows}).attr("view")("bool");
    }
    switch (state_) {
      case State::kNothing: return py::make_tuple(ArrayOf(std::vector<double>(rows_), {rows}), mask);
      case State::kInts: return py::make_tuple(ArrayOf(std::move(ints_), {rows}), mask);
      case State::kDoubles: return py::make_tuple(ArrayOf(std::move(doubles_), {rows}), mask);
      case State::kVectors:
        return py::make_tuple(ArrayOf(std::move(floats_), {rows, static_cast<py::ssize_t>(dim_)}), mask);
      case State::kObjects: break;
    }
    py::array array(py::dtype("O"), std::vector<py::ssize_t>{rows});
    auto** slots = static_cast<PyObject**>(array.mutable_data());
    for (size_t i = 0; i < rows_; ++i) {
      PyObject* old = slots[i];
      slots[i] = objects_[i].release();
      Py_XDECREF(old);
    }
    return py::make_tuple(std::move(array), mask);
  }

 private:
  enum class State { kNothing, kInts, kDoubles, kVectors, kObjects };

  void CountPlain(size_t rows) {
    rows_ += rows;
    if (has_nulls_) nulls_.resize(rows_);
  }

  void AddCell(const Cell& cell) {
    if (cell.is_null()) return AddNull();
    State wanted = State::kObjects;
    if (cell.is_integer()) wanted = state_ == State::kDoubles ? State::kDoubles : State::kInts;
    if (cell.is_real()) wanted = State::kDoubles;
    if (cell.is_vector() && (state_ != State::kVectors || cell.dim() == dim_)) wanted = State::kVectors;
    if (state_ == State::kNothing && wanted == State::kVectors) dim_ = cell.dim();
    if (state_ != wanted) Become(Widened(state_, wanted));
    switch (state_) {
      case State::kNothing: break;
      case State::kInts: ints_.push_back(cell.integer); break;
      case State::kDoubles: doubles_.push_back(cell.is_integer() ? static_cast<double>(cell.integer) : cell.real); break;
      case State::kVectors: {
        const auto* values = reinterpret_cast<const float*>(cell.bytes);
        floats_.insert(floats_.end(), values, values + dim_);
        break;
      }
      case State::kObjects: PushObject(CellToPython(cell, text_factory_)); break;
    }
    CountPlain(1);
  }

  void AddNull() {
    has_nulls_ = true;
    nulls_.resize(rows_ + 1);
    nulls_[rows_] = true;
    PushFiller();
    ++rows_;
  }

  void PushFiller() {
    switch (state_) {
      case State::kNothing: break;
      case State::kInts: ints_.push_back(0); break;
      case State::kDoubles: doubles_.push_back(0); break;
      case State::kVectors: floats_.resize(floats_.size() + dim_); break;
      case State::kObjects: PushObject(NewReference(Py_None)); break;
    }
  }

  void PushObject(PyObject* object) {
    if (object == nullptr) throw py::error_already_set();
    objects_.push_back(Ref::Steal(object));
  }

  static State Widened(State from, State wanted) {
    if (from == State::kNothing) return wanted;
    return from == State::kInts && wanted == State::kDoubles ? State::kDoubles : State::kObjects;
  }

  void Become(State state) {
    if (state == state_) return;
    const State old = state_;
    const size_t rows = rows_;
    state_ = state;
    if (old == State::kNothing) {
      for (size_t i = 0; i < rows; ++i) PushFiller();
      return;
    }
    if (state == State::kDoubles) {
      doubles_.assign(ints_.begin(), ints_.end());
      return std::vector<int64_t>().swap(ints_);
    }
    for (size_t i = 0; i < rows; ++i) PushObject(AsObject(old, i));
  }

  PyObject* AsObject(State old, size_t row) const {
    if (row < nulls_.size() && nulls_[row]) return NewReference(Py_None);
    if (old == State::kInts) return PyLong_FromLongLong(ints_[row]);
    if (old == State::kDoubles) return PyFloat_FromDouble(doubles_[row]);
    return VectorToPython(floats_.data() + row * dim_, dim_);
  }

  PyObject* text_factory_;
  State state_ = State::kNothing;
  size_t rows_ = 0;
  bool has_nulls_ = false;
  uint32_t dim_ = 0;
  std::vector<int64_t> ints_;
  std::vector<double> doubles_;
  std::vector<float> floats_;
  std::vector<Ref> objects_;
  std::vector<bool> nulls_;  // shorter than rows_ while the last rows are not NULL
};

PyObject* FetchInto(CursorObject* cursor) {
  Fetch* fetch = cursor->fetch;
  const size_t width = fetch->columns == nullptr ? 0 : fetch->columns->size();
  Ref text_factory = SessionOf(cursor)->text_factory;
  std::vector<ColumnBuilder> builders(width, ColumnBuilder(text_factory.get()));
  while (fetch->batch != nullptr && fetch->next_row < fetch->batch->size) {
    for (size_t i = 0; i < width; ++i) builders[i].Add(fetch->batch->columns[i], fetch->next_row, fetch->batch->size);
    fetch->next_row = fetch->batch->size;
    AdvanceBatch(cursor);
    if (PyErr_CheckSignals() != 0) return nullptr;
  }
  if (!fetch->pending.ok()) {
    absl::Status status = std::exchange(fetch->pending, absl::OkStatus());
    return RaiseStatus(status);
  }
  py::list columns;
  for (ColumnBuilder& builder : builders) columns.append(builder.Finish());
  return columns.release().ptr();
}

}  // namespace

PyObject* FetchColumns(CursorObject* cursor) {
  try {
    return FetchInto(cursor);
  } catch (py::error_already_set& error) {
    error.restore();
    return nullptr;
  }
}

}  // namespace turdb::bindings
