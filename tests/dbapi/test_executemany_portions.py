"""executemany of more sets than are held at a time: on its own all or nothing, in a transaction one after the other."""

import pytest

import turdb

N = 15_000  # sets; some thousand are held at a time


@pytest.fixture
def con():
    with turdb.connect(":memory:", isolation_level=None) as con:
        con.execute("CREATE TABLE t(a INTEGER UNIQUE, b)")
        yield con


def count(con):
    return con.execute("SELECT count(*) FROM t").fetchone()[0]


def test_all_go_in(con):
    cursor = con.executemany("INSERT INTO t VALUES (?, ?)", ((i, str(i)) for i in range(N)))
    assert cursor.rowcount == N == count(con) and not con.in_transaction
    cursor = con.executemany("UPDATE t SET b = ? WHERE a = ?", ((str(-i), i) for i in range(N)))
    assert cursor.rowcount == N and not con.in_transaction
    assert con.execute("SELECT sum(b) FROM t").fetchone() == (-sum(range(N)),)


@pytest.mark.parametrize("bad", [(7, "again"), (object(), 1), (1,), None])
def test_nothing_goes_in_when_a_late_one_is_refused(con, bad):
    con.execute("INSERT INTO t VALUES (7, 'there')")
    with pytest.raises((turdb.Error, TypeError)):
        con.executemany("INSERT INTO t VALUES (?, ?)", (bad if i == N else (i + 100, "x" * (i % 40)) for i in range(N + 10)))
    assert not con.in_transaction
    assert con.execute("SELECT * FROM t").fetchall() == [(7, "there")]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, GeneratorExit])
def test_nothing_goes_in_when_the_iterator_fails_late(con, error):
    def sets():
        for i in range(N):
            yield i, None
        raise error

    with pytest.raises(error):
        con.executemany("INSERT INTO t VALUES (?, ?)", sets())
    assert not con.in_transaction and count(con) == 0


def test_in_a_transaction_what_came_before_stays(con):
    con.execute("BEGIN")
    with pytest.raises(turdb.IntegrityError):
        con.executemany("INSERT INTO t VALUES (?, ?)", ((i if i < N else 5, None) for i in range(N + 1)))
    assert con.in_transaction and count(con) == N
    con.execute("ROLLBACK")
    assert count(con) == 0


def test_the_iterator_may_use_the_connection(con):
    def sets():
        for i in range(N):
            if i % 5000 == 0:
                assert count(con) <= i
            yield i, None

    con.executemany("INSERT INTO t VALUES (?, ?)", sets())
    assert count(con) == N


def test_an_iterator_that_ends_the_transaction(con):
    def sets():
        for i in range(N):
            if i == N - 1 and con.in_transaction:
                con.execute("COMMIT")
            yield i, None

    con.executemany("INSERT INTO t VALUES (?, ?)", sets())
    assert count(con) == N and not con.in_transaction


def test_an_iterator_that_closes_the_connection(tmp_path):
    con = turdb.connect(tmp_path / "db", isolation_level=None)
    con.execute("CREATE TABLE t(a INTEGER UNIQUE, b)")

    def sets():
        for i in range(N):
            if i == N - 1:
                con.close()
            yield i, None

    with pytest.raises(turdb.ProgrammingError, match="closed"):
        con.executemany("INSERT INTO t VALUES (?, ?)", sets())
    again = turdb.connect(tmp_path / "db")
    assert count(again) == 0
    again.close()
