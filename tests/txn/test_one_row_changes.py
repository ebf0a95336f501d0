"""Statements that change one row, beside other writers and run again and again: what they keep between executions must not show.

The connection keeps its statements, so the same text is the same prepared statement in whatever transaction it runs.
"""

import random
import sqlite3
import sys
from pathlib import Path

import pytest

import turdb

sys.path.insert(0, str(Path(__file__).parents[1]))
from support.sessions import MOMENT, Session

COLUMNS = "id integer primary key, a integer, b text, c integer, d integer, e text"
INDEXES = [
    "create index t_a on t(a)",
    "create unique index t_b on t(b)",
    "create index t_cd on t(c, d)",
    "create index t_partial on t(d) where c % 2 = 0",
    "create unique index t_partial_unique on t(e) where a >= 0",
    "create index t_expression on t(a + d, upper(e))",
]
ROWS = [(i, i % 7, f"b{i}", i % 5, i % 11, f"e{i}" if i % 3 else None) for i in range(1, 200)]
BEGINS = ["begin", "begin immediate", "begin isolation level read committed", "begin isolation level serializable"]


@pytest.fixture
def path(tmp_path):
    path = str(tmp_path / "one-row.turdb")
    con = turdb.connect(path, isolation_level=None)
    for con_or_model in (con,):
        con_or_model.execute(f"create table t({COLUMNS})")
        for index in INDEXES:
            con_or_model.execute(index)
        con_or_model.executemany("insert into t values (?, ?, ?, ?, ?, ?)", ROWS)
    yield path
    con.close()


def connect(path, **options):
    return turdb.connect(path, isolation_level=None, **options)


def model():
    con = sqlite3.connect(":memory:", isolation_level=None)
    con.execute(f"create table t({COLUMNS})")
    for index in INDEXES:
        con.execute(index)
    con.executemany("insert into t values (?, ?, ?, ?, ?, ?)", ROWS)
    return con


def check_same(con, expected):
    assert con.execute("pragma integrity_check").fetchall() == [("ok",)]
    rows = "select * from t order by id"
    assert con.execute(rows).fetchall() == expected.execute(rows).fetchall()
    for keys in ("a, id", "b", "c, d, id", "e, id", "a + d, upper(e), id"):
        query = f"select id from t where id > 0 order by {keys}"
        assert con.execute(query).fetchall() == expected.execute(query).fetchall()
    partial = "select id from t where c % 2 = 0 and d = {} order by id"
    for d in range(11):
        assert con.execute(partial.format(d)).fetchall() == expected.execute(partial.format(d)).fetchall()


def a_change(rng, row):
    """An update or delete of one row, named by its rowid or by the key of an index, with its parameters."""
    where, key = rng.choice([("id = ?", row), ("b = ?", f"b{row}")])
    change, values = rng.choice([
        ("update t set a = ?", [rng.randrange(-3, 9)]),
        ("update t set c = ?", [rng.randrange(9)]),
        ("update t set d = ?", [rng.randrange(11)]),
        ("update t set e = ?", [rng.choice([None, f"new{row}", f"longer text of row {row} " * 4])]),
        ("update t set d = d + ?, c = d", [1]),
        ("update t set a = ?, e = ?", [rng.randrange(9), f"x{row}"]),
        ("update t set e = lower(b), d = a", []),
        ("delete from t", []),
    ])
    return f"{change} where {where}", [*values, key]


@pytest.mark.parametrize("level", ["snapshot", "read committed"])
@pytest.mark.parametrize("seed", range(6))
def test_changes_of_different_rows_are_made_anew_at_commit(path, seed, level):
    """Each commit but the first of a round finds the table changed by others, and repeats its own changes on that."""
    rng = random.Random(seed)
    expected = model()
    writers = [connect(path, timeout=20) for _ in range(3)]
    for _ in range(15):
        rows = rng.sample(range(1, 200), 12)
        for each in writers:
            each.execute(f"begin isolation level {level}")
        for i, row in enumerate(rows):
            sql, parameters = a_change(rng, row)
            writers[i % 3].execute(sql, parameters)
            expected.execute(sql, parameters)
        rng.shuffle(writers)
        for each in writers:
            each.execute("commit")
    check_same(writers[0], expected)
    for each in writers:
        each.close()


