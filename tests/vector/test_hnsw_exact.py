"""The exact scan agrees with numpy for every metric, filter, range and radius."""

import numpy as np
import pytest

from turdb._testing import hnsw

METRICS = ["l2", "cosine", "ip", "l1", "hamming"]


def distances(metric, rows, query):
    rows, query = rows.astype(np.float64), query.astype(np.float64)
    if metric == "l2":
        return np.linalg.norm(rows - query, axis=1)
    if metric == "cosine":
        return 1 - rows @ query / (np.linalg.norm(rows, axis=1) * np.linalg.norm(query))
    if metric == "ip":
        return -(rows @ query)
    if metric == "l1":
        return np.abs(rows - query).sum(1)
    return (rows != query).sum(1)


def words(mask):
    padded = np.zeros((len(mask) + 63) // 64 * 64, np.uint8)
    padded[: len(mask)] = mask
    return np.packbits(padded, bitorder="little").view(np.uint64)


def make(rng, n, dim, metric):
    rows = rng.standard_normal((n, dim)).astype(np.float32)
    return np.rint(rows) if metric == "hamming" else rows


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dim", [1, 3, 17, 384])
def test_nearest(metric, dim):
    rng = np.random.default_rng(dim)
    rows = make(rng, 700, dim, metric)
    query = make(rng, 1, dim, metric)[0]
    truth = distances(metric, rows, query)
    for k in (1, 10, 300, 700, 1000):
        ids, found, counters = hnsw.exact(rows, metric, query, k=k)
        expected = np.sort(truth)[:k]
        assert len(ids) == min(k, 700)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(truth[ids], expected, rtol=1e-4, atol=1e-4)
        assert len(set(ids)) == len(ids)
        assert counters["tail"] == 700


@pytest.mark.parametrize("selectivity", [0.0, 0.01, 0.5, 1.0])
def test_filter_and_range(selectivity):
    rng = np.random.default_rng(1)
    rows = make(rng, 1000, 24, "l2")
    query = rows[3] + 1
    mask = rng.random(1000) < selectivity
    ids, _, _ = hnsw.exact(rows, "l2", query, k=20, filter=words(mask), first=100, end=900)
    allowed = np.flatnonzero(mask)
    allowed = allowed[(allowed >= 100) & (allowed < 900)]
    truth = distances("l2", rows[allowed], query)
    np.testing.assert_array_equal(ids, allowed[np.argsort(truth, kind="stable")[:20]])


def test_filter_shorter_than_the_rows():
    rows = np.arange(200, dtype=np.float32).reshape(-1, 1)
    ids, _, _ = hnsw.exact(rows, "l2", np.zeros(1), k=200, filter=words(np.ones(64, bool)))
    np.testing.assert_array_equal(ids, np.arange(64))


def test_ties_go_to_the_lower_slot():
    rows = np.ones((500, 4), np.float32)
    ids, found, _ = hnsw.exact(rows, "l2", np.zeros(4), k=7)
    np.testing.assert_array_equal(ids, np.arange(7))
    np.testing.assert_allclose(found, 2)


@pytest.mark.parametrize("inclusive", [True, False])
def test_radius(inclusive):
    rows = np.arange(1000, dtype=np.float32).reshape(-1, 1)
    ids, found, _ = hnsw.exact(rows, "l2", np.full(1, 500.0), k=2**32 - 1, radius=3.0, inclusive=inclusive)
    reach = 3 if inclusive else 2
    assert sorted(ids) == list(range(500 - reach, 501 + reach))
    assert (np.diff(found) >= 0).all()


def test_threads_give_the_same_hits():
    rng = np.random.default_rng(2)
    rows = make(rng, 30_000, 128, "cosine")
    one = hnsw.exact(rows, "cosine", rows[17], k=50, threads=1)
    two = hnsw.exact(rows, "cosine", rows[17], k=50, threads=2)
    np.testing.assert_array_equal(one[0], two[0])
    np.testing.assert_array_equal(one[1], two[1])


def test_zero_vectors_come_last_and_are_nan():
    rows = np.array([[1, 0], [0, 0], [-1, 0]], np.float32)
    ids, found, _ = hnsw.exact(rows, "cosine", np.array([1, 0]), k=3)
    np.testing.assert_array_equal(ids, [0, 2, 1])
    np.testing.assert_allclose(found, [0, 2, np.nan], atol=1e-6)
