"""SELECT .. FOR UPDATE and FOR SHARE: which rows are locked, who waits for whom, what is run again and what is an error.

Threads are real. What a test waits for it sees in ``pragma_lock_list``, never in the clock.
"""

import threading

import pytest
from support.row_locks import ENOUGH, Background, connector, locked, refused, table_path, waiting  # noqa: F401

import turdb

# --- which rows -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("select * from t where id = 3 for update", {3: "X"}),
        ("select v from t where v > 80 for update", {9: "X", 10: "X"}),
        ("select v from t where v > 80 for share", {9: "S", 10: "S"}),
        ("select v from t order by v desc limit 2 for update", {9: "X", 10: "X"}),
        ("select v from t order by w limit 2 for update", {1: "X", 10: "X"}),
        ("select v from t order by w limit 2 for update skip locked", {1: "X", 10: "X"}),
        ("select v from t limit 1 for update", {1: "X"}),
        ("select v from t limit 0 for update", {}),
        ("select v from t order by id limit 1 offset 2 for update", {1: "X", 2: "X", 3: "X"}),
        ("select v from t where v > 1000 for update", {}),
        ("select t.v from t join u on u.t_id = t.id where u.id = 6 for update", {2: "X"}),
        ("select t.v from u left join t on 0 for update of u", {}),
        ("select x.v from t as x, u where u.id = x.id and x.id < 3 for share of x", {1: "S", 2: "S"}),
        ("select v from t where id < 3 for update for share", {1: "X", 2: "X"}),
        ("select v from (select * from t where id < 5 for update) limit 2", {1: "X", 2: "X"}),
        ("select (select v from t where id > 4 for update)", {5: "X"}),
        ("with c as (select id from t where id < 3 for share) select * from c", {1: "S", 2: "S"}),
        ("select 1 for update", {}),
        ("select value, v from generate_series(1, 2) join t on id = value for update", {1: "X", 2: "X"}),
    ],
)
def test_locks_the_rows_of_the_result_and_no_others(connect, sql, rows):
    con, plain = connect(), connect()
    con.execute("begin")
    got = con.execute(sql).fetchall()
    assert locked(connect()) == rows
    without = sql
    for words in (" skip locked", " for update", " for share", " of u", " of x"):
        without = without.replace(words, "")
    assert got == plain.execute(without).fetchall()
    con.execute("commit")
    assert locked(connect()) == {}


def test_of_chooses_tables_and_all_are_locked_without_it(connect):
    con, observer = connect(), connect()
    join = "select * from t join u on u.id = t.id where t.id = 4"
    for clause, in_t, in_u in [
        ("for update", {4: "X"}, {4: "X"}),
        ("for update of u", {}, {4: "X"}),
        ("for share of T, u", {4: "S"}, {4: "S"}),
        ("for update of t for share of u", {4: "X"}, {4: "S"}),
    ]:
        con.execute("begin")
        con.execute(f"{join} {clause}")
        assert (locked(observer), locked(observer, "u")) == (in_t, in_u), clause
        con.execute("rollback")


def test_rows_of_a_table_without_rowid(connect):
    con, other = connect(), connect()
    con.execute("begin")
    assert con.execute("select v from k where b = 3 for update").fetchall() == [(3,)]
    assert len(locked(other, "k")) == 1
    assert other.execute("select v from k for update skip locked").fetchall() == [(1,), (2,), (4,), (5,)]
    error = refused(other, "select * from k where a = 'key3' for update nowait")
    assert isinstance(error, turdb.OperationalError) and error.retryable
    other.execute("update k set v = 20 where b = 2")
    con.execute("commit")
    assert other.execute("select count(*) from (select v from k for update nowait)").fetchone() == (5,)


def test_hidden_columns_do_not_show(connect):
    con = connect()
    cursor = con.execute("select w, v from t where id = 1 order by v + 1 for update")
    assert [column[0] for column in cursor.description] == ["w", "v"]
    assert cursor.fetchall() == [("row 1", 10)]
    assert cursor.rowcount == -1


def test_own_changes_are_seen_and_locked(connect):
    con, other = connect(), connect()
    con.execute("begin")
    con.execute("insert into t values (11, 110, 'new')")
    con.execute("update t set v = -1 where id = 1")
    con.execute("delete from t where id = 2")
    rows = con.execute("select id, v from t where id < 3 or id = 11 for update").fetchall()
    assert rows == [(1, -1), (11, 110)]
    assert other.execute("select id from t where id < 4 for update skip locked").fetchall() == [(3,)]
    con.execute("commit")


def test_a_table_made_in_the_same_transaction(connect):
    con = connect()
    con.execute("begin")
    con.execute("create table fresh as select * from t where id < 3 for share")
    assert con.execute("select id from fresh for update").fetchall() == [(1,), (2,)]
    con.execute("commit")


