"""What programs written for the standard library's sqlite3 rely on: the same assertions for both modules."""

import datetime
import gc
import sqlite3
import threading
import warnings
import weakref

import pytest

import turdb

# --- values -----------------------------------------------------------------------------------------

VALUES = [
    None,
    0,
    -1,
    2**63 - 1,
    -(2**63),
    True,
    1.5,
    -0.0,
    float("inf"),
    1e-300,
    "",
    "text",
    "naïve ☃ 𝄞",
    "with\0nul",
    b"",
    b"\x00\xff",
    bytearray(b"abc"),
    memoryview(b"view"),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: ascii(value) if not isinstance(value, memoryview) else "memoryview")
def test_round_trip(both, value):
    result = both.execute("select ?", (value,)).fetchone()[0]
    expected = bytes(value) if isinstance(value, (bytearray, memoryview)) else value
    assert result == expected
    assert type(result) is (int if isinstance(value, bool) else type(expected))


def test_nan_is_null(both):
    assert both.execute("select ?", (float("nan"),)).fetchone() == (None,)


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 10**40])
def test_too_large_integers(both, value):
    with pytest.raises(OverflowError, match="Python int too large to convert to SQLite INTEGER"):
        both.execute("select ?", (value,))


def test_lone_surrogates(both):
    with pytest.raises(UnicodeEncodeError):
        both.execute("select ?", ("\ud800",))


@pytest.mark.parametrize("value", [object(), {1}, {"a": 1}, 1j, len, type], ids=lambda value: type(value).__name__)
def test_unsupported_types(module, both, value):
    with pytest.raises((module.ProgrammingError, module.InterfaceError)):
        both.execute("select ?", (value,))


# --- parameters -------------------------------------------------------------------------------------

GOOD_PARAMETERS = [
    ("select ?, ?", (1, "a"), (1, "a")),
    ("select ?, ?", [1, "a"], (1, "a")),
    ("select ?, ?", "xy", ("x", "y")),
    ("select :a, :b", {"a": 1, "b": 2, "unused": 3}, (1, 2)),
    ("select @a, $b", {"a": 1, "b": 2}, (1, 2)),
    ("select :a, :a", {"a": 7}, (7, 7)),
    ("select ?2, ?1", (1, 2), (2, 1)),
    ("select 1", (), (1,)),
    ("select 1", {}, (1,)),
]


@pytest.mark.parametrize("sql, parameters, expected", GOOD_PARAMETERS)
def test_parameters(both, sql, parameters, expected):
    assert both.execute(sql, parameters).fetchone() == expected


def test_mapping_with_missing(both):
    class Missing(dict):
        def __missing__(self, key):
            return key.upper()

    assert both.execute("select :name", Missing()).fetchone() == ("NAME",)


BAD_PARAMETERS = [
    ("select ?", ()),
    ("select ?", (1, 2)),
    ("select ?, ?", (1,)),
    ("select 1", (1,)),
    ("select :a", {}),
    ("select ?", {"a": 1}),
    ("select ?", None),
    ("select ?", 5),
]


@pytest.mark.parametrize("sql, parameters", BAD_PARAMETERS)
def test_wrong_parameters(module, both, sql, parameters):
    with pytest.raises((module.ProgrammingError, TypeError)):
        both.execute(sql, parameters)


def test_wrong_count_is_told(con):
    with pytest.raises(turdb.ProgrammingError, match="uses 2, and there are 3 supplied"):
        con.execute("select ?, ?", (1, 2, 3))


BAD_CALLS = [
    (TypeError, lambda con: con.execute()),
    (TypeError, lambda con: con.execute(1)),
    (TypeError, lambda con: con.execute(b"select 1")),
    (TypeError, lambda con: con.execute("select 1", (), ())),
    (TypeError, lambda con: con.executemany("insert into t values(?)")),
    (TypeError, lambda con: con.executemany("insert into t values(?)", 5)),
    (TypeError, lambda con: con.executescript(None)),
    (TypeError, lambda con: con.cursor(lambda connection: None)),
    (TypeError, lambda con: setattr(con, "isolation_level", 1)),
    (AttributeError, lambda con: delattr(con, "isolation_level")),
]


@pytest.mark.parametrize("error, call", BAD_CALLS)
def test_bad_calls(both, error, call):
    both.execute("create table t(a)")
    with pytest.raises(error):
        call(both)
    assert both.execute("select 1").fetchone() == (1,)


# --- statements -------------------------------------------------------------------------------------


@pytest.mark.parametrize("sql", ["", " \n\t", "-- a comment", "/* a comment */", ";"])
def test_blank_statements(both, sql):
    assert both.execute(sql).fetchone() is None


