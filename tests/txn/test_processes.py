"""Processes beside each other: one writes, others read; the second writer waits; the dead hold nothing up.

The short form of the last test runs for some seconds; TURDB_PROCESSES_SECONDS=600 runs the long one.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

import turdb

sys.path.insert(0, str(Path(__file__).parents[1]))
from support import processes, sanitizer
from support.crowd import let_them_loose
from support.role import Side

SECONDS = float(os.environ.get("TURDB_PROCESSES_SECONDS", "40" if sanitizer.NAME else "8"))
SEED = int(os.environ.get("TURDB_SEED", "20261126"))
ENVIRONMENT = dict(os.environ, PYTHONPATH=os.pathsep.join(p for p in sys.path if p))


def start(*arguments, **options):
    return subprocess.Popen([sys.executable, *map(str, arguments)], env=ENVIRONMENT, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, stdin=subprocess.PIPE, **options)


def run(code, path):
    """Runs Python code with `path` in another process; returns what it printed."""
    process = start("-c", "import os, sys, time, turdb\npath = sys.argv[1]\n" + code, path)
    out, error = process.communicate(timeout=120)
    assert process.returncode == 0, error
    return out


HOLD = """
import os, sys, time, turdb
con = turdb.connect(sys.argv[1])
con.execute("create table if not exists t (a)")
con.execute("insert into t values (1)")
con.commit()
{}
print("ready", flush=True)
sys.stdin.read()
"""


def hold(path, more=""):
    """A process that has the database open for writing until its input ends."""
    process = start("-c", HOLD.format(more), path)
    assert process.stdout.readline() == "ready\n", process.stderr.read()
    return process


def let_go(process):
    process.communicate(timeout=60)


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "db")


# --- the second writer -------------------------------------------------------------------------


def test_second_writer_is_told_the_pid(path):
    holder = hold(path)
    with pytest.raises(turdb.OperationalError, match=f"process {holder.pid};"):
        turdb.connect(path, timeout=0.2)
    Path(path, "turdb.lock").write_text("1\n")  # what the file says is not what counts
    with pytest.raises(turdb.OperationalError, match=f"process {holder.pid};"):
        turdb.connect(path, timeout=0)
    let_go(holder)
    turdb.connect(path, timeout=0).close()


def test_second_writer_gets_its_turn(path):
    holder = hold(path)
    waiting = start("-c", "import sys, turdb\ncon = turdb.connect(sys.argv[1], timeout=60)\n"
                          "print(con.execute('select count(*) from t').fetchone())", path)
    time.sleep(0.2)
    let_go(holder)
    assert waiting.communicate(timeout=60)[0] == "(1,)\n"


def test_lock_of_a_killed_process_is_taken_over(path):
    for n in range(1, 4):
        holder = hold(path)
        holder.kill()
        holder.wait()
        con = turdb.connect(path, timeout=0)
        assert con.execute("select count(*) from t").fetchone() == (n,)
        con.close()


def test_forked_child_does_not_keep_the_lock(path):
    child = """
begun, begin = os.pipe()
pid = os.fork()
if pid == 0:
    os.write(begin, b"x")
    time.sleep(60)
    os._exit(0)
os.read(begun, 1)  # what a child does first it does when it gets a processor
print(pid, flush=True)
"""
    process = start("-c", HOLD.format(child), path)
    pid = int(process.stdout.readline())
    assert process.stdout.readline() == "ready\n"
    with pytest.raises(turdb.OperationalError, match=f"process {process.pid};"):
        turdb.connect(path, timeout=0)
    process.kill()
    process.wait()
    try:
        os.kill(pid, 0)  # the child lives
        turdb.connect(path, timeout=0).close()
    finally:
        os.kill(pid, signal.SIGKILL)


def test_forked_child_of_a_reader_claims_nothing(path):
    holder = hold(path)
    process = start("-c", """
import os, sys, turdb
con = turdb.connect(sys.argv[1], read_only=True, isolation_level=None)
con.execute("begin")
con.execute("select * from t").fetchall()
if os.fork() == 0:
    del con
    os._exit(0)
