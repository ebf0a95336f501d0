"""A deterministic load for crash tests: numbered transactions, the model of what they leave, and a process that runs it.

Run as a program it loads a database until it is killed: ``python load.py PATH FIRST``; after each commit that returned it
prints the number of the transaction. Everything follows from the numbers, so a model that applied the same transactions
knows what must be there.
"""

import random
import sys

import numpy as np

DIM = 16


def vector(rowid, version):
    """The vector of a row: unit length, different for each version of the row."""
    rng = np.random.default_rng([rowid, version])
    v = rng.standard_normal(DIM).astype(np.float32)
    return v / np.linalg.norm(v)


def text(rowid, version):
    return f"row {rowid} version {version} " + "x" * (rowid * 37 % 500)


def operations(number):
    """What transaction `number` does: ('append', first, n), ('insert', id), ('update', pick) and ('delete', pick)."""
    rng = random.Random(number)
    if number % 7 == 3:
        return [("append", number * 1000, rng.randrange(50, 400))]
    done = [("insert", number * 1000 + i) for i in range(rng.randrange(1, 12))]
    done += [("update", rng.random()) for _ in range(rng.randrange(0, 4))]
    done += [("delete", rng.random()) for _ in range(rng.randrange(0, 3))]
    return done


class Model:
    """rowid -> version, after the transactions applied so far."""

    def __init__(self):
        self.rows = {}

    def pick(self, fraction):
        ids = sorted(self.rows)
        return ids[int(fraction * len(ids))] if ids else None

    def apply(self, number, con=None):
        for kind, *args in operations(number):
            getattr(self, kind)(number, con, *args)

    def append(self, number, con, first, n):
        ids = range(first, first + n)
        if con is not None:
            con.append("docs", {"id": np.arange(first, first + n), "body": [text(i, number) for i in ids],
                                "kind": np.arange(first, first + n) % 5,
                                "e": np.stack([vector(i, number) for i in ids])})
        self.rows.update((i, number) for i in ids)

    def insert(self, number, con, rowid):
        if con is not None:
            con.execute("insert into docs values (?, ?, ?, ?)", (rowid, text(rowid, number), rowid % 5, vector(rowid, number)))
        self.rows[rowid] = number

    def update(self, number, con, fraction):
        rowid = self.pick(fraction)
        if rowid is None:
            return
        if con is not None:
            con.execute("update docs set body = ?, e = ? where id = ?", (text(rowid, number), vector(rowid, number), rowid))
        self.rows[rowid] = number

    def delete(self, number, con, fraction):
        rowid = self.pick(fraction)
        if rowid is None:
            return
        if con is not None:
            con.execute("delete from docs where id = ?", (rowid,))
        del self.rows[rowid]


SCHEMA = [
    "create table if not exists docs (id integer primary key, body text not null, kind integer, e vector(16))",
    "create index if not exists docs_kind on docs (kind, body)",
    "create index if not exists docs_e on docs using hnsw (e vector_cosine_ops) with (m=8, ef_construction=40)",
]


def main(path, first):
    import turdb

    con = turdb.connect(path, isolation_level=None)
    con.execute("pragma wal_autocheckpoint = 20")  # checkpoints all the time, so that kills hit them too
    if first == 0:  # it may be there: killed between the schema and the first commit
        con.execute("begin")
        for statement in SCHEMA:
            con.execute(statement)
        con.execute("commit")
        print("schema", flush=True)
    model = Model()
    for number in range(first):
        model.apply(number)
    number = first
    while True:
        con.execute("begin immediate")
        model.apply(number, con)
        con.execute("commit")
        print(number, flush=True)
        number += 1


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
