"""Sessions for tests of concurrency: connections in threads of their own, stepped one statement at a time.

A script says of each statement whether it is expected to wait for another session. One that is not expected to wait is waited
for; one that is expected to is given a moment and then left alone until its session is needed again. So the order
of the statements never depends on how fast the machine is; a statement that should have waited and did not is reported.
"""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass, field
from typing import Any, Optional

import turdb

LONG = 60.0  # seconds: a statement that takes longer hangs
MOMENT = 0.1  # what a statement is given that should wait


class Statement:
    """A statement under way in a session."""

    def __init__(self, sql: str, parameters: tuple = ()) -> None:
        self.sql, self.parameters = sql, parameters
        self.done = threading.Event()
        self.rows: list = []
        self.error: Optional[turdb.Error] = None

    def wait(self, seconds: float = LONG) -> bool:
        return self.done.wait(seconds)

    def result(self) -> list:
        assert self.wait(), f"{self.sql} hangs"
        if self.error is not None:
            raise self.error
        return self.rows


class Session:
    """A thread with a connection."""

    def __init__(self, path: str, timeout: float = 30.0, name: Any = "") -> None:
        self.name = name
        self.work: queue.Queue = queue.Queue()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(path, timeout), daemon=True)
        self.thread.start()
        assert self.ready.wait(LONG)

    def _run(self, path: str, timeout: float) -> None:
        self.con = turdb.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)
        self.ready.set()
        while True:
            statement = self.work.get()
            if statement is None:
                break
            try:
                statement.rows = self.con.execute(statement.sql, statement.parameters).fetchall()
            except turdb.Error as error:
                statement.error = error
            statement.done.set()
        self.con.close()

    def start(self, sql: str, *parameters: Any) -> Statement:
        statement = Statement(sql, parameters)
        self.work.put(statement)
        return statement

    def run(self, sql: str, *parameters: Any) -> list:
        return self.start(sql, *parameters).result()

    def close(self) -> None:
        self.con.interrupt()
        self.work.put(None)
        self.thread.join(LONG)
        assert not self.thread.is_alive(), f"session {self.name} does not end"


@dataclass
class Outcome:
    """What came of a script."""

    reads: list = field(default_factory=list)  # rows of each SELECT, in the order of the script; None when it failed
    errors: dict = field(default_factory=dict)  # session -> kind of the error that ended its transaction
    committed: set = field(default_factory=set)
    early: list = field(default_factory=list)  # statements that should have waited and did not
    final: dict = field(default_factory=dict)  # id -> value


class Script:
    """Lines "1: update ...", one statement each; "1~ ..." is expected to wait for another session's end.

    A session whose statement fails rolls back at once and sits out the rest, as a program would before it tries again.
    """

    def __init__(self, path: str, level: str) -> None:
        self.path, self.level = path, level
        self.sessions: dict[str, Session] = {}
        self.pending: dict[str, tuple] = {}
        self.outcome = Outcome()

    def run(self, lines: list) -> Outcome:
        try:
            for line in lines:
                self.step(line[0], line[2:].strip(), line[1] == "~")
            for name in list(self.pending):
                self.settle(name)
        finally:
            for session in self.sessions.values():
                session.close()
        con = turdb.connect(self.path)
        self.outcome.final = dict(con.execute("select id, value from test order by id").fetchall())
        assert con.execute("pragma integrity_check").fetchall() == [("ok",)]
        con.close()
        return self.outcome

    def step(self, name: str, sql: str, should_wait: bool) -> None:
        if name not in self.sessions:
            self.sessions[name] = Session(self.path, name=name)
            self.sessions[name].run(f"begin isolation level {self.level}")
        self.settle(name)
        if name in self.outcome.errors:
            if sql.startswith("select"):
                self.outcome.reads.append(None)
            return
        statement = self.sessions[name].start(sql)
        at = len(self.outcome.reads)
        if sql.startswith("select"):
            self.outcome.reads.append(None)
        self.pending[name] = (statement, at)
        if not should_wait:
            self.settle(name)
        elif statement.wait(MOMENT) and statement.error is None:
            self.outcome.early.append(f"{name}: {sql}")

    def settle(self, name: str) -> None:
        if name not in self.pending:
            return
        statement, at = self.pending.pop(name)
        assert statement.wait(), f"session {name} hangs in {statement.sql}"
        if statement.error is not None:
            assert statement.error.retryable, statement.error
            self.outcome.errors[name] = statement.error.kind
            if self.sessions[name].con.in_transaction:
                self.sessions[name].run("rollback")
        elif statement.sql == "commit":
            self.outcome.committed.add(name)
        elif statement.sql.startswith("select"):
            self.outcome.reads[at] = statement.rows