os.wait()
print("ready", flush=True)
sys.stdin.readline()
print(con.execute("select count(*) from t").fetchall())
""", path)
    assert process.stdout.readline() == "ready\n"
    let_go(holder)
    con = turdb.connect(path)
    con.executemany("insert into t values (?)", [(i,) for i in range(1000)])
    con.commit()
    assert con.execute("pragma wal_checkpoint").fetchone()[0] == 1  # the parent's snapshot still counts
    assert process.communicate("\n", timeout=60)[0] == "[(1,)]\n"
    assert con.execute("pragma wal_checkpoint").fetchone()[0] == 0
    con.close()


def test_copying_the_folder_does_not_drop_the_lock(path, tmp_path):
    """Closing a descriptor of the lock file drops POSIX record locks of the process; ours stay."""
    con = turdb.connect(path)
    con.execute("create table t (a)")
    shutil.copytree(path, tmp_path / "copy")
    out = run("try:\n    turdb.connect(path, timeout=0)\nexcept turdb.OperationalError as e:\n    print(e)", path)
    assert f"process {os.getpid()}" in out
    con.close()


# Whoever starts the tests may have signals of the keyboard ignored.
WAITS = """
import signal, sys, turdb
signal.signal(signal.SIGINT, signal.default_int_handler)
print('waits', flush=True)
turdb.connect(sys.argv[1], timeout=100)
"""


def test_waiting_can_be_interrupted(path):
    holder = hold(path)
    waiting = start("-c", WAITS, path)
    waiting.stdout.readline()
    time.sleep(0.3)
    waiting.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in waiting.communicate(timeout=60)[1]
    let_go(holder)


# --- readers -----------------------------------------------------------------------------------


def test_reader_follows_data_schema_and_data_version(path):
    writer = turdb.connect(path, isolation_level=None)
    writer.execute("create table t (a)")
    reader = start("-c", """
import sys, turdb
con = turdb.connect(sys.argv[1], read_only=True, isolation_level=None)
for line in sys.stdin:
    try:
        print(con.execute(line).fetchall(), flush=True)
    except turdb.Error as error:
        print(type(error).__name__, str(error).splitlines()[0], flush=True)
""", path)

    def ask(sql):
        reader.stdin.write(sql + "\n")
        reader.stdin.flush()
        return reader.stdout.readline().strip()

    version = ask("pragma data_version")
    assert ask("pragma data_version") == version
    writer.execute("insert into t values (1)")
    assert ask("pragma data_version") != version
    assert ask("select * from t") == "[(1,)]"
    assert ask("begin") == "[]"
    assert ask("select count(*) from t") == "[(1,)]"
    writer.execute("create table u (b)")
    writer.execute("insert into t values (2)")
    assert ask("select count(*) from t") == "[(1,)]"
    assert "no such table" in ask("select * from u")
    assert ask("commit") == "[]"
    assert ask("select count(*) from t") == "[(2,)]"
    assert ask("select * from u") == "[]"
    assert writer.execute("pragma reading_processes").fetchone()[:3] == (1, None, None)
    assert writer.execute("pragma wal_checkpoint").fetchone()[0] == 0  # a reader without a transaction holds nothing back
    assert ask("begin") == ask("select * from u") == "[]"
    writer.execute("insert into t values (3)")
    processes_, lsn, pid, log_bytes = writer.execute("pragma reading_processes").fetchone()
    assert processes_ == 1 and pid == reader.pid and lsn > 0 and log_bytes > 0
    assert writer.execute("pragma wal_checkpoint").fetchone()[0] == 1
    assert ask("rollback") == "[]"
    writer.execute("delete from t where a = 3")
    writer.execute("alter table u add column c default 7")
    writer.execute("insert into u (b) values (1)")
    assert ask("select * from u") == "[(1, 7)]"
    assert ask("insert into t values (3)").startswith("OperationalError attempt to write a readonly database")
    assert ask("create table v (a)").startswith("OperationalError attempt to write a readonly database")
    assert ask("begin") == "[]"
    assert ask("select count(*) from t") == "[(2,)]"  # fixes the snapshot
    writer.execute("drop table u")
    assert ask("select b, c, 1 from u") == "[(1, 7, 1)]"  # a statement not prepared before
    assert ask("commit") == "[]"
    assert "no such table" in ask("select * from u")
    writer.close()
    assert ask("select count(*) from t") == "[(2,)]"
    reader.communicate(timeout=60)


def test_snapshot_sees_a_table_that_another_connection_dropped(path):
    first, second = turdb.connect(path, isolation_level=None), turdb.connect(path, isolation_level=None)
    first.execute("create table t (a)")
    second.execute("begin")
    second.execute("select 1 from t").fetchall()  # fixes the snapshot
    first.execute("drop table t")
    assert second.execute("select count(*) from t").fetchone() == (0,)
    second.execute("commit")
    with pytest.raises(turdb.ProgrammingError, match="no such table"):
        second.execute("select count(*) from t")
    first.close()
    second.close()


def test_reader_and_writer_in_one_process(path):
    turdb.connect(path).close()
    reader = turdb.connect(path, read_only=True, isolation_level=None)
    writer = turdb.connect(path, isolation_level=None)
    writer.execute("create table t (a)")
    writer.execute("insert into t values (1)")
    assert reader.execute("select * from t").fetchall() == [(1,)]
    late = turdb.connect(path, read_only=True, isolation_level=None)
    writer.execute("insert into t values (2)")
    for con in (reader, late):
        assert con.execute("select count(*) from t").fetchone() == (2,)
        with pytest.raises(turdb.OperationalError, match="readonly"):
            con.execute("insert into t values (3)")
    for con in (reader, writer, late):
        con.close()


@pytest.mark.parametrize("parent_reads", [False, True])
def test_forked_child_opens_again_while_the_parent_has_it_open(path, parent_reads):
    out = run(f"""
