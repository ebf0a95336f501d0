"""The exceptions of turdb: PEP 249's tree, with what a program needs to decide how to go on.

Every error that the engine raises carries

- ``sqlite_errorcode`` and ``sqlite_errorname``: the closest code of SQLite, e.g. 2067 and
  ``"SQLITE_CONSTRAINT_UNIQUE"``;
- ``retryable``: True when running the same transaction again may succeed (busy, conflict, deadlock victim);
- ``kind``: turdb's own name for what went wrong, e.g. ``"Syntax"``, ``"Dimension"``.

Source: PEP 249, "Exceptions"; https://www.sqlite.org/rescode.html.
"""

from __future__ import annotations

from typing import Optional


class Warning(Exception):
    """An important warning. turdb raises none; PEP 249 wants the name."""


class Error(Exception):
    """The base of every error that turdb raises."""

    sqlite_errorcode: Optional[int] = None
    sqlite_errorname: Optional[str] = None
    retryable: bool = False
    kind: Optional[str] = None


class InterfaceError(Error):
    """The Python interface was misused, rather than the database."""


class DatabaseError(Error):
    """Something about the database: not a turdb database, a newer format, and every class below."""


class DataError(DatabaseError):
    """A value that cannot be taken: out of range, a wrong dimension, NaN in a vector, too large."""


class OperationalError(DatabaseError):
    """Not the program's fault: locks, conflicts, input and output, a full disk, an interruption."""


class OutOfMemoryError(OperationalError, MemoryError):
    """There was not the memory for it; what was committed is as it was.

    A transaction that was writing may have been rolled back: ``Connection.in_transaction`` tells.
    """


class IntegrityError(DatabaseError):
    """A constraint would be broken."""


class InternalError(DatabaseError):
    """An invariant of turdb itself is broken. Please report it."""


class ProgrammingError(DatabaseError):
    """A mistake in the program: SQL syntax, unknown names, wrong parameters, use after close."""


class NotSupportedError(DatabaseError):
    """turdb does not do this."""


class SQLSyntaxError(ProgrammingError, OperationalError):
    """The SQL text does not parse. An OperationalError too, since the sqlite3 module raises that one."""


class SQLNameError(ProgrammingError, OperationalError):
    """No such table, column or function. An OperationalError too, since the sqlite3 module raises that one."""


class MisuseError(ProgrammingError, OperationalError):
    """Use after close or from a wrong thread, BEGIN within a transaction, COMMIT without one."""


class CorruptionError(DatabaseError):
    """A file of the database is damaged; the message names file, page and what is wrong with it."""


class IntegerOverflowError(DataError, OverflowError):
    """A Python int beyond the 64 bits of an SQL integer. An OverflowError too, as the sqlite3 module raises."""
