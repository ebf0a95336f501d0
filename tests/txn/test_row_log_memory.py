"""The log of a transaction's rows: long ones lie on disk, are cut by savepoints, and are repeated all the same."""

import pytest

import turdb

ROWS = 4000
PAD = "x" * 300


@pytest.fixture
def path(tmp_path):
    con = turdb.connect(tmp_path / "db", isolation_level=None)
    con.execute("create table t (id integer primary key, v, pad text, e as (v * 2) stored)")
    con.execute("create index by_v on t (v)")
    con.execute("create index by_e on t (length(pad) + v)")
    con.executemany("insert into t values (?, 0, ?)", [(i, PAD) for i in range(ROWS)])
    con.execute("insert into t values (-1, 0, '')")
    con.close()
    return tmp_path / "db"


@pytest.fixture
def pair(path):
    """The second has a row of the table, so the first cannot have it whole and keeps a log."""
    first, second = (turdb.connect(path, isolation_level=None, timeout=0) for _ in range(2))
    first.execute("pragma cache_size = -1024")
    second.execute("begin")
    second.execute("update t set v = 1 where id = -1")
    first.execute("begin")
    yield first, second
    for con in (first, second):
        con.close()


def content(con):
    return con.execute("select id, v, length(pad), e from t where id >= 0 order by id").fetchall()


def end(first, second, expected):
    second.execute("commit")  # now the first must repeat what it did on another state of the table
    first.execute("commit")
    assert content(first) == expected
    assert first.execute("select count(*) from t where v = 1 and id = -1").fetchone() == (1,)
    for index, column in (("by_v", "v"), ("by_e", "length(pad) + v")):
        kept = first.execute(f"select {column}, id from t indexed by {index} where {column} is not null order by 1, 2").fetchall()
        assert kept == sorted(first.execute(f"select {column}, id from t not indexed").fetchall())
    assert first.execute("pragma integrity_check").fetchall() == [("ok",)]
    assert first.execute("select value from turdb_catalog.statistics where name = 'repeated_commits'").fetchone()[0] > 0


def test_updates_of_one_column(pair):
    first, second = pair
    for i in range(ROWS):
        first.execute("update t set v = ? where id = ?", (i, i))
    first.execute("update t set v = v + 1 where id between 0 and 99")
    end(first, second, [(i, i + (i < 100), len(PAD), 2 * (i + (i < 100))) for i in range(ROWS)])


def test_every_kind_of_change(pair):
    first, second = pair
    first.execute("update t set pad = pad || 'yy', v = id where id between 0 and 2999")
    first.execute("delete from t where id % 3 = 0 and id >= 0")
    first.execute("update t set id = id + 100000 where id % 3 = 1 and id < 2000 and id >= 0")
    first.executemany("insert into t values (?, 7, ?)", [(i, PAD * 4) for i in range(200000, 200500)])
    first.execute("update t set v = 8 where id between 100000 and 150000")
    expected = content(first)
    end(first, second, expected)


def test_savepoints_cut_it(pair):
    first, second = pair
    first.execute("update t set pad = pad || '1' where id >= 0")
    first.execute("savepoint a")
    first.execute("update t set pad = pad || '22', v = 2 where id >= 0")
    first.execute("savepoint b")
    first.execute("delete from t where id >= 0 and id % 2 = 0")
    first.execute("rollback to b")
    first.execute("update t set v = 3 where id < 10 and id >= 0")
    first.execute("rollback to a")
    first.execute("update t set v = 4 where id between 10 and 19")
    expected = [(i, 4 * (10 <= i < 20), len(PAD) + 1, 8 * (10 <= i < 20)) for i in range(ROWS)]
    assert content(first) == expected
    end(first, second, expected)
