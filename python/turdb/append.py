"""From what people have (arrays, lists, frames, Arrow tables) to the columns that the engine appends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

import numpy as np

from turdb.exceptions import DataError, ProgrammingError

# (name, values, mask of NULLs): values are float32 [rows, dim], int64 or float64 [rows], or a list of objects.
Column = tuple[str, Any, Optional[np.ndarray]]


_NUMBERS = frozenset(("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "float", "double"))  # of Arrow


def columns_of(data: Any) -> tuple[int, list[Column]]:
    """Number of rows, and the columns of `data`.

    Raises ProgrammingError for what is not a table, DataError for columns of different lengths.
    """
    named = _named_columns(data)
    columns = [_column(str(name), values) for name, values in named]
    lengths = {name: len(values) for name, values, _ in columns}
    if len(set(lengths.values())) > 1:
        raise DataError(f"append() needs columns of one length, not {lengths}")
    return next(iter(lengths.values()), 0), columns


def has_vectors(values: list[Any]) -> bool:
    """Whether a list of objects holds vectors (with None among them; without, they would be a matrix)."""
    return isinstance(next((value for value in values if value is not None), None), (list, tuple, np.ndarray))


def as_list(values: Any, mask: Optional[np.ndarray]) -> list[Any]:
    """A column's values as parameters of INSERT."""
    if mask is None:
        return values if isinstance(values, list) else list(values)
    return [None if is_null else value for value, is_null in zip(values, mask)]


def _named_columns(data: Any) -> list[tuple[Any, Any]]:
    if isinstance(data, Mapping):
        return list(data.items())
    if isinstance(data, np.ndarray):
        if data.dtype.names is None:
            raise ProgrammingError("append() takes a dict of columns or a structured array, not a plain array")
        return [(name, data[name]) for name in data.dtype.names]
    if hasattr(data, "column_names") and hasattr(data, "column"):  # an Arrow table or record batch
        return [(name, _from_arrow(data.column(name))) for name in data.column_names]
    if hasattr(data, "schema") and hasattr(data, "column") and hasattr(data.schema, "names"):  # an Arrow record batch
        return [(name, _from_arrow(data.column(place))) for place, name in enumerate(data.schema.names)]
    if hasattr(data, "columns") and hasattr(data, "__getitem__"):  # a pandas or polars frame
        return [(name, _from_series(data[name])) for name in data.columns]
    if hasattr(data, "__arrow_c_stream__"):
        import pyarrow

        return _named_columns(pyarrow.table(data))
    raise ProgrammingError(
        "append() takes a dict of arrays or lists, a structured array, a pandas or polars frame or an Arrow table, "
        f"not {type(data).__name__}"
    )


def _from_arrow(column: Any) -> Any:
    if hasattr(column, "combine_chunks"):
        column = column.combine_chunks()
        if hasattr(column, "chunks"):  # an empty table has a chunked array without chunks
            return column.to_pylist()
    kind = str(column.type)
    if kind.startswith("fixed_size_list<") and column.null_count == 0:
        values = column.flatten()
        if values.null_count == 0 and len(column) > 0:
            return values.to_numpy(zero_copy_only=False).reshape(len(column), -1)
    if column.null_count == 0 and kind in _NUMBERS:
        return column.to_numpy(zero_copy_only=False)
    return column.to_pylist()


def _from_series(series: Any) -> Any:
    if hasattr(series, "to_list") and not hasattr(series, "iloc"):  # polars
        kind = series.to_numpy()
        return kind if kind.dtype.kind in "iufb" and series.null_count() == 0 else series.to_list()
    if type(series.dtype).__module__.startswith("numpy") and series.dtype.kind in "iufb":
        return series.to_numpy()
    missing = np.asarray(series.isna())
    return [None if is_missing else value for value, is_missing in zip(series.to_list(), missing)]


def _column(name: str, values: Any) -> Column:
    mask = None
    if isinstance(values, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(values)
        values = values.data
        if values.ndim == 2:
            return name, [None if gone.any() else row for row, gone in zip(values, mask)], None
        if values.dtype.kind not in "iufb":
            return name, [None if gone else value for value, gone in zip(values.tolist(), mask)], None
    if not isinstance(values, np.ndarray):
        values = _from_sequence(name, values)
        if isinstance(values, list):
            return name, values, None
    return name, _array(name, values), mask


def _from_sequence(name: str, values: Any) -> Any:
    """Lists of equally long lists or arrays of numbers become one array; every other sequence a list."""
    try:
        values = values if type(values) is list else list(values)
    except TypeError:
        raise ProgrammingError(f"append(): column '{name}' is a {type(values).__name__}, not a sequence") from None
    first = next((value for value in values if value is not None), None)
    if not isinstance(first, (list, tuple, np.ndarray)) or any(value is None for value in values):
        return values
    try:
        with np.errstate(over="ignore"):
            stacked = np.asarray(values, dtype=np.float32)
    except (ValueError, TypeError) as error:
        raise DataError(f"append(): the vectors of column '{name}' are not all of one length and of numbers") from error
    return stacked


def _array(name: str, values: np.ndarray) -> Any:
    kind = values.dtype.kind
    if values.ndim == 2 and kind in "iufb":
        with np.errstate(over="ignore"):  # what overflows is infinite, and refused as such
            floats = values.astype(np.float32, copy=False)
        dense = floats.shape[1] <= 1 or floats.strides[1] == floats.itemsize
        stride = floats.strides[0]
        if not dense or stride % floats.itemsize or stride < floats.shape[1] * floats.itemsize:
            floats = np.ascontiguousarray(floats)
        if not floats.dtype.isnative or not floats.flags.aligned:
            floats = np.require(floats, "=f4", ["C", "A"])
        return floats
    if values.ndim != 1:
        raise DataError(
            f"append(): column '{name}' is a {values.ndim}-d array of {values.dtype}; "
            "a column has one value or one vector of numbers a row"
        )
    if kind in "ib" or (kind == "u" and (values.size == 0 or int(values.max()) < 2**63)):
        return np.require(values, np.int64, ["C", "A"])
    if kind == "f":
        return np.require(values, np.float64, ["C", "A"])
    if kind == "M":
        return [None if text == "NaT" else text.replace("T", " ") for text in np.datetime_as_string(values).tolist()]
    return _from_sequence(name, values.tolist())
