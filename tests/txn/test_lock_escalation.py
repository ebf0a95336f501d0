"""A transaction with thousands of row locks exchanges them for its table's, where nobody else is writing it."""

import pytest

import turdb


def locks(con):
    return dict(con.execute("select kind || ' ' || mode, count(*) from turdb_catalog.locks group by 1").fetchall())


@pytest.fixture
def path(tmp_path):
    con = turdb.connect(tmp_path / "db", isolation_level=None)
    con.execute("create table t (id integer primary key, u integer unique, v)")
    con.executemany("insert into t values (?, ?, 0)", [(i, i) for i in range(12000)])
    con.close()
    return tmp_path / "db"


def test_row_locks_become_a_table_lock(path):
    con, other = (turdb.connect(path, isolation_level=None, timeout=0) for _ in range(2))
    con.execute("begin")
    con.execute("update t set v = 1 where id < 4000")
    assert locks(con) == {"database IX": 1, "table IX": 1, "row X": 4000}
    other.execute("update t set v = 2 where id = 11999")
    con.execute("update t set v = 1 where id < 8000")
    assert "row X" not in locks(con) and locks(con)["table X"] == 1
    with pytest.raises(turdb.OperationalError, match="table 't' is not free"):
        other.execute("update t set v = 2 where id = 11999")
    con.execute("commit")
    other.execute("update t set v = 3 where id = 11999")
    assert con.execute("select v, count(*) from t group by v order by v").fetchall() == [(0, 3999), (1, 8000), (3, 1)]
    assert con.execute("pragma integrity_check").fetchall() == [("ok",)]


def test_beside_another_writer_rows_stay_locked_one_by_one(path):
    con, other = (turdb.connect(path, isolation_level=None, timeout=0) for _ in range(2))
    other.execute("begin")
    other.execute("update t set v = 2 where id = 11999")
    con.execute("begin")
    con.execute("update t set v = 1, u = u + 100000 where id < 9000")
    assert locks(con)["row X"] == 9001 and "table X" not in locks(con)
    other.execute("commit")
    con.execute("commit")  # made anew on the other's state
    assert con.execute("select v, count(*) from t group by v order by v").fetchall() == [(0, 2999), (1, 9000), (2, 1)]
    assert con.execute("select value from turdb_catalog.statistics where name = 'repeated_commits'").fetchone()[0] > 0
    assert con.execute("pragma integrity_check").fetchall() == [("ok",)]


def test_neighbouring_rows_cost_little_beside_another_writer(path):
    con, other = (turdb.connect(path, isolation_level=None, timeout=0) for _ in range(2))
    other.execute("begin")
    other.execute("update t set v = 2 where id = 11999")
    con.execute("begin")
    con.execute("update t set v = 1 where id < 11000")
    assert locks(con)["row X"] == 11001
    statistic = "select value from turdb_catalog.statistics where name = 'lock_bytes'"
    assert con.execute(statistic).fetchone()[0] < 11000
    with pytest.raises(turdb.OperationalError, match="row 10999 of table 't' is not free"):
        other.execute("update t set v = 2 where id = 10999")
    other.execute("commit")
    con.execute("commit")
    assert con.execute(statistic).fetchone() == (0,)