@pytest.mark.parametrize("sql", ["select 1;", "select 1; ", "select 1; -- end", "select 1 /* x */ ; /* y */", "select 1;\n"])
def test_trailing_blanks(both, sql):
    assert both.execute(sql).fetchone() == (1,)


@pytest.mark.parametrize("sql", ["select 1; select 2", "select 1; -- x\nselect 2"])
def test_two_statements_at_once(module, both, sql):
    with pytest.raises((module.ProgrammingError, sqlite3.Warning)):
        both.execute(sql)


def test_nul_in_sql(module, both):
    with pytest.raises((module.ProgrammingError, ValueError)):
        both.execute("select 1\0")


def test_errors_that_sqlite3_programs_catch(module, both):
    both.execute("create table t(a integer primary key, b unique, c not null, d check (d > 0))")
    both.execute("insert into t values(1, 1, 1, 1)")
    for sql in ["selec 1", "select", "select nope", "select * from nope", "insert into t(nope) values(1)", "select nope(1)"]:
        with pytest.raises(module.OperationalError):
            both.execute(sql).fetchall()
    for values in ["(1, 2, 1, 1)", "(2, 1, 1, 1)", "(2, 2, null, 1)", "(2, 2, 1, 0)"]:
        with pytest.raises(module.IntegrityError):
            both.execute(f"insert into t values{values}")
    assert both.execute("select count(*) from t").fetchone() == (1,)


def test_executescript(both):
    both.execute("create table first(a)")
    both.execute("insert into first values(1)")
    assert both.in_transaction
    both.executescript("create table t(a); insert into t values(1); -- comment\n insert into t values(2);")
    assert not both.in_transaction
    assert both.execute("select sum(a) from t").fetchone() == (3,)


def test_executescript_stops_at_an_error(module, both):
    with pytest.raises(module.OperationalError):
        both.executescript("create table t(a); selec; create table u(a);")
    both.execute("select * from t")
    with pytest.raises(module.OperationalError):
        both.execute("select * from u")


def test_complete_statement(module):
    for text, expected in [("select 1;", True), ("select 1", False), ("select ';", False), ("-- x;", False), ("select 1; -- x", True)]:
        assert module.complete_statement(text) is expected


def test_returning(both):
    both.execute("create table t(id integer primary key, a)")
    assert both.execute("insert into t(a) values('x'), ('y') returning id, a").fetchall() == [(1, "x"), (2, "y")]
    assert both.execute("select count(*) from t").fetchone() == (2,)


# --- transactions -----------------------------------------------------------------------------------


def test_implicit_begin(both):
    assert not both.in_transaction
    both.execute("create table t(a)")
    assert not both.in_transaction
    both.execute("select * from t")
    assert not both.in_transaction
    both.execute("insert into t values(1)")
    assert both.in_transaction
    both.rollback()
    assert not both.in_transaction
    assert both.execute("select count(*) from t").fetchone() == (0,)
    both.execute("insert into t values(1)")
    both.commit()
    both.rollback()
    assert both.execute("select count(*) from t").fetchone() == (1,)


@pytest.mark.parametrize("sql", ["insert into t values(2)", "update t set a = 3", "delete from t", "replace into t values(4)"])
def test_every_write_begins(both, sql):
    both.execute("create table t(a)")
    both.execute(sql)
    assert both.in_transaction
    both.commit()


def test_isolation_level_none(module):
    con = module.connect(":memory:", isolation_level=None)
    con.execute("create table t(a)")
    con.execute("insert into t values(1)")
    assert not con.in_transaction
    con.execute("begin")
    con.execute("insert into t values(2)")
    assert con.in_transaction
    con.execute("rollback")
    assert con.execute("select count(*) from t").fetchone() == (1,)
    con.close()


def test_isolation_levels(both):
    both.execute("create table t(a)")
    for level in ["DEFERRED", "IMMEDIATE", "EXCLUSIVE", "immediate", ""]:
        both.isolation_level = level
        both.execute("insert into t values(1)")
        assert both.in_transaction
        both.commit()
    both.execute("insert into t values(1)")
    both.isolation_level = None
    assert not both.in_transaction
    with pytest.raises(ValueError):
        both.isolation_level = "NONSENSE"


def test_context_manager(both):
    both.execute("create table t(a unique)")
    with both:
        both.execute("insert into t values(1)")
    assert not both.in_transaction
    with pytest.raises(ZeroDivisionError):
        with both:
            both.execute("insert into t values(2)")
            1 / 0
    assert not both.in_transaction
    assert both.execute("select a from t").fetchall() == [(1,)]


