"""numpy in and out: scalars, arrays and vectors as parameters, whole columns as results."""

import array
import decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import turdb

SCALARS = [
    (np.int8(-5), -5),
    (np.uint8(200), 200),
    (np.int64(2**62), 2**62),
    (np.uint64(7), 7),
    (np.float16(0.5), 0.5),
    (np.float32(0.25), 0.25),
    (np.float64(1.5), 1.5),
    (np.bool_(True), 1),
    (np.str_("text"), "text"),
    (np.bytes_(b"bytes"), b"bytes"),
    (np.array(5), 5),
    (np.array(2.5), 2.5),
]


@pytest.mark.parametrize("value, expected", SCALARS, ids=lambda value: type(value).__name__)
def test_scalars(con, value, expected):
    result = con.execute("select ?", (value,)).fetchone()[0]
    assert result == expected and type(result) is type(expected)


def test_scalars_that_do_not_fit(con):
    with pytest.raises(OverflowError):
        con.execute("select ?", (np.uint64(2**63),))
    for value in (np.complex64(1), np.datetime64("2024-01-01"), decimal.Decimal(1)):
        with pytest.raises(turdb.ProgrammingError):
            con.execute("select ?", (value,))


VECTORS = [
    np.array([1, 2, 3], np.float32),
    np.array([1, 2, 3], np.float64),
    np.array([1, 2, 3], np.float16),
    np.array([1, 2, 3], np.int64),
    np.array([1, 2, 3], np.uint8),
    np.array([1, 9, 2, 9, 3, 9], np.float32)[::2],
    np.array([3, 2, 1], np.float32)[::-1],
    np.array([1, 2, 3], ">f4"),
    [1, 2, 3],
    (1.0, 2, np.float32(3)),
]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{type(vector).__name__}-{getattr(vector, 'dtype', '')}")
def test_vectors(con, vector):
    con.execute("create table t(id integer primary key, e vector(3))")
    con.execute("insert into t values(1, ?)", (vector,))
    result = con.execute("select e from t").fetchone()[0]
    assert isinstance(result, np.ndarray) and result.dtype == np.float32 and result.tolist() == [1, 2, 3]
    assert con.execute("select id from t order by e <-> ? limit 1", (vector,)).fetchone() == (1,)


def test_returned_vectors_are_copies(con):
    con.execute("create table t(e vector(3))")
    con.execute("insert into t values(?)", ([1, 2, 3],))
    first = con.execute("select e from t").fetchone()[0]
    first[:] = 0
    assert con.execute("select e from t").fetchone()[0].tolist() == [1, 2, 3]


BAD_VECTORS = [
    ([1, 2], "dimension"),
    ([1, 2, 3, 4], "dimension"),
    ([], ""),
    ([1, 2, float("nan")], ""),
    ([1, 2, float("inf")], ""),
    (np.array([1, 2, 1e300]), ""),
    (np.zeros((3, 1), np.float32), "1-d"),
    (np.zeros((1, 3), np.float32), "1-d"),
    (np.array(["a", "b", "c"]), "1-d"),
    (np.array([1, 2, 3], np.complex64), "1-d"),
    ([1, 2, "x"], "numbers"),
    ([1, [2], 3], "numbers"),
    ([1, 2, None], "numbers"),
]


@pytest.mark.parametrize("vector, told", BAD_VECTORS, ids=repr)
def test_bad_vectors_change_nothing(con, vector, told):
    con.execute("create table t(e vector(3))")
    with pytest.raises(turdb.DataError, match=told or None):
        con.execute("insert into t values(?)", (vector,))
    assert con.execute("select count(*) from t").fetchone() == (0,)


def test_array_module_is_bytes(con):
    assert con.execute("select ?", (array.array("B", b"abc"),)).fetchone() == (b"abc",)


# --- fetchnumpy -------------------------------------------------------------------------------------


def test_fetchnumpy(con):
    con.execute("create table t(i, r, t, b, e vector(2))")
    con.append("t", {"i": np.arange(5000), "r": np.arange(5000) / 2, "t": [f"x{i}" for i in range(5000)],
                     "b": [b"%d" % i for i in range(5000)], "e": np.arange(10000, dtype=np.float32).reshape(-1, 2)})
    arrays = con.execute("select * from t order by i").fetchnumpy()
    assert list(arrays) == ["i", "r", "t", "b", "e"]
    assert arrays["i"].dtype == np.int64 and (arrays["i"] == np.arange(5000)).all()
    assert arrays["r"].dtype == np.float64 and (arrays["r"] == np.arange(5000) / 2).all()
    assert arrays["t"].dtype == object and arrays["t"][4999] == "x4999"
    assert arrays["b"].dtype == object and arrays["b"][7] == b"7"
    assert arrays["e"].dtype == np.float32 and arrays["e"].shape == (5000, 2)
    assert not any(isinstance(values, np.ma.MaskedArray) for values in arrays.values())


