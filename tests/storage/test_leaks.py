"""The leak check and the page counts that it stands on; the check must be able to fail."""

import pytest
from support import leaks

import turdb


def fill(con):
    con.isolation_level = None
    con.execute("create table t (id integer primary key, body, e vector(8))")
    con.execute("create index by_body on t (body)")
    con.execute("create index by_e on t using hnsw (e vector_l2_ops)")
    con.execute("create table k (a text primary key, b) without rowid")
    con.execute("create view v as select * from t")
    con.execute("create schema s")
    con.execute("create table s.t (a)")
    con.executemany("insert into t values (?, ?, ?)", [(i, "b" * (i * 7 % 6000), bytes(32)) for i in range(600)])
    con.executemany("insert into k values (?, ?)", [("k" * (i % 3000) + str(i), i) for i in range(600)])


def test_page_counts():
    con = turdb.connect(":memory:", isolation_level=None)
    cur = con.cursor()
    assert cur.execute("pragma page_count").fetchall() == [(2,)]
    assert cur.execute("pragma freelist_count").fetchall() == [(0,)]
    assert cur.execute("pragma page_size").fetchall() == [(16384,)]
    con.execute("create table t (a)")
    con.executemany("insert into t values (?)", [("x" * 3000 + str(i),) for i in range(1000)])
    pages = cur.execute("pragma page_count").fetchone()[0]
    assert 200 < pages < 300  # five rows a page
    con.execute("delete from t where rowid % 4")
    assert cur.execute("pragma page_count").fetchone()[0] == pages
    assert cur.execute("pragma freelist_count").fetchone()[0] > pages / 4
    con.execute("delete from t")
    assert leaks.used_pages(cur) == 2 + 2  # the table's header and its root


@pytest.mark.parametrize("place", ["memory", "disk"])
def test_a_dropped_database_is_as_small_as_an_empty_one(place, tmp_path):
    path = None if place == "memory" else str(tmp_path / "d.turdb")
    con = turdb.connect(path or ":memory:")
    fill(con)
    assert leaks.used_pages(con.cursor()) > 100
    leaks.check(con, path)
    con.close()


def test_the_check_finds_pages_that_stay(monkeypatch):
    con = turdb.connect(":memory:")
    fill(con)
    with monkeypatch.context() as patch:
        patch.setattr(leaks, "drop_everything", lambda cur: cur.execute("drop table k"))
        with pytest.raises(leaks.Leak, match="pages in use"):
            leaks.check(con)


def test_the_check_finds_files_that_stay(tmp_path):
    path = tmp_path / "d.turdb"
    con = turdb.connect(str(path))
    fill(con)
    con.execute("pragma wal_checkpoint")
    (path / "root").mkdir(exist_ok=True)
    stray = path / "root" / "forgotten.idx"
    stray.write_bytes(bytes(16384))
    with pytest.raises(leaks.Leak, match=r"forgotten\.idx"):
        leaks.check(con, path)
    stray.unlink()
    con.close()
