"""VACUUM: nothing is lost, room comes back, readers see one state or the other."""

import os

import numpy as np
import pytest
from support.vacuumed import Stop, check, content, data_bytes, database_path, fill, open_quiet, thin_out  # noqa: F401

import turdb


def test_vacuum_keeps_everything_and_gives_room_back(path):
    con = open_quiet(path)
    vectors = fill(con)
    thin_out(con)
    before, used = content(con), data_bytes(con)
    check(con)
    con.execute("VACUUM")
    assert content(con) == before
    check(con)
    assert data_bytes(con) < used * 0.75
    space = con.execute("SELECT sum(free_pages), max(dead_bytes) FROM turdb_catalog.storage WHERE schema <> 'turdb_catalog'")
    free_pages, dead_bytes = space.fetchone()
    assert free_pages == 0
    assert dead_bytes < 16384  # room in the last page of pieces of long values
    # By index, by vector, by view; and AUTOINCREMENT goes on.
    assert con.execute("SELECT id FROM t WHERE name = 'Name 1583'").fetchall() == [(i,) for i in range(0, 3000, 4) if i * 7919 % 3000 == 1583]
    ids, _ = con.knn("t", "e", vectors[400:440:4], 1)
    assert ids[:, 0].tolist() == list(range(400, 440, 4))
    assert con.execute("SELECT count(*) FROM v").fetchone() == (25,)
    con.execute("INSERT INTO a(x) VALUES ('next')")
    assert con.execute("SELECT max(id) FROM a").fetchone() == (501,)
    con.commit()
    after = content(con)
    con.close()
    con = turdb.connect(path)
    assert content(con) == after
    check(con)
    con.close()


def test_vacuum_again_and_again(path):
    con = open_quiet(path)
    fill(con, 500)
    for _ in range(3):
        before = content(con)
        con.execute("VACUUM")
        con.execute("PRAGMA wal_checkpoint")
        assert content(con) == before
    names = sorted(name for name in os.listdir(os.path.join(path, "root")))
    assert len(names) == len(con.execute("SELECT 1 FROM turdb_catalog.storage WHERE schema = 'root'").fetchall())
    con.close()


@pytest.mark.parametrize("statement, touched", [
    ("VACUUM t", {"root.t"}), ("VACUUM main.w", {"root.w"}), ("VACUUM s", {"s.t"}), ("VACUUM s.t", {"s.t"}),
    ("VACUUM main", {"root.t", "root.w", "root.a", "root.keyless", "root.empty", "s.t"}), ("VACUUM v", set()),
])
def test_vacuum_of_a_part(path, statement, touched):
    con = open_quiet(path)
    fill(con, 300)
    query = "SELECT schema || '.' || table_name, path FROM turdb_catalog.storage WHERE kind = 'table'"
    old = dict(con.execute(query).fetchall())
    con.execute(statement)
    assert {name for name, where in con.execute(query) if old[name] != where} == touched
    check(con)
    con.close()


