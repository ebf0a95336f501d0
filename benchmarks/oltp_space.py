"""The space part of benchmarks/oltp.py: bytes on disk, and bytes of log."""

from __future__ import annotations

import argparse
import random
import uuid
from collections.abc import Callable
from contextlib import closing
from typing import Any, NamedTuple

from oltp_engines import COLUMNS, Engine, Report

import turdb


class Schema(NamedTuple):
    create: list[str]
    row: Callable[[int, random.Random], tuple]
    share: float = 1.0  # of the rows asked for


SCHEMAS = {
    "integers": Schema(
        ["CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER, c INTEGER)"],
        lambda i, r: (i, r.randrange(100), r.randrange(10**6), r.randrange(10**12)),
    ),
    "texts": Schema(
        ["CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT)"],
        lambda i, r: (i, f"user{r.randrange(10**9)}@example.org", "lorem ipsum dolor " * r.randrange(1, 6)),
    ),
    "mixed": Schema([f"CREATE TABLE t {COLUMNS}"], lambda i, r: make_row(i, r)),
    "mixed, two indexes": Schema(
        [f"CREATE TABLE t {COLUMNS}", "CREATE INDEX by_name ON t (name)", "CREATE INDEX by_size ON t (size)"],
        lambda i, r: make_row(i, r),
    ),
    "text key, without rowid": Schema(
        ["CREATE TABLE t (id TEXT PRIMARY KEY, a INTEGER) WITHOUT ROWID"],
        lambda i, r: (f"key-{i * 7919 % 1_000_003:07}", r.randrange(1000)),
    ),
    "documents": Schema(
        ["CREATE TABLE t (id INTEGER PRIMARY KEY, title TEXT, body TEXT)"],
        lambda i, r: (i, f"document {i}", text_of(int(r.lognormvariate(8.7, 1)), r)),
        0.05,
    ),
    "long keys": Schema(
        ["CREATE TABLE t (id INTEGER PRIMARY KEY, address TEXT)", "CREATE INDEX by_address ON t (address)"],
        lambda i, r: (i, f"{r.randrange(10**9)} {text_of(r.randrange(3000), r)}"),
        0.1,
    ),
    "customers": Schema(
        ["CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, street TEXT, city TEXT, zip TEXT, country TEXT, phone TEXT, email TEXT, "
         "balance REAL, orders INTEGER, note TEXT)"],
        lambda i, r: customer(i, r),
    ),
    "40 short texts": Schema(
        [f"CREATE TABLE t (id INTEGER PRIMARY KEY, {', '.join(f'c{c} TEXT' for c in range(40))})"],
        lambda i, r: (i, *(f"{r.randrange(36**4):x}"[: r.randrange(2, 5)] for _ in range(40))),
    ),
    "120 columns": Schema(
        [f"CREATE TABLE t (id INTEGER PRIMARY KEY, {', '.join(f't{c} TEXT, n{c} INTEGER, o{c} TEXT' for c in range(40))})"],
        lambda i, r: (i, *(v for _ in range(40) for v in (f"text {r.randrange(10**5)}", r.randrange(1000), pick(r)))),
        0.2,
    ),
    "uuid key, without rowid": Schema(
        ["CREATE TABLE t (id TEXT PRIMARY KEY, a INTEGER) WITHOUT ROWID"], lambda i, r: (uuid_of(r), r.randrange(1000)), 2
    ),
    "rows by uuid, without rowid": Schema(
        ["CREATE TABLE t (id TEXT PRIMARY KEY, name TEXT, a INTEGER) WITHOUT ROWID"],
        lambda i, r: (uuid_of(r), f"name{r.randrange(10**6)}", r.randrange(10**6)),
        2,
    ),
    "uuid index": Schema(
        ["CREATE TABLE t (id INTEGER PRIMARY KEY, uuid TEXT)", "CREATE INDEX by_uuid ON t (uuid)"],
        lambda i, r: (i, uuid_of(r)),
    ),
    "blob key, without rowid": Schema(
        ["CREATE TABLE t (id BLOB PRIMARY KEY, a INTEGER) WITHOUT ROWID"],
        lambda i, r: (r.getrandbits(128).to_bytes(16, "big"), r.randrange(1000)),
        4,
    ),
    "long blob key, without rowid": Schema(
        ["CREATE TABLE t (id BLOB PRIMARY KEY, a INTEGER) WITHOUT ROWID"], lambda i, r: (blob_of(r), r.randrange(1000)), 0.3
    ),
    "long blob index": Schema(
        ["CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB)", "CREATE INDEX by_b ON t (b)"], lambda i, r: (i, blob_of(r)), 0.6
    ),
}


def customer(i: int, r: random.Random) -> tuple:
    name = f"{r.choice(SYLLABLES)}{r.choice(SYLLABLES)} {r.choice(SYLLABLES).title()}{r.choice(SYLLABLES)}"
    street = f"{r.choice(SYLLABLES).title()}{r.choice(SYLLABLES)} Street {r.randrange(200)}"
    city = f"{SYLLABLES[r.randrange(30)].title()}{SYLLABLES[r.randrange(30)]}ton"
    email = f"{name.replace(' ', '.').lower()}{r.randrange(100)}@example.{r.choice(('org', 'com', 'net'))}"
    note = "" if r.random() < 0.5 else f"since {1990 + r.randrange(35)}"
    return (i, name, street, city, f"{r.randrange(10**5):05}", f"country {r.randrange(60)}", f"+{r.randrange(10**11)}", email,
            round(r.random() * 1000, 2), r.randrange(50), note)  # fmt: skip


