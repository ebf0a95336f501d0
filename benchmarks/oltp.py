#!/usr/bin/env python3
"""turdb against sqlite3 where many small statements meet a disk: reads, writes, durable commits, threads, space.

    python benchmarks/oltp.py [--rows 100000] [--rounds 5] [--folder /where/to/write] [--only NAME] [--smoke]

Both engines do the same in one run, in turn, through Python, on databases on one file system, sqlite3 in WAL mode.
Figures are medians. A ratio above 1 is in turdb's favour; "asked" is what the project asks of itself.
Durable commits stand beside the machine's own rate: pwrite and fdatasync of a preallocated file.
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Optional

import harness
from oltp_engines import COLUMNS, Engine, Report, Sqlite, Turdb
from oltp_space import log, space

import turdb


class Case(NamedTuple):
    """A measurement in turn: `prepare` and `finish` are not timed."""

    operations: int
    run: Callable[[Engine], Any]
    asked: Optional[float] = None
    prepare: Optional[Callable[[Engine], Any]] = None
    finish: Optional[Callable[[Engine], Any]] = None
    unit: str = "an operation"


def measure(case: Case, engines: list[Engine], rounds: int) -> dict[str, float]:
    """Median seconds an operation."""
    times: dict[str, list[float]] = {engine.name: [] for engine in engines}
    for number in range(rounds + 1):  # the first is the warm-up
        for engine in engines:
            if case.prepare is not None:
                case.prepare(engine)
            taken = harness.seconds(partial(case.run, engine))
            if case.finish is not None:
                case.finish(engine)
            if number > 0:
                times[engine.name].append(taken / case.operations)
    return {name: statistics.median(values) for name, values in times.items()}


# --- statements, one thread ---------------------------------------------------------------------------------------

INSERT = "INSERT INTO {} VALUES (?, ?, ?, ?, ?)"


def make_rows(count: int) -> list[tuple]:
    generator = random.Random(42)
    return [
        (i, f"name{generator.randrange(10**9)}-{i}", f"section{generator.randrange(40)}", generator.randrange(10**6),
         generator.random() * 100)
        for i in range(count)
    ]  # fmt: skip


@contextmanager
def transaction(engine: Engine) -> Iterator[Any]:
    engine.con.execute("BEGIN")
    yield engine.con.execute
    engine.con.execute("COMMIT")


def fill(engine: Engine, rows: list[tuple]) -> None:
    for table in ("plain", "indexed", "log"):
        engine.con.execute(f"CREATE TABLE {table} {COLUMNS}")
    with transaction(engine):
        for table in ("plain", "indexed"):
            engine.con.executemany(INSERT.format(table), rows)
    engine.con.execute("CREATE INDEX by_name ON indexed (name)")
    engine.con.execute("CREATE INDEX by_size ON indexed (size)")
    engine.set_synchronous("NORMAL")


def each(sql: str, parameters: list[tuple]) -> Callable[[Engine], None]:
    """One execute() a set of parameters, in one transaction."""

    def run(engine: Engine) -> None:
        with transaction(engine) as execute:
            for given in parameters:
                execute(sql, given)

    return run


def many(sql: str, parameters: list[tuple]) -> Callable[[Engine], None]:
    """One executemany(), in one transaction."""

    def run(engine: Engine) -> None:
        with transaction(engine):
            engine.con.executemany(sql, parameters)

    return run


def reads(sql: str, parameters: list[tuple]) -> Callable[[Engine], None]:
    def run(engine: Engine) -> None:
        execute = engine.con.execute
        for given in parameters:
            execute(sql, given).fetchone()

    return run


def new_texts(count: int) -> Callable[[Engine], None]:
    """Statements that nobody has prepared before."""
    fresh = iter(range(10**9))

    def run(engine: Engine) -> None:
        execute = engine.con.execute
        for _ in range(count):
            execute(f"SELECT name, size FROM plain WHERE id = {next(fresh)} AND size >= 0").fetchone()

    return run


def new_writes(count: int) -> Callable[[Engine], None]:
    fresh = iter(range(10**9))

    def run(engine: Engine) -> None:
        with transaction(engine) as execute:
            for _ in range(count):
                number = next(fresh)
                execute(f"UPDATE plain SET size = {number} WHERE id = {number % 1000}")

    return run


def autocommit_inserts(count: int) -> Callable[[Engine], None]:
    def run(engine: Engine) -> None:
        for i in range(count):
            engine.con.execute("INSERT INTO log (name, size) VALUES (?, ?)", ("some text of a log", i))

    return run


def mixed(keys: list[int]) -> Callable[[Engine], None]:
    """Two reads, an insert, two updates (one by a secondary key) and a delete; ten rounds of them a transaction."""

    def run(engine: Engine) -> None:
        execute = engine.con.execute
        for start in range(0, len(keys), 10):
            execute("BEGIN")
            for key in keys[start : start + 10]:
                size = execute("SELECT size FROM indexed WHERE id = ?", (key,)).fetchone()[0]
                execute("SELECT count(*) FROM indexed WHERE size = ?", (size,)).fetchone()
                execute("INSERT INTO log (id, name, size) VALUES (?, ?, ?)", (-1 - key, "some text of a log", size))
                execute("UPDATE indexed SET price = price + 1 WHERE id = ?", (key,))
                execute("UPDATE indexed SET price = price - 1 WHERE size = ?", (size,))
                execute("DELETE FROM log WHERE id = ?", (-1 - key,))
            execute("COMMIT")

    return run


def statement_cases(rows: list[tuple], operations: int) -> dict[str, Case]:
    generator = random.Random(7)
    keys = generator.sample(range(len(rows)), operations)
    by_key = [(key,) for key in keys]
    prices = [(generator.random() * 100, key) for key in keys]
    sizes = [(generator.randrange(10**6), key) for key in keys]
    by_name = [(rows[key][1],) for key in keys]
    prices_by_name = [(price, rows[key][1]) for price, key in prices]
    fresh_rows = [(10**6 + i, f"a new name {i}", "section1", i, 1.5) for i in range(operations)]

    def rows_back(table: str) -> Callable[[Engine], None]:
        return lambda engine: many(INSERT.format(table), [rows[key] for key in keys])(engine)

    def rows_away(table: str) -> Callable[[Engine], None]:
        return lambda engine: many(f"DELETE FROM {table} WHERE id = ?", [(row[0],) for row in fresh_rows])(engine)

    cases = {
        "point read by key": Case(operations, reads("SELECT name FROM plain WHERE id = ?", by_key), 1.5),
        "read by secondary index": Case(operations, reads("SELECT size FROM indexed WHERE name = ?", by_name), 1.5),
        "insert, autocommit NORMAL": Case(operations // 2, autocommit_inserts(operations // 2), 1.5),
        "select whose text is new": Case(operations // 2, new_texts(operations // 2), 1),
        "update whose text is new": Case(operations // 2, new_writes(operations // 2), 1),
    }
    for way, make in (("execute", each), ("executemany", many)):
        for table in ("plain", "indexed"):
            insert = make(INSERT.format(table), fresh_rows)
            update = make(f"UPDATE {table} SET price = ? WHERE id = ?", prices)
            delete = make(f"DELETE FROM {table} WHERE id = ?", by_key)
            asked = 1.5
            cases[f"insert, {table} table, {way}"] = Case(operations, insert, None, finish=rows_away(table))
            cases[f"update by key, {table} table, {way}"] = Case(operations, update, asked)
            cases[f"delete by key, {table} table, {way}"] = Case(operations, delete, asked, finish=rows_back(table))
        moved = make("UPDATE indexed SET size = ? WHERE id = ?", sizes)
        cases[f"update of an indexed column, {way}"] = Case(operations, moved, 1.5)
        by_second = make("UPDATE indexed SET price = ? WHERE name = ?", prices_by_name)
        cases[f"update by secondary key, {way}"] = Case(operations, by_second, 1.5)
    cases["mixed, six statements a step"] = Case(operations // 2 * 6, mixed(keys[: operations // 2]), None)
    return cases


def statements(engines: list[Engine], arguments: argparse.Namespace) -> None:
    report = Report("one thread, an operation", arguments.only)
    rows = make_rows(arguments.rows)
    cases = statement_cases(rows, min(arguments.operations, arguments.rows // 2))
    wanted = [name for name in cases if report.wants(name)]
    if wanted:
        for engine in engines:
            fill(engine, rows)
    for name in wanted:
        own, peer = measure(cases[name], engines, arguments.rounds).values()
        report.add(name, harness.readable(own), harness.readable(peer), peer / own, cases[name].asked)
    report.print()


def bulk(engines: list[Engine], arguments: argparse.Namespace) -> None:
    report = Report("bulk, a row", arguments.only)
    count = arguments.bulk_rows
    names = [f"some text of a log, {i}" for i in range(count)]
    rows = [(i, names[i], i % 1000) for i in range(count)]
    import numpy as np

    columns = {"id": np.arange(count), "name": names, "size": np.arange(count) % 1000}

    def new_table(engine: Engine) -> None:
        engine.con.execute("CREATE TABLE bulk (id INTEGER PRIMARY KEY, name TEXT, size INTEGER)")

    def drop_table(engine: Engine) -> None:
        engine.con.execute("DROP TABLE bulk")

    insert = many("INSERT INTO bulk VALUES (?, ?, ?)", rows)
    for name, run, asked in (
        (f"executemany of {count:,} rows", insert, 2.0),
        (f"append of {count:,} rows", lambda engine: engine.append("bulk", columns, rows), 10.0),
    ):
        if not report.wants(name):
            continue
        case = Case(count, run, asked, new_table, drop_table)
        own, peer = measure(case, engines, max(1, arguments.rounds // 2)).values()
        report.add(name, harness.readable(own), harness.readable(peer), peer / own, asked)
    report.print()


def engine_reads(folder: Path, arguments: argparse.Namespace) -> None:
    """A cached point read through the C++ engine: prepared once, executed with a parameter, the row read."""
    name = "point read, in C++"
    if arguments.only is not None and arguments.only not in name:
        return
    try:
        from turdb._testing import measure as testing
    except ImportError:
        print("note: no turdb._testing.measure here (scripts/setup test builds it); no reads through C++\n")
        return
    path = folder / "engine.turdb"
    rows = make_rows(arguments.rows)
    with closing(turdb.connect(path, isolation_level=None)) as con:
        con.execute(f"CREATE TABLE plain {COLUMNS}")
        con.executemany(INSERT.format("plain"), rows)
    keys = random.Random(7).choices(range(len(rows)), k=arguments.operations)
    taken = testing.measure_reads(str(path), "SELECT name FROM plain WHERE id = ?", keys, 10 * arguments.rounds)
    print(f"{name}: {statistics.median(taken):.0f} ns (asked: under 1000 ns)\n")


# --- durable commits ----------------------------------------------------------------------------------------------

RECORD_BYTES = 160  # about what a commit of one small row writes
RAW_BYTES = 16 << 20


class RawLog:
    """What a log cannot beat: one pwrite and one fdatasync after another, in a file whose blocks are all there."""

    def __init__(self, folder: Path) -> None:
        self.descriptor = os.open(folder / "raw.log", os.O_RDWR | os.O_CREAT, 0o600)
        os.pwrite(self.descriptor, b"\1" * RAW_BYTES, 0)
        os.fsync(self.descriptor)
        self.offset = 0

    def commits(self, seconds: float) -> float:
        """A second."""
        record = b"\2" * RECORD_BYTES
        count, start = 0, time.perf_counter()
        while (now := time.perf_counter()) < start + seconds:
            os.pwrite(self.descriptor, record, self.offset)
            os.fdatasync(self.descriptor)
            self.offset = (self.offset + RECORD_BYTES) % (RAW_BYTES - RECORD_BYTES)
            count += 1
        return count / (now - start)


def run_threads(bodies: list[Callable[[threading.Event], int]], seconds: float) -> list[float]:
    """Runs each body in a thread until the event is set; what they count, a second."""
    stop, ready = threading.Event(), threading.Barrier(len(bodies) + 1)
    counts = [0.0] * len(bodies)
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            ready.wait()
            start = time.perf_counter()
            count = bodies[number](stop)
            counts[number] = count / (time.perf_counter() - start)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(bodies))]
    for thread in threads:
        thread.start()
    ready.wait()
    time.sleep(seconds)
    stop.set()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return counts


def durable_inserts(engine: Engine, name: str, threads: int, seconds: float) -> float:
    """Rows inserted and durable, a second."""

    def inserts(stop: threading.Event) -> int:
        with closing(engine.open(name)) as con:
            con.execute("PRAGMA synchronous = FULL")
            count = 0
            while not stop.is_set():
                con.execute("INSERT INTO log (name, size) VALUES (?, ?)", ("some text of a log", count))
                count += 1
            return count

    return sum(run_threads([inserts] * threads, seconds))


def durable(engines: list[Engine], arguments: argparse.Namespace) -> None:
    report = Report("durable commits of one row, a second", arguments.only)
    wanted = [threads for threads in (1, 8) if report.wants(f"{threads} thread")]
    if not wanted:
        return
    name = "durable"
    seconds = 0.1 if arguments.smoke else 0.5
    keep_open = [engine.open(name) for engine in engines]
    for con in keep_open:
        con.execute("CREATE TABLE log (id INTEGER PRIMARY KEY, name TEXT, size INTEGER)")
    raw = RawLog(engines[0].folder)
    rates: dict[str, list[float]] = {}
    for _ in range(arguments.rounds):
        rates.setdefault("raw", []).append(raw.commits(seconds))
        for engine in engines:
            for threads in wanted:
                rate = durable_inserts(engine, name, threads, seconds)
                rates.setdefault(f"{engine.name} {threads}", []).append(rate)
    median = {name: statistics.median(values) for name, values in rates.items()}
    limit = median["raw"]
    print(f"pwrite and fdatasync, one thread: {limit:,.0f} a second; ratios of the next table are turdb / that")
    for threads in wanted:
        own, peer = median[f"turdb {threads}"], median[f"sqlite3 {threads}"]
        asked = 0.9 if threads == 1 else 3.0
        report.add(f"{threads} thread{'s' * (threads > 1)}", f"{own:,.0f}", f"{peer:,.0f}", own / limit, asked)
    report.print()
    for con in keep_open:
        con.close()


# --- readers beside a writer --------------------------------------------------------------------------------------

GROUPS, GROUP_ROWS = 100, 50


class Ledger:
    """What the writer has committed: every row of a group has the number of the transaction that wrote it last."""

    def __init__(self) -> None:
        self.begun = self.committed = 0
        self.last = [0] * GROUPS  # by group, of the last committed


def writer(engine: Engine, name: str, ledger: Ledger) -> Callable[[threading.Event], int]:
    def write(stop: threading.Event) -> int:
        generator = random.Random(1)
        with closing(engine.open(name)) as con:
            con.execute("PRAGMA synchronous = NORMAL")
            count = 0
            while not stop.is_set():
                group, number = generator.randrange(GROUPS), ledger.begun + 1
                con.execute("BEGIN IMMEDIATE")
                con.execute("UPDATE pair SET value = ? WHERE grp = ?", (-number, group))  # nobody may see these
                ledger.begun = number
                con.execute("UPDATE pair SET value = ? WHERE grp = ?", (number, group))
                con.execute("COMMIT")
                ledger.last[group] = ledger.committed = number
                count += 1
            return count

    return write


def reader(engine: Engine, name: str, ledger: Ledger, seed: int) -> Callable[[threading.Event], int]:
    def read(stop: threading.Event) -> int:
        generator = random.Random(seed)
        with closing(engine.open(name)) as con:
            count = 0
            while not stop.is_set():
                group = generator.randrange(GROUPS)
                at_least = ledger.last[group]
                low, high, rows = con.execute(
                    "SELECT min(value), max(value), count(*) FROM pair WHERE grp = ?", (group,)
                ).fetchone()
                if low != high or rows != GROUP_ROWS or not at_least <= low <= ledger.begun:
                    raise AssertionError(f"{engine.name}: group {group} has {low}..{high} in {rows} rows, not {at_least}")
                count += 1
            return count

    return read


def concurrency(engines: list[Engine], arguments: argparse.Namespace) -> None:
    report = Report("readers beside a writer, a second (reads of 50 rows; transactions of 100 row updates)", arguments.only)
    if not report.wants(""):
        return
    name, seconds = "readers", 0.2 if arguments.smoke else 1.0
    ways = {"1 reader": (1, 0), "4 readers": (4, 0), "1 writer": (0, 1), "4 readers + 1 writer": (4, 1)}
    rates: dict[tuple[str, str, str], list[float]] = {}
    ledgers = {engine.name: Ledger() for engine in engines}
    keep_open = [engine.open(name) for engine in engines]
    for con in keep_open:
        con.execute("CREATE TABLE pair (id INTEGER PRIMARY KEY, grp INTEGER, value INTEGER)")
        con.execute("CREATE INDEX by_group ON pair (grp)")
        con.executemany("INSERT INTO pair (grp, value) VALUES (?, 0)", [(i % GROUPS,) for i in range(GROUPS * GROUP_ROWS)])
    for _ in range(max(1, arguments.rounds // 2)):
        for way, (readers, writers) in ways.items():
            for engine in engines:
                ledger = ledgers[engine.name]
                bodies = [reader(engine, name, ledger, seed) for seed in range(readers)]
                bodies += [writer(engine, name, ledger)] * writers
                counts = run_threads(bodies, seconds)
                for kind, rate in (("reads", sum(counts[:readers])), ("writes", sum(counts[readers:]))):
                    rates.setdefault((way, kind, engine.name), []).append(rate)
    for way, (readers, writers) in ways.items():
        for kind, is_there in (("reads", readers > 0), ("writes", writers > 0)):
            if is_there:
                own, peer = (statistics.median(rates[way, kind, engine.name]) for engine in engines)
                report.add(f"{way}: {kind}", f"{own:,.0f}", f"{peer:,.0f}", own / peer)
    report.print()
    for engine, con in zip(engines, keep_open):
        lost = con.execute("SELECT grp, value FROM pair GROUP BY grp").fetchall() != list(enumerate(ledgers[engine.name].last))
        print(f"{engine.name}: every value read was a committed one; {'a commit is lost' if lost else 'no commit is lost'}")
        con.close()
    print()


def main() -> None:
    parser = harness.parser_of_tables(__doc__.splitlines()[0], rows=100_000)
    parser.add_argument("--operations", type=int, default=5000, help="of a round")
    parser.add_argument("--bulk-rows", type=int, default=1_000_000)
    arguments = parser.parse_args()
    if arguments.smoke:
        arguments.rows, arguments.operations, arguments.bulk_rows, arguments.rounds = 2000, 200, 5000, 1
    with harness.folder_of_engines("oltp", arguments.folder) as (folder, engines):
        engines += [Turdb(folder), Sqlite(folder)]
        print(f"{arguments.rows:,} rows; {harness.describe_machine()}, SQLite {sqlite3.sqlite_version}\n")
        statements(engines, arguments)
        bulk(engines, arguments)
        engine_reads(folder, arguments)
        durable(engines, arguments)
        concurrency(engines, arguments)
        space(engines, arguments)
        log(engines, arguments)


if __name__ == "__main__":
    main()
