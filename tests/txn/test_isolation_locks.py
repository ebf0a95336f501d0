"""Who waits for whom, how long, and what a transaction is after a lock was refused."""

import sys
from pathlib import Path

import pytest

import turdb

sys.path.insert(0, str(Path(__file__).parents[1]))
from support.sessions import Session


@pytest.fixture
def path(tmp_path):
    path = str(tmp_path / "locks.turdb")
    con = turdb.connect(path, isolation_level=None)
    con.execute("create table t(id integer primary key, v integer, u integer unique)")
    con.execute("insert into t values (1, 10, 1), (2, 20, 2), (3, 30, 3)")
    con.execute("create table w(a text, b integer, v integer, primary key (a, b)) without rowid")
    con.execute("insert into w values ('x', 1, 10), ('x', 2, 20)")
    yield path
    assert con.execute("pragma integrity_check").fetchall() == [("ok",)]
    con.close()


@pytest.fixture
def connect(path):
    opened = []

    def connect(timeout=0.0):
        opened.append(turdb.connect(path, timeout=timeout, isolation_level=None))
        return opened[-1]

    yield connect
    for con in opened:
        con.close()


def refused(con, sql, kind="Busy"):
    with pytest.raises(turdb.OperationalError) as caught:
        con.execute(sql).fetchall()
    assert caught.value.retryable
    assert caught.value.kind == kind, caught.value


MEETINGS = {  # what one transaction did, what of another waits for it, and what does not
    "update": ("update t set v = 11 where id = 1",
               ["update t set v = 12 where id = 1", "delete from t where id = 1", "update t set id = 9 where id = 1"],
               ["update t set v = 22 where id = 2", "insert into t values (4, 4, 4)", "select * from t", "update w set v = 1"]),
    "delete": ("delete from t where id = 1",
               ["update t set v = 12 where id = 1", "delete from t where id = 1", "insert into t values (7, 7, 1)"],
               ["delete from t where id = 2", "insert into t values (4, 4, 4)"]),
    "insert": ("insert into t values (5, 50, 5)",
               ["insert into t values (5, 51, 51)", "insert into t values (6, 60, 5)", "update t set u = 5 where id = 2",
                "update t set id = 5 where id = 2", "insert or replace into t values (5, 1, 1)"],
               ["insert into t values (6, 60, 6)", "insert into t(v) values (1)", "update t set v = 0 where id < 4"]),
    "a unique key": ("update t set u = 100 where id = 1",
                     ["insert into t values (4, 4, 100)", "update t set u = 100 where id = 2", "update t set v = 1 where id = 1"],
                     ["insert into t values (4, 4, 101)", "update t set u = 200 where id = 2"]),
    "a row without rowid": ("update w set v = 0 where a = 'x' and b = 1",
                            ["delete from w where b = 1", "update w set v = 1", "insert or replace into w values ('x', 1, 5)"],
                            ["delete from w where b = 2", "insert into w values ('x', 3, 30)", "select * from w"]),
    "begin immediate": (None, ["update t set v = 12 where id = 1", "insert into w values ('y', 1, 1)",
                               "create table other(a)", "begin immediate", "begin exclusive"], ["select * from t"]),
    "a table": ("create table other(a)", ["update t set v = 12 where id = 1", "create table another(a)", "begin immediate"],
                ["select * from t", "select count(*) from sqlite_master"]),
}


@pytest.mark.parametrize("level", ["snapshot", "read committed", "serializable"])
@pytest.mark.parametrize("what", MEETINGS)
def test_who_waits_for_whom(connect, what, level):
    first, waiting, free = MEETINGS[what]
    holder, other = connect(), connect()
    holder.execute("begin immediate" if first is None else f"begin isolation level {level}")
    if first is not None:
        holder.execute(first)
    for sql in waiting:
        refused(other, sql)  # alone
        assert not other.in_transaction
        if not sql.startswith("begin"):
            other.execute(f"begin isolation level {level}")
            refused(other, sql)
            assert other.in_transaction
            other.execute("rollback")
    for sql in free:
        other.execute(f"begin isolation level {level}")
        other.execute(sql).fetchall()
        other.execute("rollback")
    holder.execute("rollback")
    for sql in waiting:  # the locks are gone
        if not sql.startswith("begin"):
            other.execute("begin")
            try:
                other.execute(sql)
            except turdb.IntegrityError:
                pass  # the row is there again
            other.execute("rollback")


def test_only_the_statement_fails(connect):
    holder, other = connect(), connect()
    holder.execute("begin")
    holder.execute("update t set v = 11 where id = 2")
    other.execute("begin")
    other.execute("update t set v = 12 where id = 1")
    refused(other, "update t set v = v + 1")
    assert other.in_transaction
    assert other.execute("select v from t order by id").fetchall() == [(12,), (20,), (30,)]
    holder.execute("rollback")
    other.execute("update t set v = v + 1")
    other.execute("commit")
    assert other.execute("select v from t order by id").fetchall() == [(13,), (21,), (31,)]


