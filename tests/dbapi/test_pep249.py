"""PEP 249, paragraph by paragraph, for turdb and (as a check of the tests) sqlite3."""

import datetime

import pytest

import turdb


def test_module_attributes():
    assert turdb.apilevel == "2.0"
    assert turdb.paramstyle == "qmark"
    assert turdb.threadsafety in (1, 2, 3)
    assert isinstance(turdb.__version__, str)
    assert turdb.sqlite_version_info >= (3, 35)


def test_exception_tree(module):
    assert issubclass(module.Warning, Exception)
    assert issubclass(module.Error, Exception)
    assert issubclass(module.InterfaceError, module.Error)
    assert issubclass(module.DatabaseError, module.Error)
    for name in ["DataError", "OperationalError", "IntegrityError", "InternalError", "ProgrammingError", "NotSupportedError"]:
        assert issubclass(getattr(module, name), module.DatabaseError)


def test_exceptions_are_connection_attributes(module, both):
    for name in ["Warning", "Error", "InterfaceError", "DatabaseError", "DataError", "OperationalError", "IntegrityError", "InternalError", "ProgrammingError", "NotSupportedError"]:
        assert getattr(both, name) is getattr(module, name)


def test_type_constructors(module):
    assert module.Date(2002, 12, 25) == datetime.date(2002, 12, 25)
    assert module.Time(13, 45, 30) == datetime.time(13, 45, 30)
    assert module.Timestamp(2002, 12, 25, 13, 45, 30) == datetime.datetime(2002, 12, 25, 13, 45, 30)
    assert isinstance(module.DateFromTicks(0), datetime.date)
    assert isinstance(module.TimeFromTicks(0), datetime.time)
    assert isinstance(module.TimestampFromTicks(0), datetime.datetime)
    assert bytes(module.Binary(b"\x00\x01")) == b"\x00\x01"


def test_type_objects():
    assert str == turdb.STRING and bytes == turdb.BINARY and int == turdb.NUMBER and float == turdb.NUMBER
    assert datetime.datetime == turdb.DATETIME and int == turdb.ROWID and str != turdb.NUMBER


def test_execute_returns_cursor(both):
    cursor = both.cursor()
    assert cursor.execute("select 1") is cursor
    assert cursor.connection is both


def test_description(both):
    cursor = both.execute("select 1 as one, 'x' as \"two words\"")
    assert [len(column) for column in cursor.description] == [7, 7]
    assert [column[0] for column in cursor.description] == ["one", "two words"]
    assert both.execute("select 1 as a where 0").description[0][0] == "a"
    assert both.execute("create table t(a)").description is None
    assert both.execute("insert into t values(1)").description is None
    assert both.cursor().description is None


def test_rowcount(both):
    cursor = both.cursor()
    assert cursor.rowcount == -1
    cursor.execute("create table t(a)")
    cursor.execute("insert into t values(1),(2),(3)")
    assert cursor.rowcount == 3
    cursor.execute("update t set a = a + 1 where a > 1")
    assert cursor.rowcount == 2
    cursor.execute("select * from t")
    assert cursor.rowcount == -1
    cursor.execute("delete from t")
    assert cursor.rowcount == 3
    cursor.executemany("insert into t values(?)", [(1,), (2,)])
    assert cursor.rowcount == 2


def test_lastrowid(both):
    cursor = both.cursor()
    assert cursor.lastrowid is None
    cursor.execute("create table t(id integer primary key, a)")
    cursor.execute("insert into t(a) values(1)")
    assert cursor.lastrowid == 1
    cursor.execute("insert into t values(50, 1)")
    assert cursor.lastrowid == 50
    cursor.execute("insert into t(a) values(1)")
    assert cursor.lastrowid == 51


