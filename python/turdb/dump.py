"""A database as SQL text, as ``sqlite3 .dump`` and ``Connection.iterdump`` write it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from turdb.connection import Connection


def quote_name(name: str) -> str:
    """An SQL identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: Any) -> str:
    """An SQL literal that gives `value` again."""
    if value is None:
        return "NULL"
    if isinstance(value, np.ndarray):
        return "'[" + ",".join(map(repr, value.tolist())) + "]'"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "X'" + bytes(value).hex().upper() + "'"
    if isinstance(value, float):
        if value in (float("inf"), float("-inf")):
            return "9.0e+999" if value > 0 else "-9.0e+999"
        return repr(value)
    if isinstance(value, int):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def dump_statements(connection: Connection) -> Iterator[str]:
    """BEGIN, every table with its rows, every index and view, COMMIT."""
    cursor = connection.cursor()
    cursor.row_factory = None
    yield "BEGIN TRANSACTION;"
    objects = cursor.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
    ).fetchall()
    for kind, name, sql in objects:
        if kind != "table":
            continue
        yield f"{sql};"
        quoted = quote_name(name)
        for row in cursor.execute(f"SELECT * FROM {quoted}"):
            yield f"INSERT INTO {quoted} VALUES({','.join(map(literal, row))});"
    for kind, _, sql in objects:
        if kind != "table":
            yield f"{sql};"
    yield "COMMIT;"
