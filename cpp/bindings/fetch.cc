// Fetching: rows out of the present batch, the next batch without the interpreter lock.
//
// When the last row of a batch has been handed out the next batch is fetched at once, so that a statement read to its end
// is over (its transaction ended) without another call, as in the sqlite3 module.
#include "bindings/errors.h"
#include "bindings/objects.h"

namespace turdb::bindings {
namespace {

ValueStyle StyleOf(CursorObject* cursor) {
  ValueStyle style;
  style.text_factory = SessionOf(cursor)->text_factory.get();
  if (!cursor->fetch->converters.empty()) style.converters = &cursor->fetch->converters;
  return style;
}

// A row of the present batch through the row factory. REQUIRES: next_row < batch->size.
PyObject* MakeRow(CursorObject* cursor, const ValueStyle& style) {
  Fetch* fetch = cursor->fetch;
  // A converter or factory could use this very cursor; is_busy keeps the batch in place meanwhile.
  const bool calls_python = style.text_factory != nullptr || style.converters != nullptr;
  Ref text_factory = Ref::Borrow(style.text_factory);
  if (calls_python) cursor->is_busy = true;
  PyObject* row = RowToTuple(*fetch->batch, fetch->next_row, style);
  if (calls_python) cursor->is_busy = false;
  if (row == nullptr) return nullptr;
  ++fetch->next_row;
  if (cursor->row_factory == nullptr) return row;
  Ref tuple = Ref::Steal(row);
  Ref factory = Ref::Borrow(cursor->row_factory);
  PyObject* arguments[] = {reinterpret_cast<PyObject*>(cursor), tuple.get()};
  return PyObject_Vectorcall(factory.get(), arguments, 2, nullptr);
}

// Whether a row waits; false also with a Python error set.
bool HasRow(CursorObject* cursor) {
  Fetch* fetch = cursor->fetch;
  if (fetch->batch != nullptr && fetch->next_row < fetch->batch->size) return true;
  if (!fetch->pending.ok()) {
    absl::Status status = std::move(fetch->pending);
    fetch->pending = absl::OkStatus();
    RaiseStatus(status);
  }
  return false;
}

}  // namespace

void AdvanceBatch(CursorObject* cursor) {
  Fetch* fetch = cursor->fetch;
  if (fetch->batch == nullptr || fetch->next_row < fetch->batch->size || fetch->result == nullptr) return;
  cursor->is_busy = true;
  {
    GilReleased released;
    fetch->batch->size = 0;
    fetch->pending = fetch->result->Next(fetch->batch.get());
    if (!fetch->pending.ok()) fetch->batch->size = 0;
    if (fetch->batch->size == 0) fetch->result.reset();
  }
  fetch->next_row = 0;
  cursor->is_busy = false;
}

PyObject* FetchRow(CursorObject* cursor) {
  if (!HasRow(cursor)) return nullptr;
  PyObject* row = MakeRow(cursor, StyleOf(cursor));
  if (row != nullptr) AdvanceBatch(cursor);
  return row;
}

PyObject* FetchRows(CursorObject* cursor, int64_t limit) {
  Ref rows = Ref::Steal(PyList_New(0));
  if (!rows) return nullptr;
  for (int64_t count = 0; limit < 0 || count < limit; ++count) {
    if (!HasRow(cursor)) break;
    Ref row = Ref::Steal(MakeRow(cursor, StyleOf(cursor)));
    if (!row || PyList_Append(rows.get(), row.get()) != 0) return nullptr;
    AdvanceBatch(cursor);
  }
  return PyErr_Occurred() ? nullptr : rows.release();
}

PyObject* Description(CursorObject* cursor) {
  const Fetch* fetch = cursor->fetch;
  if (fetch == nullptr || fetch->columns == nullptr || fetch->columns->empty()) return NewReference(Py_None);
  const engine::ResultColumns& columns = *fetch->columns;
  const bool cuts_names = cursor->connection->session != nullptr && (SessionOf(cursor)->detect_types & 2) != 0;
  Ref tuple = Ref::Steal(PyTuple_New(static_cast<Py_ssize_t>(columns.size())));
  if (!tuple) return nullptr;
  for (size_t i = 0; i < columns.size(); ++i) {
    std::string_view name = columns[i].name;
    if (cuts_names && name.find(" [") != std::string_view::npos) name = name.substr(0, name.find(" ["));
    PyObject* item = Py_BuildValue("(s#OOOOOO)", name.data(), static_cast<Py_ssize_t>(name.size()), Py_None, Py_None,
                                   Py_None, Py_None, Py_None, Py_None);
    if (item == nullptr) return nullptr;
    PyTuple_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i), item);
  }
  return tuple.release();
}

}  // namespace turdb::bindings
