"""Wrong input of every sort raises something of Python's, never crashes, and leaves the connection usable."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import turdb

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.binary(max_size=20),
    st.lists(st.one_of(st.integers(), st.floats(), st.text(max_size=3), st.none()), max_size=5),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=3),
    st.just(object()),
    st.just(np.zeros((2, 2))),
    st.just(np.array([], np.float32)),
    st.just(np.array(["x"], object)),
    st.just(np.float32("nan")),
    st.just(range(3)),
)
SQL = st.one_of(
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40),
    st.lists(
        st.sampled_from(
            ["select", "insert", "into", "values", "update", "set", "delete", "from", "where", "t", "a", "e", "?", ":x", "*", "(", ")", ",", ";", "=", "1", "'x'", "null", "order", "by", "limit", "<->", "group", "having", "union", "all", "join", "on", "as", "count(*)", "create", "table", "drop", "index", "begin", "commit"]
        ),
        max_size=12,
    ).map(" ".join),
)
ALLOWED = (turdb.Error, TypeError, ValueError, OverflowError, UnicodeError, IndexError)


def usable(con):
    try:
        con.rollback()
    except turdb.Error:
        pass
    assert con.execute("select 1").fetchone() == (1,)


def fresh():
    con = turdb.connect(":memory:")
    con.execute("create table t(a, e vector(2))")
    con.execute("insert into t values(1, ?)", ([1, 2],))
    con.commit()
    return con


@settings(max_examples=300)
@given(SQL, st.one_of(ODD, st.lists(ODD, max_size=3), st.tuples(ODD)))
def test_execute(sql, parameters):
    con = fresh()
    try:
        con.execute(sql, parameters).fetchmany(20)
    except ALLOWED:
        pass
    usable(con)
    con.close()


@settings(max_examples=150)
@given(st.one_of(ODD, st.lists(ODD, max_size=3), st.lists(st.tuples(ODD, ODD), max_size=4)))
def test_executemany(sets):
    con = fresh()
    try:
        con.executemany("insert into t values(?, ?)", sets)
    except ALLOWED:
        pass
    usable(con)
    con.close()


@settings(max_examples=150)
@given(st.one_of(ODD, st.dictionaries(st.sampled_from(["a", "e", "x", "rowid"]), st.one_of(ODD, st.lists(ODD, max_size=4)), max_size=3)))
def test_append(data):
    con = fresh()
    try:
        con.append("t", data)
    except ALLOWED:
        con.rollback()
        assert con.execute("select count(*) from t").fetchone() == (1,)
    usable(con)
    con.close()


@settings(max_examples=150)
@given(ODD, ODD, ODD, ODD, ODD)
def test_knn(queries, k, where, parameters, ef):
    con = fresh()
    try:
        con.knn("t", "e", queries, k, where=where, parameters=parameters, ef=ef)
    except ALLOWED:
        pass
    usable(con)
    con.close()


@settings(max_examples=100)
@given(st.sampled_from(["row_factory", "text_factory", "isolation_level", "autocommit", "arraysize"]), ODD)
def test_attributes(name, value):
    con = fresh()
    try:
        setattr(con, name, value)
        con.execute("select 'x'").fetchone()
    except (*ALLOWED, AttributeError):
        pass
    con.row_factory, con.text_factory = None, str
    usable(con)
    con.close()
