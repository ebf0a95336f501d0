"""con.append: what it takes, what it refuses, and that a refusal changes nothing."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import turdb


@pytest.fixture
def table(con):
    con.execute("create table t(id integer primary key, a, b text default 'none', e vector(4))")
    return con


def test_dict_of_arrays_and_lists(table):
    vectors = np.random.default_rng(1).random((100, 4), dtype=np.float32)
    assert table.append("t", {"id": np.arange(100) + 1, "a": [i * 1.5 for i in range(100)], "e": vectors}) == 100
    assert table.execute("select count(*), sum(a), min(b) from t").fetchone() == (100, 1.5 * 4950, "none")
    assert (table.execute("select e from t order by id").fetchnumpy()["e"] == vectors).all()


def test_rowids_follow_on(table):
    table.execute("insert into t(id) values(10)")
    table.append("t", {"a": [1, 2]})
    assert table.execute("select id from t order by id").fetchall() == [(10,), (11,), (12,)]


def test_structured_array(table):
    data = np.array([(1, 2.5, b"x", [1, 2, 3, 4])], dtype=[("id", "i4"), ("a", "f8"), ("b", "S1"), ("e", "f4", 4)])
    assert table.append("t", data) == 1
    row = table.execute("select id, a, e from t").fetchone()
    assert row[:2] == (1, 2.5) and row[2].tolist() == [1, 2, 3, 4]


LAYOUTS = {
    "float32": lambda v: v,
    "float64": lambda v: v.astype(np.float64),
    "float16": lambda v: v.astype(np.float16),
    "int32": lambda v: v.astype(np.int32),
    "big endian": lambda v: v.astype(">f4"),
    "fortran": np.asfortranarray,
    "every second row": lambda v: np.repeat(v, 2, axis=0)[::2],
    "every second column": lambda v: np.repeat(v, 2, axis=1)[:, ::2],
    "reversed": lambda v: v[::-1].copy()[::-1],
    "wide": lambda v: np.hstack([v, v])[:, :4],
    "broadcast": lambda v: np.broadcast_to(v[0], v.shape),
    "unaligned": lambda v: np.frombuffer(b"x" + v.tobytes(), np.uint8)[1:].view(np.float32).reshape(v.shape),
    "lists": lambda v: v.tolist(),
    "list of arrays": list,
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_of_vectors(table, layout):
    vectors = np.arange(40, dtype=np.float32).reshape(10, 4)
    given_vectors = LAYOUTS[layout](vectors)
    assert table.append("t", {"e": given_vectors}) == 10
    stored = table.execute("select e from t order by id").fetchnumpy()["e"]
    assert (stored == np.asarray(given_vectors, np.float32)).all()


def test_nulls(table):
    data = {"a": np.ma.MaskedArray([1, 2, 3], [0, 1, 0]), "b": ["x", None, "z"], "e": [None, [1, 2, 3, 4], None]}
    table.append("t", data)
    assert table.execute("select a, b, e is null from t").fetchall() == [(1, "x", 1), (None, None, 0), (3, "z", 1)]
    table.append("t", {"a": np.array([np.nan, 1.0])})
    assert table.execute("select count(*) from t where a is null").fetchone() == (2,)


def test_affinities_apply(table):
    table.append("t", {"b": [1, 2.5, "x"]})
    assert table.execute("select b, typeof(b) from t").fetchall() == [("1", "text"), ("2.5", "text"), ("x", "text")]


def test_no_rows(table):
    assert table.append("t", {"a": []}) == 0
    assert table.append("t", {"e": np.zeros((0, 4), np.float32)}) == 0


BAD = [
    (turdb.DataError, {"a": [1, 2], "b": ["x"]}),
    (turdb.DataError, {"e": np.zeros((3, 5), np.float32)}),
    (turdb.DataError, {"e": np.zeros((3, 3), np.float32)}),
    (turdb.DataError, {"e": np.array([[1, 2, 3, np.nan]])}),
    (turdb.DataError, {"e": np.array([[1, 2, 3, np.inf]])}),
    (turdb.DataError, {"e": np.array([[1, 2, 3, 1e300]])}),
    (turdb.DataError, {"e": [[1, 2, 3, 4], [1, 2]]}),
    (turdb.DataError, {"e": [[1, 2, 3, "x"]]}),
    (turdb.DataError, {"e": np.zeros((3, 2, 2), np.float32)}),
    (turdb.DataError, {"a": [1], "e": [[1, 2, 3]]}),
    (turdb.ProgrammingError, {"nope": [1]}),
    (turdb.ProgrammingError, {"a": 5}),
    (turdb.ProgrammingError, {"a": [object()]}),
    (turdb.ProgrammingError, [1, 2, 3]),
    (turdb.ProgrammingError, np.zeros((3, 3))),
    (turdb.ProgrammingError, None),
    (OverflowError, {"a": [2**70]}),
    (turdb.IntegrityError, {"id": [7, 7]}),
    (turdb.IntegrityError, {"id": [2, 1]}),
]


@pytest.mark.parametrize("error, data", BAD)
def test_refusals_change_nothing(table, error, data):
    table.execute("insert into t(id, a) values(1, 'kept')")
    table.commit()
    with pytest.raises(error):
        table.append("t", data)
    table.rollback()
    assert table.execute("select id, a from t").fetchall() == [(1, "kept")]
    assert table.append("t", {"a": [2]}) == 1


def test_append_belongs_to_the_transaction(table):
    table.append("t", {"a": [1]})
    assert table.in_transaction
    table.rollback()
    assert table.execute("select count(*) from t").fetchone() == (0,)


def test_append_to_an_indexed_table(table):
    table.execute("create index i on t(a)")
    table.execute("create unique index u on t(b)")
    table.append("t", {"a": np.arange(3000) % 7, "b": [str(i) for i in range(3000)]})
    assert table.execute("select count(*) from t where a = 3").fetchone() == (len([i for i in range(3000) if i % 7 == 3]),)
    with pytest.raises(turdb.IntegrityError):
        table.append("t", {"a": [1, 2], "b": ["new", "5"]})
    assert table.execute("select count(*) from t where b = 'new'").fetchone() == (0,)


def test_progress_is_reported(table):
    seen = []
    table.append("t", {"e": np.zeros((20000, 4), np.float32)}, progress=lambda *report: seen.append(report))
    assert seen and all(done <= total for _, done, total in seen)


def test_an_error_in_progress_stops_it(table):
    with pytest.raises(ZeroDivisionError):
        table.append("t", {"e": np.zeros((20000, 4), np.float32)}, progress=lambda *report: 1 / 0)
    assert table.execute("select count(*) from t").fetchone() == (0,)


VALUES = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.text(), st.binary())


@given(st.lists(VALUES, min_size=1, max_size=50))
def test_append_stores_what_insert_stores(values):
    con = turdb.connect(":memory:")
    for table in ("a", "b"):
        con.execute(f"create table {table}(x, t text, i integer, r real)")
    con.append("a", {name: values for name in "xtir"})
    con.executemany("insert into b values(?, ?, ?, ?)", [(value,) * 4 for value in values])
    query = "select x, typeof(x), t, typeof(t), i, typeof(i), r, typeof(r) from {} order by rowid"
    assert con.execute(query.format("a")).fetchall() == con.execute(query.format("b")).fetchall()
    con.rollback()
    con.close()


def test_a_list_that_changes_while_it_is_read(table):
    texts = [f"a text that nobody else has {i}" for i in range(2000)]

    class Spoiler:
        def __conform__(self, protocol):
            texts.clear()
            return "converted"

    texts[100] = Spoiler()
    with pytest.raises(turdb.Error, match="column 'b' became shorter while it was read"):
        table.append("t", {"b": texts})
    assert table.execute("select count(*) from t").fetchone() == (0,)


def test_a_list_that_another_thread_empties(con):
    """The texts are read without the interpreter's lock: they are held until that is over."""
    con.execute("create table log(id integer primary key, b text)")
    for round in range(20):
        texts = [f"round {round}, a text that nobody else has {i}" for i in range(20000)]
        thread = threading.Thread(target=texts.clear)
        thread.start()
        try:
            con.append("log", {"b": texts})
        except turdb.Error:
            pass  # it came before the list was looked at
        thread.join()
    bad = con.execute("select count(*) from log where b not glob 'round *, a text that nobody else has *'").fetchone()
    assert bad == (0,)
    assert con.execute("select count(*) % 20000 from log").fetchone() == (0,)


def test_leaves_go_to_the_disk_while_the_next_are_laid_out(con):
    """More than a batch of leaves, twice, with an index: what is read back is what was given."""
    con.execute("create table log(id integer primary key, b text, c integer)")
    con.execute("create index by_c on log(c)")
    rows = 60_000
    numbers = np.random.default_rng(3).integers(0, 1000, rows)
    for first in (0, rows):
        texts = [f"{i} {'x' * (i % 90)}" for i in range(first, first + rows)]
        con.append("log", {"b": texts, "c": numbers})
    assert con.execute("select count(*), sum(length(b)), sum(c) from log").fetchone() == (
        2 * rows,
        sum(len(str(i)) + 1 + i % 90 for i in range(2 * rows)),
        2 * int(numbers.sum()),
    )
    assert con.execute("select count(*) from log where c = 7").fetchone() == (2 * int((numbers == 7).sum()),)
    assert con.execute("pragma integrity_check").fetchall() == [("ok",)]