def test_a_changed_row_stays_out_of_reach(connect):
    """After a conflict the transaction goes on, and never gets at that row."""
    con, other = connect(), connect()
    con.execute("begin")
    con.execute("select * from t").fetchall()
    other.execute("update t set v = 99 where id = 1")
    for _ in range(3):
        refused(con, "update t set v = v + 1 where id = 1", "Conflict")
        refused(con, "delete from t where v = 10", "Conflict")
    con.execute("savepoint s")
    refused(con, "update t set v = v + 1 where id = 1", "Conflict")
    con.execute("rollback to s")
    refused(con, "update t set v = v + 1", "Conflict")
    assert con.execute("select v from t order by id").fetchall() == [(10,), (20,), (30,)]
    con.execute("update t set v = 21 where id = 2")
    con.execute("commit")
    assert con.execute("select v from t order by id").fetchall() == [(99,), (21,), (30,)]


def test_a_row_changed_back_or_rewritten_as_it_was_may_be_changed(connect):
    con, other = connect(), connect()
    con.execute("begin")
    con.execute("select * from t").fetchall()
    other.execute("update t set v = 10 where id = 1")
    try:
        con.execute("update t set v = v + 1 where id = 1")
    except turdb.OperationalError as error:
        assert error.kind == "Conflict"
        con.execute("rollback")
    else:
        con.execute("commit")
        assert con.execute("select v from t where id = 1").fetchone() == (11,)


def test_the_first_statement_takes_the_newest_state(connect):
    con, other = connect(), connect()
    con.execute("begin")
    other.execute("update t set v = 99 where id = 1")
    con.execute("update t set v = v + 1 where id = 1")  # nothing was read before
    other.execute("update t set v = 98 where id = 2")
    assert con.execute("select v from t order by id").fetchall() == [(100,), (20,), (30,)]
    con.execute("commit")
    assert con.execute("select v from t order by id").fetchall() == [(100,), (98,), (30,)]


def test_the_first_statement_reads_the_newest_state(connect):
    con, other = connect(), connect()
    con.execute("begin")
    other.execute("update t set v = 99 where id = 1")
    assert con.execute("select v from t where id = 1").fetchone() == (99,)
    other.execute("update t set v = 100 where id = 1")
    assert con.execute("select v from t where id = 1").fetchone() == (99,)


def test_a_wait_ends_with_the_holder(path, connect):
    for end in ("commit", "rollback"):
        holder, waiter = Session(path, name="holder"), Session(path, name="waiter")
        holder.run("begin")
        holder.run("update t set v = v + 1 where id = 1")
        waiting = waiter.start("update t set v = v * 2 where id = 1")
        assert not waiting.wait(0.1)
        holder.run(end)
        waiting.result()
        holder.close()
        waiter.close()
    assert connect().execute("select v from t where id = 1").fetchone() == (44,)


def test_a_deadlock_ends_the_youngest(path):
    old, young = Session(path, name="old"), Session(path, name="young")
    for session, row in ((old, 1), (young, 2)):
        session.run("begin")
        session.run(f"update t set v = v + 1 where id = {row}")
    first = old.start("update t set v = v + 1 where id = 2")
    assert not first.wait(0.1)
    second = young.start("update t set v = v + 1 where id = 1")
    assert second.wait(20), "the deadlock is not seen"
    assert second.error is not None and second.error.kind == "Deadlock" and second.error.retryable
    assert not young.con.in_transaction
    first.result()
    old.run("commit")
    assert old.run("select v from t order by id") == [(11,), (21,), (30,)]
    old.close()
    young.close()


def test_a_deadlock_of_three_ends_one(path):
    sessions = [Session(path, name=i) for i in range(3)]
    for i, session in enumerate(sessions):
        session.run("begin")
        session.run(f"update t set v = v + 1 where id = {i + 1}")
    statements = []
    for i, session in enumerate(sessions):
        statements.append(session.start(f"update t set v = v + 1 where id = {(i + 1) % 3 + 1}"))
        if i < 2:
            assert not statements[-1].wait(0.1)
    assert statements[2].wait(20), "the deadlock is not seen"
    assert statements[2].error is not None and statements[2].error.kind == "Deadlock"
    statements[1].result()  # waited for the third
    sessions[1].run("rollback")
    statements[0].result()
    sessions[0].run("commit")
    assert sessions[0].run("select v from t order by id") == [(11,), (21,), (30,)]
    for session in sessions:
        session.close()


def test_savepoints_and_locks(connect):
    """What is rolled back to a savepoint is nobody's any more, or still locked; the row before it stays locked."""
    con, other = connect(), connect()
    con.execute("begin")
    con.execute("update t set v = 11 where id = 1")
    con.execute("savepoint s")
    con.execute("update t set v = 22 where id = 2")
    con.execute("rollback to s")
    refused(other, "update t set v = 0 where id = 1")
    con.execute("commit")
    other.execute("update t set v = v + 1")
    assert other.execute("select v from t order by id").fetchall() == [(12,), (21,), (31,)]
