"""Which anomaly can happen at which isolation level: each as a script of two or three sessions in threads.

The anomalies are those of Adya's thesis (G0 to G2), of Berenson et al. 1995 (lost update, read skew, write skew) and of
Fekete et al. 2004, in the shape of the hermitage collection. READ UNCOMMITTED is READ COMMITTED.
Where a level lets an anomaly happen it must happen, so that the scripts are known to provoke what they are about.
"""

import sys
from pathlib import Path

import pytest

import turdb

sys.path.insert(0, str(Path(__file__).parents[1]))
from support.sessions import Script

LEVELS = ["read uncommitted", "read committed", "snapshot", "serializable"]
RC, SI, SER = "read committed", "snapshot", "serializable"


class Anomaly:
    def __init__(self, name, script, happens, where, fails=None):
        self.name = name
        self.script = [line.strip() for line in script.strip().splitlines()]
        self.happens = happens  # of an Outcome
        self.where = where  # the levels at which it happens
        self.fails = fails or {}  # level -> sessions that must not commit


ANOMALIES = [
    Anomaly("G0 dirty write", """
        1: update test set value = 11 where id = 1
        2~ update test set value = 12 where id = 1
        1: update test set value = 21 where id = 2
        1: commit
        2: update test set value = 22 where id = 2
        2: commit""",
            lambda o: o.final not in ({1: 12, 2: 22}, {1: 11, 2: 21}), where=[]),
    Anomaly("G1a aborted read", """
        1: update test set value = 101 where id = 1
        2: select value from test order by id
        1: rollback
        2: select value from test order by id
        2: commit""",
            lambda o: o.reads != [[(10,), (20,)]] * 2, where=[]),
    Anomaly("G1b intermediate read", """
        1: update test set value = 101 where id = 1
        2: select value from test where id = 1
        1: update test set value = 11 where id = 1
        1: commit
        2: select value from test where id = 1
        2: commit""",
            lambda o: [(101,)] in o.reads or o.reads[0] != [(10,)], where=[]),
    Anomaly("G1c circular information flow", """
        1: update test set value = 11 where id = 1
        2: update test set value = 22 where id = 2
        1: select value from test where id = 2
        2: select value from test where id = 1
        1: commit
        2: commit""",
            lambda o: o.reads != [[(20,)], [(10,)]], where=[], fails={SER: {"2"}}),
    Anomaly("OTV observed transaction vanishes", """
        1: update test set value = 11 where id = 1
        1: update test set value = 19 where id = 2
        2~ update test set value = 12 where id = 1
        1: commit
        3: select value from test where id = 1
        2: update test set value = 18 where id = 2
        3: select value from test where id = 2
        2: commit
        3: select value from test where id = 2
        3: select value from test where id = 1
        3: commit""",
            lambda o: o.reads not in ([[(11,)], [(19,)], [(18,)], [(12,)]], [[(11,)], [(19,)], [(19,)], [(11,)]])
            or o.final != {1: 12, 2: 18}, where=[]),
    Anomaly("PMP predicate-many-preceders", """
        1: select * from test where value = 30
        2: insert into test values (3, 30)
        2: commit
        1: select * from test where value % 3 = 0
        1: commit""",
            lambda o: o.reads[1] != [], where=[RC]),
    Anomaly("PMP by a write", """
        1: update test set value = value + 10
        2~ delete from test where value = 20
        1: commit
        2: commit""",
            lambda o: o.final not in ({2: 30}, {1: 20, 2: 30} if "2" in o.errors else {2: 30}), where=[]),
    Anomaly("PMP by a write after a read", """
        2: select * from test where value = 20
        1: update test set value = value + 10
        2~ delete from test where value = 20
        1: commit
        2: commit""",
            lambda o: "2" in o.committed, where=[RC], fails={SI: {"2"}, SER: {"2"}}),
    Anomaly("P4 lost update", """
        1: select value from test where id = 1
        2: select value from test where id = 1
        1: update test set value = 11 where id = 1
        2~ update test set value = 11 where id = 1
        1: commit
        2: commit""",
            lambda o: o.committed == {"1", "2"}, where=[RC], fails={SI: {"2"}, SER: {"2"}}),
    Anomaly("P4 lost update by a blind increment", """
        1: update test set value = value + 1 where id = 1
        2~ update test set value = value + 1 where id = 1
        1: commit
        2: commit""",
            lambda o: o.final[1] != 10 + len(o.committed) or not o.committed, where=[]),
    Anomaly("P4 lost update without waiting", """
        1: select value from test where id = 1
        2: select value from test where id = 1
        1: update test set value = 11 where id = 1
        1: commit
        2: update test set value = 11 where id = 1
        2: commit""",
            lambda o: o.committed == {"1", "2"}, where=[RC], fails={SI: {"2"}, SER: {"2"}}),
    Anomaly("P4 lost delete", """
        1: select value from test where id = 1
        2: select value from test where id = 1
        1: delete from test where id = 1
        2~ update test set value = 11 where id = 1
        1: commit
        2: commit""",
            lambda o: "2" in o.committed, where=[RC], fails={SI: {"2"}, SER: {"2"}}),
    Anomaly("G-single read skew", """
        1: select value from test where id = 1
        2: update test set value = 12 where id = 1
        2: update test set value = 18 where id = 2
        2: commit
        1: select value from test where id = 2
        1: commit""",
            lambda o: o.reads != [[(10,)], [(20,)]], where=[RC]),
    Anomaly("G-single read skew by predicates", """
        1: select * from test where value % 5 = 0
        2: update test set value = 12 where value = 10
        2: commit
        1: select * from test where value % 3 = 0
        1: commit""",
            lambda o: o.reads[1] != [], where=[RC]),
    Anomaly("G-single read skew by a write predicate", """
        1: select value from test where id = 1
        2: update test set value = 12 where id = 1
        2: update test set value = 18 where id = 2
        2: commit
        1: delete from test where value = 20
        1: commit""",
            lambda o: "1" in o.committed, where=[RC], fails={SI: {"1"}, SER: {"1"}}),
    Anomaly("G2-item write skew", """
        1: select * from test where id in (1, 2)
        2: select * from test where id in (1, 2)
        1: update test set value = 11 where id = 1
        2: update test set value = 21 where id = 2
        1: commit
        2: commit""",
            lambda o: o.committed == {"1", "2"}, where=[RC, SI], fails={SER: {"2"}}),
    Anomaly("G2 predicate skew", """
        1: select * from test where value % 3 = 0
        2: select * from test where value % 3 = 0
        1: insert into test values (3, 30)
        2: insert into test values (4, 42)
        1: commit
        2: commit""",
            lambda o: o.committed == {"1", "2"}, where=[RC, SI], fails={SER: {"2"}}),
    Anomaly("G2 of two edges, seen by a reader", """
        1: select * from test
        2: update test set value = value + 5 where id = 2
        2: commit
        3: select * from test
        3: commit
        1: update test set value = 0 where id = 1
        1: commit""",
            lambda o: o.reads[1] == [(1, 10), (2, 25)] and "1" in o.committed, where=[RC, SI], fails={SER: {"1"}}),
    Anomaly("G2 phantom row by its absence", """
        1: select count(*) from test where id = 3
        2: select count(*) from test where id = 4
        1: insert into test values (4, 1)
        2: insert into test values (3, 1)
        1: commit
        2: commit""",
            lambda o: o.committed == {"1", "2"}, where=[RC, SI], fails={SER: {"2"}}),
]


