"""Cursor: runs statements and fetches their rows, one by one, all together, or as whole columns."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from turdb import _core
from turdb.exceptions import NotSupportedError

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow


def _library(name: str, method: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise NotSupportedError(f"{method}() needs {name}: pip install {name}") from error


class Cursor(_core.Cursor):
    """A cursor of PEP 249, as the sqlite3 module's, that also gives its rows as arrays and frames.

    Made by ``Connection.cursor()`` and ``Connection.execute()``. Iterating over it gives the rows.

    >>> cur = con.execute("select id, embedding from docs where id < ?", (3,))
    >>> cur.fetchnumpy()["embedding"].shape
    (2, 384)
    """

    __slots__ = ()

    def _columns(self) -> list[tuple[str, np.ndarray, Optional[np.ndarray]]]:
        """The remaining rows as (name, values, mask of NULLs or None), with distinct names."""
        columns = self._fetch_columns()
        taken: set[str] = set()
        result = []
        for (name, *_), (values, mask) in zip(self.description or (), columns):
            unique, number = name, 1
            while unique in taken:
                unique, number = f"{name}_{number}", number + 1
            taken.add(unique)
            result.append((unique, values, mask))
        return result

    def fetchnumpy(self) -> dict[str, np.ndarray]:
        """The remaining rows as a dict of column name -> array with a place per row.

        Integers come as int64, reals as float64, vectors of one dimension as float32 [rows, dim], the rest as objects.
        A column that holds NULLs is a numpy masked array. Of equal names the later ones get ``_1``, ``_2``, ...
        """
        arrays = {}
        for name, values, mask in self._columns():
            if mask is None:
                arrays[name] = values
            else:
                wide = mask if values.ndim == 1 else np.broadcast_to(mask[:, None], values.shape)
                arrays[name] = np.ma.MaskedArray(values, wide)
        return arrays

    def fetch_arrow_table(self) -> pyarrow.Table:
        """The remaining rows as an Arrow table; vectors as fixed-size lists of float32. Needs pyarrow."""
        pa = _library("pyarrow", "fetch_arrow_table")
        names, arrays = [], []
        for name, values, mask in self._columns():
            names.append(name)
            if values.ndim == 2:
                flat = pa.array(np.ascontiguousarray(values).reshape(-1), type=pa.float32())
                nulls = None if mask is None else pa.array(mask)
                arrays.append(pa.FixedSizeListArray.from_arrays(flat, max(values.shape[1], 1), mask=nulls))
            else:
                arrays.append(pa.array(values, mask=mask, from_pandas=False))
        return pa.table(arrays, names=names)

    def fetch_record_batch(self, rows_per_batch: int = 1_000_000) -> pyarrow.RecordBatchReader:
        """The remaining rows as an Arrow record batch reader. Needs pyarrow."""
        pa = _library("pyarrow", "fetch_record_batch")
        table = self.fetch_arrow_table()
        return pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=rows_per_batch))

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.fetch_arrow_table().__arrow_c_stream__(requested_schema)

    def fetchdf(self) -> pandas.DataFrame:
        """The remaining rows as a pandas data frame; NULL as NaN or None, vectors as arrays. Needs pandas."""
        pd = _library("pandas", "fetchdf")
        columns = {}
        for name, values, mask in self._columns():
            if values.ndim == 2:
                series = pd.Series(list(values), dtype=object)
            elif mask is not None and values.dtype == np.int64:
                series = pd.Series(values.astype(np.float64))
            else:
                series = pd.Series(values)
            columns[name] = series if mask is None else series.mask(mask, None if series.dtype == object else np.nan)
        return pd.DataFrame(columns)

    df = fetchdf

    def pl(self) -> polars.DataFrame:
        """The remaining rows as a polars data frame. Needs polars and pyarrow."""
        return _library("polars", "pl").from_arrow(self.fetch_arrow_table())


_core.set_cursor_class(Cursor)
