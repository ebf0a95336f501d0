"""What programs written for sqlite3 rely on of its objects: rows and factories, adapters and converters, who lives how long."""

import datetime
import gc
import threading
import warnings
import weakref

import pytest

import turdb

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
