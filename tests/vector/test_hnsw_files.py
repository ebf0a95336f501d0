"""Graphs in the files of a store: build, absorb, delete, vacuum, check, reopen; and damaged pages."""

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from turdb._testing import hnsw

DIM = 24
FIRST_ROW = 1000  # row ids of the binding are slots + 1000


def clustered(seed, n, dim=DIM):
    rng = np.random.default_rng(seed)
    centre = np.random.default_rng(99).standard_normal((20, dim))
    return (centre[rng.integers(0, 20, n)] + 0.5 * rng.standard_normal((n, dim))).astype(np.float32)


def recall(index, queries, k=10, **search):
    hit = total = 0
    for query in queries:
        truth = index.exact(query, k=k)[0]
        ids = index.search(query, k=k, **search)[0]
        assert len(ids) == len(truth)
        hit += len(set(ids) & set(truth))
        total += len(truth)
    return 1.0 if total == 0 else hit / total


@pytest.fixture
def built():
    index = hnsw.FileIndex(dim=DIM)
    index.append(clustered(1, 3000))
    index.build(threads=2)
    return index


def test_build_and_search(built):
    assert built.check() == []
    assert built.meta()["node_count"] == built.meta()["present_count"] == 3000
    assert recall(built, clustered(2, 60)) >= 0.98
    ids, found, counters = built.search(clustered(1, 3000)[0], k=1)
    assert ids[0] == FIRST_ROW and found[0] == 0 and counters["method"] == "graph"


def test_every_node_is_within_reach_after_each_small_batch():
    """New links push others out: whoever loses the last link to it gets another at once, not some batches later."""
    rng = np.random.default_rng(5)
    index = hnsw.FileIndex(dim=8, m=3, ef_construction=30)
    index.append(clustered(3, 40, 8))
    index.build()
    for batch in range(120):
        near = rng.standard_normal((30, 8))[rng.integers(0, 30, 30)] * 3
        spread = 0.01 if batch % 3 else 1
        index.append((near + spread * rng.standard_normal((30, 8))).astype(np.float32))
        index.absorb()
        assert index.check() == [], batch


@pytest.mark.parametrize("metric", ["l2", "cosine", "ip"])
def test_on_disk_and_reopened(tmp_path, metric):
    index = hnsw.FileIndex(str(tmp_path / "db"), DIM, metric)
    index.append(clustered(1, 2000))
    index.build()
    queries = clustered(2, 40)
    before = [index.search(query)[0] for query in queries]
    index.checkpoint()
    index.reopen()
    assert index.meta()["is_flat"]
    assert index.check() == []
    np.testing.assert_array_equal([index.search(query)[0] for query in queries], before)
    assert recall(index, queries) >= 0.97


def test_the_tail_is_searched_at_once(built):
    tail = clustered(3, 200)
    built.append(tail)
    for i in (0, 17, 199):
        ids, found, counters = built.search(tail[i], k=5)
        assert ids[0] == FIRST_ROW + 3000 + i and found[0] == 0
        assert counters["tail"] == 200
    assert recall(built, clustered(2, 30)) >= 0.98


def test_absorb_in_steps(built):
    built.append(clustered(3, 2500))
    assert built.absorb(3100) == 100
    assert built.absorb(3100) == 0
    assert built.meta()["node_count"] == 3100
    assert built.absorb(threads=2) == 2400
    assert built.check() == []
    assert built.search(clustered(2, 1)[0])[2]["tail"] == 0
    assert recall(built, clustered(2, 60)) >= 0.98
    built.checkpoint()
    built.reopen()
    assert built.check() == []
    assert recall(built, clustered(2, 60)) >= 0.98


def test_absorb_into_an_empty_graph_trains_it():
    index = hnsw.FileIndex(dim=DIM, metric="cosine", m=8)
    index.build()
    assert index.meta()["present_count"] == 0
    assert len(index.search(np.ones(DIM))[0]) == 0
    index.append(clustered(1, 1500) + 5)  # far from the origin: an untrained code would be coarse
    index.absorb(threads=2)
    assert index.check() == []
    assert recall(index, clustered(2, 50) + 5) >= 0.97


def test_absorb_does_not_depend_on_threads():
    results = []
    for threads in (1, 3):
        index = hnsw.FileIndex(dim=DIM)
        index.build()
        index.append(clustered(1, 1200))
        index.absorb(threads=threads)
        results.append([index.search(query)[0].tolist() for query in clustered(2, 30)])
    assert results[0] == results[1]


def test_a_stopped_absorb_changes_nothing(built):
    built.append(clustered(3, 2500))
    before = built.meta()
    with pytest.raises(RuntimeError, match="^Interrupted"):
        built.absorb(progress=lambda done, total: done < 500)
    assert built.meta() == before
    assert built.check() == []


