"""Statements that keep more rows than memory allows: the same answers as with ample memory and as SQLite's, in bounded
memory, without a trace on disk."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.sanitizer import measures_memory

import turdb

AMPLE = 1 << 28
TABLES = (
    "CREATE TABLE a (k INTEGER PRIMARY KEY, v, t TEXT, n INTEGER)",
    "CREATE TABLE b (k INTEGER, v, t TEXT COLLATE NOCASE)",
)
ORDERED = (  # a total order: the rows must come in it
    "SELECT * FROM a ORDER BY v, k",
    "SELECT t, k FROM a ORDER BY t COLLATE NOCASE DESC, v DESC NULLS FIRST, k DESC",
    "SELECT k, v FROM a ORDER BY v DESC NULLS LAST, k LIMIT 9 OFFSET 4",
    "SELECT k FROM a ORDER BY length(t), n % 3, k LIMIT 1000000",
    "SELECT v, count(*) FROM a GROUP BY v ORDER BY count(*) DESC, v",
    "SELECT DISTINCT v, t FROM a ORDER BY 1, 2",
    "WITH c AS MATERIALIZED (SELECT k, n FROM a) SELECT x.k, y.n FROM c x JOIN c y ON x.k = y.k + 1 ORDER BY x.k",
    "WITH RECURSIVE r (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 500) SELECT i FROM r ORDER BY i % 7, i",
    "WITH RECURSIVE r (i, t, d) AS (SELECT k, t, 0 FROM a UNION ALL SELECT i, t || d, d + 1 FROM r WHERE d < 2 ORDER BY 3 DESC, 1) SELECT * FROM r",
    "WITH RECURSIVE r (i, t, d) AS (SELECT k, t, 0 FROM a UNION ALL SELECT i, t, d + 1 FROM r WHERE d < 2 ORDER BY 2 DESC, 3, 1 DESC LIMIT 99 OFFSET 5) "
    "SELECT * FROM r",
)
UNORDERED = (
    "SELECT v, count(*), sum(n), avg(n), min(t), max(v), total(n) FROM a GROUP BY v",
    "SELECT t, n % 2, count(DISTINCT v), sum(DISTINCT n), max(DISTINCT v) FROM a GROUP BY t, n % 2",
    "SELECT count(DISTINCT v), count(DISTINCT t), sum(DISTINCT n), count(*) FROM a",
    "SELECT v, count(*) FILTER (WHERE n > 2), count(DISTINCT n) FILTER (WHERE k % 2) FROM a GROUP BY v HAVING count(*) > 1",
    "SELECT v, max(k), t FROM a GROUP BY v",
    "SELECT v, min(k), t, n FROM a GROUP BY v, t",
    "SELECT lower(t), count(*), min(k) FROM b GROUP BY t",
    "SELECT DISTINCT v FROM a",
    "SELECT DISTINCT v, n FROM a",
    "SELECT v FROM a UNION SELECT v FROM b",
    "SELECT v, n FROM a INTERSECT SELECT v, k FROM b",
    "SELECT v FROM a EXCEPT SELECT v FROM b",
    "SELECT n FROM a INTERSECT SELECT k FROM b",
    "SELECT * FROM a JOIN b ON a.v = b.v",
    "SELECT a.k, b.k, b.v FROM a LEFT JOIN b ON a.v = b.v AND a.n < b.k",
    "SELECT a.k, b.k FROM a LEFT JOIN b ON a.n = b.k WHERE b.v IS NULL",
    "SELECT a.k, b.k, b.t FROM a RIGHT JOIN b ON a.v = b.v",
    "SELECT a.k, b.k FROM a FULL JOIN b ON a.t = b.t AND a.v IS NOT b.v",
    "SELECT a.k, b.k FROM a FULL JOIN b ON a.n = b.k",
    "SELECT k FROM a WHERE v IN (SELECT v FROM b)",
    "SELECT k FROM a WHERE n NOT IN (SELECT k FROM b WHERE k IS NOT NULL)",
    "SELECT k FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.v = a.v AND b.k > a.n)",
    "SELECT k FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE b.t = a.t)",
    "SELECT x.k, y.k FROM a x, b y WHERE x.n + y.k = 7",
    "SELECT k, v IN (SELECT v FROM b), t IN (SELECT t FROM b), n NOT IN (SELECT k FROM b) FROM a",
    "SELECT k, (v, n) IN (SELECT v, k FROM b), (t, n) NOT IN (SELECT t, k FROM b WHERE k > 3) FROM a",
    "SELECT k FROM a WHERE v NOT IN (SELECT v FROM b WHERE v IS NOT NULL) OR n IN (SELECT count(*) FROM b GROUP BY v)",
    "SELECT k FROM a WHERE k < 60 AND (v IN (SELECT v FROM b WHERE b.k < a.n) OR n = 1)",
    "WITH RECURSIVE r (i) AS (SELECT n FROM a UNION SELECT (i * 7 + 3) % 1009 FROM r) SELECT i FROM r",
    "WITH RECURSIVE r (v, d) AS (SELECT v, n % 3 FROM a UNION SELECT v, d - 1 FROM r WHERE d > 0) SELECT v, d FROM r",
    "WITH RECURSIVE r (t, d) AS (SELECT t, n % 3 FROM b, (SELECT n FROM a) UNION SELECT t || 'x', d - 1 FROM r WHERE d > 0 ORDER BY 2, 1) SELECT lower(t), d FROM r",
    "SELECT k, row_number() OVER (PARTITION BY n ORDER BY v, k), sum(n) OVER (PARTITION BY t ORDER BY k) FROM a",
    "SELECT k, sum(n) OVER (), count(*) OVER (PARTITION BY v), lag(k, 2) OVER (ORDER BY k) FROM a",
    "SELECT k, rank() OVER w, dense_rank() OVER w, ntile(3) OVER w, first_value(k) OVER w FROM a WINDOW w AS (ORDER BY n, t, k)",
    "SELECT k, lag(t, n % 4, 'none') OVER w, lead(v, 2 * n) OVER w, ntile(n + 1) OVER w, percent_rank() OVER w, cume_dist() OVER w FROM a WINDOW w AS (ORDER BY n, k)",
    "SELECT k, first_value(t) OVER w, last_value(v) OVER w, nth_value(t, 1 + k % 5) OVER w, count(v) FILTER (WHERE n > 3) OVER w FROM a "
    "WINDOW w AS (PARTITION BY n > 8 ORDER BY n DESC, k ROWS BETWEEN 300 PRECEDING AND 9 FOLLOWING)",
    "SELECT k, max(t) OVER w, min(v) OVER w, sum(n) FILTER (WHERE k % 2) OVER w, sum(n) OVER w FROM a WINDOW w AS (ORDER BY k DESC ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)",
    "SELECT k, min(t) OVER w, sum(n) OVER w, last_value(n) OVER w FROM a WINDOW w AS (ORDER BY n, t, k GROUPS BETWEEN 2 PRECEDING AND 1 PRECEDING)",
    "SELECT k, max(k) OVER w, count(*) OVER w, total(n) OVER w FROM a WINDOW w AS (ORDER BY n GROUPS BETWEEN 1 PRECEDING AND 2 FOLLOWING EXCLUDE GROUP)",
    "SELECT k, count(*) OVER w, sum(k) OVER w, max(k) OVER w FROM a WINDOW w AS (ORDER BY v RANGE BETWEEN 2.5 PRECEDING AND 1 FOLLOWING)",
    "SELECT k, count(*) OVER w, min(k) OVER w FROM a WINDOW w AS (PARTITION BY k % 50 = 3 ORDER BY v DESC RANGE BETWEEN 1 FOLLOWING AND 30 FOLLOWING)",
    "SELECT k, first_value(k) OVER w, count(*) OVER w FROM a WINDOW w AS (ORDER BY k RANGE BETWEEN 9 PRECEDING AND 1 PRECEDING EXCLUDE CURRENT ROW)",
    "SELECT k, sum(n) OVER (ORDER BY k ROWS BETWEEN 3 PRECEDING AND 2 FOLLOWING), max(n) OVER (ORDER BY n RANGE 2 PRECEDING) FROM a",
)
# What SQLite leaves open (the order within a concatenation) or has in newer versions alone.
OWN = (
    "SELECT v, group_concat(k), group_concat(DISTINCT n) FROM a GROUP BY v",
    "SELECT n, group_concat(k, '-') FILTER (WHERE k % 3), json_group_array(t) FROM a GROUP BY n",
    "SELECT group_concat(DISTINCT n), group_concat(k) FROM a",
    "SELECT n % 4, group_concat(k ORDER BY t DESC, k), group_concat(DISTINCT n ORDER BY n DESC) FROM a GROUP BY 1",
)
WRITES = (
    "UPDATE a SET n = n + 1, t = t || '.' WHERE k % 3 RETURNING k, n, t",
    "UPDATE a SET v = (SELECT max(b.v) FROM b WHERE b.k = a.n) RETURNING k, v",
    "INSERT INTO a (v, t, n) SELECT v, t, n FROM a RETURNING k, v, t",
    "INSERT INTO b SELECT n, v, t FROM a WHERE n > 2 RETURNING k, v",
    "DELETE FROM a WHERE v IN (SELECT v FROM b) RETURNING k, v, t, n",
    "DELETE FROM b WHERE k % 2",
    "CREATE INDEX made ON a (v, t COLLATE NOCASE)",
    "CREATE TABLE c AS SELECT v, count(*) AS many FROM a GROUP BY v",
)


def rows_of(generator, count, kinds):
    def value(kind):
        if kind == "null":
            return None
        if kind == "real":
            return generator.randrange(-8, 8) / 2
        if kind == "text":
            return generator.choice(["a", "A", "b", "B", "ab", "long text " * 3, ""])
        return b"\x00" * generator.randrange(3) if kind == "blob" else generator.randrange(count // 2 + 2)

    a = [(i, value(generator.choice(kinds)), value("text"), generator.randrange(12)) for i in range(count)]
    b = [(generator.choice([None, *range(12)]), value(generator.choice(kinds)), value("text")) for _ in range(count * 2 // 3)]
    return a, b


def fill(con, a, b):
    for statement in TABLES:
        con.execute(statement)
    con.executemany("INSERT INTO a VALUES (?, ?, ?, ?)", a)
    con.executemany("INSERT INTO b VALUES (?, ?, ?)", b)
    return con


def connect(memory, a, b):
    con = turdb.connect(":memory:", isolation_level=None)
    con.execute(f"PRAGMA statement_memory = {memory}")
    return fill(con, a, b)


def bag(rows):
    return sorted(map(repr, rows))


def as_numbers(rows):
    """1 and 1.0 are one key: which of them stands for a group is left open by SQLite."""
    return [tuple(int(v) if isinstance(v, float) and v.is_integer() else v for v in row) for row in rows]


worlds = st.builds(
    lambda seed, count, kinds: rows_of(random.Random(seed), count, kinds),
    st.integers(0, 2**32),
    st.sampled_from([0, 1, 60, 300, 700]),
    st.lists(st.sampled_from(["null", "integer", "integer", "real", "text", "blob"]), min_size=1, max_size=4),
)


@settings(max_examples=12)
@given(worlds, st.sampled_from([1, 1, 20_000]))
def test_the_same_rows_with_little_memory(world, memory):
    tiny, ample, sqlite = connect(memory, *world), connect(AMPLE, *world), fill(sqlite3.connect(":memory:"), *world)
    for sql in ORDERED + UNORDERED + OWN:
        got, rows = tiny.execute(sql).fetchall(), ample.execute(sql).fetchall()
        if " JOIN " in sql or "WHERE" in sql:
            assert bag(got) == bag(rows), sql  # the parts of a join come in any order
        else:
            assert list(map(repr, got)) == list(map(repr, rows)), sql
        if sql in ORDERED:
            assert as_numbers(got) == as_numbers(sqlite.execute(sql).fetchall()), sql
        elif sql in UNORDERED:
            assert bag(as_numbers(rows)) == bag(as_numbers(sqlite.execute(sql).fetchall())), sql


@settings(max_examples=8)
@given(worlds, st.sampled_from([1, 20_000]))
def test_the_same_writes_with_little_memory(world, memory):
    tiny, ample = connect(memory, *world), connect(AMPLE, *world)
    for sql in WRITES:
        got, want = tiny.execute(sql).fetchall(), ample.execute(sql).fetchall()
        assert bag(got) == bag(want), sql
        for table in ("a", "b"):
            content = f"SELECT rowid, * FROM {table}"
            assert list(map(repr, tiny.execute(content))) == list(map(repr, ample.execute(content))), sql
    assert bag(tiny.execute("SELECT v FROM a INDEXED BY made WHERE v > 1")) == bag(ample.execute("SELECT v FROM a WHERE v > 1"))


# --- a database that is larger than the memory ---------------------------------------------------
ROWS = 40_000


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    path = tmp_path_factory.mktemp("spill") / "large.turdb"
    con = turdb.connect(path, isolation_level=None)
    generator = random.Random(3)
    con.execute("CREATE TABLE big (k INTEGER PRIMARY KEY, x INTEGER, pad TEXT, u INTEGER UNIQUE)")
    con.executemany(
        "INSERT INTO big VALUES (?, ?, ?, ?)",
        [(i, generator.randrange(10**9), f"{generator.randrange(10**12):0200}", i) for i in range(ROWS)],
    )
    con.close()
    return path


def listing(path):
    return sorted((str(p.relative_to(path)), p.stat().st_size) for p in path.rglob("*"))


def temporary_files(path, pid="self"):
    found = 0
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{name}")
        except OSError:
            continue
        found += target.startswith(f"{path}/") and target.endswith("(deleted)")
    return found


linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@linux_only
def test_space_is_free_at_once(large):
    con = turdb.connect(large, isolation_level=None)
    con.execute("PRAGMA statement_memory = 1000000")
    before = listing(large)
    cursor = con.execute("SELECT * FROM big ORDER BY pad")
    assert temporary_files(large) == 1 and listing(large) == before
    assert len(cursor.fetchmany(10)) == 10
    cursor.close()
    assert temporary_files(large) == 0
    assert len(con.execute("SELECT * FROM big ORDER BY pad").fetchall()) == ROWS
    assert temporary_files(large) == 0
    for sql in ("SELECT count(DISTINCT pad) FROM big", "SELECT pad, count(*) FROM big GROUP BY pad", "SELECT DISTINCT pad FROM big",
                "SELECT count(*) FROM big p JOIN big q ON p.pad = q.pad", "SELECT pad FROM big EXCEPT SELECT pad FROM big WHERE x > 5",
                "WITH c AS MATERIALIZED (SELECT * FROM big) SELECT count(*) FROM c x, (SELECT count(*) FROM c) y"):
        con.execute(sql).fetchall()
        assert temporary_files(large) == 0, sql
    con.close()


def test_explain_analyze_tells(large):
    con = turdb.connect(large, isolation_level=None)
    for sql in ("SELECT * FROM big ORDER BY pad", "SELECT pad, count(*) FROM big GROUP BY pad", "SELECT DISTINCT pad FROM big",
                "SELECT count(*) FROM big p JOIN big q ON p.pad = q.pad"):
        con.execute(f"PRAGMA statement_memory = {AMPLE}")
        assert "spilled=" not in str(con.execute("EXPLAIN ANALYZE " + sql).fetchall())
        con.execute("PRAGMA statement_memory = 1000000")
        assert "spilled=" in str(con.execute("EXPLAIN ANALYZE " + sql).fetchall()), sql
    con.close()


def test_an_interrupt_ends_a_merge(large):
    con = turdb.connect(large, isolation_level=None)
    con.execute("PRAGMA statement_memory = 100000")
    cursor = con.execute("SELECT * FROM big ORDER BY pad")
    calls = []
    con.set_progress_handler(lambda: calls.append(1) or len(calls) > 3, 1)
    with pytest.raises(turdb.OperationalError, match="interrupted"):
        cursor.fetchall()
    con.set_progress_handler(None)
    assert con.execute("SELECT count(*) FROM big").fetchone() == (ROWS,)
    con.close()


def run(code, *arguments):
    return [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]


@linux_only
@pytest.mark.parametrize("sql", ["SELECT * FROM big ORDER BY pad", "SELECT pad, count(*) FROM big GROUP BY pad", "CREATE INDEX i ON big (pad)"])
def test_a_full_disk(large, tmp_path, sql):
    """The limit on a file's size stands for a disk that fills up."""
    code = """
        import resource, signal, sys, turdb
        con = turdb.connect(sys.argv[1], isolation_level=None)
        con.execute("PRAGMA statement_memory = 500000")
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
        try:
            con.execute(sys.argv[2]).fetchall()
            print("no error")
        except turdb.OperationalError as error:
            print(error)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        print(con.execute("SELECT count(*) FROM big").fetchone()[0], con.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0])
        con.close()
    """
    out = subprocess.run(run(code, large, sql), capture_output=True, text=True, timeout=120)
    error, counts = out.stdout.splitlines()
    assert "temporary file" in error and "large" in error.lower(), out
    assert counts.split()[0] == str(ROWS), out