def test_nested_begin_and_stray_commit(module, both):
    both.execute("begin")
    with pytest.raises(module.OperationalError):
        both.execute("begin")
    both.execute("commit")
    with pytest.raises(module.OperationalError):
        both.execute("commit")
    both.commit()
    both.rollback()


def test_ddl_is_transactional(both):
    both.execute("begin")
    both.execute("create table t(a)")
    both.rollback()
    assert both.execute("select count(*) from sqlite_master").fetchone() == (0,)


def test_total_changes(both):
    before = both.total_changes
    both.execute("create table t(a)")
    both.execute("insert into t values(1), (2)")
    both.execute("update t set a = 1")
    assert both.total_changes - before == 4


def test_failed_executemany_keeps_the_rows_before(module, both):
    both.execute("create table t(a unique)")
    with pytest.raises(module.IntegrityError):
        both.executemany("insert into t values(?)", [(1,), (2,), (1,), (3,)])
    assert both.in_transaction
    assert both.execute("select a from t order by a").fetchall() == [(1,), (2,)]
    both.rollback()


def test_autocommit_modes():
    con = turdb.connect(":memory:", autocommit=True)
    con.execute("create table t(a)")
    con.execute("insert into t values(1)")
    assert con.autocommit is True and not con.in_transaction
    con.rollback()
    assert con.execute("select count(*) from t").fetchone() == (1,)
    con.autocommit = False
    assert con.in_transaction
    con.execute("insert into t values(2)")
    con.rollback()
    assert con.in_transaction
    assert con.execute("select count(*) from t").fetchone() == (1,)
    con.autocommit = turdb.LEGACY_TRANSACTION_CONTROL
    assert con.autocommit == -1
    with pytest.raises(ValueError):
        con.autocommit = 5
    con.close()


# --- factories --------------------------------------------------------------------------------------


def test_row(module, both):
    both.row_factory = module.Row
    row = both.execute("select 1 as a, 2 as B").fetchone()
    assert isinstance(row, module.Row)
    assert (row[0], row[-1], row["a"], row["A"], row["b"]) == (1, 2, 1, 1, 2)
    assert row.keys() == ["a", "B"]
    assert tuple(row) == (1, 2) and len(row) == 2 and row[0:1] == (1,)
    assert dict(row) == {"a": 1, "B": 2}
    assert row == both.execute("select 1 as a, 2 as B").fetchone()
    assert row != both.execute("select 1 as a, 3 as B").fetchone()
    assert hash(row) == hash(both.execute("select 1 as a, 2 as B").fetchone())
    for wrong in ["c", 2, -3]:
        with pytest.raises(IndexError):
            row[wrong]


def test_row_factory_on_the_cursor(both):
    cursor = both.cursor()
    cursor.row_factory = lambda cursor, row: list(row)
    assert cursor.execute("select 1, 2").fetchall() == [[1, 2]]
    assert both.execute("select 1, 2").fetchall() == [(1, 2)]


def test_row_factory_error(both):
    both.row_factory = lambda cursor, row: 1 / 0
    with pytest.raises(ZeroDivisionError):
        both.execute("select 1").fetchone()


def test_more_row_factories(con):
    con.row_factory = turdb.dict_row
    assert con.execute("select 1 as a, 'x' as b").fetchall() == [{"a": 1, "b": "x"}]
    con.row_factory = turdb.namedtuple_row
    row = con.execute("select 1 as a, 'x' as b, 3 as \"class\"").fetchone()
    assert (row.a, row.b, row._2) == (1, "x", 3)


def test_text_factory(both):
    both.execute("create table t(a)")
    both.execute("insert into t values('ä')")
    both.text_factory = bytes
    assert both.execute("select a from t").fetchone() == ("ä".encode(),)
    both.text_factory = lambda data: data.decode() + "!"
    assert both.execute("select a from t").fetchone() == ("ä!",)
    both.text_factory = str
    assert both.execute("select a from t").fetchone() == ("ä",)


def test_cursor_subclass(module, both):
    class Mine(module.Cursor):
        def first(self):
            return self.fetchone()[0]

    cursor = both.cursor(Mine)
    assert cursor.execute("select 5").first() == 5


def test_connection_subclass(module):
    class Mine(module.Connection):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.extra = 1

    con = module.connect(":memory:", factory=Mine)
    assert con.extra == 1 and con.execute("select 1").fetchone() == (1,)
    con.close()


