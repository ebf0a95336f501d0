"""Databases whose rows are replaced over and over: the automatic vacuum keeps their size, VACUUM their recall, and nobody waits."""

import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
from support.vacuumed import check, data_bytes, database_path, disk_bytes  # noqa: F401
from support.waiting import wait_until

import turdb


def replace_all(con, rng, dim, n, batch=1000):
    """Every row gets another vector and another name."""
    for first in range(0, n, batch):
        ids = list(range(first, min(first + batch, n)))
        vectors = rng.normal(size=(len(ids), dim)).astype(np.float32)
        con.executemany("UPDATE t SET name = ?, e = ? WHERE id = ?", [(f"{rng.integers(1 << 40)}", v, i) for i, v in zip(ids, vectors)])
    con.commit()


def dead_share(con):
    """The largest share of a large file that holds nothing."""
    rows = con.execute(
        "SELECT (free_pages * 16384.0 + dead_bytes) / bytes FROM turdb_catalog.storage "
        "WHERE free_pages * 16384.0 + dead_bytes > 2 << 20").fetchall()
    return max((share for (share,) in rows), default=0)


def test_churn_does_not_grow_the_disk(path):
    """20 times every row is replaced; the files stay below twice what they were."""
    con = turdb.connect(path)
    n, dim = 1200, 512
    rng = np.random.default_rng(5)
    con.execute(f"CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, e VECTOR({dim}))")
    con.execute("CREATE INDEX i ON t(name)")
    con.append("t", {"id": np.arange(n), "name": [f"{i}" for i in range(n)], "e": rng.normal(size=(n, dim)).astype(np.float32)})
    con.commit()
    con.execute("PRAGMA wal_checkpoint")
    first = data_bytes(con)
    for _ in range(20):
        replace_all(con, rng, dim, n)
        wait_until(lambda: dead_share(con) <= 0.5)
        assert data_bytes(con) <= 2 * first + (4 << 20)
    wait_until(lambda: data_bytes(con) <= 2 * first + (1 << 20))
    con.execute("PRAGMA wal_checkpoint")
    assert disk_bytes(path) <= 2 * first + (34 << 20)  # and what a log of two segments takes, the catalog, and the like
    check(con)
    assert con.execute("SELECT value > 0 FROM turdb_catalog.statistics WHERE name = 'vacuumed_tables'").fetchone() == (1,)
    con.close()


def recall(con, vectors, queries, k=10):
    found, _ = con.knn("t", "e", queries, k)
    truth = np.argsort((vectors ** 2).sum(axis=1) - 2 * queries @ vectors.T, axis=1)[:, :k]
    return np.mean([len(set(a) & set(b)) / k for a, b in zip(found.tolist(), truth.tolist())])


def test_recall_after_every_row_was_replaced(path):
    con = turdb.connect(path)
    n, dim = 2500, 32
    rng = np.random.default_rng(11)
    vectors = rng.normal(size=(n, dim)).astype(np.float32)
    queries = rng.normal(size=(200, dim)).astype(np.float32)
    con.execute(f"CREATE TABLE t(id INTEGER PRIMARY KEY, e VECTOR({dim}))")
    con.append("t", {"id": np.arange(n), "e": vectors})
    con.execute("CREATE INDEX h ON t USING hnsw (e vector_l2_ops)")
    con.commit()
    fresh = recall(con, vectors, queries)
    for part in np.array_split(rng.permutation(n), 5):
        vectors[part] = rng.normal(size=(len(part), dim)).astype(np.float32)
        con.executemany("UPDATE t SET e = ? WHERE id = ?", [(vectors[i], int(i)) for i in part])
        con.commit()
        con.execute("PRAGMA hnsw_absorb = sync")
    plan = con.execute("EXPLAIN SELECT id FROM t ORDER BY e <-> ? LIMIT 10", (queries[0],)).fetchall()
    assert "USING HNSW INDEX h" in str(plan)
    churned = recall(con, vectors, queries)
    con.execute("VACUUM")
    check(con)
    vacuumed = recall(con, vectors, queries)
    assert churned >= fresh - 0.01
    assert vacuumed >= fresh - 0.01
    con.close()


