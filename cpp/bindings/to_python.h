// From the engine's cells to Python objects: int, float, str (or text_factory), bytes, numpy float32 arrays, None.
#pragma once

#include <vector>

#include "bindings/python_ref.h"
#include "types/column_vector.h"

namespace turdb::bindings {

// How a cursor wants its values. Converters are per column (null: none), from detect_types.
struct ValueStyle {
  PyObject* text_factory = nullptr;  // borrowed; nullptr: str
  const std::vector<Ref>* converters = nullptr;
};

// A new reference, or nullptr with a Python error set.
PyObject* CellToPython(const Cell& cell, PyObject* text_factory);
PyObject* VectorToPython(const float* values, uint32_t dim);

// Row `row` of the batch as a tuple.
PyObject* RowToTuple(const ColumnBatch& batch, uint32_t row, const ValueStyle& style);

// bytes of a value, as converters of detect_types take them (None stays None).
PyObject* CellToConverterBytes(const Cell& cell);

}  // namespace turdb::bindings
