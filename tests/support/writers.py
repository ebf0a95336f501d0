"""Writer threads for crash tests: numbered transactions on rows of their own, beside each other on the same pages.

What transaction `number` of a thread does follows from the number and from the thread's rows before it, so that a model that
applied the same transactions knows what must be there. Each transaction also counts in a row that all threads share,
writes down its number, and some of thread 0 change the schema. Acknowledgements go through a pipe: "thread number" once COMMIT has returned.
"""

from __future__ import annotations

import os
import random
import threading
import time
from typing import Any, Optional

import numpy as np

DIM = 8
ROWS = 80  # of each thread, at most

SCHEMA = [
    "create table docs(id integer primary key, w integer, body text not null, u text unique, e vector(8))",
    "create index docs_w on docs(w, body)",
    "create index docs_e on docs using hnsw (e vector_l2_ops) with (m=6, ef_construction=30)",
    "create table keyed(w integer, k integer, body text, primary key (w, k)) without rowid",
    "create table counter(id integer primary key, n integer)",
    "insert into counter values (1, 0)",
    "create table progress(w integer primary key, n integer)",
]


def vector(row: int, version: int) -> np.ndarray:
    return np.random.default_rng([row, version]).standard_normal(DIM).astype(np.float32)


def text(row: int, version: int) -> str:
    return f"row {row} version {version} " + "x" * (row * version * 37 % 700)


class Model:
    """The rows of one thread: k -> version, and the index that thread 0 makes and drops."""

    def __init__(self, w: int) -> None:
        self.w = w
        self.rows: dict = {}
        self.has_index = False
        self.done = 0  # transactions applied

    def copy(self) -> Model:
        other = Model(self.w)
        other.rows, other.has_index, other.done = dict(self.rows), self.has_index, self.done
        return other

    def apply(self, con: Optional[Any] = None) -> None:
        """The next transaction; on `con`, too, when it is given."""
        number = self.done + 1
        rng = random.Random(f"{self.w} {number}")
        for _ in range(rng.randrange(1, 8)):
            k = rng.randrange(ROWS)
            kind = rng.random()
            if k not in self.rows:
                self.insert(con, k, number)
            elif kind < 0.6:
                self.update(con, k, number)
            else:
                self.delete(con, k)
        if number % 5 == 0:
            self.undo(con, rng.randrange(ROWS))
        if self.w == 0 and number % 15 == 0:
            if con is not None:
                con.execute("drop index extra" if self.has_index else "create index extra on docs(body, w)")
            self.has_index = not self.has_index
        if con is not None:
            con.execute("update counter set n = n + 1 where id = 1")
            con.execute("insert or replace into progress values (?, ?)", (self.w, number))
        self.done = number

    def id_of(self, k: int) -> int:
        return k * 16 + self.w  # neighbours on the page belong to other threads

    def insert(self, con: Any, k: int, version: int) -> None:
        if con is not None:
            con.execute("insert into docs values (?, ?, ?, ?, ?)",
                        (self.id_of(k), self.w, text(k, version), f"{self.w}-{k}", vector(k, version)))
            con.execute("insert into keyed values (?, ?, ?)", (self.w, k, text(k, version)))
        self.rows[k] = version

    def update(self, con: Any, k: int, version: int) -> None:
        if con is not None:
            con.execute("update docs set body = ?, e = ? where id = ?", (text(k, version), vector(k, version), self.id_of(k)))
            con.execute("update keyed set body = ? where w = ? and k = ?", (text(k, version), self.w, k))
        self.rows[k] = version

    def delete(self, con: Any, k: int) -> None:
        if con is not None:
            con.execute("delete from docs where w = ? and body = ?", (self.w, text(k, self.rows[k])))
            con.execute("delete from keyed where w = ? and k = ?", (self.w, k))
        del self.rows[k]

    def undo(self, con: Any, k: int) -> None:
        """Something that is rolled back to a savepoint."""
        if con is not None:
            con.execute("savepoint s")
            con.execute("delete from docs where w = ? and id >= ?", (self.w, self.id_of(k)))
            con.execute("insert into keyed values (?, ?, 'gone')", (self.w, 1000 + k))
            con.execute("rollback to s")
            con.execute("release s")

    # --- comparing ---------------------------------------------------------------------------------

    def matches(self, docs: dict, keyed: dict) -> bool:
        if docs.keys() != {self.id_of(k) for k in self.rows} or keyed.keys() != self.rows.keys():
            return False
        return all(docs[self.id_of(k)][:2] == (text(k, v), f"{self.w}-{k}") and keyed[k] == text(k, v)
                   and np.array_equal(docs[self.id_of(k)][2], vector(k, v)) for k, v in self.rows.items())


class Writer(threading.Thread):
    def __init__(self, path: str, model: Model, pipe: int, synchronous: str, level: str) -> None:
        super().__init__(daemon=True)
        self.path, self.model, self.pipe = path, model, pipe
        self.synchronous, self.level = synchronous, level

    def run(self) -> None:
        try:
            self.load()
        except BaseException as error:
            os.write(self.pipe, f"failed {self.model.w}: {error!r}\n".encode())
            os._exit(1)

    def load(self) -> None:
        import turdb

        con = turdb.connect(self.path, timeout=10, isolation_level=None)
        con.execute(f"pragma synchronous = {self.synchronous}")
        while True:
            next_model = self.model.copy()
            try:
                con.execute(f"begin isolation level {self.level}")
                next_model.apply(con)
                con.execute("commit")
            except turdb.OperationalError as error:
                if not error.retryable:
                    raise
                if con.in_transaction:
                    con.execute("rollback")
                continue
            self.model = next_model
            os.write(self.pipe, f"{self.model.w} {self.model.done}\n".encode())


def run_writers(path: str, models: list, pipe: int, synchronous: str, level: str) -> None:
    """Runs a writer for each model until the process is killed, with checkpoints and readers between."""
    import turdb

    con = turdb.connect(path, timeout=10, isolation_level=None)
    con.execute("pragma wal_autocheckpoint = 12")
    for model in models:
        Writer(path, model, pipe, synchronous, level).start()
    rng = random.Random(sum(m.done for m in models))
    while True:
        time.sleep(rng.random() * 0.02)
        con.execute("pragma wal_checkpoint")
        con.execute("select count(*), sum(length(body)) from docs").fetchall()
