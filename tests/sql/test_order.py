"""ORDER BY that a scan could give by itself: whether the sort is left out or not, the order is sqlite3's."""

import itertools
import sqlite3

import pytest

import turdb

SOURCES = [
    "t",
    "t join u on u.tid = t.id",
    "t left join u on u.tid = t.id",
    "t cross join u where u.x < t.a + 50",
    "t left join u on u.x < t.a + 20",
]
KEYS = ["t.id", "t.id desc", "t.a", "t.a desc"]
RIGHT_KEYS = ["u.x", "u.x desc", "u.id desc"]


@pytest.fixture(scope="module")
def pair():
    connections = turdb.connect(":memory:", isolation_level=None), sqlite3.connect(":memory:", isolation_level=None)
    for con in connections:
        con.execute("create table t (id integer primary key, a)")
        con.execute("create table u (id integer primary key, tid, x)")
        con.execute("create index u_tid on u (tid)")
        con.execute("create index t_a on t (a)")
        con.executemany("insert into t values (?, ?)", [(i, i * 7 % 5) for i in range(12)])
        con.executemany("insert into u values (?, ?, ?)", [(i, i % 9, i * 37 % 101) for i in range(300)])
    return connections


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("limit", ["", " limit 7"])
def test_order(pair, source, limit):
    has_right = "u" in source.split()
    columns = "t.id, t.a, u.id, u.x" if has_right else "t.id, t.a"
    last = ", t.id, u.id" if has_right else ", t.id"  # makes the order total
    seconds = KEYS + RIGHT_KEYS if has_right else KEYS
    for keys in itertools.product(KEYS, seconds):
        sql = f"select {columns} from {source} order by {', '.join(keys)}{last}{limit}"
        ours, theirs = (con.execute(sql).fetchall() for con in pair)
        assert ours == theirs, sql
