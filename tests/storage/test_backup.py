"""Connection.backup: what sqlite3's does, and that the target is replaced at once or not at all."""

import os
import signal
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

import turdb


@pytest.fixture
def con():
    con = turdb.connect(":memory:")
    con.execute("CREATE TABLE foo(key INTEGER PRIMARY KEY, pad BLOB)")
    con.executemany("INSERT INTO foo VALUES (?, ?)", [(3, b"x" * 100), (4, b"y" * 50000)])
    con.commit()
    yield con
    con.close()


def keys(con):
    return [key for (key,) in con.execute("SELECT key FROM foo ORDER BY key")]


def check(con):
    assert con.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def big(path, n=2000):
    con = turdb.connect(path)
    con.execute("CREATE TABLE foo(key INTEGER PRIMARY KEY, pad BLOB, e VECTOR(8))")
    con.execute("CREATE INDEX i ON foo(pad)")
    rng = np.random.default_rng(1)
    con.executemany("INSERT INTO foo VALUES (?, ?, ?)", [(i, bytes(f"{i}", "ascii") * 100, rng.normal(size=8).astype(np.float32)) for i in range(n)])
    con.execute("CREATE INDEX h ON foo USING hnsw (e vector_l2_ops)")
    con.execute("DELETE FROM foo WHERE key % 3 = 0")
    con.commit()
    return con


# --- as sqlite3 (the cases of CPython's Lib/test/test_sqlite3/test_backup.py) -----------------------------------------


def test_bad_targets(con, tmp_path):
    for bad in (None, 3, object()):
        with pytest.raises(TypeError):
            con.backup(bad)
    with pytest.raises(TypeError):
        con.backup()
    with pytest.raises(ValueError, match="same connection"):
        con.backup(con)
    closed = turdb.connect(":memory:")
    closed.close()
    with pytest.raises(turdb.ProgrammingError, match="closed"):
        con.backup(closed)
    busy = turdb.connect(":memory:")
    busy.execute("CREATE TABLE bar(key INTEGER)")
    busy.executemany("INSERT INTO bar VALUES (?)", [(3,), (4,)])
    with pytest.raises(turdb.OperationalError, match="in use"):
        con.backup(busy)
    busy.rollback()
    con.backup(busy)
    assert keys(busy) == [3, 4]
    busy.close()


def test_closed_source():
    source, target = turdb.connect(":memory:"), turdb.connect(":memory:")
    source.close()
    with pytest.raises(turdb.ProgrammingError, match="closed"):
        source.backup(target)
    target.close()


def test_keyword_only_and_simple(con):
    with turdb.connect(":memory:") as target:
        with pytest.raises(TypeError):
            con.backup(target, 1)
        con.backup(target)
        assert keys(target) == [3, 4]
        check(target)
    target.close()


@pytest.mark.parametrize("pages", [1, 3, 1000, 0, -1])
def test_progress(con, pages):
    journal = []
    target = turdb.connect(":memory:")
    con.backup(target, pages=pages, progress=lambda status, remaining, total: journal.append((status, remaining, total)))
    assert len({total for _, _, total in journal}) == 1
    assert [status for status, _, _ in journal[:-1]] == [0] * (len(journal) - 1) and journal[-1][0] == 101
    remaining = [left for _, left, _ in journal]
    assert remaining == sorted(remaining, reverse=True) and remaining[-1] == 0
    if pages == 1:
        assert len(journal) >= journal[0][2]
    if pages <= 0:
        assert len(journal) == 1
    assert keys(target) == [3, 4]
    target.close()


def test_bad_arguments(con):
    target = turdb.connect(":memory:")
    with pytest.raises(TypeError, match="callable"):
        con.backup(target, progress="bar")
    with pytest.raises(TypeError):
        con.backup(target, sleep="bar")
    with pytest.raises(TypeError):
        con.backup(target, pages="bar")
    with pytest.raises(turdb.OperationalError, match="unknown database"):
        con.backup(target, name="non-existing")
    for name in ("main", "MAIN", "root"):
        con.backup(target, name=name, sleep=0)
    assert keys(target) == [3, 4]
    target.close()


def test_failing_progress_leaves_the_target(con):
    target = turdb.connect(":memory:")
    target.execute("CREATE TABLE old(x)")

    def progress(status, remaining, total):
        raise SystemError("nearly out of space")

    for pages in (1, 2):
        with pytest.raises(SystemError, match="out of space"):
            con.backup(target, pages=pages, progress=progress)
        assert target.execute("SELECT name FROM sqlite_master").fetchall() == [("old",)]
    target.execute("INSERT INTO old VALUES (1)")  # and it may be written again
    target.commit()
    con.backup(target)
    assert keys(target) == [3, 4]
    target.close()