@linux_only
def test_a_killed_sort_leaves_nothing(large):
    con = turdb.connect(large)
    con.close()
    before = listing(large)
    code = """
        import sys, turdb
        con = turdb.connect(sys.argv[1], isolation_level=None)
        con.execute("PRAGMA statement_memory = 300000")
        cursor = con.execute("SELECT * FROM big ORDER BY pad")
        print(cursor.fetchone()[0], flush=True)
        sys.stdin.read()
    """
    process = subprocess.Popen(run(code, large), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline()
        assert temporary_files(large, process.pid) >= 1
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    con = turdb.connect(large)
    assert con.execute("SELECT count(*) FROM big").fetchone() == (ROWS,)
    con.close()
    assert [name for name, _ in listing(large)] == [name for name, _ in before]


def test_a_temporary_file_with_a_name_is_removed(tmp_path):
    """Where files cannot be made without a name, a crash may leave one."""
    path = tmp_path / "x.turdb"
    con = turdb.connect(path)
    con.execute("CREATE TABLE t (x)")
    con.close()
    left = path / "spill-4711-1.tmp"
    left.write_bytes(b"rows")
    con = turdb.connect(path)
    con.execute("SELECT * FROM t").fetchall()
    con.close()
    assert not left.exists()


MEMORY = 2 << 20


@measures_memory
@linux_only
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM big ORDER BY pad",
        "SELECT pad, count(*), max(k) FROM big GROUP BY pad",
        "SELECT pad, group_concat(k) FROM big GROUP BY x % 50, pad",
        "SELECT count(DISTINCT pad), count(DISTINCT x) FROM big",
        "SELECT DISTINCT pad, x FROM big",
        "SELECT p.k, q.pad FROM big p JOIN big q ON p.pad = q.pad AND p.x = q.x",
        "SELECT pad FROM big EXCEPT SELECT pad FROM big WHERE k % 2",
        "SELECT pad, row_number() OVER (ORDER BY x), sum(x) OVER (), rank() OVER (PARTITION BY x % 9 ORDER BY pad) FROM big",
        "SELECT pad, lag(k) OVER (PARTITION BY x % 997 ORDER BY pad) FROM big",
        "SELECT pad, lag(pad, 1000) OVER w, lead(k) OVER w, ntile(9) OVER w FROM big WINDOW w AS (ORDER BY pad)",
        "SELECT k, sum(x) OVER w, first_value(pad) OVER w, count(*) FILTER (WHERE x % 2) OVER w FROM big WINDOW w AS (ORDER BY x ROWS BETWEEN 9000 PRECEDING AND 9000 FOLLOWING)",
        "SELECT k, max(k) OVER w, min(pad) OVER w FROM big WINDOW w AS (PARTITION BY k < 2000 ORDER BY k DESC RANGE BETWEEN 100 PRECEDING AND UNBOUNDED FOLLOWING)",
        "UPDATE OR IGNORE big SET u = 0, pad = pad || 'x' WHERE k > 0",  # all rows are collected, none is written
        "WITH c AS MATERIALIZED (SELECT * FROM big) SELECT max(x.pad) FROM c x, (SELECT count(*) FROM c) y",
        "SELECT count(*) FROM big WHERE pad IN (SELECT pad FROM big WHERE k % 2) OR x = 1",
        "SELECT count(*) FROM big WHERE (pad, x) NOT IN (SELECT pad, x + k % 2 FROM big) OR x = 1",
        "WITH RECURSIVE r (pad, n) AS (SELECT pad, 0 FROM big UNION SELECT pad, n + 1 FROM r WHERE n < 1) SELECT count(*) FROM r",
        "WITH RECURSIVE r (pad, n) AS (SELECT pad, 0 FROM big UNION ALL SELECT pad, n + 1 FROM r WHERE n < 1 ORDER BY 2, 1) SELECT count(*) FROM r",
    ],
)
def test_memory_is_bounded(large, sql):
    code = """
        import sys, threading, turdb
        def anonymous():
            with open("/proc/self/status") as status:
                return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon"))
        con = turdb.connect(sys.argv[1], isolation_level=None)
        con.execute("PRAGMA statement_memory = " + sys.argv[2])
        con.execute("SELECT max(pad) FROM big").fetchall()
        before = peak = anonymous()
        def look():
            global peak
            peak = max(peak, anonymous())
        con.set_progress_handler(look, 20 if "UNION ALL" in sys.argv[3] else 1)  # that one asks for every row
        cursor = con.execute(sys.argv[3])
        while cursor.fetchmany(500):
            look()
        print(peak - before)
    """
    out = subprocess.run(run(code, large, MEMORY, sql), capture_output=True, text=True, timeout=300)
    assert int(out.stdout) < 5 * MEMORY, (out, ROWS * 230 // MEMORY)


@measures_memory
@linux_only
@pytest.mark.parametrize(
    "work, at_most",
    [
        ("con.append('t', {'x': numpy.random.default_rng(1).permutation(400_000)})", 15 << 20),  # copies of what is given included
        ("con.execute('CREATE INDEX i ON v USING hnsw (e) WITH (m = 4, ef_construction = 8)')", 4 << 20),  # of a graph of 8 MiB
    ],
)
def test_indexes_are_filled_in_bounded_memory(tmp_path, work, at_most):
    code = """
        import sys, threading, numpy, turdb
        def anonymous():
            with open("/proc/self/status") as status:
                return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon"))
        con = turdb.connect(sys.argv[1], isolation_level=None)
        con.execute("PRAGMA statement_memory = 1000000")
        con.execute("CREATE TABLE t (x INTEGER)")
        con.execute("CREATE INDEX tx ON t (x)")
        con.execute("CREATE TABLE v (e VECTOR(512))")
        con.append("v", {"e": numpy.random.default_rng(1).normal(size=(12_000, 512)).astype("f4")})
        con.execute("PRAGMA threads = 1")
        before = peak = anonymous()
        done = threading.Event()
        def watch():
            global peak
            while not done.wait(0.002):
                peak = max(peak, anonymous())
        watcher = threading.Thread(target=watch)
        watcher.start()
        exec(sys.argv[2])
        done.set()
        watcher.join()
        print(peak - before, con.execute("PRAGMA integrity_check").fetchall())
    """
    out = subprocess.run(run(code, tmp_path / "x.turdb", work), capture_output=True, text=True, timeout=300)
    growth, check = out.stdout.split(" ", 1)
    assert "ok" in check and int(growth) < at_most, out
