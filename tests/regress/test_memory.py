"""Memory that grew with the data elsewhere: builds, loads, searches and ordinary work, each in a process of its own.

What counts is memory that no file backs: pages of the database's files are the operating system's to drop.
"""

import os

import pytest
from support import programs
from support.sanitizer import measures_memory

MB = 1 << 20
pytestmark = [pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs /proc"), measures_memory]


def test_an_index_of_more_vectors_than_the_page_cache(path):
    """Point 8: a build ran out of memory, or crashed, once the graph was larger than what it was given. Here a cache of 1 MiB
    builds an index over 15 MiB of vectors: it needs memory for codes and links of the graph, not for the vectors."""
    out = programs.run("""
        n, dim = 4000, 960
        con = turdb.connect(path, isolation_level=None, page_cache_size=1 << 20)
        con.execute(f"create table t (id integer primary key, e vector({dim}))")
        rng = np.random.default_rng(1)
        base = rng.standard_normal((20, dim)).astype(np.float32)
        for first in range(0, n, 500):
            part = base[np.arange(500) % 20] + rng.standard_normal((500, dim)).astype(np.float32)
            con.append("t", {"id": np.arange(first, first + 500), "e": part})
        con.execute("select count(*) from t").fetchone()
        with Watch() as watch:
            con.execute("create index near on t using hnsw (e vector_l2_ops) with (m = 8, ef_construction = 40)")
        query = part[7]
        found = con.knn("t", "e", query, 10)[0]
        print(watch.grown, int(found[0, 0] == n - 500 + 7), len(set(found[0].tolist())))
        assert con.execute("pragma integrity_check").fetchall() == [("ok",)]
    """, path)
    grown, is_found, n = map(int, out.split())
    assert is_found and n == 10
    assert grown < 13 * MB  # codes are a quarter of the vectors: 4 MB


def test_automatic_vacuum_builds_graphs_within_the_memory_of_statements(path):
    """Point 8, for a build that nobody asked for: automatic vacuum made a graph anew in memory, however large it was."""
    out = programs.run("""
        n, dim = 40000, 512
        con = turdb.connect(path, isolation_level=None, page_cache_size=1 << 20)
        con.execute("pragma synchronous = off")
        con.execute(f"create table t (id integer primary key, e vector({dim}))")
        rng = np.random.default_rng(1)
        for first in range(0, n, 4000):
            con.append("t", {"id": np.arange(first, first + 4000), "e": rng.standard_normal((4000, dim)).astype(np.float32)})
        con.execute("create index near on t using hnsw (e vector_l2_ops) with (m = 8, ef_construction = 16)")
        con.execute("pragma wal_checkpoint")
        con.execute("pragma auto_vacuum = none")
        con.execute("delete from t where id % 8 < 5")
        con.execute("pragma wal_checkpoint")
        with Watch() as watch:
            con.execute("pragma auto_vacuum = full")
            con.execute("create table awakes_the_background (x)")
            deadline = time.monotonic() + 120
            while not con.execute("select value from turdb_catalog.statistics where name = 'vacuumed_tables'").fetchone()[0]:
                assert time.monotonic() < deadline
                time.sleep(0.02)
        graph = con.execute("select bytes, dead_bytes from turdb_catalog.storage where kind = 'vector index'").fetchone()
        assert con.execute("pragma integrity_check").fetchall() == [("ok",)]
        print(watch.grown, *graph)
    """, path)
    grown, graph, dead = map(int, out.split())
    assert dead == 0 and graph > 9 * MB  # it was built anew
    assert grown < 17 * MB  # 12 for blocks of vectors on their way; the graph would be 10 more


def test_ordinary_work_stays_within_its_memory(path):
    """Point 11: memory was not bounded by any limit, and grew while the process ran. Here rounds of inserts, updates, searches,
    sorts and deletes take what the first ones took."""
    out = programs.run("""
        con = turdb.connect(path, isolation_level=None, page_cache_size=2 << 20)
        con.execute("pragma synchronous = off")
        con.execute("pragma statement_memory = 1048576")
        con.execute("create table t (id integer primary key, body text, e vector(64))")
        con.execute("create index by_body on t (body)")
        con.execute("create index near on t using hnsw (e vector_l2_ops) with (m = 4, ef_construction = 20)")
        rng = np.random.default_rng(1)

        def work(round_):
            first = round_ * 1000
            con.append("t", {"id": np.arange(first, first + 1000), "body": [f"{i} " + "x" * 500 for i in range(1000)],
                             "e": rng.standard_normal((1000, 64)).astype(np.float32)})
            con.execute("update t set body = body || 'y' where id % 7 = ?", (round_ % 7,))
            con.knn("t", "e", rng.standard_normal((20, 64)), 10, where="id % 2 = 0")
            for _ in con.execute("select body from t order by body desc"):
                pass
            con.execute("delete from t where id < ?", (first - 2000,))

        for round_ in range(4):
            work(round_)
        with Watch() as watch:
            for round_ in range(4, 12):
                work(round_)
        print(watch.grown)
    """, path)
    assert int(out) < 12 * MB


def test_searching_does_not_load_the_vectors(path):
    """Point 11: opening a collection read rows x dimensions x 4 bytes into memory. Here a search touches the pages it needs."""
    programs.run("""
        con = turdb.connect(path, isolation_level=None)
        con.execute("create table t (id integer primary key, e vector(1024))")
        rng = np.random.default_rng(1)
        con.append("t", {"id": np.arange(5000), "e": rng.standard_normal((5000, 1024)).astype(np.float32)})
        con.close()
    """, path)
    out = programs.run("""
        query = np.ones(1024, np.float32)
        with Watch() as watch:
            con = turdb.connect(path, read_only=True)
            rows = con.execute("select id from t order by e <-> ? limit 10", (query,)).fetchall()
        assert len(rows) == 10
        print(watch.grown)
    """, path)
    assert int(out) < 8 * MB  # of 20


@pytest.mark.parametrize("isolation", [None, ""])
def test_executemany_of_an_iterator(path, isolation):
    """All sets of an executemany were held before the first went in: 400 MiB of them here."""
    out = programs.run(f"""
        con = turdb.connect(path, isolation_level={isolation!r}, page_cache_size=8 << 20)
        con.execute("create table t (id integer primary key, b blob)")
        con.commit()
        with Watch() as watch:
            con.executemany("insert into t values (?, ?)", ((i, os.urandom(16) * 4096) for i in range(6400)))
            con.commit()
        print(watch.grown, con.execute("select count(*), sum(length(b)) from t").fetchone())
    """, path)
    grown, rest = out.split(" ", 1)
    assert rest.strip() == f"(6400, {6400 * 65536})"
    assert int(grown) < 60 * MB