# --- turdb's own -----------------------------------------------------------------------------------------------------


def test_everything_is_copied(tmp_path):
    source = big(str(tmp_path / "a"))
    source.executescript("CREATE SCHEMA s; CREATE TABLE s.t(x UNIQUE); INSERT INTO s.t VALUES (5); CREATE VIEW v AS SELECT key FROM foo; "
                         "PRAGMA user_version = 12; PRAGMA application_id = 13")
    target = turdb.connect(str(tmp_path / "b"))
    target.executescript("CREATE TABLE foo(other); CREATE TABLE gone(x UNIQUE); CREATE SCHEMA old; CREATE TABLE old.t(x)")
    source.backup(target, pages=10)
    for con in (source, target):
        check(con)
    query = "SELECT key, pad, vector_norm(e) FROM foo"
    assert target.execute(query).fetchall() == source.execute(query).fetchall()
    assert target.execute("SELECT x FROM s.t").fetchall() == [(5,)]
    assert target.execute("SELECT count(*) FROM v").fetchone() == source.execute("SELECT count(*) FROM v").fetchone()
    assert target.execute("PRAGMA user_version").fetchone() == (12,)
    assert target.execute("PRAGMA application_id").fetchone() == (13,)
    assert target.execute("SELECT name FROM sqlite_master ORDER BY 1").fetchall() == source.execute("SELECT name FROM sqlite_master ORDER BY 1").fetchall()
    probe = np.zeros(8, np.float32)
    assert np.array_equal(source.knn("foo", "e", probe, 5)[0], target.knn("foo", "e", probe, 5)[0])
    target.execute("INSERT INTO foo VALUES (10000, x'', NULL)")
    target.execute("CREATE TABLE new(x)")
    target.commit()
    target.close()
    target = turdb.connect(str(tmp_path / "b"))
    assert keys(target)[-1] == 10000
    paths = target.execute("SELECT path FROM turdb_catalog.storage WHERE schema = 'root'").fetchall()
    assert {f"root/{name}" for name in os.listdir(tmp_path / "b" / "root")} == {path for (path,) in paths}
    check(target)
    source.close()
    target.close()


def test_a_path_as_target_and_back_from_disk_to_memory(con, tmp_path):
    con.backup(tmp_path / "copy")
    with turdb.connect(str(tmp_path / "copy")) as disk:
        assert keys(disk) == [3, 4]
        memory = turdb.connect(":memory:")
        disk.backup(memory)
    disk.close()
    memory.execute("INSERT INTO foo VALUES (5, NULL)")
    assert keys(memory) == [3, 4, 5] and keys(con) == [3, 4]
    memory.close()


def test_one_database_cannot_be_both(tmp_path):
    a, b = turdb.connect(str(tmp_path / "db")), turdb.connect(str(tmp_path / "db"))
    with pytest.raises(turdb.ProgrammingError, match="distinct"):
        a.backup(b)
    a.close()
    b.close()


def test_read_only_target(con, tmp_path):
    turdb.connect(str(tmp_path / "db")).close()
    target = turdb.connect(str(tmp_path / "db"), read_only=True)
    with pytest.raises(turdb.OperationalError, match="readonly"):
        con.backup(target)
    target.close()


def test_target_written_by_somebody_else(con, tmp_path):
    holder, target = turdb.connect(str(tmp_path / "db")), turdb.connect(str(tmp_path / "db"), timeout=0.05)
    holder.execute("CREATE TABLE t(x)")
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(turdb.OperationalError) as caught:
        con.backup(target)
    assert caught.value.retryable
    holder.rollback()
    con.backup(target)
    assert keys(holder) == [3, 4]
    holder.close()
    target.close()


def test_writers_go_on_and_the_copy_shows_the_beginning(tmp_path):
    source, target = big(str(tmp_path / "a")), turdb.connect(str(tmp_path / "b"))
    expected = keys(source)
    writer = turdb.connect(str(tmp_path / "a"), isolation_level=None)
    steps = 0

    def progress(status, remaining, total):
        nonlocal steps
        steps += 1
        writer.execute("DELETE FROM foo WHERE key = ?", (expected[steps],))
        source.execute("INSERT INTO foo VALUES (?, x'00', NULL)", (100000 + steps,))
        source.commit()
        if steps == 3:
            writer.execute("VACUUM")
            writer.execute("PRAGMA wal_checkpoint")

    source.backup(target, pages=5, progress=progress)
    assert steps > 5
    assert keys(target) == expected
    check(target)
    check(source)
    for each in (source, target, writer):
        each.close()


