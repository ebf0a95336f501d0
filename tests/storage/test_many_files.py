"""More tables and indexes than a process may have files open: each has a file of its own."""

import subprocess
import sys
import textwrap

import pytest

PROGRAM = """
import os, resource, sys
import turdb

LIMIT, TABLES = 96, 150
resource.setrlimit(resource.RLIMIT_NOFILE, (LIMIT, LIMIT))
path = sys.argv[1]


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def totals(con):
    return [con.execute(f"SELECT count(*), sum(id) FROM t{i} WHERE a >= ''").fetchone() for i in range(TABLES)]


con = turdb.connect(path, isolation_level=None)
for i in range(TABLES):
    con.execute(f"CREATE TABLE t{i}(id INTEGER PRIMARY KEY, a TEXT)")
    con.execute(f"CREATE INDEX i{i} ON t{i}(a)")
    con.execute(f"INSERT INTO t{i} VALUES (?, 'x'), (?, 'y')", (i, i + 1))
expected = [(2, 2 * i + 1) for i in range(TABLES)]
con.execute("PRAGMA wal_checkpoint")
assert totals(con) == expected and descriptors() < LIMIT / 2, descriptors()
"""


def run(path, body):
    """The program in a process of its own, which may have 96 files open."""
    done = subprocess.run([sys.executable, "-c", PROGRAM + textwrap.dedent(body), str(path / "db.turdb")], capture_output=True, text=True,
                          timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_all_are_read_and_written_again(tmp_path):
    run(tmp_path, """
        con.execute("BEGIN")
        for i in range(TABLES):
            con.execute(f"INSERT INTO t{i} VALUES (?, 'z')", (i + 1000,))
        con.execute("COMMIT")
        con.execute("PRAGMA wal_checkpoint")
        con.close()
        con = turdb.connect(path, isolation_level=None)
        assert totals(con) == [(3, 3 * i + 1001) for i in range(TABLES)]
        assert con.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    """)


def test_old_snapshots_keep_what_is_changed_rebuilt_and_dropped(tmp_path):
    run(tmp_path, """
        old = turdb.connect(path, isolation_level=None)
        old.execute("BEGIN")
        assert old.execute("SELECT count(*) FROM t0").fetchone() == (2,)
        for i in range(0, 30, 3):
            con.execute(f"UPDATE t{i} SET a = 'later', id = id + 5000")
            con.execute(f"VACUUM t{i + 1}")
        con.execute("PRAGMA wal_checkpoint")
        con.execute("BEGIN")
        for i in range(2, 30, 3):
            con.execute(f"DROP TABLE t{i}")
        con.execute("COMMIT")
        con.execute("PRAGMA wal_checkpoint")
        assert totals(old) == expected
        old.execute("COMMIT")
        assert [con.execute(f"SELECT sum(id) FROM t{i}").fetchone()[0] for i in range(0, 30, 3)] == [
            2 * i + 10001 for i in range(0, 30, 3)]
        assert con.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    """)


def test_vacuum_backup_and_drop_of_all(tmp_path):
    run(tmp_path, """
        con.execute("VACUUM")
        copy = turdb.connect(path + "2.turdb", isolation_level=None)
        con.backup(copy)
        assert totals(copy) == expected
        con.execute("VACUUM INTO ?", (path + "3.turdb",))
        assert totals(turdb.connect(path + "3.turdb")) == expected
        con.execute("BEGIN")
        for i in range(TABLES):
            con.execute(f"DROP TABLE t{i}")
        con.execute("COMMIT")
        con.execute("PRAGMA wal_checkpoint")
        assert con.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
        assert not os.listdir(path + "/root")
        assert totals(copy) == expected
    """)


def test_the_index_of_a_table_is_searched_while_others_come_and_go(tmp_path):
    """Files that are open give way to others and are opened again, with old and new pages in them."""
    run(tmp_path, """
        for round in range(3):
            for i in range(TABLES):
                con.execute(f"INSERT INTO t{i}(id, a) VALUES (?, ?)", (10_000 + round, "n" * 5000))
            con.execute("PRAGMA wal_checkpoint")
        con.close()
        con = turdb.connect(path)
        for i in range(TABLES):
            assert con.execute(f"SELECT count(*) FROM t{i} WHERE a = ?", ("n" * 5000,)).fetchone() == (3,)
    """)


@pytest.mark.parametrize("threads", [4])
def test_threads_that_read_while_files_are_closed(tmp_path, threads):
    run(tmp_path, f"""
        import threading
        failures = []

        def read():
            try:
                mine = turdb.connect(path)
                for _ in range(4):
                    rows = [mine.execute(f"SELECT count(*) FROM t{{i}} WHERE id < 5000").fetchone() for i in range(TABLES)]
                    assert rows == [(2,)] * TABLES, rows
            except BaseException as error:
                failures.append(error)

        readers = [threading.Thread(target=read) for _ in range({threads})]
        for each in readers:
            each.start()
        for round in range(3):
            for i in range(TABLES):
                con.execute(f"INSERT INTO t{{i}}(id, a) VALUES (?, 'new')", (10_000 + round,))
            con.execute("PRAGMA wal_checkpoint")
        for each in readers:
            each.join()
        assert not failures, failures
    """)


READER = """
import os, resource, sys
import turdb

resource.setrlimit(resource.RLIMIT_NOFILE, (96, 96))
con = turdb.connect(sys.argv[1], read_only=True, isolation_level=None)
for line in sys.stdin:
    if line.startswith("totals"):
        print([con.execute(f"SELECT count(*), sum(id) FROM t{i} WHERE a >= ''").fetchone() for i in range(150)])
    else:
        print(con.execute(line).fetchall())
    assert len(os.listdir("/proc/self/fd")) < 48
    sys.stdout.flush()
"""


def test_a_reading_process_beside_one_that_writes(tmp_path):
    """It has its own descriptors, and files that checkpoints put in the place of those it reads must not be taken for them."""
    run(tmp_path, f"""
        import subprocess
        con.close()
        READER = {READER!r}
        reader = subprocess.Popen([sys.executable, "-c", READER, path], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

        def ask(line):
            reader.stdin.write(line + "\\n")
            reader.stdin.flush()
            return eval(reader.stdout.readline())

        con = turdb.connect(path, isolation_level=None)
        con.execute("PRAGMA wal_autocheckpoint = 4")
        assert ask("totals") == expected
        ask("BEGIN")
        assert ask("totals") == expected
        for round in range(1, 4):
            con.execute("BEGIN")
            for i in range(0, TABLES, 2):
                con.execute(f"UPDATE t{{i}} SET a = ?, id = id + 1000", ("y" * 20_000,))
            con.execute("COMMIT")
            con.execute("PRAGMA wal_checkpoint")
            assert ask("totals") == expected
        statistics = dict(con.execute("SELECT name, value FROM turdb_catalog.statistics").fetchall())
        assert statistics["replaced_files"] > 50, statistics
        assert ask("PRAGMA integrity_check") == [("ok",)]
        ask("COMMIT")
        now = [(2, 2 * i + 1 + (6000 if i % 2 == 0 else 0)) for i in range(TABLES)]
        assert ask("totals") == now
        for i in range(TABLES):  # files grow: maps of them are made anew
            con.execute(f"INSERT INTO t{{i}}(id, a) VALUES (?, ?)", (100_000, "z" * 300_000))
        con.execute("PRAGMA wal_checkpoint")
        assert ask("totals") == [(n + 1, total + 100_000) for n, total in now]
        for i in range(75):
            con.execute(f"DROP TABLE t{{i}}")
        con.execute("PRAGMA wal_checkpoint")
        assert ask("PRAGMA integrity_check") == [("ok",)]
        assert ask("SELECT count(*) FROM t149") == [(3,)]
        reader.stdin.close()
        assert reader.wait() == 0
    """)
