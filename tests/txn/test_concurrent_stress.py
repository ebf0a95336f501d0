"""Writers, readers, checkpoints, schema changes, interrupts and closing connections beside each other, in threads.

Each test asserts what a user would see: sums that stay the same, rows that are there once. They are what a build with
ThreadSanitizer is to be run on. TURDB_STRESS_SECONDS makes them longer.
"""

import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import turdb

sys.path.insert(0, str(Path(__file__).parents[1]))
from support.crew import Crew, transact

ACCOUNTS = 40
TOTAL = ACCOUNTS * 100


@pytest.fixture
def bank(tmp_path):
    path = str(tmp_path / "bank.turdb")
    con = turdb.connect(path, isolation_level=None)
    con.execute("pragma wal_autocheckpoint = 30")
    con.execute("create table accounts(id integer primary key, balance integer check (balance >= 0), note text)")
    con.execute("create index accounts_balance on accounts(balance)")
    con.execute("create table entries(id integer primary key, source integer, target integer, amount integer)")
    con.executemany("insert into accounts values (?, 100, 'x')", [(i,) for i in range(ACCOUNTS)])
    yield path
    assert con.execute("pragma integrity_check").fetchall() == [("ok",)]
    assert con.execute("select sum(balance) from accounts").fetchone() == (TOTAL,)
    con.close()


def transfer(con, rng, level="snapshot", note=False):
    source, target = rng.sample(range(ACCOUNTS), 2)
    amount = rng.randrange(1, 20)

    def body(con):
        balance = con.execute("select balance from accounts where id = ?", (source,)).fetchone()[0]
        if balance < amount:
            return
        con.execute("update accounts set balance = balance - ? where id = ? and balance >= ?", (amount, source, amount))
        if con.execute("select changes()").fetchone()[0] == 0:
            return
        con.execute("update accounts set balance = balance + ? where id = ?", (amount, target))
        con.execute("insert into entries(source, target, amount) values (?, ?, ?)", (source, target, amount))
        if note:
            con.execute("update accounts set note = ? where id = ?", ("y" * rng.randrange(2000), source))

    assert transact(con, body, f"begin isolation level {level}"), "200 tries were not enough"


def check_sum(con, rng):
    by_scan, count = con.execute("select sum(balance), count(*) from accounts").fetchone()
    assert (by_scan, count) == (TOTAL, ACCOUNTS)
    con.execute("begin")
    by_index = con.execute("select sum(balance) from accounts where balance >= 0").fetchone()[0]
    moved = con.execute("select coalesce(sum(amount), 0) from entries").fetchone()[0]
    again = con.execute("select sum(balance), (select coalesce(sum(amount), 0) from entries) from accounts").fetchone()
    con.execute("commit")
    assert (by_index, moved) == (TOTAL, again[1]) and again[0] == TOTAL


def checkpoint(con, rng):
    con.execute("pragma wal_checkpoint")
    time.sleep(0.005)


@pytest.mark.parametrize("level", ["snapshot", "read committed", "serializable"])
def test_transfers_keep_the_sum(bank, level):
    crew = Crew(bank)
    for _ in range(3):
        crew.add(transfer, level, True)
    for _ in range(2):
        crew.add(check_sum)
    crew.add(checkpoint)
    crew.run()
    crew.at_least("transfer", 10)
    crew.at_least("check_sum", 5)


def test_savepoints_take_back_what_they_cover(bank):
    def wander(con, rng):
        def body(con):
            for _ in range(rng.randrange(1, 4)):
                con.execute("savepoint s")
                con.execute("update accounts set balance = balance + 1 where id = ?", (rng.randrange(ACCOUNTS),))
                con.execute("insert into entries(source, amount) values (-1, 0)")
                con.execute("savepoint inner")
                con.execute("delete from accounts where id % 7 = ?", (rng.randrange(7),))
                con.execute("rollback to inner")
                con.execute("rollback to s")
                con.execute("release s")
            con.execute("update accounts set note = 'w' where id = ?", (rng.randrange(ACCOUNTS),))

        assert transact(con, body)

    crew = Crew(bank)
    for _ in range(2):
        crew.add(wander)
    crew.add(transfer)
    crew.add(check_sum)
    crew.run()
    crew.at_least("wander", 5)
    con = turdb.connect(bank)
    assert con.execute("select count(*) from entries where source = -1").fetchone() == (0,)
    con.close()


def test_schema_changes_beside_writers(bank):
    def change_schema(con, rng):
        name = f"extra{rng.randrange(3)}"
        kind = rng.randrange(4)
        try:
            if kind == 0:
                con.execute(f"create index if not exists {name}_i on accounts(note, balance)")
            elif kind == 1:
                con.execute(f"drop index if exists {name}_i")
            elif kind == 2:
                con.execute("begin")
                con.execute(f"create table if not exists {name}(a integer primary key, b text)")
                con.execute(f"insert into {name} select id, note from accounts where id < 5 on conflict do nothing")
                con.execute(rng.choice(["commit", "rollback"]))
            else:
                con.execute(f"drop table if exists {name}")
        except turdb.OperationalError as error:
            assert error.retryable, error
            if con.in_transaction:
                con.execute("rollback")
        time.sleep(0.01)

    crew = Crew(bank)
    crew.add(change_schema)
    crew.add(change_schema)
    for _ in range(2):
        crew.add(transfer)
    crew.add(check_sum)
    crew.run()
    crew.at_least("change_schema", 5)
    crew.at_least("transfer", 5)