turdb.connect(path).close()
con = turdb.connect(path, read_only={parent_reads}, isolation_level=None)
if not {parent_reads}:
    con.execute("create table t (a)")
pid = os.fork()
if pid == 0:
    status = 1
    try:
        own = turdb.connect(path, read_only={not parent_reads}, isolation_level=None)
        if {parent_reads}:
            own.execute("create table t (a)")
        print(own.execute("select count(*) from t").fetchone(), flush=True)
        own.close()
        status = 0
    finally:
        os._exit(status)
assert os.waitpid(pid, 0)[1] == 0
print(con.execute("select count(*) from t").fetchone())
""", path)
    assert out == "(0,)\n(0,)\n"


@pytest.mark.skipif(not hasattr(os, "setuid"), reason="needs users")
def test_reader_that_may_not_write_the_folder():
    """Without the right to write turdb.readers it reads as long as nobody writes, and says so otherwise."""
    folder = Path(tempfile.mkdtemp())
    path = folder / "db"
    try:
        holder = hold(path)
        let_go(holder)
        folder.chmod(0o755)
        if os.getuid() != 0:
            for each in path.rglob("*"):
                each.chmod(0o555 if each.is_dir() else 0o444)
            path.chmod(0o555)
        code = """
if os.getuid() == 0:
    os.setuid(65534)
try:
    con = turdb.connect(path, read_only=True, timeout=0.1)
    print(con.execute("select count(*) from t").fetchone())
    con.close()
except turdb.OperationalError as error:
    print(error)
"""
        assert run(code, path) == "(1,)\n"
        if os.getuid() != 0:
            for each in [path, *path.rglob("*")]:
                each.chmod(0o755 if each.is_dir() else 0o644)
            return
        holder = hold(path)
        out = run(code, path)
        assert f"written by process {holder.pid}; reading beside it needs the right to write" in out
        let_go(holder)
        assert run(code, path) == "(2,)\n"
    finally:
        shutil.rmtree(folder)


def fill_for_long_snapshots(path):
    """20,000 rows and one more, checkpoints that come soon and nothing that happens by itself."""
    con = turdb.connect(path, isolation_level=None)
    con.execute("pragma wal_autocheckpoint = 8")
    con.execute("pragma auto_vacuum = none")
    con.execute("create table t (a integer, b text)")
    con.execute("create index i on t (b)")
    con.execute("create table late (a integer)")
    con.executemany("insert into t values (?, ?)", [(i, str(i)) for i in range(20000)])
    con.execute("insert into late values (1)")
    con.execute("pragma wal_checkpoint")
    return con


def check_that_nothing_is_kept(con):
    """Once the snapshots have ended, by the next checkpoint."""
    con.execute("insert into late values (1)")
    con.execute("pragma wal_checkpoint")
    statistics = dict(con.execute("select name, value from turdb_catalog.statistics").fetchall())
    assert statistics["replaced_files"] == statistics["replaced_file_bytes"] == statistics["wal_bytes"] == 0
    assert con.execute("select count(*) from turdb_catalog.snapshots where not is_own").fetchone() == (0,)


HOLDS = """
import sys, turdb
con = turdb.connect(sys.argv[1], read_only=True, isolation_level=None)
con.execute("begin")
print(con.execute("select count(*), sum(a) from t").fetchone(), flush=True)
for line in sys.stdin:
    print(con.execute(line).fetchall(), flush=True)
