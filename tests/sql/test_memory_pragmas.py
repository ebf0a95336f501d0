"""cache_size, cache_spill, checkpoint_interval, wal_checkpoint(mode): their values, and what they refuse."""

import os
import sqlite3

import pytest

import turdb

default_cache = pytest.mark.skipif("TURDB_TEST_PAGE_CACHE_BYTES" in os.environ, reason="another default cache size")


def one(con, sql):
    return con.execute(sql).fetchone()[0]


@default_cache
def test_cache_size_counts_pages_or_kibibytes(tmp_path):
    con = turdb.connect(tmp_path / "db")
    assert one(con, "PRAGMA cache_size") == -65536
    con.execute("PRAGMA cache_size = -2000")
    assert (
        one(con, "PRAGMA cache_size") == -2000 == sqlite3.connect(":memory:").execute("PRAGMA cache_size").fetchone()[0]
    )
    con.execute("PRAGMA cache_size = 100")  # pages of 16 KiB
    assert one(con, "PRAGMA cache_size") == -1600
    assert one(turdb.connect(tmp_path / "db"), "PRAGMA cache_size") == -1600  # one cache a database
    for bad in ("'many'", "99999999999999999"):
        with pytest.raises(turdb.DataError, match="cache_size"):
            con.execute(f"PRAGMA cache_size = {bad}")
    assert one(con, "PRAGMA cache_size") == -1600


@default_cache
def test_page_cache_size_of_connect(tmp_path):
    con = turdb.connect(tmp_path / "db", page_cache_size=1 << 20)
    assert one(con, "PRAGMA cache_size") == -1024
    assert one(turdb.connect(tmp_path / "db"), "PRAGMA cache_size") == -1024
    assert one(turdb.connect(tmp_path / "db", page_cache_size=2 << 20), "PRAGMA cache_size") == -2048


def test_cache_spill_and_interval(tmp_path):
    con = turdb.connect(tmp_path / "db")
    con.execute("PRAGMA cache_spill = off")
    assert one(con, "PRAGMA cache_spill") == 0
    con.execute("PRAGMA cache_spill = on")
    assert one(con, "PRAGMA cache_spill") > 0
    assert one(con, "PRAGMA checkpoint_interval") == 300
    con.execute("PRAGMA checkpoint_interval = 10")
    assert one(con, "PRAGMA checkpoint_interval") == 10
    with pytest.raises(turdb.DataError, match="checkpoint_interval"):
        con.execute("PRAGMA checkpoint_interval = -1")


def test_wal_checkpoint_takes_the_modes_of_sqlite(tmp_path):
    con = turdb.connect(tmp_path / "db", autocommit=True)
    con.execute("CREATE TABLE t(a)")
    for mode in ("", "(PASSIVE)", "(FULL)", "(RESTART)", "(TRUNCATE)", "(truncate)"):
        con.execute("INSERT INTO t VALUES (1)")
        busy, log, _ = con.execute(f"PRAGMA wal_checkpoint{mode}").fetchone()
        assert (busy, log) == (0, 0)
    with pytest.raises(turdb.DataError, match="PASSIVE, FULL, RESTART or TRUNCATE"):
        con.execute("PRAGMA wal_checkpoint(SOMETIMES)")


def test_an_open_cursor_keeps_its_rows_and_the_log_goes(tmp_path):
    con = turdb.connect(tmp_path / "db", autocommit=True)
    con.execute("PRAGMA auto_vacuum = NONE")  # it commits, too
    con.execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT)")
    con.executemany("INSERT INTO t VALUES (?, ?)", ((i, f"first {i}" * 20) for i in range(20000)))
    con.execute("PRAGMA wal_checkpoint")
    cursor = con.execute("SELECT a, b FROM t ORDER BY a")
    rows = cursor.fetchmany(10)
    other = turdb.connect(tmp_path / "db", autocommit=True)
    for round_ in range(3):
        other.execute("UPDATE t SET b = ? || a", (f"round {round_} ",))
        assert other.execute("PRAGMA wal_checkpoint").fetchone()[:2] == (0, 0)
    assert other.execute("SELECT count(*) FROM t WHERE b = 'round 2 ' || a").fetchone()[0] == 20000
    rows += cursor.fetchall()
    assert rows == [(i, f"first {i}" * 20) for i in range(20000)]


def test_a_transaction_ten_times_the_cache(tmp_path):
    con = turdb.connect(tmp_path / "db", autocommit=True, page_cache_size=1 << 20)
    con.execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c)")
    con.execute("CREATE INDEX i ON t(c)")
    con.execute("BEGIN")
    con.executemany("INSERT INTO t VALUES (?, ?, ?)", ((i, "x" * 400, (i * 7919) % 40009) for i in range(40000)))
    con.execute("UPDATE t SET b = b || a WHERE c % 3 = 0")
    con.execute("SAVEPOINT s")
    con.execute("DELETE FROM t")
    con.execute("ROLLBACK TO s")
    con.execute("COMMIT")
    expected = sum((i * 7919) % 40009 % 3 == 0 for i in range(40000))
    assert one(con, "SELECT count(*) FROM t WHERE length(b) > 400") == expected
    con.close()
    con = turdb.connect(tmp_path / "db")
    assert one(con, "SELECT count(*) FROM t WHERE b = 'x' || substr(b, 2) AND length(b) > 400") == expected
    assert one(con, "SELECT count(*) FROM t INDEXED BY i WHERE c >= 0") == 40000