def test_refusals(path, tmp_path):
    con = open_quiet(path)
    con.execute("CREATE TABLE t(x)")
    with pytest.raises(turdb.OperationalError, match="unknown database nope"):
        con.execute("VACUUM nope")
    with pytest.raises(turdb.OperationalError, match="no such table: s.nope"):
        con.execute("VACUUM s.nope")
    con.execute("BEGIN")
    for sql in ("VACUUM", "VACUUM INTO 'x'", "PRAGMA incremental_vacuum"):
        with pytest.raises(turdb.OperationalError, match="cannot VACUUM from within a transaction"):
            con.execute(sql)
    con.rollback()
    (tmp_path / "file").write_text("x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "something").write_text("x")
    for target in ("file", "full"):
        with pytest.raises(turdb.OperationalError, match="output file already exists"):
            con.execute("VACUUM INTO ?", (str(tmp_path / target),))
    with pytest.raises(turdb.OperationalError, match="there is no folder"):
        con.execute("VACUUM INTO ?", (str(tmp_path / "no" / "where"),))
    for value in (3, None, b"x", ""):
        with pytest.raises(turdb.DataError, match="non-text filename"):
            con.execute("VACUUM INTO ?", (value,))
    with pytest.raises(turdb.ProgrammingError):
        con.execute("VACUUM INTO ?")
    con.close()
    with turdb.connect(path, read_only=True) as reader:
        with pytest.raises(turdb.OperationalError, match="readonly"):
            reader.execute("VACUUM")
    reader.close()


def test_readers_keep_their_snapshot(path):
    con = open_quiet(path)
    fill(con, 1500)
    touched, untouched, walking = (turdb.connect(path, isolation_level=None) for _ in range(3))
    for reader in (touched, untouched):
        reader.execute("BEGIN")
    before = content(touched)
    assert untouched.execute("SELECT count(*) FROM a").fetchone() == (500,)  # its snapshot is taken, t never looked at
    cursor = walking.execute("SELECT id, name, note FROM t ORDER BY id")
    seen = [cursor.fetchone()]
    thin_out(con)
    after = content(con)
    con.execute("VACUUM")
    con.execute("PRAGMA wal_checkpoint")
    con.execute("VACUUM")
    con.execute("DELETE FROM a")
    con.commit()
    assert content(touched) == before
    assert content(untouched) == before
    check(untouched)
    ids, _ = touched.knn("t", "e", np.zeros(16, np.float32), 5)
    assert np.array_equal(ids, untouched.knn("t", "e", np.zeros(16, np.float32), 5)[0])
    seen += cursor.fetchall()
    assert [row[0] for row in seen] == list(range(1500))
    for reader in (touched, untouched):
        reader.execute("COMMIT")
    after["a"] = (after["a"][0], [])
    assert content(touched) == after
    for each in (con, touched, untouched, walking):
        each.close()


def test_an_interrupted_vacuum_changes_nothing(path):
    con = open_quiet(path)
    fill(con, 2000)
    thin_out(con)
    before = content(con)
    for limit in (0, 1, 5, 20):
        con.set_progress_handler(Stop(limit), 1)
        with pytest.raises(turdb.OperationalError, match="interrupted"):
            con.execute("VACUUM t")
        con.set_progress_handler(None, 0)
        assert content(con) == before
        check(con)
    con.execute("VACUUM")
    con.execute("PRAGMA wal_checkpoint")
    assert content(con) == before
    assert len(os.listdir(os.path.join(path, "root"))) == len(
        con.execute("SELECT 1 FROM turdb_catalog.storage WHERE schema = 'root'").fetchall())
    con.close()


def test_progress_reaches_its_total(path):
    con = open_quiet(path)
    fill(con, 2000)
    thin_out(con)
    reports = []
    con.set_report_handler(lambda phase, done, total: reports.append((phase, done, total)))
    con.execute("VACUUM t")
    con.set_report_handler(None)
    assert reports and {phase for phase, _, _ in reports} == {"vacuum"}
    assert len({total for _, _, total in reports}) == 1
    done = [done for _, done, _ in reports]
    assert done == sorted(done) and done[-1] == reports[0][2]
    con.close()


def test_vacuum_in_memory():
    con = open_quiet(":memory:")
    fill(con, 1000)
    thin_out(con)
    before = content(con)
    con.execute("VACUUM")
    assert content(con) == before
    check(con)
    con.close()


def test_wide_vectors(path):
    """Vectors that span pages, and their graph."""
    con = open_quiet(path)
    con.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, e VECTOR(5000))")
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(40, 5000)).astype(np.float32)
    con.append("t", {"id": np.arange(40), "e": vectors})
    con.execute("CREATE INDEX h ON t USING hnsw (e vector_l2_ops) WITH (m = 4)")
    con.execute("DELETE FROM t WHERE id % 2")
    con.commit()
    con.execute("VACUUM")
    check(con)
    for (i, e) in con.execute("SELECT id, e FROM t"):
        assert np.array_equal(e, vectors[i])
    assert con.knn("t", "e", vectors[::2], 1)[0][:, 0].tolist() == list(range(0, 40, 2))
    con.close()
