"""Graphs in memory: recall against the exact scan, with and without filters, for each metric; build contracts."""

import numpy as np
import pytest

from turdb._testing import hnsw, vec

N, DIM = 6000, 48


def clustered(rng, n, dim, centres=40):
    centre = rng.standard_normal((centres, dim))
    return (centre[rng.integers(0, centres, n)] + 0.6 * rng.standard_normal((n, dim))).astype(np.float32)


def words(mask):
    padded = np.zeros((len(mask) + 63) // 64 * 64, np.uint8)
    padded[: len(mask)] = mask
    return np.packbits(padded, bitorder="little").view(np.uint64)


@pytest.fixture(scope="module")
def rows():
    return clustered(np.random.default_rng(1), N, DIM)


@pytest.fixture(scope="module")
def queries(rows):
    rng = np.random.default_rng(2)
    return rows[rng.integers(0, N, 100)] + 0.3 * rng.standard_normal((100, DIM)).astype(np.float32)


@pytest.fixture(scope="module", params=["l2", "cosine", "ip"])
def metric(request):
    return request.param


@pytest.fixture(scope="module")
def index(rows, metric):
    return hnsw.MemoryIndex(rows, metric, threads=2)


def recall(index, rows, metric, queries, k=10, mask=None, **search):
    bits = None if mask is None else words(mask)
    hit = total = 0
    for query in queries:
        truth, _, _ = hnsw.exact(rows, metric, query, k=k, filter=bits)
        ids, _, _ = index.search(query, k=k, filter=bits, **search)
        assert len(ids) == len(truth)  # k rows come back whenever k match
        assert mask is None or mask[ids].all()
        hit += len(set(ids) & set(truth))
        total += len(truth)
    return 1.0 if total == 0 else hit / total


def test_recall(index, rows, metric, queries):
    assert recall(index, rows, metric, queries) >= 0.98


def test_recall_of_larger_k(index, rows, metric, queries):
    assert recall(index, rows, metric, queries[:30], k=100, ef=200) >= 0.97
    assert recall(index, rows, metric, queries[:30], k=100, ef=1) >= 0.92  # ef is raised to k
    assert recall(index, rows, metric, queries[:10], k=10, ef=400) >= 0.995


def test_distances_are_exact(index, rows, metric, queries):
    for query in queries[:20]:
        ids, found, _ = index.search(query, k=10)
        truth = dict(zip(*hnsw.exact(rows, metric, query, k=N)[:2]))
        np.testing.assert_allclose(found, [truth[i] for i in ids], rtol=1e-4, atol=1e-5)
        assert (np.diff(found) >= 0).all()


@pytest.mark.parametrize("selectivity", [0.001, 0.01, 0.1, 0.5, 0.9])
def test_recall_does_not_fall_with_a_random_filter(index, rows, metric, queries, selectivity):
    mask = np.random.default_rng(3).random(N) < selectivity
    assert recall(index, rows, metric, queries, mask=mask) >= 0.98


@pytest.mark.parametrize("selectivity", [0.01, 0.1, 0.5])
def test_recall_does_not_fall_when_the_filter_shuns_the_query(index, rows, metric, queries, selectivity):
    for query in queries[:15]:
        order, _, _ = hnsw.exact(rows, metric, query, k=N)
        mask = np.zeros(N, bool)
        mask[order[int(N * (1 - selectivity)) :]] = True  # the farthest ones
        assert recall(index, rows, metric, [query], mask=mask) >= 0.9


def test_methods(index, rows, queries):
    everything = words(np.ones(N, bool))
    few = words(np.arange(N) < 50)
    assert index.search(queries[0], k=5)[2]["method"] == "graph"
    assert index.search(queries[0], k=5, filter=everything)[2]["method"] == "filtered graph"
    assert index.search(queries[0], k=5, filter=few)[2]["method"] == "code scan"
    assert index.search(queries[0], k=N // 2)[2]["method"] == "exact"
    assert len(index.search(queries[0], k=0)[0]) == 0
    assert len(index.search(queries[0], k=5, filter=words(np.zeros(N, bool)))[0]) == 0
    assert len(index.search(queries[0], k=N + 10)[0]) == N


def test_counters(index, queries):
    counters = index.search(queries[0], k=10, ef=64)[2]
    assert 64 <= counters["visited"] < 200
    assert counters["visited"] < counters["computed"] < N / 2
    assert 16 <= counters["reranked"] <= 64
    assert counters["tail"] == 0


def test_many_equals_one_by_one(index, queries):
    ids, found, _ = index.search_many(queries, k=10, threads=2)
    for i, query in enumerate(queries):
        one = index.search(query, k=10)
        np.testing.assert_array_equal(ids[i], one[0])
        np.testing.assert_array_equal(found[i], one[1])


def test_many_pads_what_is_missing():
    rows = np.eye(5, dtype=np.float32)
    ids, found, _ = hnsw.MemoryIndex(rows, "l2").search_many(rows[:2], k=8)
    assert (ids[:, 5:] == np.iinfo(np.int64).min).all() and np.isinf(found[:, 5:]).all()
    np.testing.assert_array_equal(ids[:, 0], [0, 1])


def test_build_does_not_depend_on_threads(rows):
    images = {hnsw.MemoryIndex(rows[:2500], "l2", threads=threads).image() for threads in (1, 2, 3)}
    assert len(images) == 1


def test_every_kernel_table_searches_alike(rows, queries):
    before = vec.active()
    try:
        for isa in vec.available():
            assert vec.set_active(isa)
            index = hnsw.MemoryIndex(rows[:2000], "cosine", threads=2)
            assert recall(index, rows[:2000], "cosine", queries[:30]) >= 0.98
    finally:
        vec.set_active(before)


def test_progress_can_stop_a_build(rows):
    seen = []

    def stop_halfway(done, total):
        seen.append(done)
        return done < total // 2

    with pytest.raises(RuntimeError, match="^Interrupted"):
        hnsw.MemoryIndex(rows, "l2", progress=stop_halfway)
    assert seen == sorted(seen) and seen[0] == 0 and seen[-1] >= N // 2
    hnsw.MemoryIndex(rows[:500], "l2", progress=lambda done, total: seen.append((done, total)) or True)
    assert seen[-1] == (500, 500)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 17, 64, 65, 300])
