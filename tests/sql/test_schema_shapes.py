"""Tables and indexes of every shape beside sqlite3: keys that name a column twice, share columns, fold or descend.

Each history makes a table and its indexes from a seed, changes rows and schema in all the ways there are, and wants the same
rows by every index, and an index that is its table, after each step.
"""

import os
import random
import sqlite3
from contextlib import closing

import pytest

import turdb

VALUES = [None, 1, 1.0, 2, 2.5, -7, 10**12, "x", "X", "x ", "", b"q", b"", "long" * 30, "wide" * 550]
SEED = int(os.environ.get("TURDB_SEED", "0"))


def columns_of(rng, most):
    return [
        rng.choice("abc")
        + rng.choice(["", "", "", " COLLATE NOCASE", " COLLATE RTRIM"])
        + rng.choice(["", "", " DESC"])
        for _ in range(rng.randrange(1, most))
    ]


def table_of(rng):
    types = [rng.choice(["", "INTEGER", "TEXT", "REAL", "BLOB", "NUMERIC"]) for _ in "abc"]
    collations = [rng.choice(["", "", "COLLATE NOCASE", "COLLATE RTRIM"]) for _ in "abc"]
    definition = [f"{name} {kind} {collation}" for name, kind, collation in zip("abc", types, collations)]
    key = rng.choice([["a"], ["b", "a"], ["a", "c", "b"], ["c", "c"], ["a", "b", "a"]])
    without_rowid = rng.random() < 0.6
    if without_rowid or rng.random() < 0.5:
        definition.append(f"PRIMARY KEY ({', '.join(key)})")
    if rng.random() < 0.3:
        definition.append(f"UNIQUE ({', '.join(rng.choice('abc') for _ in range(rng.randrange(1, 4)))})")
    return f"CREATE TABLE t ({', '.join(definition)}){' WITHOUT ROWID' if without_rowid else ''}"


def index_of(rng, number):
    unique = rng.choice(["", "", "", "UNIQUE "])
    where = rng.choice(["", "", "", " WHERE a IS NOT NULL", " WHERE b > 1"])
    return f"CREATE {unique}INDEX i{number} ON t ({', '.join(columns_of(rng, 4))}){where}"


def step_of(rng, names):
    def value():
        return rng.choice(VALUES)

    name = rng.choice(names[:3])
    other = rng.choice(names[:3])
    return rng.choice([
        (f"INSERT OR {rng.choice(['IGNORE', 'REPLACE', 'ABORT'])} INTO t ({', '.join(names[:3])}) VALUES (?, ?, ?)",
         (value(), value(), value())),
        (f"INSERT OR {rng.choice(['IGNORE', 'REPLACE'])} INTO t ({', '.join(names[:3])}) VALUES (?, ?, ?), (?, ?, ?), (?, ?, ?)",
         [value() for _ in range(9)]),
        (f"UPDATE OR {rng.choice(['IGNORE', 'REPLACE', 'ABORT'])} t SET {name} = ? WHERE {other} = ?", (value(), value())),
        (f"UPDATE t SET {name} = {name}", ()),  # from another column, which rows conflict depends on their order
        (f"DELETE FROM t WHERE {name} = ?", (value(),)),
        (f"DELETE FROM t WHERE {name} > ? AND {other} <= ?", (value(), value())),
    ])  # fmt: skip


def run(con, sql, parameters=()):
    """How it ended: rows changed, or that a constraint forbade it."""
    try:
        return con.execute(sql, parameters).rowcount
    except (sqlite3.IntegrityError, turdb.IntegrityError):
        return "forbidden"


def rows_by(con, sql, parameters=()):
    return sorted(map(repr, con.execute(sql, parameters).fetchall()))