@pytest.fixture
def database(tmp_path):
    path = str(tmp_path / "anomalies.turdb")
    con = turdb.connect(path, isolation_level=None)
    con.execute("create table test(id integer primary key, value integer)")
    con.execute("insert into test values (1, 10), (2, 20)")
    yield path
    con.close()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("anomaly", ANOMALIES, ids=lambda a: a.name.replace(" ", "-"))
def test_anomaly(database, anomaly, level):
    outcome = Script(database, level).run(anomaly.script)
    level = RC if level == "read uncommitted" else level
    assert outcome.early == [], "did not wait for the other transaction"
    assert bool(anomaly.happens(outcome)) == (level in anomaly.where), outcome
    sessions = {line[0] for line in anomaly.script}
    rolled_back = {line[0] for line in anomaly.script if line.endswith("rollback")}
    assert sessions - outcome.committed - rolled_back == anomaly.fails.get(level, set()), outcome


READS = {
    "a row": ("select v from r where id = 3", "update r set v = 99 where id = 3"),
    "an absent row": ("select v from r where id = 100", "insert into r values (100, 1, 1)"),
    "a range of rowids": ("select sum(v) from r where id between 3 and 6", "delete from r where id = 5"),
    "a range of rowids that gets a row": ("select sum(v) from r where id > 15", "insert into r values (40, 1, 1)"),
    "an index": ("select id from r where k = 4", "update r set k = 4 where id = 9"),
    "an index that a row leaves": ("select id from r where k = 4", "update r set k = 5 where id = 4"),
    "a column beside the index": ("select v from r where k = 4", "update r set v = -1 where k = 4"),
    "an empty range of an index": ("select id from r where k between 50 and 60", "insert into r values (50, 55, 1)"),
    "the end of an index": ("select max(k) from r", "insert into r values (60, 1000, 1)"),
    "the whole table": ("select count(*) from r", "insert into r(k, v) values (1, 1)"),
    "no index": ("select id from r where v % 7 = 3", "update r set v = 3 where id = 20"),
    "limit": ("select id from r order by id limit 3", "delete from r where id = 2"),
    "a join": ("select count(*) from r join s on r.k = s.k", "insert into s values ('new', 4)"),
    "not exists": ("select 1 where not exists (select * from s where k = 77)", "insert into s values ('x', 77)"),
    "a table without rowids": ("select k from s where name = 'b'", "update s set k = 9 where name = 'b'"),
    "a range without rowids": ("select k from s where name >= 'c'", "insert into s values ('d', 1)"),
    "an update's search": ("update r set v = v + 1 where k = 4", "insert into r values (70, 4, 0)"),
    "a delete's search": ("delete from r where k > 100", "insert into r values (71, 200, 0)"),
    "an update of an absent row": ("update r set v = 0 where id = 100", "insert into r values (100, 1, 1)"),
    "an update by an absent key": ("update r set v = 0 where k = 50", "insert into r values (50, 50, 1)"),
    "an update's condition": ("update r set v = 0 where id = 3 and v > 50", "update r set v = 99 where id = 3"),
    "a delete by an absent key": ("delete from r where k = 50", "insert into r values (50, 50, 1)"),
    "a delete's condition": ("delete from r where k = 3 and v > 50", "update r set v = 99 where k = 3"),
    "an insert's select": ("insert into other select 7, sum(v) from r where id < 4", "update r set v = 50 where id = 1"),
    "nearest neighbours": ("select id from e order by v <-> '[0,0]' limit 2", "insert into e values (9, '[0,0.1]')"),
}