def test_a_stopped_build_can_be_begun_again():
    index = hnsw.FileIndex(dim=DIM)
    index.append(clustered(1, 500))
    with pytest.raises(RuntimeError, match="^Interrupted"):
        index.build(progress=lambda done, total: done < 100)
    index.build()
    assert index.check() == []


def test_deleted_rows_are_not_found_and_do_not_cost_recall(built):
    queries = clustered(2, 40)
    gone = [int(i) - FIRST_ROW for query in queries for i in built.exact(query, k=10)[0]]
    built.delete(sorted(set(gone)))
    assert built.check() == []
    assert built.meta()["deleted_count"] == len(set(gone))
    for query in queries:
        ids = built.search(query)[0]
        assert not set(ids - FIRST_ROW) & set(gone)
    assert recall(built, queries) >= 0.98


def test_delete_twice_and_in_the_tail(built):
    built.append(clustered(3, 10))
    built.delete([5, 3001])
    built.delete([5])
    assert built.meta()["deleted_count"] == 1
    assert built.check() == []
    assert FIRST_ROW + 3001 not in built.search(clustered(3, 10)[1], k=50)[0]
    built.absorb()
    assert built.check() == []
    assert built.meta()["present_count"] == 3009


def test_vacuum_keeps_recall(built):
    rng = np.random.default_rng(4)
    for round_ in range(3):
        live = built.exact(np.zeros(DIM), k=10_000)[0] - FIRST_ROW
        built.delete(rng.choice(live, len(live) // 3, replace=False).tolist())
        dropped = built.meta()["deleted_count"]
        assert built.vacuum(threads=2) == dropped
        assert built.vacuum() == 0
        assert built.check() == []
        assert built.meta()["deleted_count"] == 0
        assert recall(built, clustered(2, 60)) >= 0.97, round_
        assert built.search(clustered(2, 1)[0])[2]["method"] == "graph"


def test_vacuum_of_a_whole_region(built):
    ids = built.exact(clustered(2, 1)[0], k=1000)[0] - FIRST_ROW
    built.delete(ids.tolist())
    assert built.vacuum() == 1000
    assert built.check() == []
    assert recall(built, clustered(2, 60)) >= 0.97


def test_delete_everything_then_start_again(built):
    built.delete(list(range(3000)))
    assert len(built.search(np.zeros(DIM))[0]) == 0
    assert built.vacuum() == 3000
    assert built.meta()["present_count"] == 0
    assert built.check() == []
    built.append(clustered(5, 800))
    built.absorb()
    assert built.check() == []
    assert recall(built, clustered(2, 40)) >= 0.98


def test_clear(built):
    pages = built.meta()["page_count"]
    built.clear()
    assert built.meta()["node_count"] == 0
    built.append(clustered(5, 2900))
    built.absorb(threads=2)
    assert built.meta()["page_count"] == pages
    assert built.check() == []
    assert recall(built, clustered(2, 40)) >= 0.98


def test_many_islands():
    index = hnsw.FileIndex(dim=4, m=2, ef_construction=8)
    rng = np.random.default_rng(6)
    index.append(np.repeat(rng.standard_normal((30, 4)).astype(np.float32), 50, axis=0))
    index.build()
    assert index.check() == []
    index.append(np.repeat(rng.standard_normal((10, 4)).astype(np.float32), 50, axis=0))
    index.absorb()
    assert index.check() == []


def test_the_examples_of_the_format_pages():
    assert hnsw.node_place(384, 16, 5000) == (185, 9280)  # docs/format/hnsw.md
    assert hnsw.vector_place(384, 25) == (4, 56, 7808)  # docs/format/vectors.md
    assert hnsw.vector_place(4081, 3) == (8, 16, 64)


@pytest.mark.parametrize("dim, half", [(4080, False), (4081, False), (9000, False), (48, True), (8161, True)])
def test_vectors_that_span_pages_or_are_halves(dim, half):
    index = hnsw.FileIndex(dim=dim, metric="cosine", half=half, m=6, ef_construction=40)
    rows = clustered(1, 120, dim)
    index.append(rows)
    index.build(threads=2)
    assert index.check() == []
    for i in (0, 60, 119):
        ids, found, _ = index.search(rows[i], k=3)
        assert ids[0] == FIRST_ROW + i and found[0] < 1e-3
    assert recall(index, rows[:20], k=3) >= 0.95


# --- damage -------------------------------------------------------------------------------------------


def test_damaged_header_is_refused(built):
    # Offsets of the header's fields: format/hnsw_page.h.
    for offset, damage in ((17, b"\x09"), (18, b"\0\0"), (20, b"\0\0"), (31, b"\xff"), (39, b"\xff"), (43, b"\x01"), (44, b"\xc8")):
        index = hnsw.FileIndex(dim=DIM)
        index.append(clustered(1, 50))
        index.build()
        index.poke(1, offset, damage)
        with pytest.raises(RuntimeError, match="^Corruption: vector index 'root/t.hnsw', page 1"):
            index.search(np.zeros(DIM))
    built.poke(1, 16, b"\x07")
    with pytest.raises(RuntimeError, match="^NewerFormat"):
        built.search(np.zeros(DIM))


def test_random_damage_never_crashes(built):
    rng = np.random.default_rng(7)
    pages = built.meta()["page_count"]
    queries = clustered(2, 5)
    everything = np.full(60, 2**64 - 1, np.uint64)
    for _ in range(60):
        page = int(rng.integers(2, pages))
        offset = int(rng.integers(16, 16300))
        built.poke(page, offset, rng.integers(0, 256, int(rng.integers(1, 80)), dtype=np.uint8).tobytes())
        for query in queries:
            for bits in (None, everything):
                try:
                    ids, found, _ = built.search(query, filter=bits)
                    assert len(ids) <= 10 and (np.diff(found) >= 0).all()
                except RuntimeError as error:
                    assert "Corruption" in str(error)
    assert built.check() != []
    built.append(clustered(3, 100))
    for work in (built.absorb, lambda: built.delete([1, 2, 3]), built.vacuum, built.clear):
        try:
            work()
        except RuntimeError as error:
            assert "Corruption" in str(error)


def test_check_finds_what_is_wrong():
    node = 64  # the first node of the first page: codes, 16 bytes of terms, count, level, flags, block, links
    first_node_page = hnsw.node_place(DIM, 16, 0)[0]
    cases = [
        (16, (40_000).to_bytes(2, "little"), "node 0 has 40000 links"),
        (24, (0).to_bytes(4, "little"), "links to itself"),
        (24, (199).to_bytes(4, "little") * 2, "has a link twice"),
        (24, (70_000).to_bytes(4, "little"), "links to node 70000 of 200"),
        (19, b"\x00", "the header counts 200 nodes, there are 199"),
        (19, b"\x03", "the header counts 0 deleted nodes, there are 1"),
        (0, b"\x00\x00\xc0\x7f", "not finite"),
    ]
    for offset, damage, finding in cases:
        index = hnsw.FileIndex(dim=DIM)
        index.append(clustered(1, 200))
        index.build()
        index.poke(first_node_page, node + 64 + offset, damage)
        assert any(finding in found for found in index.check()), (finding, index.check())
    index = hnsw.FileIndex(dim=DIM)
    index.append(clustered(1, 200))
    index.build()
    index.delete([9], in_graph=False)
    assert index.check() == ["node 9 is alive, but its vector has no row"]
    assert FIRST_ROW + 9 not in index.search(clustered(1, 200)[9])[0]


# --- a model ------------------------------------------------------------------------------------------


class GraphMachine(RuleBasedStateMachine):
    """Any order of appends, deletes, absorbs, vacuums and reopens; the model is the exact scan."""

    @initialize(metric=st.sampled_from(["l2", "cosine", "ip"]), m=st.sampled_from([4, 12]))
    def start(self, metric, m):
        self.index = hnsw.FileIndex(dim=DIM, metric=metric, m=m, ef_construction=64)
        self.index.build()
        self.slots = 0
        self.live = set()

    @rule(n=st.integers(1, 120), seed=st.integers(0, 1000))
    def append(self, n, seed):
        self.index.append(clustered(seed, n))
        self.live |= set(range(self.slots, self.slots + n))
        self.slots += n

    @rule(data=st.data(), part=st.floats(0, 1))
    def delete(self, data, part):
        count = int(len(self.live) * part)
        gone = sorted(self.live)[:: max(1, len(self.live) // max(count, 1))][:count]
        self.index.delete(gone)
        self.live -= set(gone)

    @rule(end=st.integers(0, 500), threads=st.integers(1, 2))
    def absorb(self, end, threads):
        self.index.absorb(end, threads)

    @rule()
    def vacuum(self):
        self.index.vacuum()

    @rule()
    def checkpoint_and_reopen(self):
        self.index.checkpoint()
        self.index.reopen()

    @rule(seed=st.integers(0, 1000), k=st.sampled_from([1, 10, 40]))
    def search(self, seed, k):
        queries = clustered(seed, 5)
        for query in queries:
            ids = self.index.search(query, k=k, ef=100)[0]
            assert len(ids) == min(k, len(self.live))
            assert set(ids - FIRST_ROW) <= self.live
        assert recall(self.index, queries, k=k, ef=100) >= 0.85

    @invariant()
    def is_sound(self):
        if hasattr(self, "index"):
            assert [f for f in self.index.check() if "cannot be reached" not in f] == []


GraphMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestGraphMachine = GraphMachine.TestCase
