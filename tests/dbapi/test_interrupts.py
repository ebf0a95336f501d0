"""Long work asks often whether it is to stop, whatever it is at, and what was stopped has changed nothing."""

import numpy as np
import pytest

import turdb


class StopAt:
    """A progress handler that stops the work when it is called for the n-th time."""

    def __init__(self, n):
        self.left = n

    def __call__(self):
        self.left -= 1
        return self.left <= 0


@pytest.fixture(name="con")
def vectors_in_a_table():
    con = turdb.connect(":memory:", isolation_level=None)
    con.execute("PRAGMA hnsw_absorb = off")
    con.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, e VECTOR(8))")
    con.append("t", {"id": np.arange(3000), "a": ["x"] * 3000, "e": np.random.default_rng(1).normal(size=(3000, 8)).astype(np.float32)})
    yield con
    con.close()


def stop_at(con, n, work):
    handler = StopAt(n)
    con.set_progress_handler(handler, 1)
    with pytest.raises(turdb.OperationalError, match="interrupted"):
        work()
    con.set_progress_handler(None, 0)
    assert con.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_the_build_of_a_graph(con):
    """The last steps of a build take in a large part of the vectors each; there are twenty of them here, and hundreds of questions."""
    create = "CREATE INDEX i ON t USING hnsw (e vector_l2_ops)"
    stop_at(con, 300, lambda: con.execute(create))
    assert con.execute("SELECT count(*) FROM sqlite_master WHERE name = 'i'").fetchone() == (0,)
    con.execute(create)


def test_vectors_on_their_way_into_a_graph(con):
    con.execute("CREATE INDEX i ON t USING hnsw (e vector_l2_ops)")
    con.append("t", {"id": np.arange(3000, 6000), "e": np.random.default_rng(2).normal(size=(3000, 8)).astype(np.float32)})
    with pytest.raises(turdb.OperationalError, match="interrupted"):
        con.set_progress_handler(StopAt(2), 1)
        con.execute("VACUUM")
    con.set_progress_handler(None, 0)
    query = np.zeros(8, np.float32)
    assert len(con.knn("t", "e", [query], 10)[0][0]) == 10
    assert con.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize("index", [False, True])
def test_append(con, index):
    if index:
        con.execute("CREATE INDEX i ON t(a)")
    rows = {"id": np.arange(10_000, 210_000), "a": [f"{i}" for i in range(200_000)]}
    stop_at(con, 20 + 40 * index, lambda: con.append("t", rows))
    assert con.execute("SELECT count(*) FROM t").fetchone() == (3000,)
    assert con.append("t", rows) == 200_000


def test_append_of_long_values(con):
    stop_at(con, 2, lambda: con.append("t", {"id": np.arange(10_000, 30_000), "a": ["long" * 2000] + ["x"] * 19_999}))
    assert con.execute("SELECT count(*) FROM t").fetchone() == (3000,)


@pytest.mark.parametrize("has_index", [False, True])
def test_a_batch_of_queries(con, has_index):
    if has_index:
        con.execute("CREATE INDEX i ON t USING hnsw (e vector_l2_ops)")
    queries = np.zeros((1000, 8), np.float32)
    stop_at(con, 100, lambda: con.knn("t", "e", queries, 5))
    assert con.knn("t", "e", queries, 5)[0].shape == (1000, 5)


@pytest.mark.parametrize("pragma", ["integrity_check", "quick_check"])
def test_checks_of_the_whole_database(con, pragma):
    con.append("t", {"id": np.arange(10_000, 210_000), "a": [f"a text to fill pages with {i}" for i in range(200_000)]})
    con.execute("CREATE INDEX i ON t(a)")
    con.execute("CREATE INDEX h ON t USING hnsw (e vector_l2_ops)")
    calls = []
    con.set_progress_handler(lambda: calls.append(1), 1)
    assert con.execute(f"PRAGMA {pragma}").fetchall() == [("ok",)]
    assert len(calls) > (500 if pragma == "integrity_check" else 5)
    stop_at(con, len(calls) - 2, lambda: con.execute(f"PRAGMA {pragma}").fetchall())
    stop_at(con, 4, lambda: con.execute(f"PRAGMA {pragma}").fetchall())
