"""executemany in batches leaves behind exactly what sqlite3 leaves behind, whole or broken off."""

import sqlite3

import pytest

import turdb

SCHEMA = "create table t (id integer primary key, name text unique, x real not null default 2.5, n numeric)"
INSERT = "insert into t (id, name, x, n) values (?, ?, ?, ?)"


def good(first, last):
    return [(i, f"name {i}", i / 4, str(i)) for i in range(first, last)]


def raising(rows):
    yield from rows
    raise RuntimeError("the source broke")


CASES = {
    "all good": lambda: good(0, 5000),
    "descending": lambda: good(0, 5000)[::-1],
    "a taken rowid": lambda: [*good(0, 3000), (1500, "other", 1, 1), *good(3000, 4000)],
    "a taken name": lambda: [*good(0, 3000), (9999, "name 7", 1, 1), *good(3000, 4000)],
    "a null where none may be": lambda: [*good(0, 100), (100, "name 100", None, 1), *good(101, 200)],
    "null rowids": lambda: [(None, f"name {i}", i, i) for i in range(3000)],
    "mixed classes": lambda: [(i, [b"blob", "text", i, None][i % 4] if i < 4 else f"t{i}", i, [1, 1.5, "2", "x"][i % 4])
                              for i in range(3000)],
    "too few values": lambda: [*good(0, 2500), (2500, "name")],
    "a source that raises": lambda: raising(good(0, 2500)),
    "a text for a rowid": lambda: [*good(0, 50), ("fifty", "name", 1, 1)],
    "rowids as texts and reals": lambda: [(str(i) if i % 2 else float(i), f"name {i}", i, i) for i in range(2000)],
}


def run(module, rows):
    con = module.connect(":memory:")
    con.execute(SCHEMA)
    con.execute("create index t_n on t (n, x)")
    cursor = con.cursor()
    try:
        cursor.executemany(INSERT, rows)
        outcome = cursor.rowcount
    except (module.Error, RuntimeError) as error:
        outcome = type(error).__name__
    left = con.execute("select id, name, x, n, typeof(name), typeof(n) from t order by id").fetchall()
    by_index = con.execute("select count(*) from t where n >= 10 and n < 1000").fetchone()
    in_transaction = con.in_transaction
    con.rollback()
    return outcome, left, by_index, in_transaction, con.execute("select count(*) from t").fetchone()


@pytest.mark.parametrize("case", CASES)
def test_as_sqlite3(case):
    ours = run(turdb, CASES[case]())
    theirs = run(sqlite3, CASES[case]())
    assert ours[1:] == theirs[1:]
    assert ours[0] == theirs[0]


def test_whole_or_nothing_in_autocommit():
    con = turdb.connect(":memory:", isolation_level=None)
    con.execute(SCHEMA)
    with pytest.raises(turdb.IntegrityError, match=r"UNIQUE constraint failed: t\.name"):
        con.executemany(INSERT, [*good(0, 3000), (5000, "name 1", 1, 1)])
    assert con.execute("select count(*) from t").fetchone() == (0,)