@pytest.fixture
def wide_database(tmp_path):
    path = str(tmp_path / "reads.turdb")
    con = turdb.connect(path, isolation_level=None)
    con.execute("create table r(id integer primary key, k integer, v integer)")
    con.execute("create index r_k on r(k)")
    con.executemany("insert into r values (?, ?, ?)", [(i, i, i) for i in range(1, 21)])
    con.execute("create table s(name text primary key, k integer) without rowid")
    con.execute("insert into s values ('a', 1), ('b', 2), ('c', 3)")
    con.execute("create table other(id integer primary key, v integer)")
    con.execute("create table e(id integer primary key, v vector(2))")
    con.execute("insert into e values (1, '[0,0]'), (2, '[1,0]'), (3, '[5,5]')")
    yield path
    con.close()


@pytest.mark.parametrize("what", READS)
def test_serializable_finds_changes_to_what_was_read(wide_database, what):
    read, change = READS[what]
    con, other = (turdb.connect(wide_database, timeout=20, isolation_level=None) for _ in range(2))
    con.execute("begin isolation level serializable")
    con.execute(read).fetchall()
    con.execute("insert into other values (1, 1)")
    other.execute(change)
    with pytest.raises(turdb.OperationalError) as caught:
        con.execute("commit")
    assert caught.value.retryable
    assert not con.in_transaction
    assert other.execute("select count(*) from other").fetchone() == (0,)
    con.execute("begin isolation level serializable")  # again, and nobody interferes
    con.execute(read).fetchall()
    con.execute("insert into other values (1, 1)")
    con.execute("commit")
    for each in (con, other):
        each.close()


@pytest.mark.parametrize("what", READS)
def test_serializable_readers_and_bystanders_succeed(wide_database, what):
    """A transaction that only reads commits whatever others do; so does one whose reads nobody touched."""
    read, change = READS[what]
    con, other = (turdb.connect(wide_database, timeout=20, isolation_level=None) for _ in range(2))
    if read.startswith("select"):
        con.execute("begin isolation level serializable")
        con.execute(read).fetchall()
        other.execute(change)
        con.execute("commit")
    con.execute("create table unrelated(id integer primary key)")
    con.execute("begin isolation level serializable")
    con.execute(read).fetchall()
    con.execute("insert into other values (1, 1)")
    other.execute("insert into unrelated values (1)")
    con.execute("commit")
    for each in (con, other):
        each.close()