def compare(own, peer, names, indexes, rng):
    assert own.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    listed = ", ".join(names)
    assert rows_by(own, f"SELECT {listed} FROM t") == rows_by(peer, f"SELECT {listed} FROM t")
    for index in [*indexes, None]:
        hint = f" INDEXED BY {index}" if index is not None else ""
        a, b = rng.choice(names[:3]), rng.choice(names[:3])
        operator = rng.choice(["=", "<", ">=", "IS"])
        for sql in (
            f"SELECT {listed} FROM t{hint} WHERE {a} {operator} ? AND {b} IS NOT ?",
            f"SELECT {a}, {b} FROM t{hint} WHERE {a} = ?1 OR ?2",
        ):
            parameters = (rng.choice(VALUES), rng.choice(VALUES))
            assert rows_by(own, sql, parameters) == rows_by(peer, sql.replace(hint, ""), parameters), (sql, parameters)


def history(seed):
    rng = random.Random(seed)
    names = ["a", "b", "c"]
    table = table_of(rng)
    indexes = []
    with (
        closing(turdb.connect(":memory:", isolation_level=None)) as own,
        closing(sqlite3.connect(":memory:", isolation_level=None)) as peer,
    ):
        done = [(table, ())]
        assert run(own, table) == run(peer, table)
        for _ in range(25):
            kind = rng.random()
            parameters = ()
            if kind < 0.12 and len(indexes) < 4:
                sql = index_of(rng, len(done))
                for old, new in zip("abc", names):
                    sql = (
                        sql.replace(f"({old}", f"({new}")
                        .replace(f", {old}", f", {new}")
                        .replace(f"WHERE {old}", f"WHERE {new}")
                    )
            elif kind < 0.16 and len(names) == 3:
                sql = "ALTER TABLE t ADD COLUMN z DEFAULT 77"
            elif kind < 0.2 and "bb" not in names:
                sql = "ALTER TABLE t RENAME COLUMN b TO bb"
            elif kind < 0.24:
                sql = rng.choice(["VACUUM", "REINDEX"])
            else:
                sql, parameters = step_of(rng, names)
            done.append((sql, parameters))
            ended = run(own, sql, parameters), run(peer, sql, parameters)
            if "INSERT OR REPLACE" not in sql and "UPDATE OR REPLACE" not in sql:  # what REPLACE counts is not compared
                assert ended[0] == ended[1] or sql.startswith(("ALTER", "CREATE", "VACUUM", "REINDEX")), (ended, done)
            assert (ended[0] == "forbidden") == (ended[1] == "forbidden"), (ended, done)
            if ended[0] != "forbidden":
                if sql.startswith("CREATE") and "WHERE" not in sql:
                    indexes.append(f"i{len(done) - 1}")
                if "RENAME" in sql:
                    names[1] = "bb"
                if "ADD COLUMN" in sql:
                    names.append("z")
            try:
                compare(own, peer, names, indexes, rng)
            except Exception as error:
                raise AssertionError(f"seed {seed}: {error}\n" + "\n".join(str(step)[:200] for step in done)) from error


@pytest.mark.parametrize("block", range(8))
def test_histories(block):
    for seed in range(SEED + block * 10, SEED + block * 10 + 10):
        history(seed)


@pytest.mark.parametrize(
    ("table", "query"),
    [
        ("CREATE TABLE t (a, b, PRIMARY KEY (a, a)) WITHOUT ROWID", "SELECT a, b FROM t WHERE a = 1"),
        ("CREATE TABLE t (a, b, UNIQUE (a, a))", "SELECT a, b FROM t WHERE a = 1"),
        ("CREATE TABLE t (a, b); CREATE INDEX i ON t (a, b, a)", "SELECT a, b FROM t WHERE a = 1 AND b = 2"),
    ],
)
def test_a_key_that_names_a_column_twice(table, query):
    """The planner took the value of one comparison for both: a null pointer."""
    with closing(turdb.connect(":memory:")) as con:
        con.executescript(table)
        con.execute("INSERT INTO t VALUES (1, 2), (3, 4)")
        assert con.execute(query).fetchall() == [(1, 2)]
        con.execute("UPDATE t SET b = 5 WHERE a = 1")
        assert con.execute("SELECT b FROM t WHERE a = 1").fetchall() == [(5,)]
