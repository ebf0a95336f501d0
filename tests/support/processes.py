"""The roles of tests with several processes: one that writes and ones that read and check what they see.

``python processes.py ROLE PATH SEED`` with the role writer, reader or holder runs until killed or until PATH/../stop
exists. The writer notes in PATH/../acknowledged how many of its commits have returned, and minds that neither its log nor its page
versions grow beyond what the database is large. A reader checks every snapshot: nothing torn, nothing lost that was
acknowledged before it began, never back in time. A holder keeps each snapshot for seconds and reads it over and over: it must
not change. Both print the number of checks.
"""

import random
import time

import numpy as np

import turdb
from support.role import Side, play

ACCOUNTS = 40
TOTAL = 1000 * ACCOUNTS
DIM = 8


def vector(i):
    return np.random.default_rng(i).standard_normal(DIM).astype(np.float32)


def create(path):
    with turdb.connect(path) as con:
        con.execute("create table accounts (id integer primary key, balance integer, note text)")
        con.execute("create index by_note on accounts (note)")
        con.execute(f"create table docs (id integer primary key, body text, e vector({DIM}))")
        con.execute("create index near on docs using hnsw (e)")
        con.execute("create table progress (n integer, docs integer, scratch text, scratch_rows integer)")
        con.executemany("insert into accounts values (?, 1000, 'none')", [(i,) for i in range(ACCOUNTS)])
        con.execute("insert into progress values (0, 0, null, 0)")
    con.close()


class Writer:
    def __init__(self, path, seed):
        self.side = Side(path)
        self.rng = random.Random(seed)
        self.con = turdb.connect(path, timeout=30, isolation_level=None)
        self.con.execute("pragma wal_autocheckpoint = 4")

    def check_bounds(self):
        query = "select value from turdb_catalog.statistics where name in ('wal_bytes', 'committed_version_bytes') order by name"
        (versions,), (log,) = self.con.execute(query).fetchall()
        (database,) = self.con.execute("select sum(bytes) from turdb_catalog.storage").fetchone()
        assert log <= database + (48 << 20), f"{log} bytes of log for {database} of data"
        assert versions <= database + (48 << 20), f"{versions} bytes of page versions for {database} of data"

    def run(self):
        while not self.side.is_stopped():
            if self.rng.random() < 0.02:
                self.check_bounds()
            if self.rng.random() < 0.3:
                self.con.execute(f"pragma synchronous = {self.rng.choice(['full', 'normal', 'off'])}")
            self.side.acknowledge(self.transaction())
            if self.rng.random() < 0.05:
                self.con.execute("pragma wal_checkpoint")
        self.con.close()

    def transaction(self):
        con, rng = self.con, self.rng
        con.execute("begin immediate")
        n, docs, scratch, rows = con.execute("select * from progress").fetchone()
        n += 1
        for _ in range(rng.randrange(1, 6)):
            a, b = rng.sample(range(ACCOUNTS), 2)
            amount = rng.randrange(-50, 50)
            con.execute("update accounts set balance = balance - ?, note = ? where id = ?", (amount, f"to {b}", a))
            con.execute("update accounts set balance = balance + ?, note = ? where id = ?", (amount, f"of {a}", b))
        for i in range(docs, docs + rng.randrange(0, 3)):
            con.execute("insert into docs values (?, ?, ?)", (i, "x" * (i % 300), vector(i)))
            docs = i + 1
        kind = rng.random()
        if kind < 0.15:
            scratch, rows = self.replace_scratch(n, scratch)
        elif kind < 0.3 and scratch:
            more = rng.choice([3, 2000])
            con.append(scratch, {"a": np.arange(rows, rows + more), "b": ["y" * 50] * more})
            rows += more
        con.execute("update progress set n = ?, docs = ?, scratch = ?, scratch_rows = ?", (n, docs, scratch, rows))
        if rng.random() < 0.05:
            con.execute("rollback")
            return n - 1
        con.execute("commit")
        return n

    def replace_scratch(self, n, scratch):
        if scratch:
            self.con.execute(f"drop table {scratch}")
        scratch = f"scratch{n % 3}" if f"scratch{n % 3}" != scratch else f"scratch{(n + 1) % 3}"
        self.con.execute(f"create table {scratch} (a integer, b text)")
        self.con.executemany(f"insert into {scratch} values (?, 'z')", [(i,) for i in range(20)])
        return scratch, 20