def test_cursor_without_init(module, both):
    class Bad(module.Cursor):
        def __init__(self, connection):
            pass

    cursor = Bad(both)
    with pytest.raises(module.ProgrammingError):
        cursor.execute("select 1")
    with pytest.raises(module.ProgrammingError):
        cursor.close()


# --- adapters and converters ------------------------------------------------------------------------


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __eq__(self, other):
        return (self.x, self.y) == (other.x, other.y)


class Conforming(Point):
    def __conform__(self, protocol):
        return f"{self.x};{self.y}"


def test_adapters(module, both):
    module.register_adapter(Point, lambda point: f"{point.x};{point.y}")
    assert both.execute("select ?", (Point(1, 2),)).fetchone() == ("1;2",)
    assert both.execute("select ?", (Conforming(3, 4),)).fetchone() == ("3;4",)


def test_converters(module):
    module.register_converter("point", lambda data: Point(*map(int, data.split(b";"))))
    con = module.connect(":memory:", detect_types=module.PARSE_DECLTYPES | module.PARSE_COLNAMES)
    con.execute("create table t(p point, q)")
    con.execute("insert into t values('1;2', '3;4')")
    con.execute("insert into t values(null, null)")
    assert con.execute("select p, q from t").fetchall() == [(Point(1, 2), "3;4"), (None, None)]
    cursor = con.execute('select q as "q [point]" from t where q is not null')
    assert cursor.fetchone() == (Point(3, 4),)
    assert cursor.description[0][0] == "q"
    con.close()


def test_dates(module):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of sqlite3's default adapters since 3.12
        con = module.connect(":memory:", detect_types=module.PARSE_DECLTYPES)
        con.execute("create table t(d date, m timestamp)")
        values = (datetime.date(2024, 2, 29), datetime.datetime(2024, 2, 29, 12, 30, 15, 123456))
        con.execute("insert into t values(?, ?)", values)
        assert con.execute("select d, m from t").fetchone() == values
        con.close()


# --- callbacks --------------------------------------------------------------------------------------


def test_functions(both):
    both.create_function("plus", 2, lambda a, b: a + b)
    both.create_function("count_args", -1, lambda *args: len(args), deterministic=True)
    both.create_function("kind", 1, lambda value: type(value).__name__)
    assert both.execute("select plus(1, 2), plus(1.5, 2), plus('a', 'b')").fetchone() == (3, 3.5, "ab")
    assert both.execute("select count_args(), count_args(1, 2, 3)").fetchone() == (0, 3)
    row = both.execute("select kind(1), kind(1.5), kind('x'), kind(x'00'), kind(null)").fetchone()
    assert row == ("int", "float", "str", "bytes", "NoneType")


@pytest.mark.parametrize("value", [None, 5, 1.5, "text", b"bytes", "ä\0"])
def test_function_results(both, value):
    both.create_function("give", 0, lambda: value)
    assert both.execute("select give()").fetchone() == (value,)


def test_function_errors(module, both):
    both.create_function("fail", 1, lambda value: 1 / 0)
    both.create_function("wrong", 0, lambda: object())
    with pytest.raises(module.OperationalError):
        both.execute("select fail(1)").fetchall()
    with pytest.raises(module.OperationalError):
        both.execute("select wrong()").fetchall()
    with pytest.raises(module.OperationalError):
        both.execute("select fail(1, 2)")
    both.create_function("fail", 1, None)
    with pytest.raises(module.OperationalError):
        both.execute("select fail(1)")


def test_function_error_has_its_cause(con):
    con.create_function("fail", 0, lambda: 1 / 0)
    with pytest.raises(turdb.OperationalError) as caught:
        con.execute("select fail()").fetchall()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_function_may_query_another_connection(both, module):
    other = module.connect(":memory:")
    both.create_function("other", 0, lambda: other.execute("select 41 + 1").fetchone()[0])
    assert both.execute("select other()").fetchone() == (42,)
    other.close()


class Joined:
    def __init__(self):
        self.parts = []

    def step(self, *values):
        self.parts.append("-".join(map(str, values)))

    def inverse(self, *values):
        self.parts.remove("-".join(map(str, values)))

    def value(self):
        return ",".join(self.parts)

    finalize = value


def test_aggregates(both):
    both.create_aggregate("joined", 1, Joined)
    both.execute("create table t(g, a)")
    both.executemany("insert into t values(?, ?)", [(1, "a"), (1, "b"), (2, "c")])
    assert both.execute("select joined(a) from t where g = 1").fetchone() == ("a,b",)
    assert both.execute("select g, joined(a) from t group by g order by g").fetchall() == [(1, "a,b"), (2, "c")]