"""


@pytest.mark.parametrize("is_stopped", [False, True])
def test_a_snapshot_of_another_process_lets_the_log_go(path, is_stopped):
    """Also when that process cannot be asked for anything."""
    con = fill_for_long_snapshots(path)
    reader = start("-c", HOLDS, path)
    assert reader.stdout.readline() == f"(20000, {sum(range(20000))})\n"
    if is_stopped:
        reader.send_signal(signal.SIGSTOP)
    biggest = 0
    for i in range(40):
        con.execute("update t set a = a + 1, b = b || ?", (i % 10,))
        con.execute("update late set a = a + 1")
        con.execute("pragma wal_checkpoint")
        statistics = dict(con.execute("select name, value from turdb_catalog.statistics").fetchall())
        biggest = max(biggest, statistics["wal_bytes"], statistics["committed_version_bytes"])
    (size,) = con.execute("select sum(bytes) from turdb_catalog.storage").fetchone()
    assert statistics["wal_bytes_written"] > 4 * size > 2 * biggest
    assert 1 <= statistics["replaced_files"] <= 4 and statistics["replaced_file_bytes"] <= size
    held = con.execute("select process_id, is_own, kept_bytes, kept_pages, log_bytes > 0, since from turdb_catalog.snapshots "
                       "where not is_own").fetchall()
    ((pid, _, kept, pages, is_behind, since),) = held
    assert (pid, is_behind) == (reader.pid, 1) and kept == pages * 16384 == statistics["replaced_file_bytes"]
    assert con.execute("select abs(julianday('now') - julianday(?)) < 0.1", (since,)).fetchone() == (1,)
    if is_stopped:
        reader.send_signal(signal.SIGCONT)
    for sql, expected in (
        ("select count(*), sum(a) from t", [(20000, sum(range(20000)))]),
        ("select a from t where b = '777'", [(777,)]),
        ("select a from late", [(1,)]),  # opened only now
        ("pragma integrity_check", [("ok",)]),
        ("select is_own, kept_bytes from turdb_catalog.snapshots", [(1, 0)]),
    ):
        reader.stdin.write(sql + "\n")
        reader.stdin.flush()
        assert reader.stdout.readline() == f"{expected}\n"
    reader.kill()
    reader.communicate()
    check_that_nothing_is_kept(con)
    con.close()


SNAPSHOTS = """
import sys, turdb
cons = []
for line in sys.stdin:
    if line == "begin\\n":
        con = turdb.connect(sys.argv[1], read_only=True, isolation_level=None)
        con.execute("begin")
        print(con.execute("select a from late").fetchone()[0], flush=True)
        cons.append(con)
    elif line == "read\\n":
        print([con.execute("select (select a from late), (select sum(a) from t)").fetchone() for con in cons], flush=True)
    else:
        for con in cons[int(line):]:
            con.close()
        del cons[int(line):]
        print("closed", flush=True)
"""


def test_many_snapshots_of_one_process_let_the_log_go(path):
    """More of them than a slot of turdb.readers has words for."""
    con = fill_for_long_snapshots(path)
    reader = start("-c", SNAPSHOTS, path)

    def ask(line):
        reader.stdin.write(line + "\n")
        reader.stdin.flush()
        return reader.stdout.readline().strip()

    def churn(times):
        biggest = 0
        for i in range(times):
            con.execute("update t set a = a + 1, b = b || ?", (i % 10,))
            con.execute("pragma wal_checkpoint")
            statistics = dict(con.execute("select name, value from turdb_catalog.statistics").fetchall())
            biggest = max(biggest, statistics["wal_bytes"], statistics["committed_version_bytes"])
        return biggest, statistics

    n = 50
    for i in range(n):
        assert ask("begin") == str(i + 1)
        con.execute("update late set a = a + 1")
    assert con.execute("select count(*), count(distinct lsn) from turdb_catalog.snapshots where not is_own").fetchone() == (n, n)
    biggest, statistics = churn(30)
    (size,) = con.execute("select sum(bytes) from turdb_catalog.storage").fetchone()
    assert statistics["wal_bytes_written"] > 4 * size > 2 * biggest
    assert statistics["reading_processes"] == 1
    seen = [(i + 1, sum(range(20000))) for i in range(n)]
    assert ask("read") == str(seen)
    assert ask("20") == "closed"  # the slots for the others are given back
    assert con.execute("select count(*) from turdb_catalog.snapshots where not is_own").fetchone() == (20,)
    for _ in range(20, n):
        assert ask("begin") == str(n + 1)
    biggest, _ = churn(15)
    assert 4 * size > 2 * biggest
    assert ask("read") == str(seen[:20] + [(n + 1, sum(range(20000)) + 30 * 20000)] * 30)
    reader.kill()
    reader.communicate()
    check_that_nothing_is_kept(con)
    con.close()


# --- all at once -------------------------------------------------------------------------------


def test_one_writes_five_read_and_some_are_killed(path):
    rng = random.Random(SEED)
    processes.create(path)
    counts = let_them_loose(processes.__file__, path, rng, SECONDS)
    assert any(checks > 0 for checks, _ in counts)
    acknowledged = Side(path).acknowledged()
    assert acknowledged > 0
    con = turdb.connect(path)
    assert con.execute("select n from progress").fetchone()[0] >= max(acknowledged, *(seen for _, seen in counts))
    assert con.execute("select sum(balance) from accounts").fetchone() == (processes.TOTAL,)
    assert con.execute("pragma integrity_check").fetchall() == [("ok",)]
    con.execute("pragma wal_checkpoint")
    assert con.execute("select value from turdb_catalog.statistics where name = 'replaced_files'").fetchone() == (0,)
    con.close()
