"""VACUUM, VACUUM INTO, automatic vacuum: nothing is lost, room comes back, readers and crashes see one state or the other."""

import os
import shutil
import threading
import time

import numpy as np
import pytest

import turdb
from turdb._testing import backup as engine


def disk_bytes(path):
    return sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(path) for name in names)


def data_bytes(con):
    return con.execute("SELECT sum(bytes) FROM turdb_catalog.storage").fetchone()[0]


def content(con):
    """Every row of every table by every column and index, as one comparable value."""
    out = {}
    tables = con.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
    for name, sql in tables:
        rows = con.execute(f'SELECT * FROM "{name}"').fetchall()
        out[name] = (sql, [tuple(bytes(v) if isinstance(v, np.ndarray) else v for v in row) for row in rows])
    return out


def check(con):
    assert con.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert con.execute("PRAGMA quick_check").fetchall() == [("ok",)]


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "db.turdb")


def open_quiet(path, **options):
    """A connection to a database whose background does nothing by itself."""
    con = turdb.connect(path, **options)
    con.execute("PRAGMA auto_vacuum = NONE")
    con.execute("PRAGMA hnsw_absorb = off")
    return con


class Stop:
    """A progress handler that stops the statement after some calls."""

    def __init__(self, calls):
        self.left = calls

    def __call__(self):
        self.left -= 1
        return self.left < 0


def fill(con, n=3000, dim=16, seed=1):
    rng = np.random.default_rng(seed)
    con.executescript(f"""
        CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT UNIQUE, amount REAL, note BLOB, e VECTOR({dim}), f VECTOR(3));
        CREATE INDEX t_amount ON t(amount DESC, name COLLATE NOCASE);
        CREATE INDEX t_some ON t(lower(name)) WHERE id % 2 = 0;
        CREATE TABLE w(k TEXT, j INTEGER, e VECTOR({dim}), b BLOB, PRIMARY KEY (k, j)) WITHOUT ROWID;
        CREATE INDEX w_b ON w(b);
        CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT, x);
        CREATE TABLE keyless(x, y);
        CREATE TABLE empty(x, e VECTOR(4));
        CREATE VIEW v AS SELECT id, name FROM t WHERE id < 100;
        CREATE SCHEMA s;
        CREATE TABLE s.t(x UNIQUE);
    """)
    vectors = rng.normal(size=(n, dim)).astype(np.float32)
    con.executemany(
        "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)",
        [(i, f"Name {i * 7919 % n}", i / 7, b"n" * (i % 50 if i % 100 else 40000), vectors[i],
          None if i % 3 else [i, 1, 2]) for i in range(n)],
    )
    con.execute("CREATE INDEX t_e ON t USING hnsw (e vector_l2_ops)")
    con.execute("CREATE INDEX t_f ON t USING hnsw (f vector_cosine_ops)")
    con.executemany(
        "INSERT INTO w VALUES (?, ?, ?, ?)",
        [(f"k{i % 97}", i, vectors[i % n] if i % 5 else None, bytes([i % 251]) * (i % 300 if i % 50 else 30000)) for i in range(1000)],
    )
    con.executemany("INSERT INTO a(x) VALUES (?)", [(i,) for i in range(500)])
    con.executemany("INSERT INTO keyless VALUES (?, ?)", [(i, None if i % 2 else "y" * i) for i in range(500)])
    con.executemany("INSERT INTO s.t VALUES (?)", [(i,) for i in range(500)])
    con.execute("ALTER TABLE keyless ADD COLUMN z TEXT DEFAULT 'since'")
    con.commit()
    return vectors


def thin_out(con):
    con.executescript("""
        DELETE FROM t WHERE id % 4 <> 0;
        DELETE FROM w WHERE j % 3 = 0;
        DELETE FROM a WHERE id > 100;
        DELETE FROM keyless WHERE x % 7 = 0;
        DELETE FROM s.t WHERE x % 2 = 0;
        UPDATE t SET e = e, amount = -amount WHERE id % 8 = 0;
    """)
    con.commit()


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


# --- VACUUM INTO ----------------------------------------------------------------------------------------------------


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


# --- crashes --------------------------------------------------------------------------------------------------------


