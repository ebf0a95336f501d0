"""Plays a history on a database and on the model side by side; raises Failure at the first difference."""

from __future__ import annotations

from typing import Any, Callable, Optional

from . import model
from .drivers import SqlError
from .plan import Plan, sql_of
from .versions import Expectation, Transaction, Version, Versions

FAULT_KINDS = {"Io", "DiskFull", "ReadOnly"}
SCHEMA_OPS = {"create table", "create index", "drop table", "drop index", "add column"}


class Failure(AssertionError):
    pass


class PowerLost(Exception):
    """While a connection was being opened."""


class Run:
    def __init__(self, plan: Plan, database: Any, log: Optional[Callable] = None) -> None:
        self.plan = plan
        self.db = database
        self.versions = Versions()
        self.log = log or (lambda line: None)
        self.connections: list = [None] * plan.connections
        self.uncertain: Any = None  # the state after a commit that failed by a fault: on disk or not
        self.has_failed = False  # a fault was met since the database was opened: it may be read-only by now
        self.n_done = self.n_failed = 0

    def play(self) -> None:
        try:
            self.come_back(0)
            for number, (connection, op) in enumerate(self.plan.steps):
                try:
                    self.step(connection % self.plan.connections, op)
                except Failure as failure:
                    raise Failure(f"step {number}, c{connection}, {sql_of(op)[:200]}: {failure}") from None
            self.finish()
        finally:
            self.close_all()
            self.db.remove()

    # --- connections -------------------------------------------------------------------------------

    def connect(self, i: int) -> None:
        for attempt in (0, 1):
            try:
                self.connections[i] = self.db.connect()
                for pragma in (f"synchronous = {self.plan.sync[i]}", "hnsw_absorb = off", "threads = 1",
                               f"wal_autocheckpoint = {[2, 20, 1000][self.plan.seed % 3]}"):
                    self.connections[i].execute(f"pragma {pragma}")
                # Upkeep by itself has the database alone now and then; nobody can wait for it with a timeout of 0.
                if self.connections[i].execute("pragma auto_vacuum")[0] != [(0,)]:
                    self.connections[i].execute("pragma auto_vacuum = none")
                return
            except SqlError as error:
                self.need(attempt == 0 and self.is_fault(error), f"cannot connect: {error}")
                if "power is off" in error.message:
                    raise PowerLost from None
                self.db.disarm()

    def close(self, i: int) -> None:
        connection, self.connections[i] = self.connections[i], None
        if connection is not None:
            try:
                connection.close()
            except SqlError as error:
                self.need(self.is_fault(error), f"cannot close: {error}")

    def close_all(self) -> None:
        for i in range(self.plan.connections):
            self.close(i)

    # --- judging -----------------------------------------------------------------------------------

    def need(self, condition: Any, message: str) -> None:
        if not condition:
            raise Failure(message)

    def is_fault(self, error: SqlError) -> bool:
        self.has_failed |= self.db.has_fired()
        return error.kind in FAULT_KINDS and (self.has_failed or "power is off" in error.message)

    def call(self, i: int, sql: str) -> tuple:
        """(rows, changes, error)"""
        try:
            rows, changes = self.connections[i].execute(sql)
        except SqlError as error:
            self.n_failed += 1
            self.log(f"c{i}: {sql[:300]}   -- {error}")
            return [], -1, error
        self.n_done += 1
        self.log(f"c{i}: {sql[:300]}   -- {len(rows)} rows, {changes} changes")
        return rows, changes, None

    def judge(self, expected: Expectation, error: Optional[SqlError]) -> None:
        """Whether the statement was right to succeed or to fail."""
        allowed = expected.must | expected.may | ({expected.effect.error} - {""})
        if error is None:
            self.need(not expected.effect.error, f"succeeded, but {expected.effect.error} was expected")
            self.need(not expected.must, f"succeeded, but {' or '.join(sorted(expected.must))} was expected")
        elif not self.is_fault(error):
            self.need(error.kind in allowed, f"failed with {error}; {' or '.join(sorted(allowed)) or 'success'} was expected")

    # --- steps ---------------------------------------------------------------------------------------

    def step(self, i: int, op: dict) -> None:
        kind = op["op"]
        if kind in SCHEMA_OPS:
            self.do_schema(i, op)
        elif kind in ("insert", "update", "delete"):
            self.do_write(i, op)
        else:
            getattr(self, "do_" + kind.replace(" ", "_"))(i, op)

    def do_write(self, i: int, op: dict) -> None:
        txn, is_first = self.statement(i)
        expected = self.versions.expect_write(txn, op)
        self.versions.tried(txn, expected.effect, op)
        if op["op"] != "insert":
            txn.reads.append({"op": "query", "kind": "rows", "table": op["table"], "where": op["where"]})
        _, changes, error = self.call(i, sql_of(op))
        self.judge(expected, error)
        if error is None:
            self.need(changes == expected.effect.count, f"{changes} rows changed instead of {expected.effect.count}")
        self.conclude(i, txn, op, expected, error, is_first)

    def do_schema(self, i: int, op: dict) -> None:
        txn, is_first = self.statement(i)
        expected = self.versions.expect_exclusive(txn, model.schema_effect(self.versions.view(txn), op), is_schema=True)
        self.versions.tried(txn, expected.effect, op, is_schema=True)
        _, _, error = self.call(i, sql_of(op))
        self.judge(expected, error)
        self.conclude(i, txn, op, expected, error, is_first)

    def do_lock(self, i: int, op: dict) -> None:
        txn, is_first = self.statement(i)
        expected = self.versions.expect_lock(txn, op)
        self.versions.tried(txn, expected.effect, op)
        txn.reads.append({"op": "query", "kind": "rows", "table": op["table"], "where": op["where"]})
        rows, _, error = self.call(i, sql_of(op))
        self.judge(expected, error)
        if error is None:
            self.compare(rows, {"kind": "rows", **op, "op": "query"}, self.versions.view(txn))
            txn.held |= expected.effect.touched
        self.conclude(i, txn, op, expected, error, is_first)

    def statement(self, i: int) -> tuple:
        txn = self.versions.transaction(i)
        is_first = txn.base is None
        self.versions.start(txn)
        return txn, is_first

    def conclude(self, i: int, txn: Transaction, op: dict, expected: Expectation, error: Optional[SqlError], is_first: bool) -> None:
        """A statement that writes is over."""
        if error is None:
            txn.changes = txn.changes + expected.effect.changes
            if txn.is_implicit and self.versions.committed(txn, self.plan.sync[i]):
                self.uncertain = None
            return
        if self.is_fault(error):
            if txn.is_implicit:
                txn.changes = txn.changes + expected.effect.changes
            return self.after_fault(i, error, txn if txn.is_implicit else None)
        if txn.is_implicit:
            return
        self.need(self.connections[i].in_transaction, f"the statement's failure ({error}) ended the transaction")
        # Whether a first statement that failed has taken the snapshot is nobody's promise: begin again.
        if is_first or (op.get("then") == "rollback" and error.kind != "Constraint"):
            self.do_rollback(i, {"op": "rollback"})

    def do_query(self, i: int, op: dict) -> None:
        txn, is_first = self.statement(i)
        view = self.versions.view(txn)
        txn.reads.append(op)
        rows, _, error = self.call(i, sql_of(op))
        if model.query_result(view, op) is None:
            self.need(error is not None and error.kind == "Name", f"{error} instead of an error about the name")
            return self.do_rollback(i, {}) if is_first else None  # see conclude()
        if error is not None:
            self.need(self.is_fault(error), f"a query failed with {error}")
            return self.after_fault(i, error, None)
        self.compare(rows, op, view)

    def compare(self, rows: list, op: dict, state: model.State) -> None:
        expected = model.query_result(state, op)
        if op["kind"] != "neighbours":
            found = model.sorted_rows(rows) if op["kind"] == "rows" else rows
            return self.need(found == expected, f"gave {shortened(found)} instead of {shortened(expected)}")
        distances = [d for _, d in rows]
        self.need(len(rows) == min(op["limit"], len(expected)), f"{len(rows)} neighbours of {len(expected)} rows")
        for number, d in rows:
            self.need(number in expected and abs(expected[number] - d) < 1e-3, f"neighbour {number} at {d} is not there")
        nearest = sorted(expected.values())[: len(rows)]
        self.need(len({number for number, _ in rows}) == len(rows), "a neighbour is given twice")
        self.need(all(abs(a - b) < 1e-3 for a, b in zip(distances, nearest)), f"distances {distances} instead of {nearest}")

    # --- transactions ------------------------------------------------------------------------------

    def do_begin(self, i: int, op: dict) -> None:
        if i in self.versions.open:
            return
        txn = Transaction("read committed" if op["level"] == "read uncommitted" else op["level"] or "snapshot")
        expected = Expectation(model.Effect())
        if op["mode"] in ("immediate", "exclusive"):
            txn.is_immediate = txn.is_writer = True
            self.versions.start(txn)
            expected = self.versions.expect_exclusive(txn, model.Effect(), is_schema=False)
        _, _, error = self.call(i, sql_of(op))
        self.judge(expected, error)
        if error is None:
            self.versions.open[i] = txn
        elif self.is_fault(error):
            self.after_fault(i, error, None)
        else:
            self.need(not self.connections[i].in_transaction, "BEGIN failed and left a transaction open")

    def do_commit(self, i: int, op: dict, sql: str = "commit") -> None:
        txn = self.versions.open.get(i)
        if txn is None:
            return
        expected = self.versions.expect_commit(txn)
        _, _, error = self.call(i, sql)
        self.judge(expected, error)
        del self.versions.open[i]
        if error is None:
            if self.versions.committed(txn, self.plan.sync[i]):
                self.uncertain = None
        elif self.is_fault(error):
            self.after_fault(i, error, txn)
        if self.connections[i] is not None:
            self.need(not self.connections[i].in_transaction, "a transaction is open after COMMIT")

    def do_rollback(self, i: int, op: dict) -> None:
        if i not in self.versions.open:
            return
        _, _, error = self.call(i, "rollback")
        self.need(error is None or self.is_fault(error), f"ROLLBACK failed with {error}")
        del self.versions.open[i]
        if error is not None:
            self.after_fault(i, error, None)

    def do_savepoint(self, i: int, op: dict) -> None:
        _, _, error = self.call(i, sql_of(op))
        self.need(error is None or self.is_fault(error), f"failed with {error}")
        if error is not None:
            return self.after_fault(i, error, None)
        begins = i not in self.versions.open
        if begins:
            self.versions.open[i] = Transaction()
        txn = self.versions.open[i]
        txn.savepoints.append((op["name"], len(txn.changes), begins))

    def find_savepoint(self, i: int, name: str) -> int:
        savepoints = self.versions.open[i].savepoints if i in self.versions.open else []
        return max([k for k, s in enumerate(savepoints) if s[0] == name], default=-1)

    def do_rollback_to(self, i: int, op: dict) -> None:
        at = self.find_savepoint(i, op["name"])
        if at < 0:
            return
        _, _, error = self.call(i, sql_of(op))
        self.need(error is None or self.is_fault(error), f"failed with {error}")
        if error is not None:
            return self.after_fault(i, error, None)
        txn = self.versions.open[i]
        txn.changes = txn.changes[: txn.savepoints[at][1]]
        txn.savepoints = txn.savepoints[: at + 1]

    def do_release(self, i: int, op: dict) -> None:
        at = self.find_savepoint(i, op["name"])
        if at < 0:
            return
        if self.versions.open[i].savepoints[at][2]:
            return self.do_commit(i, op, sql_of(op))
        _, _, error = self.call(i, sql_of(op))
        self.need(error is None or self.is_fault(error), f"failed with {error}")
        if error is not None:
            return self.after_fault(i, error, None)
        self.versions.open[i].savepoints = self.versions.open[i].savepoints[:at]

    # --- upkeep --------------------------------------------------------------------------------------

    def upkeep(self, i: int, op: dict, allowed: set) -> list:
        """A statement that changes no row and is not for inside a transaction."""
        if i in self.versions.open:
            return []
        rows, _, error = self.call(i, sql_of(op))
        # VACUUM has a commit a table: those before a fault stay.
        has_committed = error is None or (op["op"] == "vacuum" and self.is_fault(error))
        if has_committed and op["op"] in ("absorb", "vacuum", "reindex"):  # a commit that changes no row
            token = ("physical",) if op["op"] == "absorb" else ("schema",)
            self.versions.versions.append(Version(self.versions.newest, {token}, 0))
        if error is None:
            return rows
        if self.is_fault(error):
            self.after_fault(i, error, None)
        else:
            is_busy = any(t.is_writer or t.locks or t.is_immediate for t in self.versions.open.values())
            self.need(error.kind in allowed - (set() if is_busy else {"Busy"}), f"failed with {error}")
        return []

    def do_checkpoint(self, i: int, op: dict) -> None:
        self.upkeep(i, op, set())

    def do_absorb(self, i: int, op: dict) -> None:
        self.upkeep(i, op, {"Busy"})

    def do_vacuum(self, i: int, op: dict) -> None:
        self.upkeep(i, op, {"Busy", "Unsupported"})

    def do_reindex(self, i: int, op: dict) -> None:
        self.upkeep(i, op, {"Busy"})

    def do_integrity(self, i: int, op: dict) -> None:
        rows = self.upkeep(i, op, set())
        self.need(not rows or rows == [("ok",)], f"integrity_check says {rows}")

    def do_reconnect(self, i: int, op: dict) -> None:
        self.close(i)
        self.versions.open.pop(i, None)
        try:
            self.connect(i)
        except PowerLost:
            self.crash(i)

    def do_reopen(self, i: int, op: dict) -> None:
        self.log("-- reopen")
        self.close_all()
        self.come_back(len(self.versions.versions) - 1)

    # --- faults --------------------------------------------------------------------------------------

    def do_fault(self, i: int, op: dict) -> None:
        if self.db.has_faults:
            self.has_failed |= self.db.has_fired()
            self.log(f"-- fault {op['kind']} in {op['after']} calls, {op['count']} times")
            self.db.arm(op["kind"], op["after"], op["count"])

    def do_power(self, i: int, op: dict) -> None:
        if self.db.has_faults:
            self.crash(op["seed"])

    def do_kill(self, i: int, op: dict) -> None:
        if not self.db.has_faults:
            return
        self.log("-- the process dies")
        self.db.cut_power()
        self.drop_connections()
        self.db.kill_process()
        self.come_back(self.versions.least_recovered(1))

    def crash(self, seed: int) -> None:
        self.log("-- power is lost")
        self.db.cut_power()
        self.drop_connections()
        self.db.restart(seed)
        self.come_back(self.versions.least_recovered(2))

    def drop_connections(self) -> None:
        for i, connection in enumerate(self.connections):
            self.connections[i] = None
            if connection is not None:
                try:
                    connection.close()
                except SqlError:
                    pass  # whatever: its file system is gone

    def after_fault(self, i: int, error: SqlError, committing: Optional[Transaction]) -> None:
        """A statement met an injected fault; `committing`: a transaction whose commit it was."""
        if committing is not None and committing.changes and error.kind != "ReadOnly":
            self.uncertain = self.versions.after(committing)
        if "power is off" in error.message:
            return self.crash(self.n_failed)
        if error.kind == "ReadOnly":
            self.log("-- reopen, since the database is read-only")
            self.close_all()
            self.db.disarm()
            return self.come_back(len(self.versions.versions) - 1)
        if i in self.versions.open and not self.connections[i].in_transaction:
            del self.versions.open[i]

    def come_back(self, least: int) -> None:
        """Opens the database anew; a version from `least` on must be there, whole, or the uncertain commit on top."""
        while True:
            try:
                self.connect(0)
                self.recognise(self.state_of(0), least)
                self.has_failed = False
                least = 0
                for i in range(1, self.plan.connections):
                    self.connect(i)
                return
            except PowerLost:
                self.log("-- power is lost while the database is opened")
                self.db.cut_power()
                self.drop_connections()
                self.db.restart(least)
                least = min(least, self.versions.least_recovered(2))

    def recognise(self, found: dict, least: int) -> None:
        states = [(k, None, v.state) for k, v in enumerate(self.versions.versions) if k >= least]
        if self.uncertain is not None:
            states.append((-1, self.uncertain, self.uncertain))
        for index, extra, state in reversed(states):
            if summary(state) == found:
                self.versions.recovered(index, extra)
                self.uncertain = None
                return
        old = [k for k, v in enumerate(self.versions.versions) if summary(v.state) == found]
        newest = summary(self.versions.newest)
        raise Failure(f"after reopening there is version {old} of {len(self.versions.versions)}, at least {least} was promised; "
                      f"found {shortened(found)}, newest {shortened(newest)}")

    def state_of(self, i: int) -> dict:
        found = {}
        names = self.must_call(i, "select name from sqlite_master where type = 'table'")
        for (name,) in names:
            columns = tuple(row[1] for row in self.must_call(i, f"pragma table_info({name})"))
            rows = model.sorted_rows(self.must_call(i, f"select * from {name}"))
            indexes = self.must_call(i, f"select name from sqlite_master where type = 'index' and tbl_name = '{name}'")
            found[name] = (columns, rows, sorted(n for (n,) in indexes if not n.startswith("sqlite_")))
        return found

    def must_call(self, i: int, sql: str) -> list:
        rows, _, error = self.call(i, sql)
        self.need(error is None, f"{sql} failed with {error}")
        return rows

    # --- the end ---------------------------------------------------------------------------------------

    def finish(self) -> None:
        """The final state is the model's, sound, and leaves nothing behind when all is dropped."""
        if self.db.has_faults:
            self.db.disarm()
        self.do_reopen(0, {})
        found = self.must_call(0, "pragma integrity_check")
        self.need(found == [("ok",)], f"integrity_check of the final state says {found}")
        for i in range(1, self.plan.connections):
            self.close(i)
        for name in self.versions.newest:
            self.must_call(0, f"drop table {name}")
        self.must_call(0, "pragma wal_checkpoint")
        self.need(self.must_call(0, "select count(*) from sqlite_master") == [(0,)], "objects are left after all were dropped")
        self.close(0)
        self.need(self.db.object_files() == [], f"files are left after all was dropped: {self.db.object_files()}")


def summary(state: model.State) -> dict:
    return {name: (t.columns, model.sorted_rows(list(t.rows.values())), sorted(i.name for i in t.indexes))
            for name, t in state.items()}


def shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 1500 else text[:1500] + f"... ({len(text)} characters)"
