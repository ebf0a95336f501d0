"""VACUUM INTO: a compact copy of one moment, whole or not there."""

import threading

import pytest
from support.vacuumed import Stop, check, content, data_bytes, database_path, fill, open_quiet, thin_out  # noqa: F401

import turdb


def test_vacuum_into_is_a_compact_copy(path, tmp_path):
    con = open_quiet(path)
    vectors = fill(con)
    thin_out(con)
    con.execute("PRAGMA user_version = 77")
    before = content(con)
    target = str(tmp_path / "copy.turdb")
    con.execute("VACUUM INTO ?", (target,))
    assert content(con) == before
    copy = turdb.connect(target)
    assert content(copy) == before
    check(copy)
    assert copy.execute("PRAGMA user_version").fetchone() == (77,)
    assert data_bytes(copy) < data_bytes(con) * 0.75
    assert copy.knn("t", "e", vectors[8:16:4], 1)[0][:, 0].tolist() == [8, 12]
    copy.execute("INSERT INTO a(x) VALUES (1)")
    copy.commit()
    assert copy.execute("SELECT max(id) FROM a").fetchone() == (501,)
    con.close()
    copy.close()


def test_vacuum_into_an_empty_folder_and_by_expression(path, tmp_path):
    con = open_quiet(path)
    con.execute("CREATE TABLE t(x)")
    con.execute("INSERT INTO t VALUES (1)")
    con.commit()
    (tmp_path / "empty").mkdir()
    con.execute("VACUUM main INTO :folder || '/' || :name", {"folder": str(tmp_path), "name": "empty"})
    with turdb.connect(str(tmp_path / "empty")) as copy:
        assert copy.execute("SELECT * FROM t").fetchall() == [(1,)]
    copy.close()
    con.close()


def test_vacuum_into_from_memory_and_read_only(path, tmp_path):
    con = open_quiet(":memory:")
    fill(con, 300)
    con.execute("VACUUM INTO ?", (path,))
    expected = content(con)
    con.close()
    with turdb.connect(path, read_only=True) as reader:
        assert content(reader) == expected
        reader.execute("VACUUM INTO ?", (str(tmp_path / "again"),))
    reader.close()
    with turdb.connect(str(tmp_path / "again")) as copy:
        assert content(copy) == expected
        check(copy)
    copy.close()


def test_a_failed_vacuum_into_leaves_nothing(path, tmp_path):
    con = open_quiet(path)
    fill(con, 2000)
    con.set_progress_handler(Stop(3), 1)
    with pytest.raises(turdb.OperationalError, match="interrupted"):
        con.execute("VACUUM INTO ?", (str(tmp_path / "copy"),))
    con.set_progress_handler(None, 0)
    assert not (tmp_path / "copy").exists()
    con.close()


def test_vacuum_into_beside_a_writer(path, tmp_path):
    """The copy shows one moment: in each the sum is zero."""
    con = open_quiet(path, isolation_level=None)
    con.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, x INTEGER, pad BLOB)")
    con.executemany("INSERT INTO t VALUES (?, 0, ?)", [(i, b"p" * 1000) for i in range(2000)])
    stop = threading.Event()

    def transfer():
        other = turdb.connect(path, isolation_level=None)
        i = 0
        while not stop.is_set():
            other.execute("BEGIN IMMEDIATE")
            other.execute("UPDATE t SET x = x + 1 WHERE id = ?", (i % 2000,))
            other.execute("UPDATE t SET x = x - 1 WHERE id = ?", ((i * 7 + 1) % 2000,))
            other.execute("COMMIT")
            i += 1
        other.close()

    writer = threading.Thread(target=transfer)
    writer.start()
    try:
        for i in range(3):
            con.execute("VACUUM INTO ?", (str(tmp_path / f"copy{i}"),))
    finally:
        stop.set()
        writer.join()
    for i in range(3):
        copy = turdb.connect(str(tmp_path / f"copy{i}"))
        assert copy.execute("SELECT count(*), sum(x) FROM t").fetchone() == (2000, 0)
        check(copy)
        copy.close()
    con.close()
