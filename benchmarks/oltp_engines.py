"""The two sides of benchmarks/oltp.py, and the tables it prints."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Optional

import harness

import turdb

TIMEOUT_S = 60.0
COLUMNS = "(id INTEGER PRIMARY KEY, name TEXT, section TEXT, size INTEGER, price REAL)"


class Engine:
    """How one of the two is opened; `con` is the connection that most measurements use."""

    name = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.con = self.open("main")

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.{self.name}"

    def open(self, name: str, **options: Any) -> Any:
        raise NotImplementedError

    def set_synchronous(self, mode: str) -> None:
        self.con.execute(f"PRAGMA synchronous = {mode}")

    def disk_bytes(self, name: str) -> int:
        """Of a closed database."""
        raise NotImplementedError

    def log_bytes(self, name: str) -> int:
        """How far the write-ahead log of a new database has been written."""
        raise NotImplementedError

    def append(self, table: str, columns: dict[str, Any], rows: list[tuple]) -> None:
        raise NotImplementedError


class Turdb(Engine):
    name = "turdb"

    def open(self, name: str, **options: Any) -> Any:
        return turdb.connect(self.path(name), isolation_level=None, timeout=TIMEOUT_S, **options)

    def disk_bytes(self, name: str) -> int:
        return sum(file.stat().st_size for file in self.path(name).rglob("*") if file.is_file())

    def log_bytes(self, name: str) -> int:
        return sum(len(file.read_bytes().rstrip(b"\0")) for file in self.path(name).rglob("wal.[0-9]*"))

    def append(self, table: str, columns: dict[str, Any], rows: list[tuple]) -> None:
        self.con.append(table, columns)


class Sqlite(Engine):
    name = "sqlite3"

    def open(self, name: str, **options: Any) -> Any:
        con = sqlite3.connect(self.path(name), isolation_level=None, timeout=TIMEOUT_S, **options)
        con.execute("PRAGMA journal_mode = WAL")
        return con

    def disk_bytes(self, name: str) -> int:
        return self.path(name).stat().st_size

    def log_bytes(self, name: str) -> int:
        return self.path(name).with_name(self.path(name).name + "-wal").stat().st_size

    def append(self, table: str, columns: dict[str, Any], rows: list[tuple]) -> None:
        self.con.execute("BEGIN")
        self.con.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
        self.con.execute("COMMIT")


class Report:
    """Rows of a table, printed at the end of each section."""

    HEADER = ("", "turdb", "sqlite3", "ratio", "asked")

    def __init__(self, title: str, only: Optional[str]) -> None:
        self.title, self.only = title, only
        self.rows: list[tuple[str, ...]] = []

    def wants(self, name: str) -> bool:
        return self.only is None or self.only in f"{self.title}: {name}"

    def add(self, name: str, own: str, peer: str, ratio: Optional[float], asked: Optional[float] = None) -> None:
        cells = (f"{ratio:.2f}" if ratio is not None else "-", f"{asked:g}" if asked is not None else "-")
        self.rows.append((name, own, peer, *cells))

    def print(self) -> None:
        if not self.rows:
            return
        print(self.title)
        harness.print_table(self.HEADER, self.rows)