def test_small_graphs_are_exact(n):
    rng = np.random.default_rng(n)
    rows = rng.standard_normal((n, 7)).astype(np.float32)
    index = hnsw.MemoryIndex(rows, "l2")
    query = rng.standard_normal(7).astype(np.float32)
    for k in (1, 5, 400):
        np.testing.assert_array_equal(index.search(query, k=k)[0], hnsw.exact(rows, "l2", query, k=k)[0])


@pytest.mark.parametrize("dim", [1, 2, 63, 65, 129, 960])
def test_dimensions(dim):
    rng = np.random.default_rng(dim)
    rows = clustered(rng, 1500, dim)
    index = hnsw.MemoryIndex(rows, "l2", m=8, threads=2)
    assert recall(index, rows, "l2", rows[:50]) >= 0.97


def test_identical_vectors():
    rows = np.ones((3000, 16), np.float32)
    ids, found, _ = hnsw.MemoryIndex(rows, "l2").search(rows[0], k=10)
    assert len(set(ids)) == 10 and not found.any()


def test_near_duplicates_side_by_side():
    rng = np.random.default_rng(5)
    base = clustered(rng, 300, 32)
    rows = np.repeat(base, 10, axis=0) + 1e-3 * rng.standard_normal((3000, 32)).astype(np.float32)
    assert recall(hnsw.MemoryIndex(rows, "cosine", threads=2), rows, "cosine", rows[::60]) >= 0.98


def test_cosine_takes_vectors_of_any_length():
    rng = np.random.default_rng(6)
    rows = clustered(rng, 2000, 32)
    scaled = rows * rng.uniform(1e-3, 1e3, (2000, 1)).astype(np.float32)
    scaled[7] = 0
    index = hnsw.MemoryIndex(scaled, "cosine")
    assert recall(index, scaled, "cosine", rows[:40]) >= 0.98


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"m": 1}, "m must be between 2 and 100"),
        ({"m": 101}, "m must be between"),
        ({"ef_construction": 3}, "ef_construction must be between"),
        ({"metric": "l1"}, "orders by l2, cosine or ip, not l1"),
    ],
)
def test_options_out_of_range(arguments, message):
    with pytest.raises(RuntimeError, match="^BadValue: .*" + message):
        hnsw.MemoryIndex(np.ones((3, 4), np.float32), **arguments)


def test_too_many_dimensions():
    with pytest.raises(RuntimeError, match="^Dimension: .* takes 1 to 16128 dimensions"):
        hnsw.MemoryIndex(np.ones((2, 16200), np.float32), "l2")
    index = hnsw.MemoryIndex(np.eye(3, 16128, dtype=np.float32), "l2")
    np.testing.assert_array_equal(index.search(np.eye(1, 16128), k=1)[0], [0])
