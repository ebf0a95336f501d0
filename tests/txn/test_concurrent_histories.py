"""Histories of concurrent transactions, recorded from real threads, have none of the anomalies that their level rules out."""

import os
import random
import sys
import threading
import time
from pathlib import Path

import pytest

import turdb

sys.path.insert(0, str(Path(__file__).parents[1]))
from support.histories import Checker, Txn

SECONDS = float(os.environ.get("TURDB_STRESS_SECONDS", "1.5"))
SEED = int(os.environ.get("TURDB_SEED", "1"))
THREADS = 4
MOST = int(400 * SECONDS)  # transactions of a thread
KEYS = 8

SCHEMAS = {
    "rowid": ["create table lists(k integer primary key, g integer, v text)", "create index lists_g on lists(g)"],
    "without rowid": ["create table lists(k integer primary key, g integer, v text) without rowid"],
    "unique index": ["create table lists(id integer primary key, k integer unique, g integer, v text)",
                     "create index lists_g on lists(g, k)"],
}


def values_of(text):
    return tuple(int(v) for v in text.split(",")) if text else ()


class Client(threading.Thread):
    """Runs random transactions and writes down what they did."""

    def __init__(self, number, path, level, until):
        super().__init__()
        self.number, self.path, self.level, self.until = number, path, level, until
        self.rng = random.Random(f"{SEED} {number} {level}")
        self.txns = []
        self.next_value = number
        self.failure = None

    def run(self):
        try:
            self.con = turdb.connect(self.path, timeout=2, isolation_level=None, check_same_thread=False)
            self.con.execute("pragma synchronous = off")
            while time.monotonic() < self.until and len(self.txns) < MOST:
                self.transaction()
            self.con.close()
        except BaseException as error:
            self.failure = error

    def transaction(self):
        txn = Txn(f"T{self.number}.{len(self.txns)}")
        self.txns.append(txn)
        alone = self.rng.random() < 0.15  # one statement outside BEGIN
        txn.began = time.monotonic_ns()
        try:
            if not alone:
                mode = " immediate" if self.rng.random() < 0.03 and self.level == "snapshot" else f" isolation level {self.level}"
                self.con.execute("begin" + mode)
            for _ in range(1 if alone else self.rng.randrange(1, 6)):
                self.operation(txn)
            if not alone:
                self.con.execute("commit")
            txn.ended = time.monotonic_ns()
            txn.is_committed = True
        except turdb.OperationalError as error:
            assert error.retryable, error
            if self.con.in_transaction:
                self.con.execute("rollback")

    def operation(self, txn):
        """On a few lists, which are left for new ones after some transactions, so that they stay short."""
        kind = self.rng.random()
        first = len(self.txns) // 60 * KEYS
        key = first + self.rng.randrange(KEYS)
        window = range(first, first + KEYS)
        if kind < 0.3:
            self.read(txn, "k = ?", (key,), [key])
        elif kind < 0.4:
            self.read(txn, "k between ? and ?", (key, key + 2), range(key, key + 3))
        elif kind < 0.5:
            self.read(txn, "g = ?", (key // 3,), range(key // 3 * 3, key // 3 * 3 + 3))
        elif kind < 0.55:
            self.read(txn, "k + 0 between ? and ?", (first, first + KEYS - 1), window)
        elif kind < 0.8 or not self.con.in_transaction:
            self.append(txn, key)
        else:
            self.read_and_write_back(txn, key)

    def read(self, txn, where, parameters, keys):
        rows = dict(self.con.execute(f"select k, v from lists where {where}", parameters).fetchall())
        for key in keys:
            txn.ops.append(("read", key, values_of(rows.get(key, ""))))
        return rows

    def new_value(self):
        self.next_value += THREADS
        return self.next_value

    def append(self, txn, key):
        value = self.new_value()
        txn.ops.append(("append", key, value))  # before it is tried: what fails is no commit
        self.con.execute("insert into lists(k, g, v) values (?, ?, ?) on conflict(k) do update set v = v || ',' || excluded.v",
                         (key, key // 3, str(value)))

    def read_and_write_back(self, txn, key):
        if self.level not in ("snapshot", "serializable"):
            return self.append(txn, key)  # elsewhere a lost update is allowed
        rows = self.read(txn, "k = ?", (key,), [key])
        value = self.new_value()
        txn.ops.append(("append", key, value))
        if key in rows:
            self.con.execute("update lists set v = ? where k = ?", (f"{rows[key]},{value}", key))
        else:
            try:
                self.con.execute("insert into lists(k, g, v) values (?, ?, ?)", (key, key // 3, str(value)))
            except turdb.IntegrityError:  # somebody else's row, committed after this snapshot
                txn.ops.pop()


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("level", ["read committed", "snapshot", "serializable"])
def test_histories_have_no_forbidden_anomaly(tmp_path, level, schema):
    path = str(tmp_path / "histories.turdb")
    con = turdb.connect(path, isolation_level=None)
    for statement in SCHEMAS[schema]:
        con.execute(statement)
    until = time.monotonic() + SECONDS
    clients = [Client(i, path, level, until) for i in range(THREADS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join(SECONDS + 60)
        assert not client.is_alive(), "a client hangs"
        assert client.failure is None, repr(client.failure)
    final = {k: values_of(v) for k, v in con.execute("select k, v from lists")}
    assert con.execute("pragma integrity_check").fetchall() == [("ok",)]
    con.close()
    txns = [txn for client in clients for txn in client.txns]
    assert sum(t.is_committed for t in txns) > 20
    anomaly = Checker(txns, final).anomaly(level)
    assert anomaly is None, anomaly


# --- the checker itself ------------------------------------------------------------------------------


def txn(name, *ops, committed=True, began=0, ended=10):
    return Txn(name, list(ops), committed, began, ended)


def append(key, value):
    return ("append", key, value)


def read(key, *values):
    return ("read", key, values)


FORBIDDEN = {
    "lost write": ([txn("a", append("x", 1)), txn("b", append("x", 2))], {"x": (2,)}, "read committed"),
    "aborted read": ([txn("a", append("x", 1), committed=False), txn("b", read("x", 1))], {}, "read committed"),
    "intermediate read": ([txn("a", append("x", 1), append("x", 2)), txn("b", read("x", 1))], {"x": (1, 2)}, "read committed"),
    "own write unseen": ([txn("a", append("x", 1), read("x"))], {"x": (1,)}, "read committed"),
    "dirty write": ([txn("a", append("x", 1), append("y", 4)), txn("b", append("x", 2), append("y", 3))],
                    {"x": (1, 2), "y": (3, 4)}, "read committed"),
    "circular information flow": ([txn("a", append("x", 1), read("y", 2)), txn("b", append("y", 2), read("x", 1))],
                                  {"x": (1,), "y": (2,)}, "read committed"),
    "read skew": ([txn("a", read("x"), read("y", 2)), txn("b", append("x", 1), append("y", 2))],
                  {"x": (1,), "y": (2,)}, "snapshot"),
    "lost update": ([txn("a", read("x"), append("x", 1)), txn("b", read("x"), append("x", 2))], {"x": (2,)}, "snapshot"),
    "stale read": ([txn("a", append("x", 1), ended=1), txn("b", read("x"), append("y", 2), began=5)],
                   {"x": (1,), "y": (2,)}, "snapshot"),
    "write skew": ([txn("a", read("x"), append("y", 1)), txn("b", read("y"), append("x", 2))],
                   {"x": (2,), "y": (1,)}, "serializable"),
    "a reader's anomaly": ([txn("a", read("x"), read("y"), append("y", 1)), txn("b", append("x", 2)),
                            txn("c", read("x", 2), read("y"))], {"x": (2,), "y": (1,)}, "serializable"),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_the_checker_finds(name):
    txns, final, level = FORBIDDEN[name]
    assert Checker(txns, final).anomaly(level) is not None
    weaker = {"serializable": "snapshot", "snapshot": "read committed"}.get(level)
    if weaker and name != "lost update":
        assert Checker(txns, final).anomaly(weaker) is None


def test_the_checker_accepts_a_serial_history():
    txns = [txn("a", append("x", 1), append("y", 2), began=0, ended=1), txn("b", read("x", 1), append("x", 3), began=2, ended=3),
            txn("c", read("x", 1, 3), read("y", 2), append("x", 4), read("x", 1, 3, 4), began=4, ended=5)]
    assert Checker(txns, {"x": (1, 3, 4), "y": (2,)}).anomaly("serializable") is None