def test_automatic_vacuum_after_a_delete(path):
    con = turdb.connect(path)
    assert con.execute("PRAGMA auto_vacuum").fetchone() == (1,)
    con.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, pad BLOB)")
    con.executemany("INSERT INTO t VALUES (?, ?)", [(i, os.urandom(1000)) for i in range(10000)])
    con.commit()
    before = data_bytes(con)
    con.execute("DELETE FROM t WHERE id >= 1000")
    con.commit()
    wait_until(lambda: data_bytes(con) < before / 4)
    assert con.execute("SELECT count(*), sum(length(pad)) FROM t").fetchone() == (1000, 1000000)
    check(con)
    con.close()


def test_automatic_vacuum_waits_for_transactions(path):
    con, other = turdb.connect(path), turdb.connect(path, isolation_level=None)
    con.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, pad BLOB)")
    con.executemany("INSERT INTO t VALUES (?, ?)", [(i, os.urandom(1000)) for i in range(5000)])
    con.commit()
    before = data_bytes(con)
    other.execute("BEGIN")
    assert other.execute("SELECT count(*) FROM t").fetchone() == (5000,)
    con.execute("DELETE FROM t WHERE id >= 100")
    con.commit()
    time.sleep(0.3)
    assert other.execute("SELECT count(*) FROM t").fetchone() == (5000,)
    assert data_bytes(con) == before
    other.execute("COMMIT")
    con.execute("INSERT INTO t VALUES (-1, x'')")
    con.commit()
    wait_until(lambda: data_bytes(con) < before / 4)
    con.close()
    other.close()


def test_auto_vacuum_setting_is_kept(path):
    con = turdb.connect(path)
    for mode, number in (("none", 0), ("INCREMENTAL", 2), ("full", 1), (2, 2)):
        con.execute(f"PRAGMA auto_vacuum = {mode}")
        assert con.execute("PRAGMA auto_vacuum").fetchone() == (number,)
    with pytest.raises(turdb.DataError, match="NONE, FULL or INCREMENTAL"):
        con.execute("PRAGMA auto_vacuum = 7")
    con.close()
    con = turdb.connect(path)
    assert con.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    con.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, pad BLOB)")
    con.executemany("INSERT INTO t VALUES (?, ?)", [(i, os.urandom(1000)) for i in range(5000)])
    con.execute("DELETE FROM t WHERE id >= 100")
    con.commit()
    assert con.execute("PRAGMA freelist_count").fetchone()[0] > 100
    pages = con.execute("PRAGMA page_count").fetchone()[0]
    con.execute("PRAGMA incremental_vacuum")
    assert con.execute("PRAGMA freelist_count").fetchone()[0] < 5
    assert con.execute("PRAGMA page_count").fetchone()[0] < pages / 4
    check(con)
    con.close()