def test_window_functions(both):
    if not hasattr(both, "create_window_function"):
        pytest.skip("sqlite3 of Python before 3.11")
    both.create_window_function("joined", 1, Joined)
    both.execute("create table t(a)")
    both.executemany("insert into t values(?)", [("a",), ("b",), ("c",), ("d",)])
    rows = both.execute("select joined(a) over (order by a rows between 1 preceding and current row) from t").fetchall()
    assert rows == [("a",), ("a,b",), ("b,c",), ("c,d",)]


@pytest.mark.parametrize("method", ["__init__", "step", "finalize"])
def test_aggregate_errors(module, both, method):
    broken = type("Broken", (Joined,), {method: lambda self, *args: 1 / 0})
    both.create_aggregate("broken", 1, broken)
    with pytest.raises(module.OperationalError):
        both.execute("select broken(1)").fetchall()


def test_collation(both):
    both.create_collation("backwards", lambda a, b: (a < b) - (a > b))
    rows = both.execute("select x from (select 'a' as x union select 'b' union select 'c') order by x collate backwards")
    assert rows.fetchall() == [("c",), ("b",), ("a",)]


def test_collation_that_is_unknown(module, both):
    with pytest.raises(module.OperationalError):
        both.execute("select 'a' order by 1 collate nope").fetchall()


LONG = "with recursive n(i) as (select 1 union all select i+1 from n where i < 3000000) select sum(i) from n"


def test_progress_handler_interrupts(module, both):
    calls = []
    both.set_progress_handler(lambda: calls.append(1) or len(calls) > 2, 100)
    with pytest.raises(module.OperationalError):
        both.execute(LONG).fetchall()
    both.set_progress_handler(None, 100)
    assert both.execute("select 1").fetchone() == (1,)


def test_trace_callback(both):
    seen = []
    both.set_trace_callback(seen.append)
    both.execute("create table t(a)")
    both.execute("insert into t values(1)")
    both.set_trace_callback(None)
    both.execute("select 5")
    assert any("create table t" in text for text in seen) and any("insert into t" in text for text in seen)
    assert not any("select 5" in text for text in seen)


def test_interrupt_from_another_thread(module):
    con = module.connect(":memory:", check_same_thread=False)
    endless = "with recursive n(i) as (select 1 union all select i+1 from n) select count(*) from n"
    stop = threading.Event()

    def interrupt():
        while not stop.wait(0.05):
            con.interrupt()

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(module.OperationalError):
            con.execute(endless).fetchall()
    finally:
        stop.set()
        thread.join()
    assert con.execute("select 1").fetchone() == (1,)
    con.close()


# --- lives ------------------------------------------------------------------------------------------


def test_check_same_thread(module, both):
    errors = []

    def use():
        for call in (lambda: both.execute("select 1"), both.cursor, both.commit, both.close):
            try:
                call()
            except module.ProgrammingError as error:
                errors.append(error)

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert len(errors) == 4


def test_threads_share_a_connection(module, tmp_path):
    con = module.connect(":memory:", check_same_thread=False, isolation_level=None)
    con.execute("create table t(a)")

    def insert(base):
        for i in range(200):
            con.execute("insert into t values(?)", (base + i,))

    threads = [threading.Thread(target=insert, args=(1000 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert con.execute("select count(*), count(distinct a) from t").fetchone() == (800, 800)
    con.close()


def test_weak_references(con):
    cursor = con.cursor()
    reference = weakref.ref(cursor)
    assert weakref.ref(con)() is con
    del cursor
    gc.collect()
    assert reference() is None


def test_cycles_are_collected():
    connection = turdb.connect(":memory:")

    class Factory:
        def __init__(self, connection):
            self.connection = connection

        def __call__(self, cursor, row):
            return row

    connection.row_factory = Factory(connection)
    reference = weakref.ref(connection)
    connection.close()
    del connection
    gc.collect()
    assert reference() is None


def test_unclosed_connection_warns():
    con = turdb.connect(":memory:")
    with pytest.warns(ResourceWarning, match="unclosed database"):
        del con
        gc.collect()


def test_iterdump(both, module):
    both.executescript(
        "create table t(id integer primary key, a text, b blob, c real);"
        "insert into t values(1, 'it''s', x'00ff', 1.5), (2, null, null, -2.0);"
        "create index i on t(a);"
    )
    script = "\n".join(both.iterdump())
    copy = module.connect(":memory:")
    copy.executescript(script)
    assert copy.execute("select * from t order by id").fetchall() == both.execute("select * from t order by id").fetchall()
    assert copy.execute("select name from sqlite_master where type = 'index'").fetchall() == [("i",)]
    copy.close()
