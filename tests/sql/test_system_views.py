"""turdb_catalog.storage, .statistics and .transactions: ordinary sources of SELECT that say what is there."""

import os
import re

import numpy as np
import pytest

import turdb


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "db")


@pytest.fixture
def con(path):
    con = turdb.connect(path, isolation_level=None)
    con.execute("PRAGMA auto_vacuum = NONE")
    con.execute("PRAGMA hnsw_absorb = off")
    con.execute("CREATE TABLE docs(id INTEGER PRIMARY KEY, title TEXT UNIQUE, e VECTOR(32))")
    con.execute("CREATE SCHEMA s")
    con.execute("CREATE TABLE s.notes(x)")
    con.execute("CREATE VIEW v AS SELECT 1")
    vectors = np.random.default_rng(1).normal(size=(3000, 32)).astype(np.float32)
    con.append("docs", {"id": np.arange(3000), "title": [f"title {i * 7919 % 3000} {i ** 7}" for i in range(3000)], "e": vectors})
    con.execute("CREATE INDEX graph ON docs USING hnsw (e vector_l2_ops)")
    yield con
    con.close()


def test_storage_lists_every_file(con, path):
    rows = con.execute("SELECT schema, name, kind, table_name, path FROM turdb_catalog.storage ORDER BY path").fetchall()
    assert [(schema, name, kind, table) for schema, name, kind, table, _ in rows] == [
        ("root", "e", "vectors", "docs"),
        ("root", "graph", "vector index", "docs"),
        ("root", "sqlite_autoindex_docs_1", "index", "docs"),
        ("root", "docs", "table", "docs"),
        ("s", "notes", "table", "notes"),
        ("turdb_catalog", "catalog", "catalog", "catalog"),
    ]
    con.execute("PRAGMA wal_checkpoint")
    for where, size, pages in con.execute("SELECT path, bytes, pages FROM turdb_catalog.storage"):
        assert size == pages * 16384
        assert os.path.getsize(os.path.join(path, where)) >= size


def test_storage_shows_what_is_dead(con):
    query = "SELECT kind, free_pages, dead_bytes FROM turdb_catalog.storage WHERE table_name = 'docs'"
    assert all(free == 0 and dead == 0 for _, free, dead in con.execute(query))
    con.execute("DELETE FROM docs WHERE id >= 1000")
    after = {kind: (free, dead) for kind, free, dead in con.execute(query)}
    assert after["table"][0] > 0 and after["index"][0] >= 0
    assert after["vectors"] == (0, 2000 * 32 * 4)
    assert after["vector index"][1] >= 2000 * 32
    assert con.execute("SELECT sum(free_pages) FROM turdb_catalog.storage").fetchone() == con.execute("PRAGMA freelist_count").fetchone()
    assert con.execute("SELECT sum(pages) FROM turdb_catalog.storage").fetchone() == con.execute("PRAGMA page_count").fetchone()
    con.execute("VACUUM")
    assert all(free == 0 and dead == 0 for _, free, dead in con.execute(query))


def test_storage_counts_rows(con):
    rows = dict(con.execute("SELECT kind, rows FROM turdb_catalog.storage WHERE table_name = 'docs'").fetchall())
    assert rows["vectors"] == 3000 and rows["vector index"] == 3000
    assert 1500 <= rows["table"] <= 6000  # an estimate from the tree


def test_storage_joins_and_aliases(con):
    assert con.execute(
        "SELECT m.type, st.name FROM sqlite_master AS m JOIN turdb_catalog.storage AS st ON st.name = m.name "
        "WHERE st.schema = 'root' ORDER BY st.name").fetchall() == [("table", "docs"), ("index", "graph"), ("index", "sqlite_autoindex_docs_1")]
    assert con.execute("SELECT turdb_catalog.storage.name, storage.kind FROM turdb_catalog.storage WHERE kind = 'vectors'").fetchall() == [("e", "vectors")]
    assert con.execute("SELECT kind, count(*) FROM TURDB_CATALOG.Storage GROUP BY kind HAVING count(*) > 1").fetchall() == [("table", 2)]
    assert con.execute("CREATE VIEW big AS SELECT name FROM turdb_catalog.storage WHERE kind = 'vector index'").fetchall() == []
    assert con.execute("SELECT * FROM big").fetchall() == [("graph",)]


def test_names_do_not_shadow_users(con):
    for sql in ("SELECT * FROM storage", "SELECT * FROM main.storage", 'SELECT * FROM "turdb_catalog.storage"',
                "SELECT * FROM turdb_catalog.absent", "SELECT * FROM turdb_catalog.docs"):
        with pytest.raises(turdb.OperationalError, match="no such table"):
            con.execute(sql)
    con.execute("CREATE TABLE storage(mine)")
    con.execute("INSERT INTO storage VALUES (1)")
    assert con.execute("SELECT * FROM storage").fetchall() == [(1,)]
    assert con.execute("SELECT count(*) FROM turdb_catalog.storage").fetchone() == (7,)


@pytest.mark.parametrize("sql", [
    "INSERT INTO turdb_catalog.storage(name) VALUES ('x')", "DELETE FROM turdb_catalog.statistics", "UPDATE turdb_catalog.transactions SET id = 1",
])
def test_not_writable(con, sql):
    with pytest.raises(turdb.OperationalError, match=r"table turdb_catalog\.\w+ may not be modified"):
        con.execute(sql)


def test_nothing_may_be_created_there(con):
    for sql in ("CREATE TABLE turdb_catalog.t(x)", "CREATE VIEW turdb_catalog.v AS SELECT 1", "CREATE SCHEMA turdb_catalog"):
        with pytest.raises(turdb.OperationalError):
            con.execute(sql)