def test_fetches(both):
    cursor = both.execute("with recursive n(i) as (select 1 union all select i+1 from n where i < 10) select i from n")
    assert cursor.fetchone() == (1,)
    assert cursor.fetchmany() == [(2,)]
    cursor.arraysize = 2
    assert cursor.fetchmany() == [(3,), (4,)]
    assert cursor.fetchmany(size=3) == [(5,), (6,), (7,)]
    assert next(cursor) == (8,)
    assert cursor.fetchall() == [(9,), (10,)]
    assert cursor.fetchall() == []
    assert cursor.fetchone() is None
    assert cursor.fetchmany(5) == []
    with pytest.raises(StopIteration):
        next(cursor)


def test_fetch_without_rows(both):
    cursor = both.cursor()
    assert cursor.fetchone() is None
    assert cursor.fetchall() == []
    assert cursor.execute("create table t(a)").fetchone() is None


def test_iteration_over_many_batches(both):
    cursor = both.execute("with recursive n(i) as (select 0 union all select i+1 from n where i < 9999) select i, 'r' || i from n")
    assert [row for row in cursor] == [(i, f"r{i}") for i in range(10_000)]


def test_two_cursors_at_once(both):
    sql = "with recursive n(i) as (select 0 union all select i+1 from n where i < 5000) select i from n"
    first, second = both.execute(sql), both.execute(sql)
    for expected in range(3000):
        assert first.fetchone() == (expected,)
        assert second.fetchone() == (expected,)


def test_executemany_takes_any_iterable(both):
    both.execute("create table t(a, b)")
    both.executemany("insert into t values(?, ?)", ((i, str(i)) for i in range(5000)))
    both.executemany("insert into t values(:a, :b)", iter([{"a": -1, "b": None}]))
    assert both.execute("select count(*), sum(a) from t").fetchone() == (5001, 5000 * 4999 // 2 - 1)


def test_executemany_from_a_query_on_the_same_connection(both):
    both.execute("create table t(a)")
    both.execute("create table u(a)")
    both.executemany("insert into t values(?)", [(i,) for i in range(100)])
    both.executemany("insert into u values(?)", both.execute("select a * 2 from t"))
    assert both.execute("select count(*), max(a) from u").fetchone() == (100, 198)


def test_executemany_rejects_reads(module, both):
    with pytest.raises(module.ProgrammingError):
        both.executemany("select ?", [(1,)])


def test_set_sizes_do_nothing(both):
    cursor = both.cursor()
    assert cursor.setinputsizes([1]) is None
    assert cursor.setoutputsize(10, 1) is None


def test_close_is_idempotent(both):
    both.close()
    both.close()


USES = {
    "execute": lambda con, cur: cur.execute("select 1"),
    "connection execute": lambda con, cur: con.execute("select 1"),
    "executemany": lambda con, cur: cur.executemany("insert into t values(?)", [(1,)]),
    "executescript": lambda con, cur: cur.executescript("select 1"),
    "fetchone": lambda con, cur: cur.fetchone(),
    "fetchmany": lambda con, cur: cur.fetchmany(1),
    "fetchall": lambda con, cur: cur.fetchall(),
    "cursor": lambda con, cur: con.cursor(),
    "commit": lambda con, cur: con.commit(),
    "rollback": lambda con, cur: con.rollback(),
    "in_transaction after close": lambda con, cur: con.total_changes,
    "with": lambda con, cur: con.__enter__(),
    "create_function": lambda con, cur: con.create_function("f", 0, lambda: 1),
    "interrupt": lambda con, cur: con.interrupt(),
}


@pytest.mark.parametrize("use", USES)
def test_use_after_connection_close(module, both, use):
    cursor = both.execute("select 1 union all select 2")
    both.close()
    with pytest.raises(module.ProgrammingError):
        USES[use](both, cursor)


@pytest.mark.parametrize("use", ["execute", "executemany", "executescript", "fetchone", "fetchmany", "fetchall"])
def test_use_after_cursor_close(module, both, use):
    cursor = both.execute("select 1")
    cursor.close()
    with pytest.raises(module.ProgrammingError):
        USES[use](both, cursor)


def test_cursor_of_collected_connection_is_alive(module):
    cursor = module.connect(":memory:").execute("select 42")
    assert cursor.fetchone() == (42,)
    cursor.connection.close()