def small(env):
    con = engine.Connection(env)
    con.execute("PRAGMA auto_vacuum = NONE")
    con.execute("PRAGMA hnsw_absorb = off")
    con.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, x TEXT, e VECTOR(4))")
    con.execute("CREATE INDEX i ON t(x)")
    con.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) "
                "INSERT INTO t SELECT i, 'x' || i || printf('%.*c', 200, 'y'), '[' || i || ', 1, 2, 3]' FROM n")
    con.execute("CREATE INDEX h ON t USING hnsw (e vector_l2_ops)")
    con.execute("DELETE FROM t WHERE id % 3 = 0")
    con.execute("PRAGMA wal_checkpoint")
    return con


def rows_of(con):
    assert con.execute("PRAGMA integrity_check") == [("ok",)]
    return con.execute("SELECT id, x, vector_norm(e) FROM t ORDER BY x")


def calls_of(work):
    env = engine.FaultEnv()
    con = small(env)
    expected = rows_of(con)
    first = env.calls() + 1
    work(con)
    last = env.calls()
    con.close()
    assert last > first
    return expected, range(first, last + 1)


@pytest.mark.parametrize("seed", [1, 2])
def test_power_loss_at_every_call_of_vacuum(seed):
    expected, calls = calls_of(lambda con: con.execute("VACUUM"))
    for call in calls:
        env = engine.FaultEnv()
        con = small(env)
        env.cut_power_at(call)
        try:
            con.execute("VACUUM")
        except RuntimeError:
            pass
        con.close()
        env.restart(seed * 1000 + call)
        con = engine.Connection(env)
        assert rows_of(con) == expected, call
        con.execute("VACUUM")
        con.execute("INSERT INTO t VALUES (3, 'three', '[3, 1, 2, 3]')")
        con.close()
        assert sorted(name.split(".")[-1] for name in env.list("db/root")) == ["hnsw", "idx", "tbd", "vec"], call
        con = engine.Connection(env)
        assert len(rows_of(con)) == len(expected) + 1
        con.close()


def test_power_loss_at_every_call_of_vacuum_into():
    expected, calls = calls_of(lambda con: con.execute("VACUUM INTO 'copy'"))
    for call in calls:
        env = engine.FaultEnv()
        con = small(env)
        env.cut_power_at(call)
        with pytest.raises(RuntimeError):
            con.execute("VACUUM INTO 'copy'")
        con.close()
        env.restart(call)
        con = engine.Connection(env)
        assert rows_of(con) == expected, call
        con.close()
    # Once it has returned, it is on the disk.
    env = engine.FaultEnv()
    con = small(env)
    con.execute("VACUUM INTO 'copy'")
    env.cut_power_at(env.calls() + 1)
    with pytest.raises(RuntimeError):
        con.execute("INSERT INTO t VALUES (3, 'three', NULL)")
    con.close()
    for seed in range(3):
        env.restart(seed)
        con = engine.Connection(env, "copy")
        assert rows_of(con) == expected
        con.close()


@pytest.mark.parametrize("statement", ["VACUUM", "VACUUM INTO 'copy'"])
def test_an_error_of_the_disk_at_every_call(statement):
    """The statement fails or has worked; either way the database goes on (or says that it must be reopened)."""
    expected, calls = calls_of(lambda con: con.execute(statement))
    for call in calls:
        env = engine.FaultEnv()
        con = small(env)
        env.fail_at(call)
        try:
            con.execute(statement)
        except RuntimeError as error:
            assert str(error).startswith(("Io: ", "DiskFull: ", "ReadOnly: ")), error
            if "INTO" in statement:
                assert not env.exists("copy") or env.list("copy") != [], call
        assert rows_of(con) == expected, call
        con.close()
        con = engine.Connection(env)
        assert rows_of(con) == expected, call
        con.close()


# --- churn ----------------------------------------------------------------------------------------------------------


def replace_all(con, rng, dim, n, batch=1000):
    """Every row gets another vector and another name."""
    for first in range(0, n, batch):
        ids = list(range(first, min(first + batch, n)))
        vectors = rng.normal(size=(len(ids), dim)).astype(np.float32)
        con.executemany("UPDATE t SET name = ?, e = ? WHERE id = ?", [(f"{rng.integers(1 << 40)}", v, i) for i, v in zip(ids, vectors)])
    con.commit()


def wait_until(condition, seconds=60):
    """For what the background does: a limit, not a measurement."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the background has not done it"
        time.sleep(0.02)


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