class Reader:
    def __init__(self, path, seed):
        self.side = Side(path)
        self.rng = random.Random(seed)
        self.path = path
        self.seen = 0
        self.checks = 0
        self.connect()

    def connect(self):
        self.con = turdb.connect(self.path, read_only=True, timeout=30, isolation_level=None)

    def run(self):
        while not self.side.is_stopped():
            self.snapshot()
            self.checks += 1
            if self.rng.random() < 0.03:
                self.con.close()
                self.connect()
            if self.rng.random() < 0.1:
                time.sleep(self.rng.random() * 0.02)
        self.con.close()
        print(self.checks, self.seen)

    def snapshot(self):
        acknowledged = self.side.acknowledged()
        self.con.execute("begin")
        n = self.look()
        assert n >= acknowledged, f"sees commit {n}, but {acknowledged} had returned before"
        assert n >= self.seen, f"sees commit {n}, and saw {self.seen} before"
        self.seen = n
        if self.rng.random() < 0.1:
            time.sleep(self.rng.random() * 0.05)
            assert self.look() == n, "a snapshot moved"
        if self.rng.random() < 0.1:
            assert self.con.execute("pragma integrity_check").fetchall() == [("ok",)]
        self.con.execute("commit")

    def look(self):
        one = lambda sql, *parameters: self.con.execute(sql, parameters).fetchone()  # noqa: E731
        n, docs, scratch, rows = one("select * from progress")
        assert one("select sum(balance), count(*) from accounts") == (TOTAL, ACCOUNTS)
        assert one("select count(*) from accounts where note >= ''") == (ACCOUNTS,)
        assert one("select count(*), coalesce(max(id), -1) + 1 from docs") == (docs, docs)
        if docs:
            i = self.rng.randrange(docs)
            assert one("select id, length(body) from docs order by e <-> ? limit 1", vector(i)) == (i, i % 300)
        if scratch:
            assert one(f"select count(*), max(a) from {scratch}") == (rows, rows - 1)
        names = self.con.execute("select name from sqlite_master where name like 'scratch%'").fetchall()
        assert names == ([(scratch,)] if scratch else [])
        return n


class Holder(Reader):
    """Keeps a snapshot, now and then several, and finds in it what it found at first."""

    def everything(self, con):
        one = lambda sql: con.execute(sql).fetchall()  # noqa: E731
        scratch = one("select scratch from progress")[0][0]
        near = [one(f"select id from docs order by e <-> {probe} limit 10") for probe in self.probes]
        by_note = one("select id, note from accounts where note >= '' order by note, id")
        docs = [(i, n, e.tobytes()) for i, n, e in one("select id, length(body), e from docs")]
        rest = one(f"select a, b from {scratch}") if scratch else None
        return one("select * from accounts"), docs, by_note, near, one("select * from progress"), rest

    def run(self):
        self.probes = [f"'{[float(x) for x in vector(i)]}'" for i in range(3)]
        while not self.side.is_stopped():
            connections, first = [], []
            for _ in range(self.rng.randrange(1, 4)):
                con = turdb.connect(self.path, read_only=True, timeout=30, isolation_level=None)
                connections.append(con)
                con.execute("begin")
                con.execute("select n from progress").fetchone()  # the tables are opened later
                time.sleep(self.rng.random())
                first.append(self.everything(con))
            end = time.monotonic() + self.rng.uniform(0.5, 8)
            while time.monotonic() < end and not self.side.is_stopped():
                for con, expected in zip(connections, first, strict=True):
                    assert self.everything(con) == expected, "a held snapshot has changed"
                    self.checks += 1
                self.snapshot()
                if self.rng.random() < 0.3:
                    assert connections[0].execute("pragma integrity_check").fetchall() == [("ok",)]
            for con in connections:
                con.close()
        self.con.close()
        print(self.checks, self.seen)


if __name__ == "__main__":
    play(writer=Writer, reader=Reader, holder=Holder)
