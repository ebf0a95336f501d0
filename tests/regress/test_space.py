"""Deleted data that kept its disk elsewhere, and saves that rewrote everything."""

import os

import numpy as np
from support.waiting import wait_until

import turdb


def disk_bytes(path):
    return sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(path) for name in names)


def data_bytes(con):
    return con.execute("select sum(bytes) from turdb_catalog.storage").fetchone()[0]


def statistics(con):
    return dict(con.execute("select name, value from turdb_catalog.statistics").fetchall())


class Written:
    """Bytes that go to the log, and with a checkpoint to the files, for what is done inside."""

    def __init__(self, con):
        self.con = con

    def __enter__(self):
        self.con.execute("pragma wal_checkpoint")
        self.before = statistics(self.con)
        return self

    def __exit__(self, *_):
        after = statistics(self.con)
        self.log = after["wal_bytes_written"] - self.before["wal_bytes_written"]
        self.con.execute("pragma wal_checkpoint")
        self.files = 16384 * (statistics(self.con)["pages_written"] - self.before["pages_written"])


# --- point 6: deleted data keeps its disk --------------------------------------------------------------


def small_rows(con, n, first=0):
    con.append("t", {"id": np.arange(first, first + n), "body": [f"row {i}" for i in range(first, first + n)],
                     "e": np.random.default_rng(1).standard_normal((n, 8)).astype(np.float32)})


def test_the_room_of_deleted_rows_is_given_back(path):
    """Point 6: 80,000 small rows that were deleted left gigabytes behind, for good. Here the background gives the room back,
    and nothing is left of what the rows took."""
    con = turdb.connect(path, isolation_level=None)
    con.execute("create table t (id integer primary key, body text unique, e vector(8))")
    empty = data_bytes(con)
    small_rows(con, 80_000)
    con.execute("pragma wal_checkpoint")
    full = data_bytes(con)
    assert full > 5 << 20
    con.execute("delete from t where id >= 100")
    wait_until(lambda: data_bytes(con) < empty + (2 << 20))
    con.execute("delete from t where id > 0")
    con.execute("vacuum")
    con.execute("pragma wal_checkpoint")
    assert data_bytes(con) <= empty + (256 << 10)
    assert con.execute("select id, body from t").fetchall() == [(0, "row 0")]
    con.close()
    assert disk_bytes(path) < 512 << 10


def test_the_room_of_deleted_rows_is_used_again(path):
    """Point 6: each time data was deleted and loaded again the file grew, without a vacuum. Pages that are free are used."""
    con = turdb.connect(path, isolation_level=None)
    con.execute("pragma auto_vacuum = none")
    con.execute("create table t (id integer primary key, body text unique, n integer)")
    sizes = []
    for round_ in range(4):
        con.executemany("insert into t values (?, ?, ?)", [(i, f"row {i} of {round_}", i) for i in range(20_000)])
        sizes.append(data_bytes(con))
        con.execute("delete from t where n >= 0" if round_ % 2 else "delete from t")
    assert max(sizes) <= 1.1 * sizes[0]
    assert con.execute("pragma integrity_check").fetchall() == [("ok",)]
    con.close()


def test_many_small_commits_leave_no_versions(path):
    """Point 6: every commit left a version of the table; 22,000 of them took 15 GB. Here a row that is changed 3,000 times
    takes the room of a row."""
    con = turdb.connect(path, isolation_level=None)
    con.execute("pragma synchronous = off")
    con.execute("create table t (id integer primary key, body text, e vector(64))")
    con.execute("create index near on t using hnsw (e vector_l2_ops)")
    con.executemany("insert into t values (?, 'x', ?)", [(i, [float(i)] * 64) for i in range(10)])
    for i in range(3000):
        con.execute("update t set body = ? where id = ?", (f"version {i}", i % 10))
    con.execute("pragma wal_checkpoint")
    assert data_bytes(con) < 1 << 20
    assert con.execute("select body from t where id = 9").fetchone() == ("version 2999",)
    con.close()
    assert disk_bytes(path) < 2 << 20


# --- point 10: a save rewrites the whole index -----------------------------------------------------------


def large_table(path):
    con = turdb.connect(path, isolation_level=None)
    con.execute("pragma auto_vacuum = none")
    con.execute("create table t (id integer primary key, body text, e vector(64))")
    con.execute("create index by_body on t (body)")
    rng = np.random.default_rng(2)
    n = 6000
    con.append("t", {"id": np.arange(n), "body": [f"body {i} " + "x" * 200 for i in range(n)], "e": rng.standard_normal((n, 64)).astype(np.float32)})
    con.execute("create index near on t using hnsw (e vector_l2_ops)")
    con.execute("pragma hnsw_absorb = sync")
    con.execute("pragma hnsw_absorb = off")
    con.execute("pragma wal_checkpoint")
    assert data_bytes(con) > 4 << 20
    return con, rng


def test_one_row_more_writes_kilobytes(path):
    """Point 10: adding a row rewrote the whole index file at the next save. Here the log gets the bytes that changed, and a
    checkpoint the pages; the graph takes the vector in by changing its neighbours."""
    con, rng = large_table(path)
    e = rng.standard_normal(64).astype(np.float32)
    with Written(con) as insert:
        con.execute("insert into t values (100000, 'one more', ?)", (e,))
    assert insert.log < 16 << 10 and insert.files <= 20 * 16384
    with Written(con) as absorb:
        con.execute("pragma hnsw_absorb = sync")
    assert absorb.log < 64 << 10 and absorb.files <= 1 << 20
    assert con.knn("t", "e", e, 1)[0].tolist() == [[100000]]
    con.close()


def test_one_row_changed_writes_kilobytes(path):
    """Point 10: a change of one row, or of its vector, wrote the table. The same for a row that is deleted."""
    con, rng = large_table(path)
    for sql, parameters in (("update t set body = 'changed' where id = 3000", ()),
                            ("update t set e = ? where id = 3000", (rng.standard_normal(64),)),
                            ("delete from t where id = 3000", ())):
        with Written(con) as change:
            con.execute(sql, parameters)
        assert change.log < 16 << 10 and change.files <= 20 * 16384, sql
    con.close()


def test_nothing_changed_writes_nothing(path):
    """Point 10: a save without changes wrote everything once more."""
    con, _ = large_table(path)
    with Written(con) as nothing:
        con.execute("select count(*) from t").fetchall()
        con.execute("update t set body = 'x' where id = -1")
        con.knn("t", "e", [0.0] * 64, 5)
    assert nothing.log < 1 << 10 and nothing.files == 0
    con.close()
