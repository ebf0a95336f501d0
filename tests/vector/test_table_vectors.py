"""Vector columns of tables: exact search against numpy, append and insert alike, deletes, rollback, refused values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turdb._testing import table


def make(txn, dim, name="t"):
    table.create_table(txn, name, [("a", "INTEGER"), ("e", f"VECTOR({dim})")])


def distances(metric, vectors, query):
    vectors, query = vectors.astype(np.float64), query.astype(np.float64)
    if metric == "l2":
        return np.sqrt(((vectors - query) ** 2).sum(axis=1))
    products = vectors @ query
    if metric == "ip":
        return -products
    return 1 - products / (np.linalg.norm(vectors, axis=1) * np.linalg.norm(query))


def assert_nearest(hits, expected, k):
    """The hits have the k smallest of the expected {rowid: distance}, nearest first."""
    best = sorted(expected.values())[:k]
    assert len(hits) == len(best)
    got = [distance for _, distance in hits]
    np.testing.assert_allclose(got, best, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(got, [expected[rowid] for rowid, _ in hits], rtol=1e-4, atol=1e-4)
    assert len({rowid for rowid, _ in hits}) == len(hits)


@pytest.mark.parametrize("metric", ["l2", "cosine", "ip"])
@pytest.mark.parametrize("dim", [1, 3, 384, 1000, 4080, 4081, 9000])
def test_exact_search_matches_numpy(metric, dim):
    rng = np.random.default_rng(dim)
    rows = 40 if dim > 1000 else 1500
    data = rng.standard_normal((rows, dim)).astype(np.float32)
    txn = table.Database().begin()
    make(txn, dim)
    table.append(txn, "t", rows, None, [np.arange(rows), data])
    expected = None
    for k in (1, 10, rows, rows + 5):
        query = rng.standard_normal(dim).astype(np.float32)
        expected = dict(zip(range(1, rows + 1), distances(metric, data, query)))
        hits, method, _ = table.search(txn, "t", 1, metric, query, k)
        assert method == "exact"
        assert_nearest(hits, expected, k)
    slots = sorted(rng.choice(rows, rows // 3, replace=False).tolist())
    hits, _, _ = table.search(txn, "t", 1, metric, query, 10, slots=slots)
    assert_nearest(hits, {slot + 1: expected[slot + 1] for slot in slots}, 10)
    assert table.search(txn, "t", 1, metric, query, 10, slots=[])[0] == []
    assert table.search(txn, "t", 1, metric, query, 0)[0] == []
    radius = float(np.median(list(expected.values())))
    hits, _, _ = table.search(txn, "t", 1, metric, query, 0, radius=radius)
    assert {rowid for rowid, _ in hits} == {r for r, d in expected.items() if np.float32(d) <= np.float32(radius)} or abs(
        len(hits) - sum(d <= radius for d in expected.values())
    ) <= 2
    assert table.check(txn, "t") == []


@pytest.mark.parametrize("dim", [5, 384, 5000])
def test_vectors_come_back_as_they_went_in(dim):
    rng = np.random.default_rng(1)
    data = rng.standard_normal((700 if dim < 1000 else 60, dim)).astype(np.float32)
    half = len(data) // 2
    db = table.Database()
    txn = db.begin()
    make(txn, dim)
    make(txn, dim, "inserted")
    table.append(txn, "t", half, None, [np.arange(half), data[:half]])
    txn.commit()
    del txn
    db.reopen()
    txn = db.begin()
    table.append(txn, "t", len(data) - half, None, [np.arange(half, len(data)), data[half:]])
    writer = table.Writer(txn, "inserted")
    for i, vector in enumerate(data):
        assert writer.try_insert(i + 1, [i, vector]) is None
    for name in ("t", "inserted"):
        for descending in (False, True):
            rows = table.scan(txn, name, [0, 1, table.slot_column(1), table.ROWID], descending=descending, batch=100)
            rows = rows[::-1] if descending else rows
            assert [(r[0], r[2], r[3]) for r in rows] == [(i, i, i + 1) for i in range(len(data))]
            np.testing.assert_array_equal(np.stack([r[1] for r in rows]), data)
        np.testing.assert_array_equal(table.look_up(txn, name, [1], 7)[0], data[6])
        assert table.check(txn, name) == []


def test_strided_matrices_and_null_vectors():
    rng = np.random.default_rng(2)
    wide = rng.standard_normal((500, 40)).astype(np.float32)
    txn = table.Database().begin()
    make(txn, 16)
    table.append(txn, "t", 500, None, [np.arange(500), wide[:, 8:24]])
    table.append(txn, "t", 3, None, [np.arange(3), None])
    rows = table.scan(txn, "t", [1])
    np.testing.assert_array_equal(np.stack([r[0] for r in rows[:500]]), wide[:, 8:24])
    assert rows[500:] == [(None,)] * 3
    assert table.check(txn, "t") == []


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("row", [0, 250, 499])
def test_nan_and_infinity_are_refused_before_anything_changes(bad, row):
    data = np.ones((500, 7), dtype=np.float32)
    data[row, row % 7] = bad
    txn = table.Database().begin()
    make(txn, 7)
    with pytest.raises(RuntimeError, match=f"BadValue: column e, row {row}: a vector may not contain NaN or infinity"):
        table.append(txn, "t", 500, None, [np.arange(500), data])
    writer = table.Writer(txn, "t")
    with pytest.raises(RuntimeError, match="BadValue: column e: a vector may not contain"):
        writer.try_insert(1, [1, data[row]])
    with pytest.raises(RuntimeError, match="Dimension: column e takes vectors of 7 dimensions, not 6"):
        writer.try_insert(1, [1, np.ones(6, dtype=np.float32)])
    assert writer.try_insert(1, [1, np.ones(7, dtype=np.float32)]) is None
    with pytest.raises(RuntimeError, match="BadValue"):
        writer.update(1, 1, [1, data[row]], [False, True])
    with pytest.raises(RuntimeError, match="Dimension: column e has 7 dimensions, the query vector 8"):
        table.search(txn, "t", 1, "l2", np.ones(8, dtype=np.float32), 3)
    with pytest.raises(RuntimeError, match="BadValue: a query vector"):
        table.search(txn, "t", 1, "l2", data[row], 3)
    assert table.count(txn, "t") == 1
    assert table.check(txn, "t") == []


STEP = st.one_of(
    st.tuples(st.just("insert"), st.integers(1, 60), st.integers(0, 2**32), st.booleans()),
    st.tuples(st.just("append"), st.integers(1, 3000), st.integers(0, 2**32)),
    st.tuples(st.just("replace"), st.integers(0, 10**6), st.integers(0, 2**32), st.booleans()),
    st.tuples(st.just("move"), st.integers(0, 10**6), st.integers(10**7, 10**8)),
    st.tuples(st.just("delete"), st.integers(0, 10**6), st.integers(1, 200)),
    st.tuples(st.sampled_from(["savepoint", "rollback_to", "commit", "rollback", "reopen", "clear", "checkpoint"])),
)


@pytest.mark.parametrize("metric", ["", "l2"])
@given(st.lists(STEP, max_size=25))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_random_histories_match_a_dict(metric, steps):
    """Rows with vectors, with and without a graph over them: what numpy finds is found, and nothing deleted."""
    dim = 8
    db = table.Database()
    txn = db.begin()
    make(txn, dim)
    if metric:
        table.create_index(txn, "t", "h", [(1, False, 0)], metric=metric)
        table.build_index(txn, "t", "h")
    txn.commit()
    del txn
    txn = db.begin()
    model, committed, saved = {}, {}, []
    writer = table.Writer(txn, "t")
    for op, *args in steps:
        if op == "insert":
            rng = np.random.default_rng(args[1])
            vector = rng.standard_normal(dim).astype(np.float32) if args[2] else None
            if writer.try_insert(args[0], [args[0], vector]) is None:
                assert args[0] not in model
                model[args[0]] = vector
            else:
                assert args[0] in model
        elif op == "append":
            data = np.random.default_rng(args[1]).standard_normal((args[0], dim)).astype(np.float32)
            first = writer.next_rowid()
            table.append(txn, "t", args[0], None, [np.arange(args[0]), data])
            model.update({first + i: row for i, row in enumerate(data)})
            writer = table.Writer(txn, "t")
        elif op == "replace" and model:
            rowid = sorted(model)[args[0] % len(model)]
            model[rowid] = np.random.default_rng(args[1]).standard_normal(dim).astype(np.float32) if args[2] else None
            writer.update(rowid, rowid, [1, model[rowid]], [True, True])
        elif op == "move" and model and args[1] not in model:
            rowid = sorted(model)[args[0] % len(model)]
            writer.update(rowid, args[1], [2, None], [True, False])
            model[args[1]] = model.pop(rowid)
        elif op == "delete" and model:
            for rowid in sorted(model)[args[0] % len(model) :][: args[1]]:
                assert writer.delete(rowid)
                del model[rowid]
        elif op == "clear":
            writer.delete_all()
            model = {}
        elif op == "savepoint":
            saved.append((txn.savepoint(), dict(model)))
        elif op == "rollback_to" and saved:
            txn.rollback_to(saved[-1][0])
            model = dict(saved[-1][1])
            writer = table.Writer(txn, "t")
        elif op in ("commit", "rollback", "reopen", "checkpoint"):
            if op == "rollback":
                txn.rollback()
                model = dict(committed)
            else:
                txn.commit()
                committed = dict(model)
            saved = []
            del writer, txn
            if op == "reopen":
                db.reopen()
            if op == "checkpoint":
                db.checkpoint()
            txn = db.begin()
            writer = table.Writer(txn, "t")
    rows = dict(table.scan(txn, "t", [table.ROWID, 1]))
    assert rows.keys() == model.keys()
    for rowid, vector in model.items():
        assert (rows[rowid] is None) == (vector is None)
        assert vector is None or np.array_equal(rows[rowid], vector)
    live = {rowid: vector for rowid, vector in model.items() if vector is not None}
    query = np.full(dim, 0.3, dtype=np.float32)
    if live:
        matrix = np.stack(list(live.values()))
        expected = dict(zip(live, distances("l2", matrix, query)))
        assert_nearest(table.search(txn, "t", 1, "l2", query, 10)[0], expected, 10)
    if metric:
        hits, _, _ = table.search(txn, "t", 1, "l2", query, 10, index="h", ef=400)
        assert len(hits) == min(10, len(live))
        assert all(rowid in live for rowid, _ in hits)
    assert table.check(txn, "t") == []


def test_vectors_in_a_table_without_rowid():
    rng = np.random.default_rng(3)
    data = rng.standard_normal((50, 6)).astype(np.float32)
    txn = table.Database().begin()
    columns = [("name", "TEXT"), ("e", "VECTOR(6)")]
    table.create_table(txn, "t", columns, primary_key=[0], without_rowid=True)
    writer = table.Writer(txn, "t")
    for i, vector in enumerate(data):
        assert writer.try_insert(0, [f"{i:02}", vector]) is None
    table.append(txn, "t", 1, None, [["x"], data[:1]])
    keys = [key for key, _ in table.scan(txn, "t", [table.KEY, 0])]
    assert writer.delete(keys[3])
    writer.update(keys[4], 0, ["04", data[9]], [False, True])
    writer.update(keys[5], 0, ["zz", None], [True, False])
    expected = {f"{i:02}": vector for i, vector in enumerate(data) if i not in (3, 5)}
    expected.update({"04": data[9], "x": data[0], "zz": data[5]})
    rows = dict(table.scan(txn, "t", [0, 1]))
    assert rows.keys() == expected.keys()
    assert all(np.array_equal(rows[name], expected[name]) for name in rows)
    assert table.check(txn, "t") == []
    with pytest.raises(RuntimeError, match="Unsupported: vector search needs a rowid"):
        table.search(txn, "t", 1, "l2", data[0], 3)
    with pytest.raises(RuntimeError, match="Unsupported: the primary key of a WITHOUT ROWID table may not have"):
        table.create_table(txn, "bad", columns, primary_key=[1], without_rowid=True)


@pytest.mark.parametrize("metric", ["l2", "cosine", "ip"])
def test_a_graph_finds_what_numpy_finds(metric):
    """Build, tail, deletes, filter, absorption, reopen: recall@10 at ef=128 stays above 0.95 on easy data."""
    rng = np.random.default_rng(4)
    centres = rng.standard_normal((40, 32)) * 2
    data = (centres[rng.integers(0, 40, 4000)] + rng.standard_normal((4000, 32))).astype(np.float32)
    db = table.Database()
    txn = db.begin()
    make(txn, 32)
    table.append(txn, "t", 3000, None, [np.arange(3000), data[:3000]])
    table.create_index(txn, "t", "h", [(1, False, 0)], metric=metric)
    table.build_index(txn, "t", "h", threads=2)
    txn.commit()
    del txn
    db.reopen()
    txn = db.begin()
    live = dict(enumerate(data[:3000], start=1))

    def recall(slots=None):
        found = 0
        keep = {r: v for r, v in live.items() if slots is None or r - 1 in slots}
        matrix = np.stack(list(keep.values()))
        for query in data[::200]:
            hits, method, _ = table.search(txn, "t", 1, metric, query, 10, index="h", ef=128, slots=slots)
            assert method != "exact" and len(hits) == min(10, len(keep))
            exact = distances(metric, matrix, query)
            nearest = {list(keep)[i] for i in np.argsort(exact)[:10]}
            found += len(nearest & {rowid for rowid, _ in hits})
        return found / (len(data[::200]) * 10)

    assert recall() >= 0.95
    table.append(txn, "t", 1000, None, [np.arange(1000), data[3000:]])
    live.update(enumerate(data[3000:], start=3001))
    assert table.tail_length(txn, "t", "h") == 1000
    assert recall() >= 0.95
    writer = table.Writer(txn, "t")
    for rowid in range(1, 4001, 3):
        assert writer.delete(rowid)
        del live[rowid]
    assert recall() >= 0.95
    assert recall({slot for slot in range(4000) if slot % 5 == 0 and slot + 1 in live}) >= 0.95
    assert table.absorb(txn, "t", "h", limit=400, threads=2) == 400
    assert table.tail_length(txn, "t", "h") == 600
    assert table.absorb(txn, "t", "h") == 600
    assert table.tail_length(txn, "t", "h") == 0
    assert recall() >= 0.95
    assert table.check(txn, "t") == []
    txn.commit()
    del writer, txn
    db.reopen()
    txn = db.begin()
    assert recall() >= 0.95
    table.build_index(txn, "t", "h")  # REINDEX
    assert recall() >= 0.95
    assert table.check(txn, "t") == []
