"""Connection: an open database, and connect(), which opens one."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterator, Sequence
from typing import Any, Callable, Optional, Union
from urllib.parse import parse_qsl, unquote

import numpy as np

from turdb import _core, exceptions
from turdb.append import Column, as_list, columns_of, has_vectors
from turdb.backup import back_up
from turdb.dump import dump_statements, quote_name
from turdb.exceptions import DataError, ProgrammingError

LEGACY_TRANSACTION_CONTROL = -1

PathLike = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]


def _parse_uri(uri: str) -> tuple[str, dict[str, str]]:
    """Path and parameters of a ``file:`` URI (https://www.sqlite.org/uri.html)."""
    rest = uri[len("file:") :].partition("#")[0]
    path, _, query = rest.partition("?")
    if path.startswith("//"):
        authority, _, path = path[2:].partition("/")
        if authority not in ("", "localhost"):
            raise exceptions.OperationalError(f"cannot open '{uri}': invalid uri authority: {authority}")
        path = "/" + path
    return unquote(path), dict(parse_qsl(query))


class Connection(_core.Connection):
    """An open database. Made by :func:`connect`; works as a ``sqlite3.Connection``.

    ``with con:`` commits at the end of the block or rolls back when it raises, and does not close the connection.
    """

    Warning = exceptions.Warning
    Error = exceptions.Error
    InterfaceError = exceptions.InterfaceError
    DatabaseError = exceptions.DatabaseError
    DataError = exceptions.DataError
    OperationalError = exceptions.OperationalError
    IntegrityError = exceptions.IntegrityError
    InternalError = exceptions.InternalError
    ProgrammingError = exceptions.ProgrammingError
    NotSupportedError = exceptions.NotSupportedError

    def __init__(
        self,
        database: PathLike,
        timeout: float = 5.0,
        detect_types: int = 0,
        isolation_level: Optional[str] = "",
        check_same_thread: bool = True,
        factory: Optional[type] = None,
        cached_statements: int = 128,
        uri: bool = False,
        *,
        autocommit: Union[bool, int] = LEGACY_TRANSACTION_CONTROL,
        read_only: bool = False,
        page_cache_size: int = 0,
    ) -> None:
        path = os.fsdecode(database)
        may_create = True
        if uri and path.startswith("file:"):
            path, options = _parse_uri(path)
            mode = options.get("mode", "rwc")
            if mode not in ("ro", "rw", "rwc", "memory"):
                raise exceptions.OperationalError(f"cannot open '{os.fsdecode(database)}': no such access mode: {mode}")
            read_only = read_only or mode == "ro" or options.get("immutable") == "1"
            may_create = mode == "rwc"
            if mode == "memory":
                path = f":memory:{path}" if options.get("cache") == "shared" and path != ":memory:" else ":memory:"
        if "\0" in path:
            raise ValueError("embedded null character")
        path = path or ":memory:"
        super().__init__(
            path,
            timeout,
            detect_types,
            isolation_level,
            check_same_thread,
            autocommit,
            read_only,
            may_create,
            page_cache_size,
        )

    def append(
        self, table: str, data: Any, *, progress: Optional[Callable[[str, int, int], None]] = None
    ) -> int:
        """Append many rows at once; returns their number.

        `data` is a dict of column name -> array or list, a structured array, a pandas or polars frame, or an Arrow
        table. A vector column takes a 2-d array [rows, dim]: float32 with dense rows is read where it lies, other
        number types are converted. Masked places, None and NaN become NULL; columns that are left out get their
        defaults. Either all rows are appended or none; constraints hold as for INSERT.

        The rows belong to the open transaction; like INSERT, append begins one (see `isolation_level`).
        `progress` is called with ("load" or "index", done, total).

        Raises DataError (wrong dimension, NaN in a vector, ragged columns), IntegrityError (a constraint),
        ProgrammingError (no such table or column).

        >>> con.append("docs", {"id": np.arange(1000), "embedding": np.zeros((1000, 384), np.float32)})
        1000
        """
        rows, columns = columns_of(data)
        if rows == 0 or not columns:
            return self._append(table, 0, [(name, [], None) for name, _, _ in columns])
        if any(isinstance(values, list) and has_vectors(values) for _, values, _ in columns):
            return self._append_by_insert(table, columns)
        if progress is None:
            return self._append(table, rows, columns)
        self.set_report_handler(progress)
        try:
            return self._append(table, rows, columns)
        finally:
            self.set_report_handler(None)

    def _append_by_insert(self, table: str, columns: list[Column]) -> int:
        """For vectors with NULLs among them, which are no matrix: INSERT, all or nothing by a savepoint."""
        names = ", ".join(quote_name(name) for name, _, _ in columns)
        rows = list(zip(*(as_list(values, mask) for _, values, mask in columns)))
        if self.isolation_level is not None and not self.in_transaction:
            self.execute("BEGIN")
        self.execute("SAVEPOINT turdb_append")
        try:
            places = ", ".join("?" * len(columns))
            self.executemany(f"INSERT INTO {quote_name(table)} ({names}) VALUES ({places})", rows)
        except BaseException:
            self.execute("ROLLBACK TO turdb_append")
            raise
        finally:
            self.execute("RELEASE turdb_append")
        return len(rows)

    def knn(
        self,
        table: str,
        column: str,
        queries: Any,
        k: int = 10,
        *,
        where: Optional[str] = None,
        parameters: Union[Sequence[Any], dict[str, Any]] = (),
        ef: Optional[int] = None,
        threads: int = 0,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The `k` nearest rows of each query, by the metric of the column's vector index (L2 without one).

        `queries` is [nq, dim] or [dim], of any number type. `where` is an SQL condition on the table with
        `parameters`. `ef` is how many candidates the search keeps (default: ``PRAGMA hnsw_ef_search``); larger is
        slower and finds more. Batches use `threads` threads (0: as many as the machine has).

        Returns ``(ids, distances)``: rowids int64 [nq, k] and float32 [nq, k], nearest first; where fewer than k rows
        match, the rest are -1 and infinity.

        Source of the index: Malkov & Yashunin 2016, arXiv 1603.09320.

        >>> ids, distances = con.knn("docs", "embedding", queries, 10, where="year >= ?", parameters=(2020,))
        """
        try:
            given = np.asarray(queries)
            if given.size and given.dtype.kind not in "iufb":
                raise TypeError(f"an array of {given.dtype}")
            with np.errstate(over="ignore"):
                vectors = np.require(given, np.float32, ["C", "A"])
        except (ValueError, TypeError) as error:
            raise DataError(f"knn(): the queries are not vectors of numbers: {error}") from None
        if vectors.ndim == 1:
            vectors = vectors[None, :]
        if vectors.ndim != 2:
            raise DataError(f"knn(): queries must be [nq, dim] or [dim], not {vectors.ndim}-d")
        if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or not 1 <= k < 2**31:
            raise ProgrammingError(f"knn(): k must be a positive integer, not {k!r}")
        if ef is not None and not 1 <= ef < 2**31:
            raise ProgrammingError(f"knn(): ef must be a positive integer, not {ef!r}")
        return self._knn(table, column, vectors, int(k), where or "", parameters or None, int(ef or 0), threads)

    def backup(
        self,
        target: Union[Connection, PathLike],
        *,
        pages: int = -1,
        progress: Optional[Callable[[int, int, int], object]] = None,
        name: str = "main",
        sleep: float = 0.250,
    ) -> None:
        """Copy this database over that of `target`, another connection or a path (opened for the copy, then closed).

        The copy shows this database as it is now, whatever is written to it meanwhile. All that `target` had is
        replaced in one transaction: its readers keep what they see, others may not write to it until the copy is
        done, and when this raises, or the process ends, it has what it had.

        `pages` pages of 16 KiB are copied at a time, all at once when it is 0 or less. After each step `progress` is
        called with (status, remaining, total): status 0, and 101 at the end. `sleep` is what sqlite3 waits between
        attempts on a locked database; here every wait ends after the target's timeout.

        Raises OperationalError (`target` is in a transaction, read only, or being written; no database `name`),
        ProgrammingError (a closed connection, both of one database), ValueError (`target` is this connection).

        Source: https://docs.python.org/3/library/sqlite3.html#sqlite3.Connection.backup.

        >>> with turdb.connect("copy.turdb") as copy: con.backup(copy)
        """
        if progress is not None and not callable(progress):
            raise TypeError("progress argument must be a callable")
        if isinstance(sleep, bool) or not isinstance(sleep, (int, float)):
            raise TypeError("sleep must be a number")
        if not isinstance(target, _core.Connection):
            if not isinstance(target, (str, bytes, os.PathLike)):
                raise TypeError(f"backup() needs a turdb.Connection or a path, not {type(target).__name__}")
            opened = connect(target)
            try:
                back_up(self, opened, operator.index(pages), progress, name)
            finally:
                opened.close()
            return
        if target is self:
            raise ValueError("target cannot be the same connection instance")
        back_up(self, target, operator.index(pages), progress, name)

    def iterdump(self) -> Iterator[str]:
        """The database as the SQL statements that make it, one by one."""
        return dump_statements(self)


def connect(
    database: PathLike,
    timeout: float = 5.0,
    detect_types: int = 0,
    isolation_level: Optional[str] = "",
    check_same_thread: bool = True,
    factory: type[Connection] = Connection,
    cached_statements: int = 128,
    uri: bool = False,
    *,
    autocommit: Union[bool, int] = LEGACY_TRANSACTION_CONTROL,
    read_only: bool = False,
    page_cache_size: int = 0,
) -> Connection:
    """Open the database at `database`, creating it (a directory) when it does not exist.

    ``":memory:"`` is a private database in memory, ``":memory:name"`` one shared by that name within the process.
    The other parameters are those of ``sqlite3.connect``, and

    - `timeout`: seconds to wait for a lock before OperationalError;
    - `read_only`: open beside the one process that writes, and never write;
    - `page_cache_size`: bytes of memory for pages that are changed or not yet in their files (0: the default, 64 MiB);
      what is past it goes to a temporary file beside the log. One size for all connections of a database.

    Raises OperationalError (no permission, another process writes), DatabaseError (not a turdb database, damaged, or
    of a newer format).

    >>> con = turdb.connect("my.turdb")
    """
    return factory(
        database,
        timeout,
        detect_types,
        isolation_level,
        check_same_thread,
        factory,
        cached_statements,
        uri,
        autocommit=autocommit,
        read_only=read_only,
        page_cache_size=page_cache_size,
    )