@pytest.mark.parametrize("seed", range(4))
def test_same_statements_in_every_kind_of_transaction(path, seed):
    """With and without a transaction, alone and beside another writer, taken back by savepoints and rollbacks."""
    rng = random.Random(seed)
    con, other, expected = connect(path), connect(path), model()
    for step in range(120):
        begin = rng.choice([None, None, *BEGINS])
        is_beside = begin != "begin immediate" and rng.random() < 0.5
        if begin:
            con.execute(begin)
            expected.execute("begin")
        if is_beside:
            other.execute("begin")
            other.execute("update t set c = c where id = 199")
        is_saved = False
        for _ in range(rng.randrange(1, 5)):
            sql, parameters = a_change(rng, rng.randrange(1, 199))
            for each in (con, expected):
                each.execute(sql, parameters)
            if begin and not is_saved and rng.random() < 0.3:
                is_saved = True
                for each in (con, expected):
                    each.execute("savepoint s")
        if is_saved and rng.random() < 0.7:
            for each in (con, expected):
                each.execute("rollback to s")
            sql, parameters = a_change(rng, rng.randrange(1, 199))
            for each in (con, expected):
                each.execute(sql, parameters)
        if begin:
            end = rng.choice(["commit", "commit", "rollback"])
            for each in (con, expected):
                each.execute(end)
        if is_beside:
            other.execute("commit")
        if step % 30 == 0:
            check_same(con, expected)
    check_same(con, expected)
    con.close()
    other.close()


@pytest.mark.parametrize("change", ["update t set a = a + 1 where id = 5", "update t set a = a + 1 where b = 'b5'",
                                    "delete from t where id = 5", "delete from t where b = 'b5'"])
def test_rows_are_locked_at_every_execution(path, change):
    session, other = Session(path, name="1"), Session(path, timeout=0, name="2")
    try:
        for _ in range(3):
            session.run("begin")
            session.run(change)
            with pytest.raises(turdb.OperationalError) as caught:
                other.run("update t set d = 0 where id = 5")
            assert caught.value.retryable
            session.run("rollback")
            other.run("update t set d = 1 where id = 5")
    finally:
        session.close()
        other.close()


@pytest.mark.parametrize("where", ["id = 5", "b = 'b5'"])
def test_no_update_is_lost(path, where):
    """The row is read, then waited for: what the other transaction made of it meanwhile counts."""
    con = connect(path)
    con.execute("update t set a = 0 where id = 5")
    first, second = Session(path, name="1"), Session(path, name="2")
    increment = f"update t set a = a + 1 where {where}"
    try:
        for i in range(1, 6):
            first.run("begin")
            first.run(increment)
            waiting = second.start(increment)
            assert not waiting.wait(MOMENT)
            first.run("commit")
            waiting.result()
            assert con.execute("select a from t where id = 5").fetchone() == (2 * i,)
        second.run("begin isolation level snapshot")
        second.run("select * from t where id = 1")
        first.run(increment)
        with pytest.raises(turdb.OperationalError) as caught:
            second.run(increment)
        assert caught.value.retryable
        second.run("rollback")
        second.run("begin isolation level read committed")
        second.run("update t set d = 3 where id = 6")
        first.run(increment)
        second.run(increment)
        second.run("commit")
        assert con.execute("select a from t where id = 5").fetchone() == (10 + 3,)
        assert con.execute("pragma integrity_check").fetchall() == [("ok",)]
    finally:
        first.close()
        second.close()
        con.close()


@pytest.mark.parametrize("begin", BEGINS)
def test_a_statement_that_fails_leaves_the_transaction_as_it_was(path, begin):
    con, expected = connect(path), model()
    con.execute(begin)
    expected.execute("begin")
    for sql in ["update t set a = 100 where id = 1", "delete from t where b = 'b2'"]:
        con.execute(sql)
        expected.execute(sql)
    for sql in ["update t set b = 'b4' where id = 3", "update t set b = 'b4' where b = 'b3'", "update t set id = 4 where id = 3",
                "update t set e = 'e4' where id = 5", "insert into t(id) values (1)", "insert into t(b) values ('b7')",
                "update t set a = a + 1, b = 'same' where id in (8, 9)"]:
        with pytest.raises(turdb.IntegrityError):
            con.execute(sql)
        with pytest.raises(sqlite3.IntegrityError):
            expected.execute(sql)
        assert con.in_transaction
    for each in (con, expected):
        each.execute("update or replace t set b = 'b11' where id = 10")
        each.execute("insert or ignore into t(id, a) values (12, 0)")
    con.execute("commit")
    check_same(con, expected)
    con.close()


def test_look_ups_kept_from_an_earlier_transaction_are_read_for_a_serializable_one(path):
    con, other = connect(path), connect(path)
    look_up = "select a from t where id = 5"
    for _ in range(3):
        con.execute(look_up).fetchall()
        con.execute("begin isolation level serializable")
        con.execute(look_up).fetchall()
        con.execute("update t set d = d + 1 where id = 6")
        other.execute("update t set a = a + 1 where id = 5")
        with pytest.raises(turdb.OperationalError) as caught:
            con.execute("commit")
        assert caught.value.retryable
        con.execute("begin")  # which does not mind
        con.execute(look_up).fetchall()
        con.execute("update t set d = d + 1 where id = 6")
        other.execute("update t set a = a + 1 where id = 5")
        con.execute("commit")
    assert con.execute("select d from t where id = 6").fetchone() == (6 + 3,)
    con.close()
    other.close()