def test_impatient_and_interrupted_connections(bank):
    victims = []

    def impatient(con, rng):
        """Never waits, and is interrupted now and then."""
        if con not in victims:
            victims.append(con)
        try:
            con.execute(rng.choice(["begin", "begin immediate", "begin isolation level serializable"]))
            con.execute("update accounts set note = 'z' where balance > ?", (rng.randrange(100),))
            con.execute("select count(*) from accounts a, accounts b, accounts c where a.id < b.id").fetchall()
            con.execute("commit")
        except turdb.OperationalError as error:
            assert error.retryable or error.kind == "Interrupted", error
            if con.in_transaction:
                con.execute("rollback")

    def interrupt(con, rng):
        for victim in victims:
            victim.interrupt()
        time.sleep(rng.random() * 0.02)

    crew = Crew(bank)
    for _ in range(2):
        crew.add(impatient, timeout=0)
    crew.add(impatient, timeout=0.02)
    crew.add(transfer)
    crew.add(check_sum)
    crew.add(interrupt)
    crew.run()
    crew.at_least("impatient", 5)
    crew.at_least("transfer", 1)


def test_an_interrupt_ends_a_wait(bank):
    holder, waiter = (turdb.connect(bank, timeout=60, isolation_level=None, check_same_thread=False) for _ in range(2))
    holder.execute("begin")
    holder.execute("update accounts set balance = balance where id = 1")
    caught = []

    def wait():
        try:
            waiter.execute("update accounts set balance = balance where id = 1")
        except turdb.OperationalError as error:
            caught.append(error.kind)

    thread = threading.Thread(target=wait)
    thread.start()
    for _ in range(600):
        time.sleep(0.05)
        waiter.interrupt()
        if not thread.is_alive():
            break
    thread.join(60)
    assert caught == ["Interrupted"]
    holder.execute("commit")
    waiter.execute("update accounts set balance = balance where id = 1")
    for con in (holder, waiter):
        con.close()


def test_connections_come_and_go(bank):
    crew = Crew(bank)

    def come_and_go(con, rng):
        other = crew.connect(timeout=1.0)
        cursor = other.cursor()
        try:
            if rng.random() < 0.7:
                other.execute(rng.choice(["begin", "begin isolation level read committed"]))
                other.execute("update accounts set balance = balance + 1 where id = ?", (rng.randrange(ACCOUNTS),))
            cursor.execute("select * from accounts")
            cursor.fetchone()
        except turdb.OperationalError as error:
            assert error.retryable, error
        closer = threading.Thread(target=other.close)  # with its transaction open and its rows half read
        closer.start()
        try:
            cursor.fetchall()
        except turdb.ProgrammingError:
            pass  # closed meanwhile
        closer.join()

    for _ in range(3):
        crew.add(come_and_go)
    for _ in range(2):
        crew.add(transfer)
    crew.add(check_sum)
    crew.add(checkpoint)
    crew.run()
    crew.at_least("come_and_go", 10)
    crew.at_least("transfer", 5)


def test_deadlocks_are_resolved(bank):
    """Rows locked in any order: somebody is rolled back, everybody gets on."""
    kinds = set()

    def shuffle(con, rng):
        ids = rng.sample(range(6), 4)
        for _ in range(500):
            try:
                con.execute("begin isolation level read committed")
                for i in ids:
                    con.execute("update accounts set note = note || '.' where id = ?", (i,))
                con.execute("update accounts set note = 'short' where length(note) > 100")
                con.execute("commit")
                return
            except turdb.OperationalError as error:
                assert error.retryable, error
                kinds.add(error.kind)
                if error.kind == "Deadlock":
                    assert not con.in_transaction
                if con.in_transaction:
                    con.execute("rollback")
        raise AssertionError("500 tries were not enough")

    crew = Crew(bank)
    for _ in range(4):
        crew.add(shuffle, timeout=30.0)
    counts = crew.run()
    assert len(counts) == 4, "a thread never came through"
    assert "Busy" not in kinds, "a deadlock was waited out"


