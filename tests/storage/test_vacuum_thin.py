"""Leaves that are half empty because rows have gone: how much they hold is guessed, and the automatic vacuum packs them."""

import random

import pytest
from support.vacuumed import check, data_bytes, database_path, open_quiet  # noqa: F401
from support.waiting import wait_until

import turdb

SPACE = "SELECT name, bytes, unused_bytes, free_pages FROM turdb_catalog.storage WHERE table_name = ? ORDER BY name"
TABLES = {
    "rows": "CREATE TABLE {}(id INTEGER PRIMARY KEY, a TEXT)",
    "keys": "CREATE TABLE {}(id INTEGER, a TEXT, PRIMARY KEY (id)) WITHOUT ROWID",
    "index": "CREATE TABLE {0}(id INTEGER PRIMARY KEY, a TEXT); CREATE INDEX {0}_a ON {0}(a)",
}


def fill(con, table, keys, rng):
    con.executemany(f"INSERT INTO {table} VALUES (?, ?)", [(key, f"{rng.randrange(10**9)} {key}") for key in keys])
    con.commit()


def halve(con, table, n, rng):
    """Deletes a random half of the rows."""
    con.executemany(f"DELETE FROM {table} WHERE id = ?", [(key,) for key in rng.sample(range(n), n // 2)])
    con.commit()


def vacuumed_tables(con):
    return con.execute("SELECT value FROM turdb_catalog.statistics WHERE name = 'vacuumed_tables'").fetchone()[0]


@pytest.mark.parametrize("kind", TABLES)
def test_unused_bytes_are_what_vacuum_gives_back(path, kind):
    con, rng = open_quiet(path), random.Random(3)
    con.executescript(TABLES[kind].format("t"))
    fill(con, "t", range(60_000), rng)
    con.execute("VACUUM")
    for name, size, unused, _ in con.execute(SPACE, ("t",)):
        assert unused < size / 8, name
    halve(con, "t", 60_000, rng)
    before = con.execute(SPACE, ("t",)).fetchall()
    con.execute("VACUUM")
    for (name, size, unused, free), (_, packed, _, _) in zip(before, con.execute(SPACE, ("t",)).fetchall()):
        gained = size - packed - free * 16384
        assert unused > size / 3, name
        assert abs(unused - gained) < size / 8, (name, unused, gained)
    con.close()


def test_rows_too_long_for_their_pages_leave_nothing_of_use(path):
    """Rows of 9,000 bytes lie alone in their pages, also after a VACUUM: what is left of the pages is not counted."""
    con = open_quiet(path)
    con.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, a, b, c)")
    con.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", [(i, *(b"x" * 3000 for _ in range(3))) for i in range(300)])
    con.commit()
    (_, size, unused, _), = con.execute(SPACE, ("t",))
    assert size > 300 * 16384
    assert unused == 0
    con.close()


@pytest.mark.parametrize("kind", TABLES)
def test_automatic_vacuum_after_a_random_half_went(path, kind):
    con, rng = turdb.connect(path), random.Random(4)
    con.executescript(TABLES[kind].format("t"))
    n = 150_000
    fill(con, "t", range(n), rng)
    before = data_bytes(con)
    halve(con, "t", n, rng)
    wait_until(lambda: data_bytes(con) < before * 0.7)
    assert con.execute("SELECT count(*) FROM t").fetchone() == (n // 2,)
    check(con)
    con.close()


def test_a_table_that_only_grows_is_not_packed_again(path):
    """Full leaves split in halves when a few rows come between theirs. Packing them would have them split by the next few."""
    con, rng = turdb.connect(path), random.Random(5)
    n = 400_000
    for table in "tu":
        con.execute(TABLES["rows"].format(table))
        fill(con, table, range(0, 2 * n, 2), rng)
    size = "SELECT bytes FROM turdb_catalog.storage WHERE name = ?"
    (loaded,) = con.execute(size, ("u",)).fetchone()
    con.execute("PRAGMA auto_vacuum = NONE")
    con.execute("DELETE FROM t WHERE id % 4 = 2")
    con.execute("DELETE FROM u WHERE id % 4 = 2")
    con.commit()
    con.execute("PRAGMA auto_vacuum = FULL")
    wait_until(lambda: vacuumed_tables(con) == 2)
    # Every leaf of t gets some rows, and u loses another half: that shows when t, the older table, has been looked at.
    fill(con, "t", range(1, 2 * n, 100), rng)
    con.execute("DELETE FROM u WHERE id % 8 = 4")
    con.commit()
    (_, split, unused, _), = con.execute(SPACE, ("t",))
    assert unused > split / 4
    wait_until(lambda: con.execute(size, ("u",)).fetchone()[0] < loaded * 0.3)
    assert vacuumed_tables(con) == 3
    check(con)
    con.close()


def test_incremental_vacuum_counts_thin_leaves(path):
    con, rng = turdb.connect(path), random.Random(6)
    con.execute("PRAGMA auto_vacuum = INCREMENTAL")
    con.execute(TABLES["rows"].format("t"))
    fill(con, "t", range(150_000), rng)
    before = data_bytes(con)
    halve(con, "t", 150_000, rng)
    con.execute("PRAGMA incremental_vacuum(10)")
    assert data_bytes(con) < before * 0.7
    check(con)
    con.close()
