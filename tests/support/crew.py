"""Threads of a stress test: each repeats its task until the time is over; the first error of any ends them all."""

from __future__ import annotations

import os
import random
import threading
import time
from typing import Any, Callable, Optional

import turdb

SECONDS = float(os.environ.get("TURDB_STRESS_SECONDS", "1.5"))
SEED = int(os.environ.get("TURDB_SEED", "1"))
LONG = 90.0  # seconds after the end in which a thread must come back: else it hangs


class Crew:
    def __init__(self, path: str) -> None:
        self.path = path
        self.until = time.monotonic() + SECONDS
        self.threads: list = []
        self.error: Optional[BaseException] = None
        self.counts: dict = {}

    def is_over(self) -> bool:
        return time.monotonic() >= self.until or self.error is not None

    def connect(self, timeout: float = 10.0) -> turdb.Connection:
        con = turdb.connect(self.path, timeout=timeout, isolation_level=None, check_same_thread=False)
        con.execute("pragma synchronous = off")
        return con

    def add(self, task: Callable, *arguments: Any, timeout: float = 10.0) -> None:
        """task(con, rng, *arguments) is called again and again, each thread with a connection of its own."""
        number = len(self.threads)
        self.threads.append(threading.Thread(target=self._work, args=(number, task, timeout, arguments), daemon=True))

    def _work(self, number: int, task: Callable, timeout: float, arguments: tuple) -> None:
        rng = random.Random(f"{SEED} {number}")
        try:
            con = self.connect(timeout)
            while not self.is_over():
                task(con, rng, *arguments)
                self.counts[number, task.__name__] = self.counts.get((number, task.__name__), 0) + 1
            con.close()
        except BaseException as error:
            self.error = self.error or error

    def run(self) -> dict:
        """Returns how often each task came to its end, by its name and for each thread."""
        for thread in self.threads:
            thread.start()
        for thread in self.threads:
            thread.join(max(0.0, self.until - time.monotonic()) + LONG)
            assert not thread.is_alive(), "a thread hangs"
        if self.error is not None:
            raise self.error
        return self.counts

    def at_least(self, task: str, n: int) -> None:
        counts = [count for (_, name), count in self.counts.items() if name == task]
        assert sum(counts) >= n, self.counts


def transact(con: turdb.Connection, body: Callable, begin: str = "begin", tries: int = 200) -> bool:
    """Runs body(con) in a transaction, again after a conflict; False when it never came through."""
    for attempt in range(tries):
        time.sleep(min(0.02, 0.0002 * attempt))
        try:
            con.execute(begin)
            body(con)
            con.execute("commit")
            return True
        except turdb.OperationalError as error:
            if not error.retryable:
                raise
            if con.in_transaction:
                con.execute("rollback")
    return False
