"""Statements that wait for locks in threads of their own, and what ``pragma_lock_list`` shows of them."""

import contextlib
import threading

import pytest

import turdb

ENOUGH = 30.0  # seconds that a wait may take before the test is given up


@pytest.fixture(name="path")
def table_path(tmp_path):
    path = str(tmp_path / "locks.turdb")
    with contextlib.closing(turdb.connect(path, isolation_level=None)) as con:
        con.execute("create table t (id integer primary key, v integer, w text)")
        con.execute("insert into t select value, value * 10, 'row ' || value from generate_series(1, 10)")
        con.execute("create table k (a text, b integer, v integer, primary key (a, b)) without rowid")
        con.execute("insert into k select 'key' || value, value, value from generate_series(1, 5)")
        con.execute("create table u (id integer primary key, t_id integer, name text unique)")
        con.execute("insert into u select value, value % 5 + 1, 'u' || value from generate_series(1, 10)")
        con.execute("create view big as select * from t where v > 50")
    return path


@pytest.fixture(name="connect")
def connector(path):
    """Connections with explicit transactions, usable from any thread, closed at the end."""
    opened = []

    def connect(timeout=ENOUGH, **options):
        options.setdefault("isolation_level", None)
        con = turdb.connect(path, timeout=timeout, check_same_thread=False, **options)
        opened.append(con)
        return con

    yield connect
    for con in opened:
        with contextlib.suppress(turdb.ProgrammingError):  # closed already
            con.interrupt()
        con.close()


class Background:
    """A statement that runs in a thread of its own."""

    def __init__(self, con, sql, parameters=()):
        self.con, self.rows, self.error = con, None, None
        self.thread = threading.Thread(target=self._run, args=(sql, parameters), daemon=True)
        self.thread.start()

    def _run(self, sql, parameters):
        try:
            self.rows = self.con.execute(sql, parameters).fetchall()
        except turdb.Error as error:
            self.error = error

    def result(self):
        self.thread.join(ENOUGH)
        assert not self.thread.is_alive(), "the statement did not end"
        if self.error is not None:
            raise self.error
        return self.rows

    def await_waiting(self, observer, count=1):
        """Returns once so many transactions wait for a lock."""
        while waiting(observer) < count:
            assert self.thread.is_alive(), f"ended without a wait: {self.rows} {self.error}"
            self.thread.join(0.002)
        return self


def waiting(con):
    return con.execute("select count(*) from pragma_lock_list where not granted").fetchone()[0]


def locked(con, name="t"):
    """The rows of a table that are locked: {rowid: mode}."""
    return dict(con.execute("select row_id, mode from pragma_lock_list where kind = 'row' and name = ?", (name,)))


def refused(con, sql, parameters=()):
    with pytest.raises(turdb.Error) as caught:
        con.execute(sql, parameters).fetchall()
    return caught.value