def statistics(con):
    return dict(con.execute("SELECT name, value FROM turdb_catalog.statistics").fetchall())


def test_statistics(con):
    before = statistics(con)
    con.execute("INSERT INTO s.notes VALUES (1)")
    con.execute("INSERT INTO s.notes VALUES (2)")
    after = statistics(con)
    assert after["commits"] == before["commits"] + 2
    assert after["syncs"] > before["syncs"]
    assert after["wal_bytes_written"] > before["wal_bytes_written"]
    con.execute("PRAGMA wal_checkpoint")
    assert statistics(con)["checkpoints"] == after["checkpoints"] + 1
    assert statistics(con)["pages_written"] > after["pages_written"]
    for name, value, unit, description in con.execute("SELECT * FROM turdb_catalog.statistics"):
        assert re.fullmatch(r"[a-z_]+", name) and isinstance(value, int) and unit and description
    assert len(statistics(con)) == len(con.execute("SELECT name FROM turdb_catalog.statistics").fetchall())


def test_pages_read_and_cache_hits(con, path):
    con.execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b)")
    con.append("t", {"a": np.arange(20000), "b": ["x" * 50] * 20000})
    con.execute("PRAGMA wal_checkpoint")
    pages = con.execute("SELECT pages FROM turdb_catalog.storage WHERE name = 't'").fetchone()[0]
    before = statistics(con)
    assert con.execute("SELECT count(b) FROM t").fetchone() == (20000,)
    after = statistics(con)
    assert pages - 5 <= after["pages_read"] - before["pages_read"] <= 2 * pages + 20
    assert after["cache_hits"] - before["cache_hits"] <= 20
    for i in range(100):
        con.execute("SELECT b FROM t WHERE a = ?", (i * 199,)).fetchone()
    points = statistics(con)
    assert 200 <= points["pages_read"] - after["pages_read"] <= 1000
    con.execute("UPDATE t SET b = b || 'y'")  # every page has a version in memory now
    before = statistics(con)
    assert con.execute("SELECT count(b) FROM t").fetchone() == (20000,)
    after = statistics(con)
    assert after["cache_hits"] - before["cache_hits"] >= pages - 5
    assert after["pages_read"] - before["pages_read"] <= 20


def test_pages_of_a_running_statement_are_counted(con, path):
    con.execute("CREATE TABLE t(a)")
    con.append("t", {"a": np.arange(9000)})
    con.execute("PRAGMA wal_checkpoint")
    before = statistics(con)["pages_read"]
    rows = con.execute("SELECT (SELECT y.a FROM t AS y WHERE y.rowid = x.a) FROM t AS x")
    rows.fetchmany(8900)
    other = turdb.connect(path, isolation_level=None)
    assert statistics(other)["pages_read"] - before >= 4096
    rows.close()
    other.close()


@pytest.mark.skipif(not os.path.exists("/proc/self/io"), reason="only Linux tells")
def test_what_the_system_tells_of_reading(con):
    now = statistics(con)
    assert now["disk_read_bytes"] >= 0 and now["major_page_faults"] >= 0


def test_transactions(con, path):
    query = "SELECT connection, is_own, isolation, state, private_bytes FROM turdb_catalog.transactions ORDER BY id"
    assert con.execute(query).fetchall() == []
    other = turdb.connect(path, isolation_level=None)
    other.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
    (row,) = con.execute(query).fetchall()
    assert row[1:] == (0, "READ COMMITTED", "reading", 0)
    con.execute("BEGIN")
    rows = con.execute(query).fetchall()
    assert [r[1] for r in rows] == [0, 1] and rows[1][2:4] == ("SNAPSHOT", "reading")
    con.execute("INSERT INTO s.notes VALUES (1)")
    rows = other.execute(query).fetchall()
    assert [r[1] for r in rows] == [1, 0] and rows[1][3] == "writing" and rows[1][4] >= 16384
    lsn, started = con.execute("SELECT snapshot_lsn, started FROM turdb_catalog.transactions WHERE is_own").fetchone()
    assert lsn > 0 and re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", started)
    assert con.execute("SELECT abs(julianday('now') - julianday(?)) < 0.01", (started,)).fetchone() == (1,)
    assert statistics(con)["open_transactions"] == 2
    con.execute("ROLLBACK")
    other.close()
    assert con.execute(query).fetchall() == []


def test_savepoints_and_failures_leave_the_list(con):
    con.execute("SAVEPOINT a")
    assert con.execute("SELECT count(*) FROM turdb_catalog.transactions").fetchone() == (1,)
    con.execute("RELEASE a")
    con.execute("BEGIN")
    with pytest.raises(turdb.OperationalError):
        con.execute("BEGIN")
    con.execute("COMMIT")
    assert con.execute("SELECT count(*) FROM turdb_catalog.transactions").fetchone() == (0,)


def test_in_memory_and_read_only(con, path):
    memory = turdb.connect(":memory:")
    memory.execute("CREATE TABLE t(x)")
    assert memory.execute("SELECT name, kind FROM turdb_catalog.storage").fetchall() == [("catalog", "catalog"), ("t", "table")]
    memory.close()
    con.execute("PRAGMA wal_checkpoint")
    reader = turdb.connect(path, read_only=True)
    assert reader.execute("SELECT count(*) FROM turdb_catalog.storage").fetchone() == (6,)
    assert statistics(reader)["open_transactions"] == 0
    reader.close()
