"""Row: a row with names, as sqlite3.Row; and row factories for dicts and named tuples."""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Union

from turdb import _core


@lru_cache(maxsize=256)
def _places(names: tuple[str, ...]) -> dict[str, int]:
    """Lower-case column name -> place; of equal names the first."""
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        places.setdefault(name.lower(), place)
    return places


def _names(cursor: _core.Cursor) -> tuple[str, ...]:
    return tuple([column[0] for column in cursor.description or ()])


class Row:
    """A row that is indexed by place or, without regard to case, by column name.

    >>> con.row_factory = turdb.Row
    >>> row = con.execute("select 1 as a, 2 as b").fetchone()
    >>> row[0], row["B"], row.keys()
    (1, 2, ['a', 'b'])
    """

    __slots__ = ("_columns", "_values")

    def __init__(self, cursor: _core.Cursor, values: tuple, /) -> None:
        if not isinstance(cursor, _core.Cursor):
            raise TypeError(f"instance of cursor required for first argument, not {type(cursor).__name__}")
        if not isinstance(values, tuple):
            raise TypeError(f"tuple required for second argument, not {type(values).__name__}")
        self._columns = _names(cursor)
        self._values = values

    def keys(self) -> list[str]:
        """The columns' names."""
        return list(self._columns)

    def __getitem__(self, key: Union[int, slice, str]) -> Any:
        if isinstance(key, str):
            place = _places(self._columns).get(key.lower())
            if place is None:
                raise IndexError(f"No item with that key: {key!r}")
            return self._values[place]
        return self._values[key]

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Row):
            return NotImplemented
        return self._columns == other._columns and self._values == other._values

    def __hash__(self) -> int:
        return hash((self._columns, self._values))

    def __repr__(self) -> str:
        return f"<turdb.Row {dict(zip(self._columns, self._values))!r}>"


def dict_row(cursor: _core.Cursor, values: tuple, /) -> dict[str, Any]:
    """A row factory: each row a dict of column name to value."""
    return dict(zip(_names(cursor), values))


@lru_cache(maxsize=256)
def _tuple_class(names: tuple[str, ...]) -> Any:
    return namedtuple("Row", [re.sub(r"\W", "_", name) for name in names], rename=True)


def namedtuple_row(cursor: _core.Cursor, values: tuple, /) -> Any:
    """A row factory: each row a named tuple; names that are no identifiers get an underscore and their place."""
    return _tuple_class(_names(cursor))._make(values)
