"""Row locks of a transaction that is alone with its table, and what becomes of them when somebody comes."""

import threading

import pytest

import turdb


@pytest.fixture
def path(tmp_path):
    con = turdb.connect(tmp_path / "db", isolation_level=None)
    con.execute("create table t (id integer primary key, u integer unique, v)")
    con.execute("create table w (k text primary key, v) without rowid")
    con.executemany("insert into t values (?, ?, 0)", [(i, i) for i in range(1000)])
    con.executemany("insert into w values (?, 0)", [(f"k{i}",) for i in range(100)])
    con.close()
    return tmp_path / "db"


@pytest.fixture
def pair(path):
    first, second = (turdb.connect(path, isolation_level=None, timeout=0) for _ in range(2))
    yield first, second
    for con in (first, second):
        con.close()


def locks(con):
    return dict(con.execute("select kind || ' ' || mode, count(*) from turdb_catalog.locks group by 1").fetchall())


def update(con, row, value, table="t", column="id"):
    con.execute(f"update {table} set v = ? where {column} = ?", (value, row))


def test_its_locks_are_seen(pair):
    first, second = pair
    first.execute("begin")
    for row in range(30):
        update(first, row, 1)
    first.execute("select * from t where id between 40 and 49 for share").fetchall()
    seen = {"database IX": 1, "table IX": 1, "row X": 30, "row S": 10}
    assert locks(second) == seen
    assert second.execute("select value from turdb_catalog.statistics where name = 'locks_held'").fetchone() == (42,)
    first.execute("commit")
    assert locks(second) == {}


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_who_comes_later_meets_every_one_of_them(pair, end):
    first, second = pair
    first.execute("begin")
    for row in range(0, 20, 2):
        update(first, row, 1)
    second.execute("begin")
    update(second, 1, 2)
    for row in range(0, 20, 2):
        with pytest.raises(turdb.OperationalError, match=f"row {row} of table 't' is not free"):
            update(second, row, 2)
    assert locks(first) == {"database IX": 2, "table IX": 2, "row X": 11}
    first.execute(end)
    assert locks(second) == {"database IX": 1, "table IX": 1, "row X": 1}
    second.execute("commit")
    update(second, 0, 3)
    assert second.execute("select v from t where id = 0").fetchone() == (3,)


def test_it_goes_on_beside_the_other(pair):
    first, second = pair
    first.execute("begin")
    update(first, 1, 1)
    second.execute("begin")
    update(second, 2, 2)
    update(first, 1, 11)  # held since it was alone
    update(first, 3, 1)
    with pytest.raises(turdb.OperationalError, match="row 3 of table 't' is not free"):
        update(second, 3, 2)
    with pytest.raises(turdb.OperationalError, match="row 2 of table 't' is not free"):
        update(first, 2, 1)
    first.execute("commit")
    second.execute("commit")
    assert second.execute("select id, v from t where v <> 0").fetchall() == [(1, 11), (2, 2), (3, 1)]


def test_shared_locks_become_exclusive(pair):
    first, second = pair
    first.execute("begin")
    first.execute("select * from t where id < 3 for share").fetchall()
    second.execute("begin")
    second.execute("select * from t where id < 2 for share").fetchall()
    with pytest.raises(turdb.OperationalError, match="row 1 of table 't' is not free"):
        update(first, 1, 1)
    update(first, 2, 1)  # its own alone
    with pytest.raises(turdb.OperationalError, match="row 2 of table 't' is not free"):
        second.execute("select * from t where id = 2 for share").fetchall()
    first.execute("commit")
    second.execute("commit")
    assert locks(first) == {}


def test_keys_of_unique_indexes(pair):
    first, second = pair
    first.execute("begin")
    first.execute("insert into t values (5000, 5000, 1)")
    with pytest.raises(turdb.OperationalError, match="key of a unique index of table 't' is not free"):
        second.execute("insert into t values (5001, 5000, 2)")
    first.execute("rollback")
    second.execute("insert into t values (5001, 5000, 2)")
    assert second.execute("select v from t where u = 5000").fetchall() == [(2,)]


def test_without_rowid(pair):
    first, second = pair
    first.execute("begin")
    update(first, "k7", 1, "w", "k")
    with pytest.raises(turdb.OperationalError, match="database is locked"):
        update(second, "k7", 2, "w", "k")
    update(second, "k8", 2, "w", "k")
    first.execute("commit")
    assert second.execute("select k, v from w where v <> 0 order by k").fetchall() == [("k7", 1), ("k8", 2)]


def test_rowids_given_out_alone_are_not_given_out_again(pair):
    first, second = pair
    first.execute("begin")
    for _ in range(5):
        first.execute("insert into t(u, v) values (null, 1)")
    second.execute("insert into t(u, v) values (null, 2)")
    first.execute("commit")
    assert second.execute("select id, v from t where id >= 1000").fetchall() == [*((1000 + i, 1) for i in range(5)), (1005, 2)]


def test_threads_that_come_and_go_lose_nothing(path):
    """Each is often alone with the table, and often is not. Who meets a conflict tries again."""
    rounds, threads = 100, 3
    failures = []

    def add(con, i: int) -> bool:
        try:
            con.execute("begin immediate" if i % 50 == 49 else "begin")
            for row in sorted({i % 5, i * 7 % 5}):
                con.execute("select v from t where id = ? for update", (row,)).fetchall()
                con.execute("update t set v = v + 1 where id = ?", (row,))
            con.execute("commit")
        except turdb.OperationalError:
            if con.in_transaction:
                con.execute("rollback")
            return False
        return True

    def work() -> None:
        con = turdb.connect(path, isolation_level=None, timeout=30)
        try:
            for i in range(rounds):
                while not add(con, i):
                    pass
        except Exception as error:
            failures.append(error)
        finally:
            con.close()

    crew = [threading.Thread(target=work) for _ in range(threads)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    assert failures == []
    con = turdb.connect(path)
    added = sum(len({i % 5, i * 7 % 5}) for i in range(rounds))
    assert con.execute("select sum(v) from t").fetchone() == (added * threads,)
    assert con.execute("select * from turdb_catalog.locks").fetchall() == []