def test_fetchnumpy_masks_nulls(con):
    arrays = con.execute(
        "select * from (select null as a, 1.5 as b, null as c, 'x' as d union all select 3, null, null, null)"
    ).fetchnumpy()
    assert isinstance(arrays["a"], np.ma.MaskedArray)
    assert arrays["a"].tolist() == [None, 3] and arrays["a"].dtype == np.int64
    assert arrays["b"].tolist() == [1.5, None]
    assert arrays["c"].tolist() == [None, None]
    assert arrays["d"].tolist() == ["x", None]


def test_fetchnumpy_masks_null_vectors(con):
    con.execute("create table t(e vector(2))")
    con.executemany("insert into t values(?)", [([1, 2],), (None,), ([3, 4],)])
    vectors = con.execute("select e from t").fetchnumpy()["e"]
    assert vectors.shape == (3, 2) and vectors.tolist() == [[1, 2], [None, None], [3, 4]]


def test_fetchnumpy_of_no_rows(con):
    arrays = con.execute("select 1 as a, 'x' as b where 0").fetchnumpy()
    assert {name: len(values) for name, values in arrays.items()} == {"a": 0, "b": 0}
    assert con.execute("create table t(a)").fetchnumpy() == {}


def test_fetchnumpy_after_fetchone_and_equal_names(con):
    cursor = con.execute("with recursive n(i) as (select 1 union all select i+1 from n where i<100) select i, i*2 as i from n")
    assert cursor.fetchone() == (1, 2)
    arrays = cursor.fetchnumpy()
    assert list(arrays) == ["i", "i_1"] and len(arrays["i"]) == 99 and arrays["i_1"][0] == 4


CELLS = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.text(), st.binary())


@given(st.lists(CELLS, max_size=40))
def test_fetchnumpy_agrees_with_fetchall(values):
    con = turdb.connect(":memory:")
    con.execute("create table t(id integer primary key, a blob)")
    con.executemany("insert into t(a) values(?)", [(value,) for value in values])
    rows = [row[0] for row in con.execute("select a from t order by id")]
    assert rows == values and [type(row) for row in rows] == [type(value) for value in values]
    column = con.execute("select a from t order by id").fetchnumpy()["a"].tolist()
    if {type(value) for value in values} >= {int, float} and not {str, bytes} & {type(value) for value in values}:
        values = [None if value is None else float(value) for value in values]
    assert column == values
    con.close()


# --- frames -----------------------------------------------------------------------------------------


def test_pandas(con):
    pd = pytest.importorskip("pandas")
    con.execute("create table t(a, b, e vector(2))")
    frame = pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"]})
    assert con.append("t", frame) == 3
    result = con.execute("select a, b from t").fetchdf()
    assert result["a"].tolist() == [1, 2, 3] and result["b"][0] == "x" and pd.isna(result["b"][1])


def test_arrow(con):
    pa = pytest.importorskip("pyarrow")
    con.execute("create table t(a, b, e vector(2))")
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(np.arange(6, dtype=np.float32)), 2)
    table = pa.table({"a": pa.array([1, None, 3]), "b": ["x", "y", "z"], "e": vectors})
    assert con.append("t", table) == 3
    result = con.execute("select * from t").fetch_arrow_table()
    assert result.to_pydict() == table.to_pydict()
    assert pa.table(con.execute("select a from t")).num_rows == 3
    assert con.execute("select a from t").fetch_record_batch().read_all().num_rows == 3


def test_polars(con):
    pl = pytest.importorskip("polars")
    con.execute("create table t(a, b)")
    assert con.append("t", pl.DataFrame({"a": [1, 2], "b": ["x", None]})) == 2
    assert con.execute("select * from t").pl().rows() == [(1, "x"), (2, None)]


def test_missing_libraries_are_named(con, monkeypatch):
    import sys

    for method, library in [("fetch_arrow_table", "pyarrow"), ("fetchdf", "pandas"), ("pl", "polars")]:
        monkeypatch.setitem(sys.modules, library, None)
        with pytest.raises(turdb.NotSupportedError, match=f"pip install {library}"):
            getattr(con.execute("select 1"), method)()
