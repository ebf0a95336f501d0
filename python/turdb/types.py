"""Type constructors of PEP 249, and the registries of adapters and converters."""

from __future__ import annotations

import datetime
import time
from typing import Any, Callable

from turdb import _core

Binary = memoryview
Date = datetime.date
Time = datetime.time
Timestamp = datetime.datetime


def DateFromTicks(ticks: float) -> datetime.date:
    """The local date of `ticks` seconds since the epoch."""
    return Date(*time.localtime(ticks)[:3])


def TimeFromTicks(ticks: float) -> datetime.time:
    """The local time of `ticks` seconds since the epoch."""
    return Time(*time.localtime(ticks)[3:6])


def TimestampFromTicks(ticks: float) -> datetime.datetime:
    """The local date and time of `ticks` seconds since the epoch."""
    return Timestamp(*time.localtime(ticks)[:6])


PARSE_DECLTYPES = 1
PARSE_COLNAMES = 2


class PrepareProtocol:
    """What an object's ``__conform__`` method is asked for when the object is a parameter."""


# Python type -> callable giving a value that can be stored. Read by the extension for each parameter.
adapters: dict[type, Callable[[Any], Any]] = {}
# Upper-case name of a type -> callable making a Python object of the stored bytes.
converters: dict[str, Callable[[bytes], Any]] = {}

_BASE_TYPES = (int, float, str, bytes, bytearray)


def register_adapter(type: type, adapter: Callable[[Any], Any], /) -> None:
    """Let objects of `type` be parameters: ``adapter(object)`` gives an int, float, str, bytes or None.

    >>> register_adapter(decimal.Decimal, str)
    """
    if type in _BASE_TYPES:
        _core.mark_base_type_adapted()
    adapters[type] = adapter


def register_converter(typename: str, converter: Callable[[bytes], Any], /) -> None:
    """Make columns declared as `typename` come back as ``converter(bytes)``, with ``detect_types`` given to connect().

    >>> register_converter("decimal", lambda data: decimal.Decimal(data.decode()))
    """
    converters[typename.upper()] = converter


def adapt(value: Any, protocol: Any = PrepareProtocol, alternative: Any = ..., /) -> Any:
    """What `value` is stored as: through its adapter or its ``__conform__``, else `alternative` or `value` itself."""
    adapter = adapters.get(type(value))
    if adapter is not None:
        return adapter(value)
    conform = getattr(value, "__conform__", None)
    adapted = conform(protocol) if conform is not None else None
    if adapted is not None:
        return adapted
    if alternative is not ...:
        return alternative
    if isinstance(value, (*_BASE_TYPES, memoryview, type(None))):
        return value
    from turdb.exceptions import ProgrammingError

    raise ProgrammingError("can't adapt")


def enable_callback_tracebacks(flag: bool, /) -> None:
    """Does nothing: an error in a callback always comes as the cause of the statement's error."""


def _convert_date(data: bytes) -> datetime.date:
    return datetime.date.fromisoformat(data.decode())


def _convert_timestamp(data: bytes) -> datetime.datetime:
    day, _, clock = data.decode().partition(" ")
    clock, _, fraction = clock.partition(".")
    year, month, date = map(int, day.split("-"))
    hours, minutes, seconds = map(int, clock.split(":"))
    return datetime.datetime(year, month, date, hours, minutes, seconds, int(f"{fraction:0<6.6}" or 0))


register_adapter(datetime.date, datetime.date.isoformat)
register_adapter(datetime.datetime, lambda moment: moment.isoformat(" "))
register_converter("date", _convert_date)
register_converter("timestamp", _convert_timestamp)


class _TypeGroup:
    """A type object of PEP 249: equal to the Python types that it stands for."""

    def __init__(self, name: str, *types: type) -> None:
        self._name = name
        self._types = frozenset(types)

    def __eq__(self, other: object) -> bool:
        return other is self or other in self._types

    def __hash__(self) -> int:
        return hash(self._name)

    def __repr__(self) -> str:
        return f"turdb.{self._name}"


STRING = _TypeGroup("STRING", str)
BINARY = _TypeGroup("BINARY", bytes, bytearray, memoryview)
NUMBER = _TypeGroup("NUMBER", int, float, bool)
DATETIME = _TypeGroup("DATETIME", datetime.date, datetime.datetime, datetime.time)
ROWID = _TypeGroup("ROWID", int)