def test_writers_are_not_held_up_by_the_automatic_vacuum(path):
    """Every write goes through without waiting for a rebuild to end: with a timeout of a second none is refused."""
    con = turdb.connect(path, timeout=1, isolation_level=None)
    rng = np.random.default_rng(2)
    n, dim = 6000, 128
    con.execute(f"CREATE TABLE t(id INTEGER PRIMARY KEY, e VECTOR({dim}))")
    con.append("t", {"id": np.arange(n), "e": rng.normal(size=(n, dim)).astype(np.float32)})
    con.execute("CREATE INDEX h ON t USING hnsw (e vector_l2_ops)")
    con.execute("DELETE FROM t WHERE id % 3")
    other = turdb.connect(path, timeout=1, isolation_level=None)
    for i in range(200):
        other.execute("BEGIN IMMEDIATE")
        other.execute("INSERT INTO t VALUES (?, ?)", (n + i, rng.normal(size=dim).astype(np.float32)))
        other.execute("COMMIT")
        con.execute("UPDATE t SET id = id WHERE id = 0")
    assert con.execute("SELECT count(*) FROM t").fetchone() == (n // 3 + 200,)
    check(con)
    con.close()
    other.close()
    shutil.rmtree(path)


@pytest.mark.leaves_damage
def test_automatic_vacuum_goes_on_past_a_damaged_table(path):
    con = turdb.connect(path)
    con.execute("PRAGMA auto_vacuum = NONE")
    con.commit()
    for table in "abc":
        con.execute(f"CREATE TABLE {table}(id INTEGER PRIMARY KEY, x TEXT)")
        con.executemany(f"INSERT INTO {table} VALUES (?, ?)", [(i, f"{i:040}") for i in range(120_000)])
    con.commit()
    (file,) = con.execute("SELECT path FROM turdb_catalog.storage WHERE name = 'b'").fetchone()
    con.close()
    with open(os.path.join(path, file), "r+b") as data:
        data.seek(60 * 16384 + 5000)
        data.write(b"damaged")
    con = turdb.connect(path)
    before = dict(con.execute("SELECT name, pages FROM turdb_catalog.storage").fetchall())
    for table in "abc":
        con.execute(f"DELETE FROM {table} WHERE id > 50000")
    con.commit()
    con.execute("PRAGMA auto_vacuum = FULL")
    con.commit()

    def pages(table):
        return con.execute("SELECT pages FROM turdb_catalog.storage WHERE name = ?", (table,)).fetchone()[0]

    wait_until(lambda: pages("a") < before["a"] * 0.6 and pages("c") < before["c"] * 0.6)
    statistics = dict(con.execute("SELECT name, value FROM turdb_catalog.statistics").fetchall())
    assert statistics["vacuumed_tables"] == 2 and statistics["vacuum_failures"] == 1
    assert pages("b") >= before["b"]
    with pytest.raises(turdb.DatabaseError, match="damaged"):
        con.execute("SELECT sum(length(x)) FROM b").fetchone()
    con.close()


def test_automatic_vacuum_is_tried_again_when_there_was_no_room(path):
    """A table that does not fit keeps others from nothing, and has its turn when there is room again."""
    program = """
import resource, sys, time, turdb
con = turdb.connect(sys.argv[1], isolation_level=None)
con.execute("PRAGMA auto_vacuum = NONE")
for table, n in (("large", 300_000), ("small", 60_000)):
    con.execute(f"CREATE TABLE {table}(id INTEGER PRIMARY KEY, x TEXT)")
    con.executemany(f"INSERT INTO {table} VALUES (?, ?)", [(i, f"{i:040}") for i in range(n)])
con.execute("PRAGMA wal_checkpoint(RESTART)")
(before,) = con.execute("SELECT pages FROM turdb_catalog.storage WHERE name = 'large'").fetchone()
con.execute("DELETE FROM large WHERE id >= 200000")
con.execute("DELETE FROM small WHERE id >= 30000")
con.execute("PRAGMA wal_checkpoint(RESTART)")

def value(name):
    return con.execute("SELECT value FROM turdb_catalog.statistics WHERE name = ?", (name,)).fetchone()[0]

def wait_until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, con.execute("SELECT name, value FROM turdb_catalog.statistics").fetchall()
        time.sleep(0.02)

hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 20, hard))  # of each file
con.execute("PRAGMA auto_vacuum = FULL")
wait_until(lambda: value("vacuum_failures") >= 1 and value("vacuumed_tables") == 1)
assert con.execute("SELECT count(*) FROM large").fetchone() == (200_000,)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
wait_until(lambda: value("vacuumed_tables") == 2)
assert con.execute("SELECT pages FROM turdb_catalog.storage WHERE name = 'large'").fetchone()[0] < before * 0.75
assert con.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
"""
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