def test_many_rows_lock_the_table(connect):
    con, other = connect(), connect(timeout=0)
    con.execute("insert into t select value, value, '' from generate_series(11, 12000)")
    for clause, mode in (("for update", "X"), ("for share", "S")):
        con.execute("begin")
        assert len(con.execute(f"select id from t {clause}").fetchall()) == 12000
        held = other.execute("select mode from pragma_lock_list where kind = 'table' and name = 't'").fetchall()
        assert held == [(mode,)]
        assert len(locked(other)) <= 5000
        assert refused(other, "update t set v = 0 where id = 11999").retryable
        con.execute("rollback")
    assert locked(other) == {}


# --- who waits for whom ---------------------------------------------------------------------------------------


def test_for_update_keeps_writers_and_lockers_out_until_commit(connect):
    con, writer, observer = connect(), connect(), connect()
    con.execute("begin")
    con.execute("select * from t where id = 5 for update")
    assert observer.execute("select v from t where id = 5").fetchone() == (50,)  # readers do not wait
    blocked = Background(writer, "update t set v = v + 1 where id = 5 returning v").await_waiting(observer)
    con.execute("update t set v = 500 where id = 5")
    con.execute("commit")
    assert blocked.result() == [(501,)]


def test_shares_are_shared_and_keep_writers_out(connect):
    first, second, writer, observer = connect(), connect(), connect(), connect()
    for con in (first, second):
        con.execute("begin")
        assert con.execute("select v from t where id = 5 for share").fetchone() == (50,)
    blocked = Background(writer, "delete from t where id = 5 returning id").await_waiting(observer)
    first.execute("commit")
    assert waiting(observer) == 1
    second.execute("commit")
    assert blocked.result() == [(5,)]


def test_share_is_upgraded(connect):
    con, other = connect(), connect()
    con.execute("begin")
    con.execute("select * from t where id = 5 for share")
    con.execute("update t set v = 0 where id = 5")
    con.execute("select * from t where id = 6 for share")
    con.execute("select * from t where id = 6 for update")
    assert locked(other) == {5: "X", 6: "X"}
    con.execute("commit")


def test_two_that_upgrade_are_a_deadlock(connect):
    old, young, observer = connect(), connect(), connect()
    for con in (old, young):
        con.execute("begin")
        con.execute("select * from t where id = 5 for share")
    blocked = Background(old, "select id from t where id = 5 for update").await_waiting(observer)
    error = refused(young, "select * from t where id = 5 for update")
    assert isinstance(error, turdb.OperationalError) and error.retryable and "deadlock" in str(error)
    assert not young.in_transaction
    assert blocked.result() == [(5,)]


def test_rows_in_opposite_orders_are_a_deadlock(connect):
    old, young, observer = connect(), connect(), connect()
    for con, row in ((old, 1), (young, 2)):
        con.execute("begin")
        con.execute("select * from t where id = ? for update", (row,))
    blocked = Background(old, "select id from t where id = 2 for update").await_waiting(observer)
    assert refused(young, "select * from t where id = 1 for update").retryable
    assert blocked.result() == [(2,)]


def test_nowait_fails_at_once(connect):
    con, other = connect(), connect()
    con.execute("begin")
    con.execute("select * from t where id = 5 for share")
    assert other.execute("select id from t where id = 5 for share nowait").fetchall() == [(5,)]
    other.execute("begin")
    error = refused(other, "select * from t where id >= 4 for update nowait")
    assert isinstance(error, turdb.OperationalError) and error.retryable
    assert "row 5 of table 't'" in str(error)
    assert other.in_transaction
    assert other.execute("select count(*) from (select id from t where id > 5 for update nowait)").fetchone() == (5,)
    other.execute("rollback")
    con.execute("rollback")
    con.execute("begin immediate")
    assert refused(other, "select * from t for share nowait").retryable


def test_a_wait_ends_after_the_timeout(connect):
    con, other = connect(), connect(timeout=0.05)
    con.execute("begin")
    con.execute("select * from t where id = 5 for update")
    error = refused(other, "select * from t where id = 5 for share")
    assert isinstance(error, turdb.OperationalError) and error.retryable and "row 5" in str(error)
    con.execute("rollback")
    assert other.execute("select id from t where id = 5 for share").fetchall() == [(5,)]


def test_a_wait_can_be_interrupted(connect):
    con, other, observer = connect(), connect(), connect()
    con.execute("begin")
    con.execute("select * from t where id = 5 for update")
    blocked = Background(other, "select * from t where id = 5 for update").await_waiting(observer)
    other.interrupt()
    with pytest.raises(turdb.OperationalError, match="interrupted"):
        blocked.result()


def test_skip_locked_leaves_out_and_nowhere_waits(connect):
    con, other = connect(), connect(timeout=0)
    con.execute("begin")
    con.execute("select * from t where id in (1, 2, 5) for update")
    first = "select id from t order by id limit 3 for update skip locked"
    assert other.execute(first).fetchall() == [(3,), (4,), (6,)]
    by_other_order = "select id from t order by w desc limit 7 for update skip locked"
    assert [row[0] for row in other.execute(by_other_order)] == [9, 8, 7, 6, 4, 3, 10]
    assert other.execute("select id from t where id < 3 for share skip locked").fetchall() == []