def pick(r: random.Random) -> str | None:
    return None if r.random() < 0.3 else f"{r.randrange(10**7):x}"


SYLLABLES = [a + b + c for a in "bdfgklmnprst" for b in "aeiou" for c in "lmnrs"]


def uuid_of(r: random.Random) -> str:
    return str(uuid.UUID(int=r.getrandbits(128), version=4))


def blob_of(r: random.Random) -> bytes:
    length = r.randrange(100, 501)
    return r.getrandbits(8 * length).to_bytes(length, "big")


def text_of(length: int, r: random.Random) -> str:
    return f"{r.randrange(10**9)} lorem ipsum dolor sit amet " * (length // 30) + "x" * (length % 30)


def make_row(i: int, r: random.Random) -> tuple:
    return (i, f"name{r.randrange(10**9)}-{i}", f"section{r.randrange(40)}", r.randrange(10**6), round(r.random() * 100, 2))


def churn(con: Any, schema: Schema, count: int, seed: int) -> None:
    """A fifth of the rows changed, a fifth replaced, a fifth deleted and as many inserted, in small transactions."""
    r = random.Random(seed)
    keys = [row[0] for row in con.execute("SELECT id FROM t ORDER BY id")]
    r.shuffle(keys)
    fifth = len(keys) // 5
    column = con.execute("SELECT * FROM t LIMIT 0").description[-1][0]
    steps = [
        (f"UPDATE t SET {column} = ? WHERE id = ?", [(schema.row(i, r)[-1], keys[i]) for i in range(fifth)]),
        ("DELETE FROM t WHERE id = ?", [(key,) for key in keys[fifth : 2 * fifth]]),
        (f"INSERT INTO t VALUES ({', '.join('?' * len(schema.row(0, r)))})",
         [schema.row(count + i, r) for i in range(fifth)]),
        (f"REPLACE INTO t VALUES ({', '.join('?' * len(schema.row(0, r)))})",
         [(key, *schema.row(0, r)[1:]) for key in keys[2 * fifth : 3 * fifth]]),
    ]  # fmt: skip
    for sql, parameters in steps:
        for start in range(0, len(parameters), 500):
            con.execute("BEGIN")
            con.executemany(sql, parameters[start : start + 500])
            con.execute("COMMIT")


def vacuum(con: Any) -> None:
    try:
        con.execute("VACUUM")
    except turdb.NotSupportedError:
        pass  # measured as it is


def space(engines: list[Engine], arguments: argparse.Namespace) -> None:
    report = Report("bytes on disk, a row", arguments.only)
    for schema_name, schema in SCHEMAS.items():
        if not report.wants(schema_name):
            continue
        count = max(100, int(arguments.rows * schema.share))
        r = random.Random(3)
        rows = [schema.row(i, r) for i in range(count)]
        figures: dict[str, dict[str, float]] = {engine.name: {} for engine in engines}
        for engine in engines:
            name = f"space {schema_name}"
            for state in ("loaded", "churned", "vacuumed"):
                with closing(engine.open(name)) as con:
                    con.execute("PRAGMA synchronous = OFF")
                    if state == "loaded":
                        for sql in schema.create:
                            con.execute(sql)
                        con.execute("BEGIN")
                        con.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(rows[0]))})", rows)
                        con.execute("COMMIT")
                    elif state == "churned":
                        churn(con, schema, count, 5)
                    else:
                        vacuum(con)
                    left = con.execute("SELECT count(*) FROM t").fetchone()[0]
                figures[engine.name][state] = engine.disk_bytes(name) / left
        own, peer = figures.values()
        for state in own:
            report.add(f"{schema_name}, {state}", f"{own[state]:.1f}", f"{peer[state]:.1f}", peer[state] / own[state], 1)
    report.print()


def log(engines: list[Engine], arguments: argparse.Namespace) -> None:
    report = Report("bytes of log, a commit of one row", arguments.only)
    actions = {
        "insert": "INSERT INTO t VALUES (?1 + 1000000, 'some text of a log', ?1)",
        "update": "UPDATE t SET size = size + 1 WHERE id = ?1",
        "delete": "DELETE FROM t WHERE id = ?1",
    }
    wanted = [name for name in actions if report.wants(name)]
    if not wanted:
        return
    commits = 50 if arguments.smoke else 500
    figures: dict[str, dict[str, float]] = {}
    for engine in engines:
        with closing(engine.open("log")) as con:
            con.execute("PRAGMA wal_autocheckpoint = 1000000")
            con.execute("PRAGMA synchronous = NORMAL")
            con.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, size INTEGER)")
            con.execute("CREATE INDEX by_size ON t (size)")
            con.executemany("INSERT INTO t VALUES (?, 'some text of a log', ?)", [(i, i) for i in range(10_000)])
            for name in wanted:
                before = engine.log_bytes("log")
                for key in random.Random(5).sample(range(10_000), commits):
                    con.execute(actions[name], (key,))
                figures.setdefault(name, {})[engine.name] = (engine.log_bytes("log") - before) / commits
    for name in wanted:
        own, peer = figures[name].values()
        report.add(f"{name}, table with an index", f"{own:,.0f}", f"{peer:,.0f}", peer / own, 10)
    report.print()