def test_a_transaction_of_the_source_is_copied_as_it_stands(con):
    con.execute("INSERT INTO foo VALUES (5, NULL)")
    target = turdb.connect(":memory:")

    def progress(status, remaining, total):
        con.execute("INSERT INTO foo(pad) VALUES (zeroblob(30000))")

    con.backup(target, pages=1, progress=progress)
    assert keys(target) == [3, 4, 5]
    check(target)
    con.rollback()
    assert keys(con) == [3, 4]
    target.close()


def test_readers_of_the_target_keep_their_snapshot(con, tmp_path):
    target = turdb.connect(str(tmp_path / "b"))
    target.executescript("CREATE TABLE foo(key); INSERT INTO foo VALUES (99)")
    reader = turdb.connect(str(tmp_path / "b"), isolation_level=None)
    reader.execute("BEGIN")
    assert keys(reader) == [99]
    con.backup(target)
    assert keys(target) == [3, 4]
    assert keys(reader) == [99]
    reader.execute("COMMIT")
    assert keys(reader) == [3, 4]
    target.close()
    reader.close()


def test_prepared_statements_follow(con):
    target = turdb.connect(":memory:")
    target.executescript("CREATE TABLE foo(a, key); INSERT INTO foo VALUES (1, 2)")
    sql = "SELECT * FROM foo"
    assert target.execute(sql).fetchall() == [(1, 2)]
    con.backup(target)
    assert [row[0] for row in target.execute(sql).fetchall()] == [3, 4]
    target.close()


def test_many_threads_back_up_to_files(tmp_path):
    source = big(str(tmp_path / "a"), 1000)
    expected = keys(source)
    failures = []

    def work(i):
        try:
            own = turdb.connect(str(tmp_path / "a"))
            own.backup(tmp_path / f"copy{i}", pages=3)
            own.close()
            copy = turdb.connect(str(tmp_path / f"copy{i}"))
            assert keys(copy) == expected
            check(copy)
            copy.close()
        except BaseException as error:  # shown by the main thread
            failures.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    source.close()


def test_killed_in_the_middle(tmp_path):
    """The target has what it had; the next open cleans up."""
    big(str(tmp_path / "a")).close()
    target = turdb.connect(str(tmp_path / "b"))
    target.executescript("CREATE TABLE foo(key); INSERT INTO foo VALUES (99)")
    target.close()
    script = textwrap.dedent(f"""
        import os, signal, turdb
        source, target = turdb.connect({str(tmp_path / "a")!r}), turdb.connect({str(tmp_path / "b")!r})
        calls = 0
        def progress(status, remaining, total):
            global calls
            calls += 1
            if calls == 10:
                os.kill(os.getpid(), signal.SIGKILL)
        source.backup(target, pages=3, progress=progress)
    """)
    done = subprocess.run([sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert done.returncode == -signal.SIGKILL
    assert len(os.listdir(tmp_path / "b" / "root")) > 1
    target = turdb.connect(str(tmp_path / "b"))
    assert keys(target) == [99]
    check(target)
    target.close()
    assert len(os.listdir(tmp_path / "b" / "root")) == 1


def test_power_loss_at_every_call():
    from turdb._testing import backup as engine

    def start(env):
        source, target = engine.Connection(env, "a"), engine.Connection(env, "b")
        for con, values in ((source, "(1, 'one'), (2, 'two')"), (target, "(9, 'nine')")):
            con.execute("PRAGMA auto_vacuum = NONE")
            con.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, x UNIQUE)")
            con.execute(f"INSERT INTO t VALUES {values}")
            con.execute("PRAGMA wal_checkpoint")
        return source, target

    new, old = [(1, "one"), (2, "two")], [(9, "nine")]
    env = engine.FaultEnv()
    source, target = start(env)
    first = env.calls() + 1
    source.backup(target, 1)
    last = env.calls()
    assert target.execute("SELECT * FROM t") == new
    for con in (source, target):
        con.close()
    for call in range(first, last + 1):
        env = engine.FaultEnv()
        source, target = start(env)
        env.cut_power_at(call)
        is_done = True
        try:
            source.backup(target, 1)
        except RuntimeError:
            is_done = False
        for con in (source, target):
            con.close()
        env.restart(call)
        again = engine.Connection(env, "b")
        assert again.execute("PRAGMA integrity_check") == [("ok",)]
        rows = again.execute("SELECT * FROM t ORDER BY id")
        assert rows == new if is_done else rows in (old, new), call
        again.close()
