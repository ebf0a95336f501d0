"""turdb: one embedded database for rows and vectors, under one transaction.

>>> import turdb
>>> con = turdb.connect("my.turdb")
>>> con.execute("create table docs (id integer primary key, title text, embedding vector(384))")
>>> con.execute("select title from docs order by embedding <=> ? limit 10", (query,)).fetchall()

The module follows PEP 249 and the standard library's sqlite3: programs written for sqlite3 run with the import changed.
"""

from turdb import _core
from turdb.connection import LEGACY_TRANSACTION_CONTROL, Connection, connect
from turdb.cursor import Cursor
from turdb.exceptions import (
    CorruptionError,
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    OutOfMemoryError,
    ProgrammingError,
    SQLNameError,
    SQLSyntaxError,
    Warning,
)
from turdb.row import Row, dict_row, namedtuple_row
from turdb.types import (
    BINARY,
    DATETIME,
    NUMBER,
    PARSE_COLNAMES,
    PARSE_DECLTYPES,
    ROWID,
    STRING,
    Binary,
    Date,
    DateFromTicks,
    PrepareProtocol,
    Time,
    TimeFromTicks,
    Timestamp,
    TimestampFromTicks,
    adapt,
    adapters,
    converters,
    enable_callback_tracebacks,
    register_adapter,
    register_converter,
)

__version__ = "0.1.0"

apilevel = "2.0"
paramstyle = "qmark"
threadsafety = 3  # threads may share the module, connections and cursors

# The version of SQLite whose dialect turdb speaks.
sqlite_version = "3.40.1"
sqlite_version_info = (3, 40, 1)
version_info = tuple(int(part) for part in __version__.split("."))

complete_statement = _core.complete_statement
_core.set_adapters(adapters)

__all__ = [
    "BINARY",
    "DATETIME",
    "LEGACY_TRANSACTION_CONTROL",
    "NUMBER",
    "PARSE_COLNAMES",
    "PARSE_DECLTYPES",
    "ROWID",
    "STRING",
    "Binary",
    "Connection",
    "CorruptionError",
    "Cursor",
    "DataError",
    "DatabaseError",
    "Date",
    "DateFromTicks",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "OutOfMemoryError",
    "PrepareProtocol",
    "ProgrammingError",
    "Row",
    "SQLNameError",
    "SQLSyntaxError",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "Warning",
    "__version__",
    "adapt",
    "adapters",
    "apilevel",
    "complete_statement",
    "connect",
    "converters",
    "dict_row",
    "enable_callback_tracebacks",
    "namedtuple_row",
    "paramstyle",
    "register_adapter",
    "register_converter",
    "sqlite_version",
    "sqlite_version_info",
    "threadsafety",
]
