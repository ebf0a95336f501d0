"""What programs written for the standard library's sqlite3 rely on: the same assertions for both modules."""

import sqlite3

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
