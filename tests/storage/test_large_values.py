"""Values up to 1 GiB through SQL, in and out. TURDB_TEST_HUGE=1 goes to the limit; it takes 6 GiB of memory and of disk."""

import os
import resource
import subprocess
import sys

import pytest
from support.sanitizer import measures_memory

import turdb

LIMIT = 2**30
SIZE = LIMIT if os.environ.get("TURDB_TEST_HUGE") else 2**26


def pattern(n, seed):
    return (bytes(range(251)) * (n // 251 + 2))[seed % 251 : n + seed % 251]


def test_a_large_value_in_and_out(tmp_path):
    path = str(tmp_path / "large.turdb")
    con = turdb.connect(path)
    con.execute("create table t (id integer primary key, v)")
    value = pattern(SIZE, 3)
    con.execute("insert into t values (1, ?)", (value,))
    con.commit()
    assert con.execute("select length(v) from t").fetchone() == (SIZE,)
    con.close()
    con = turdb.connect(path)
    assert con.execute("select v from t").fetchone()[0] == value
    con.execute("update t set v = ?", (value[: SIZE // 2],))
    con.commit()
    assert con.execute("select v from t").fetchone()[0] == value[: SIZE // 2]
    con.execute("delete from t")
    con.commit()
    used = con.execute("pragma page_count").fetchone()[0] - con.execute("pragma freelist_count").fetchone()[0]
    assert used == 4
    con.close()


def test_freed_chains_are_used_again():
    con = turdb.connect(":memory:")
    con.execute("create table t (id integer primary key, v)")
    sizes = [10**5, 2 * 10**6, 5 * 10**6]
    for i, size in enumerate(sizes):
        con.execute("insert into t values (?, ?)", (i, pattern(size, i)))
    con.commit()
    pages = con.execute("pragma page_count").fetchone()[0]
    for turn in range(6):
        for i, size in enumerate(sizes):
            con.execute("update t set v = ? where id = ?", (pattern(size, turn + i), i))
        con.commit()
    # A new value is written before the old one goes: one more of the longest, at most.
    assert con.execute("pragma page_count").fetchone()[0] <= 2 * pages + 10


def test_more_than_the_limit_is_refused():
    con = turdb.connect(":memory:")
    con.execute("create table t (v)")
    for statement in ("insert into t values (zeroblob(1073741825))", "select zeroblob(1073741825)"):
        with pytest.raises(turdb.DataError, match="string or blob too big"):
            con.execute(statement).fetchall()
    assert con.execute("select count(*) from t").fetchone() == (0,)


MEASURE = """
import resource, sys, turdb
size, path = int(sys.argv[1]), sys.argv[2]
value = bytes(size)
con = turdb.connect(path)
con.execute("create table t (v)")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
con.execute("insert into t values (?)", (value,))
con.commit()
assert len(con.execute("select v from t").fetchone()[0]) == size
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / size)
"""


@measures_memory
@pytest.mark.skipif(not hasattr(resource, "RUSAGE_SELF"), reason="needs getrusage")
def test_memory_is_a_small_multiple_of_the_value(tmp_path):
    arguments = [sys.executable, "-c", MEASURE, str(SIZE), str(tmp_path / "m.turdb")]
    times = float(subprocess.run(arguments, check=True, capture_output=True, text=True).stdout)
    assert times < 6  # the engine's copies, Python's, and the mapped file