def test_skip_locked_leaves_out_what_changed_since_the_snapshot(connect):
    con, other = connect(), connect()
    con.execute("begin")
    assert con.execute("select count(*) from t").fetchone() == (10,)
    other.execute("update t set v = 11 where id = 1")
    other.execute("delete from t where id = 2")
    assert con.execute("select id from t where id < 4 for update skip locked").fetchall() == [(3,)]
    assert locked(other) == {3: "X"}
    con.execute("commit")


def test_rolling_back_to_a_savepoint_keeps_locks(connect):
    con, other = connect(), connect()
    con.execute("begin")
    con.execute("savepoint s")
    con.execute("select * from t where id = 5 for update")
    con.execute("update t set v = 0 where id = 6")
    con.execute("rollback to s")
    assert locked(other) == {5: "X", 6: "X"}
    assert refused(other, "select * from t where id = 5 for update nowait").retryable
    con.execute("commit")


# --- what is run again, and what is a conflict ----------------------------------------------------------------


@pytest.mark.parametrize("start", [None, "begin", "begin isolation level read committed"])
def test_runs_again_on_the_newest_state_where_nobody_can_tell(connect, start):
    con, writer, observer = connect(), connect(), connect()
    if start is not None:
        con.execute(start)
    if start is not None and "committed" in start:
        con.execute("select count(*) from t")
        con.execute("update t set v = 1 where id = 1")
    writer.execute("begin")
    writer.execute("update t set v = 51 where id = 5")
    writer.execute("update t set v = 0 where id = 6")
    blocked = Background(con, "select id, v from t where v >= 50 and id < 8 for update").await_waiting(observer)
    writer.execute("commit")
    assert blocked.result() == [(5, 51), (7, 70)]
    if start is not None:
        con.execute("update t set v = v + 1 where id = 5")
        con.execute("commit")
        assert observer.execute("select v from t where id = 5").fetchone() == (52,)


def test_a_change_since_the_snapshot_is_a_conflict(connect):
    con, writer = connect(), connect()
    con.execute("begin")
    con.execute("select count(*) from t")
    writer.execute("update t set v = 51 where id = 5")
    error = refused(con, "select * from t where id = 5 for update")
    assert isinstance(error, turdb.OperationalError) and error.retryable
    assert con.in_transaction
    assert con.execute("select v from t where id = 5").fetchone() == (50,)
    assert con.execute("select v from t where id = 6 for update").fetchone() == (60,)
    assert locked(writer) == {6: "X"}
    con.execute("rollback")
    assert con.execute("select v from t where id = 5 for update").fetchone() == (51,)


def test_a_failed_statement_leaves_the_transaction(connect):
    con = connect()
    con.execute("begin")
    con.execute("update t set v = 1 where id = 1")
    refused(con, "select vector_dims(w) from t for update")
    assert con.in_transaction
    con.execute("commit")
    assert con.execute("select v from t where id = 1").fetchone() == (1,)


@pytest.mark.parametrize("isolation", ["snapshot", "read committed", "serializable"])
def test_write_skew_is_prevented(connect, isolation):
    """Two doctors want to go off duty; one has to stay (Cahill et al. 2008)."""
    setup = connect()
    setup.execute("create table doctors (name text primary key, on_duty integer)")
    start, refusals = threading.Barrier(2), []
    for _ in range(5):
        setup.execute("delete from doctors")
        setup.execute("insert into doctors values ('Ada', 1), ('Bob', 1)")

        def leave(con, name):
            start.wait(ENOUGH)
            while True:
                try:
                    con.execute(f"begin isolation level {isolation}")
                    others = con.execute("select name from doctors where on_duty for update").fetchall()
                    if len(others) > 1:
                        con.execute("update doctors set on_duty = 0 where name = ?", (name,))
                    con.execute("commit")
                    return
                except turdb.OperationalError as error:
                    refusals.append(error)
                    if con.in_transaction:
                        con.execute("rollback")

        threads = [threading.Thread(target=leave, args=(connect(), name)) for name in ("Ada", "Bob")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(ENOUGH)
        assert setup.execute("select sum(on_duty) from doctors").fetchone() == (1,)
    assert all(error.retryable for error in refusals)


def test_counts_as_a_read_where_reads_are_checked(connect):
    con, other = connect(), connect()
    con.execute("begin isolation level serializable")
    assert len(con.execute("select id from t where v > 80 for update").fetchall()) == 2
    other.execute("insert into t values (11, 90, '')")
    con.execute("insert into u values (99, 2, 'two rows were over 80')")
    error = refused(con, "commit")
    assert isinstance(error, turdb.OperationalError) and error.retryable