def test_rowids_are_handed_out_once(tmp_path):
    path = str(tmp_path / "rowids.turdb")
    con = turdb.connect(path, isolation_level=None)
    con.execute("create table plain(w integer, n integer)")
    con.execute("create table counted(id integer primary key autoincrement, w integer, n integer)")
    acknowledged = {}

    def insert(con, rng):
        w = threading.get_ident()
        mine = acknowledged.setdefault(w, [])
        rows = rng.choice([1, 1, 5, 40])
        table = rng.choice(["plain", "counted"])
        ids = []

        def body(con):
            ids.clear()
            for n in range(rows):
                ids.append(con.execute(f"insert into {table}(w, n) values (?, ?)", (w, n)).lastrowid)

        assert transact(con, body)
        mine += [(table, i) for i in ids]

    crew = Crew(path)
    for _ in range(4):
        crew.add(insert)
    crew.run()
    got = [pair for mine in acknowledged.values() for pair in mine]
    assert len(set(got)) == len(got) > 50
    for table in ("plain", "counted"):
        stored = {i for (i,) in con.execute(f"select rowid from {table}")}
        assert stored == {i for t, i in got if t == table}
    assert con.execute("pragma integrity_check").fetchall() == [("ok",)]
    con.close()


def test_one_of_many_gets_a_unique_key(tmp_path):
    path = str(tmp_path / "unique.turdb")
    con = turdb.connect(path, isolation_level=None)
    con.execute("create table t(id integer primary key, k text unique, w integer)")
    con.execute("create table w(k text primary key, w integer) without rowid")
    winners = {}
    mutex = threading.Lock()
    turn = [0]

    def race(con, rng):
        turn[0] += 1
        key = f"k{turn[0] // 3}"
        for table, sql in (("t", "insert into t(k, w) values (?, ?)"), ("w", "insert into w values (?, ?)")):
            try:
                if rng.random() < 0.5:
                    con.execute(sql, (key, 1))
                elif not transact(con, lambda con, sql=sql: con.execute(sql, (key, 1))):
                    continue
            except turdb.IntegrityError:
                if con.in_transaction:
                    con.execute("rollback")
                continue
            except turdb.OperationalError as error:
                assert error.retryable, error
                continue
            with mutex:
                winners[table, key] = winners.get((table, key), 0) + 1

    crew = Crew(path)
    for _ in range(4):
        crew.add(race)
    crew.run()
    assert set(winners.values()) == {1} and len(winners) > 10
    for table in ("t", "w"):
        stored = sorted(k for (k,) in con.execute(f"select k from {table}"))
        assert stored == sorted(k for t, k in winners if t == table)
    assert con.execute("pragma integrity_check").fetchall() == [("ok",)]
    con.close()


def test_vectors_beside_writers(tmp_path):
    path = str(tmp_path / "vectors.turdb")
    con = turdb.connect(path, isolation_level=None)
    con.execute("create table v(id integer primary key, w integer, e vector(8))")
    con.execute("create index v_e on v using hnsw (e vector_l2_ops) with (m=6, ef_construction=30)")
    vectors = np.random.default_rng(5).standard_normal((4000, 8)).astype(np.float32)
    con.append("v", {"id": np.arange(300), "w": np.zeros(300, np.int64), "e": vectors[:300]})
    con.execute("pragma hnsw_absorb = sync")

    def write(con, rng, w):
        def body(con):
            for _ in range(rng.randrange(1, 6)):
                row = rng.randrange(100) * 4 + w  # rows of its own, among those of others
                e = vectors[rng.randrange(4000)]
                kind = rng.random()
                if kind < 0.5:
                    con.execute("insert or replace into v values (?, ?, ?)", (row, w, e))
                elif kind < 0.8:
                    con.execute("update v set e = ? where id = ?", (e, row))
                else:
                    con.execute("delete from v where id = ?", (row,))

        assert transact(con, body)

    def search(con, rng):
        query = vectors[rng.randrange(4000)]
        con.execute("begin")
        stored = {row: e for row, e in con.execute("select id, e from v")}
        found = con.execute("select id, e <-> ? from v order by e <-> ? limit 5", (query, query)).fetchall()
        con.execute("commit")
        assert len(found) == 5
        for row, d in found:
            assert abs(float(np.linalg.norm(stored[row] - query)) - d) < 1e-3

    def absorb(con, rng):
        try:
            con.execute("pragma hnsw_absorb = sync")
        except turdb.OperationalError as error:
            assert error.retryable, error
        time.sleep(0.02)

    crew = Crew(path)
    for w in range(3):
        crew.add(write, w)
    crew.add(search)
    crew.add(search)
    crew.add(absorb)
    crew.run()
    crew.at_least("write", 5)
    crew.at_least("search", 5)
    assert con.execute("pragma integrity_check").fetchall() == [("ok",)]
    con.close()


def test_bulk_loads_beside_writers(bank):
    """append() of many rows and DELETE of a whole table, which take the table, beside transactions on rows."""

    def load(con, rng):
        first = rng.randrange(1, 1 << 40) * 10_000
        n = rng.randrange(200, 3000)
        try:
            con.append("entries", {"id": np.arange(first, first + n), "source": np.full(n, -2), "amount": np.zeros(n, np.int64)})
            if rng.random() < 0.5:
                con.execute("delete from entries where source = -2")
        except turdb.OperationalError as error:
            assert error.retryable, error

    crew = Crew(bank)
    crew.add(load)
    for _ in range(2):
        crew.add(transfer)
    crew.add(check_sum)
    crew.run()
    crew.at_least("load", 2)
    crew.at_least("transfer", 5)
