#!/usr/bin/env python3
"""turdb against sqlite3 and DuckDB on ordinary tables: reads, writes, scans, joins, side by side.

    python benchmarks/relational.py [--rows 200000] [--folder /where/to/write] [--only point] [--smoke]

The same SQL runs on all of them, on a database on disk, through Python. sqlite3 runs in WAL mode. Each figure is the
median of several runs after a warm-up, engines in turn. Ratios are other / turdb: above 1, turdb is faster.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import harness
import numpy as np

import turdb

SECTIONS = [f"section{i}" for i in range(40)]
TABLES = (
    "CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, section TEXT, size INTEGER, price REAL)",
    "CREATE TABLE sale (item_id INTEGER, amount INTEGER, day INTEGER)",
)
INDEXES = ("CREATE INDEX item_name ON item (name)", "CREATE INDEX sale_item ON sale (item_id)")


def make_rows(count: int) -> tuple[list[tuple], list[tuple]]:
    generator = random.Random(42)
    items = [
        (i, f"name{generator.randrange(10**9)}-{i}", SECTIONS[generator.randrange(40)], generator.randrange(10**6), generator.random() * 100)
        for i in range(count)
    ]
    sales = [(generator.randrange(count), generator.randrange(100), generator.randrange(365)) for _ in range(2 * count)]
    return items, sales


class Engine:
    """One database with the two tables filled."""

    name = ""
    is_row_store = True

    def __init__(self, folder: Path) -> None:
        self.con = self.open(folder)

    def open(self, folder: Path) -> Any:
        raise NotImplementedError

    def set_synchronous(self, mode: str) -> None:
        self.con.execute(f"PRAGMA synchronous = {mode}")

    def begin(self) -> None:
        self.con.execute("BEGIN")

    def commit(self) -> None:
        self.con.execute("COMMIT")

    def executemany(self, sql: str, rows: list[tuple]) -> None:
        self.con.executemany(sql, rows)

    def fill(self, items: list[tuple], sales: list[tuple]) -> None:
        for statement in TABLES:
            self.con.execute(statement)
        self.begin()
        self.executemany("INSERT INTO item VALUES (?, ?, ?, ?, ?)", items)
        self.executemany("INSERT INTO sale VALUES (?, ?, ?)", sales)
        self.commit()
        for statement in INDEXES:
            self.con.execute(statement)
        self.con.execute("CREATE TABLE log (id INTEGER PRIMARY KEY, a INTEGER, b TEXT)")


class Turdb(Engine):
    name = "turdb"

    def open(self, folder: Path) -> Any:
        return turdb.connect(folder / "x.turdb", isolation_level=None)


class Sqlite(Engine):
    name = "sqlite3"

    def open(self, folder: Path) -> Any:
        con = sqlite3.connect(folder / "x.sqlite", isolation_level=None)
        con.execute("PRAGMA journal_mode = WAL")
        return con


class DuckDB(Engine):
    name = "duckdb"
    is_row_store = False

    def open(self, folder: Path) -> Any:
        return self.module.connect(str(folder / "x.duckdb"), config={"threads": 2})

    def set_synchronous(self, mode: str) -> None:
        pass  # always as FULL

    def fill(self, items: list[tuple], sales: list[tuple]) -> None:
        import pandas

        # Not named as the tables: a table of the database goes before a frame of the program.
        item_frame = pandas.DataFrame(items, columns=["id", "name", "section", "size", "price"])  # noqa: F841
        sale_frame = pandas.DataFrame(sales, columns=["item_id", "amount", "day"])  # noqa: F841
        for statement in TABLES:
            self.con.execute(statement)
        self.con.execute("INSERT INTO item SELECT * FROM item_frame")
        self.con.execute("INSERT INTO sale SELECT * FROM sale_frame")
        for statement in INDEXES:
            self.con.execute(statement)
        counted = self.con.execute("SELECT (SELECT count(*) FROM item), (SELECT count(*) FROM sale)").fetchone()
        assert counted == (len(items), len(sales))
        self.con.execute("CREATE SEQUENCE ids START 1")
        self.con.execute("CREATE TABLE log (id INTEGER PRIMARY KEY DEFAULT nextval('ids'), a INTEGER, b TEXT)")


# --- what is measured: name -> (operations in a call, whether DuckDB takes part, a maker of the call) ----------


def queries(sql: str, keys: list) -> Callable[[Engine], Callable[[], None]]:
    def make(engine: Engine) -> Callable[[], None]:
        def run() -> None:
            execute = engine.con.execute
            for key in keys:
                execute(sql, (key,)).fetchone()

        return run

    return make


def query(sql: str) -> Callable[[Engine], Callable[[], None]]:
    return lambda engine: lambda: engine.con.execute(sql).fetchall()


def autocommit_inserts(mode: str, count: int) -> Callable[[Engine], Callable[[], None]]:
    def make(engine: Engine) -> Callable[[], None]:
        def run() -> None:
            engine.set_synchronous(mode)
            for i in range(count):
                engine.con.execute("INSERT INTO log (a, b) VALUES (?, ?)", (i, "some text of a log"))

        return run

    return make


def many_inserts(count: int) -> Callable[[Engine], Callable[[], None]]:
    rows = [(i, f"some text of a log, {i}") for i in range(count)]

    def make(engine: Engine) -> Callable[[], None]:
        def run() -> None:
            engine.set_synchronous("NORMAL")
            engine.begin()
            engine.executemany("INSERT INTO log (a, b) VALUES (?, ?)", rows)
            engine.commit()

        return run

    return make


def appends(count: int) -> Callable[[Engine], Callable[[], None]]:
    numbers = np.arange(count)
    texts = [f"some text of a log, {i}" for i in range(count)]
    rows = list(zip(numbers.tolist(), texts))

    def make(engine: Engine) -> Callable[[], None]:
        def run() -> None:
            if isinstance(engine, Turdb):
                engine.con.append("log", {"a": numbers, "b": texts})
            elif isinstance(engine, DuckDB):
                import pandas

                frame = pandas.DataFrame({"a": numbers, "b": texts})  # noqa: F841
                engine.con.execute("INSERT INTO log (a, b) SELECT a, b FROM frame")
            else:
                engine.begin()
                engine.executemany("INSERT INTO log (a, b) VALUES (?, ?)", rows)
                engine.commit()

        return run

    return make


def updates(keys: list[int]) -> Callable[[Engine], Callable[[], None]]:
    def make(engine: Engine) -> Callable[[], None]:
        def run() -> None:
            engine.begin()
            for key in keys:
                engine.con.execute("UPDATE item SET price = price + 1 WHERE id = ?", (key,))
            engine.commit()

        return run

    return make


def measurements(items: list[tuple], small: bool) -> dict[str, tuple[int, bool, Callable[[Engine], Callable[[], None]]]]:
    generator = random.Random(7)
    reads = 200 if small else 5000
    few = reads // 10
    keys = [generator.randrange(len(items)) for _ in range(reads)]
    names = [items[key][1] for key in keys]
    many = 2000 if small else 50_000
    return {
        "point read by key": (reads, False, queries("SELECT name FROM item WHERE id = ?", keys)),
        "read by secondary index": (reads, False, queries("SELECT size FROM item WHERE name = ?", names)),
        "range of 100 rows": (few, False, queries("SELECT sum(size) FROM item WHERE id BETWEEN ?1 AND ?1 + 99", keys[:few])),
        "insert, autocommit NORMAL": (few, False, autocommit_inserts("NORMAL", few)),
        "insert, autocommit FULL": (few // 5, True, autocommit_inserts("FULL", few // 5)),
        "executemany, a row": (many, False, many_inserts(many)),
        "append (bulk), a row": (many, True, appends(many)),
        "update by key, a row": (few, False, updates(keys[:few])),
        "count(*)": (1, True, query("SELECT count(*) FROM sale")),
        "sum, filter": (1, True, query("SELECT sum(amount), avg(amount) FROM sale WHERE day < 100")),
        "min, max, avg of a real": (1, True, query("SELECT min(price), max(price), avg(price) FROM item")),
        "text filter (LIKE)": (1, True, query("SELECT count(*) FROM item WHERE name LIKE '%777%'")),
        "group by, 40 groups": (1, True, query("SELECT section, count(*), sum(size) FROM item GROUP BY section")),
        "group by, many groups": (1, True, query("SELECT count(*) FROM (SELECT item_id, sum(amount) FROM sale GROUP BY item_id)")),
        "order by, limit 10": (1, True, query("SELECT id, price FROM item ORDER BY price DESC LIMIT 10")),
        "sort all": (1, True, query("SELECT name FROM item ORDER BY size, name")),
        "join, group": (
            1, True, query("SELECT section, sum(amount) FROM sale JOIN item ON item.id = sale.item_id GROUP BY section")
        ),
        "fetch all rows": (len(items), True, query("SELECT * FROM item")),
    }


def measured_rows(engines: list[Engine], items: list[tuple], arguments: argparse.Namespace) -> list[list[str]]:
    rows = []
    for name, (operations, with_duckdb, make) in measurements(items, arguments.smoke).items():
        if arguments.only and arguments.only not in name:
            continue
        chosen = [engine for engine in engines if engine.is_row_store or with_duckdb]
        times = harness.in_turn({engine.name: make(engine) for engine in chosen}, arguments.rounds)
        own = times["turdb"]
        cells = [name, harness.readable(own / operations)]
        for peer in engines[1:]:
            taken = times.get(peer.name)
            cells += ["-", "-"] if taken is None else [harness.readable(taken / operations), f"{taken / own:.2f}"]
        rows.append(cells)
    return rows


def main() -> None:
    arguments = harness.parser_of_tables(__doc__.splitlines()[0], rows=200_000).parse_args()
    if arguments.smoke:
        arguments.rows, arguments.rounds = 5000, 1
    items, sales = make_rows(arguments.rows)
    types: list[type[Engine]] = [Turdb, Sqlite]
    duckdb = harness.optional("duckdb")
    if duckdb is not None and harness.optional("pandas") is not None:
        DuckDB.module = duckdb  # type: ignore[attr-defined]
        types.append(DuckDB)
    with harness.folder_of_engines("relational", arguments.folder) as (folder, engines):
        for engine_type in types:
            engines.append(engine_type(folder))
            engines[-1].fill(items, sales)
        print(f"{len(items):,} items, {len(sales):,} sales; {harness.describe_machine()}\n")
        header = ["an operation", "turdb"]
        for peer in engines[1:]:
            header += [peer.name, "ratio"]
        harness.print_table(header, measured_rows(engines, items, arguments))


if __name__ == "__main__":
    main()
