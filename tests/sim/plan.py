"""Histories: lists of steps [connection, operation], made from a seed, saved as JSON, printed as SQL.

A history is decided before it runs and makes sense whatever is cut out of it: an operation that does not fit (COMMIT outside
a transaction) is passed over. Each seed turns a random part of the kinds of operation off, so that the others
meet more often.
"""

from __future__ import annotations

import json
import random
from dataclasses import asdict, dataclass, field
from typing import Any, Optional

from . import model

TABLES = [
    {"op": "create table", "table": "t", "columns": ["id", "a", "u", "b"], "types": ["integer", "integer", "integer", "text"],
     "key": ["id"], "without_rowid": False},
    {"op": "create table", "table": "w", "columns": ["k", "n", "a", "u", "b"],
     "types": ["text", "integer", "integer", "integer", "text"], "key": ["k", "n"], "without_rowid": True},
    {"op": "create table", "table": "v", "columns": ["id", "a", "e"], "types": ["integer", "integer", "vector(4)"],
     "key": ["id"], "without_rowid": False},
]


def index(table: str, name: str, columns: list, unique: bool = False, where: Optional[list] = None, kind: str = "btree") -> dict:
    return {"op": "create index", "table": table, "name": name, "columns": columns, "unique": unique, "where": where,
            "kind": kind}


INDEXES = [
    index("t", "t_a", ["a"]),
    index("t", "t_u", ["u"], unique=True),
    index("t", "t_b", ["b", "a"]),
    index("t", "t_part", ["b"], where=[">=", "a", 5]),
    index("t", "t_expr", [["mod", "a", 3]]),
    index("w", "w_u", ["u"], unique=True, where=[">=", "a", 4]),
    index("w", "w_a", ["a", "b"]),
    index("v", "v_a", ["a"]),
    index("v", "v_e", ["e"], kind="hnsw"),
]

LEVELS = ["snapshot", "read committed", "serializable", "read uncommitted"]


@dataclass
class Plan:
    seed: int
    connections: int
    steps: list = field(default_factory=list)
    sync: list = field(default_factory=list)  # of each connection: 0, 1 or 2
    for_update: bool = False

    def save(self, path: str) -> None:
        with open(path, "w") as file:
            json.dump(asdict(self), file, indent=1)

    @staticmethod
    def load(path: str) -> Plan:
        with open(path) as file:
            return Plan(**json.load(file))


class Maker:
    def __init__(self, seed: int, with_faults: bool, for_update: bool) -> None:
        self.rng = rng = random.Random(seed)
        self.plan = Plan(seed, rng.randint(2, 4), for_update=for_update)
        self.plan.sync = [rng.choice([2, 2, 2, 1, 0]) for _ in range(self.plan.connections)]
        self.ids = rng.choice([4, 8, 20])  # few rows meet often
        self.long = rng.random() < 0.3  # texts on overflow pages
        self.weights = {"insert": 6, "update": 8, "delete": 3, "query": 8, "begin": 6, "commit": 6, "rollback": 2,
                        "savepoint": 2, "rollback to": 1, "release": 1, "bulk": 1, "create index": 0.6, "drop index": 0.4,
                        "drop table": 0.15, "create table": 0.3, "add column": 0.15, "checkpoint": 0.5, "absorb": 0.5,
                        "reopen": 0.25, "reconnect": 0.4, "integrity": 0.5, "vacuum": 0.15, "reindex": 0.1}
        for kind in list(self.weights):
            if kind not in ("insert", "begin", "commit", "query") and rng.random() < 0.25:
                del self.weights[kind]
        if for_update:
            self.weights["lock"] = 2
        if with_faults:
            self.weights.update({"fault": 1.2, "power": 0.4, "kill": 0.3})

    def make(self) -> Plan:
        rng = self.rng
        steps = self.plan.steps
        tables = [t for t in TABLES if rng.random() < 0.7] or [TABLES[0]]
        steps += [[0, dict(t)] for t in tables]
        steps += [[0, dict(i)] for i in INDEXES if rng.random() < 0.6 and any(t["table"] == i["table"] for t in tables)]
        self.tables = [t["table"] for t in tables]
        kinds, weights = list(self.weights), list(self.weights.values())
        for _ in range(rng.choice([30, 80, 160])):
            kind = rng.choices(kinds, weights)[0]
            steps.append([rng.randrange(self.plan.connections), self.operation(kind)])
        return self.plan

    def operation(self, kind: str) -> dict:
        maker = getattr(self, "make_" + kind.replace(" ", "_"), None)
        op = maker() if maker else {"op": kind}
        if kind in ("insert", "update", "delete", "lock", "create index", "drop index"):
            op["then"] = self.rng.choice(["rollback", "stay", "stay"])
        return op

    # --- values --------------------------------------------------------------------------------

    def table(self) -> str:
        return self.rng.choice(self.tables)

    def integer(self) -> Optional[int]:
        return None if self.rng.random() < 0.1 else self.rng.randrange(10)

    def text(self) -> str:
        length = self.rng.choice([1, 1, 3, 900, 6000]) if self.long else self.rng.choice([1, 1, 2, 30])
        return self.rng.choice("abcd") * length

    def vector(self) -> list:
        return [float(self.rng.randrange(-8, 9)) for _ in range(4)]

    def row(self, table: str, key: Optional[int] = None) -> list:
        rng = self.rng
        key = rng.randrange(1, self.ids + 1) if key is None else key
        unique = None if rng.random() < 0.2 else rng.randrange(12) if key <= self.ids else key
        if table == "t":
            return [key, self.integer(), unique, self.text()]
        if table == "w":
            return [rng.choice("kl"), key, self.integer(), unique, self.text()]
        return [key, self.integer(), None if rng.random() < 0.1 else self.vector()]

    def key_predicate(self, table: str) -> list:
        key = self.rng.randrange(1, self.ids + 1)
        if table == "w":
            return ["and", ["=", "k", self.rng.choice("kl")], ["=", "n", key]]
        return ["=", "id", key]

    def predicate(self, table: str) -> list:
        rng = self.rng
        number = "n" if table == "w" else "id"
        low = rng.randrange(1, self.ids + 1)
        choices = [self.key_predicate(table), self.key_predicate(table), ["between", number, low, low + rng.randrange(5)],
                   ["=", "a", rng.randrange(10)], [">=", "a", rng.randrange(10)], ["mod", "a", 3, rng.randrange(3)],
                   ["in", "a", [rng.randrange(10) for _ in range(3)]], ["null", "a"], ["all"]]
        if table != "v":
            choices += [["=", "u", rng.randrange(12)], ["=", "b", self.text()]]
            choices += [["and", ["=", "b", self.text()], [">=", "a", 5]], ["or", ["=", "a", 1], ["=", "u", rng.randrange(12)]]]
        return rng.choice(choices)

    # --- statements ------------------------------------------------------------------------------

    def make_insert(self) -> dict:
        rng = self.rng
        table = self.table()
        rows = [self.row(table) for _ in range(rng.choice([1, 1, 1, 3]))]
        return self.insert(table, rows, rng.choice(["", "", "", "replace", "ignore"]))

    def insert(self, table: str, rows: list, how: str = "") -> dict:
        columns = next(t["columns"] for t in TABLES if t["table"] == table)
        return {"op": "insert", "table": table, "columns": columns, "rows": rows, "or": how}

    def make_bulk(self) -> dict:
        rng = self.rng
        table = self.table()
        first = 1000 * rng.randrange(1, 5)
        n = rng.choice([50, 200, 1200 if rng.random() < 0.2 else 300])
        if rng.random() < 0.3:
            number = "n" if table == "w" else "id"
            return {"op": "delete", "table": table, "where": ["between", number, first, first + 999]}
        return self.insert(table, [self.row(table, first + i) for i in range(n)], rng.choice(["", "replace", "ignore"]))

    def make_update(self) -> dict:
        rng = self.rng
        table = self.table()
        kind = rng.random()
        if kind < 0.25 and table != "v":
            return {"op": "update", "table": table, "set": [["u", "set", rng.randrange(12)]], "where": self.key_predicate(table)}
        if kind < 0.35:
            number = "n" if table == "w" else "id"
            return {"op": "update", "table": table, "set": [[number, "set", rng.randrange(1, self.ids + 1)]],
                    "where": self.key_predicate(table)}
        if table == "v" and kind < 0.7:
            assignment = ["e", "set", self.vector()]
        elif kind < 0.5 and table != "v":
            assignment = ["b", "set", self.text()]
        else:
            assignment = rng.choice([["a", "set", self.integer()], ["a", "add", rng.randrange(1, 4)]])
        return {"op": "update", "table": table, "set": [assignment], "where": self.predicate(table)}

    def make_delete(self) -> dict:
        table = self.table()
        return {"op": "delete", "table": table, "where": self.predicate(table)}

    def make_lock(self) -> dict:
        table = self.table()
        return {"op": "lock", "table": table, "where": self.predicate(table)}

    def make_query(self) -> dict:
        rng = self.rng
        table = self.table()
        op = {"op": "query", "kind": "rows", "table": table, "where": self.predicate(table)}
        kind = rng.random()
        if kind < 0.25:
            op.update(kind="aggregate", column="a")
        elif kind < 0.35:
            op.update(kind="join", column="a", other=self.table(), other_column="a", where=["=", "a", rng.randrange(10)])
        elif table == "v" and kind < 0.8:
            op.update(kind="neighbours", vector=self.vector(), limit=rng.choice([1, 5, 20]))
        return op

    def make_begin(self) -> dict:
        mode = self.rng.choice(["", "", "", "deferred", "concurrent", "immediate", "exclusive"])
        return {"op": "begin", "mode": mode, "level": "" if mode else self.rng.choice(["", *LEVELS])}

    def make_savepoint(self) -> dict:
        return {"op": "savepoint", "name": self.rng.choice("xy")}

    def make_rollback_to(self) -> dict:
        return {"op": "rollback to", "name": self.rng.choice("xy")}

    def make_release(self) -> dict:
        return {"op": "release", "name": self.rng.choice("xy")}

    def make_create_index(self) -> dict:
        return dict(self.rng.choice([i for i in INDEXES if i["table"] in self.tables]))

    def make_drop_index(self) -> dict:
        return {"op": "drop index", "name": self.rng.choice([i["name"] for i in INDEXES if i["table"] in self.tables])}

    def make_create_table(self) -> dict:
        return dict(self.rng.choice([t for t in TABLES if t["table"] in self.tables]))

    def make_drop_table(self) -> dict:
        return {"op": "drop table", "table": self.table()}

    def make_add_column(self) -> dict:
        return {"op": "add column", "table": self.table(), "name": self.rng.choice(["x", "y"])}

    # --- faults ------------------------------------------------------------------------------------

    def make_fault(self) -> dict:
        rng = self.rng
        kind = rng.choice(["power", "power", "io", "full", "short"])
        return {"op": "fault", "kind": kind, "after": rng.choice([1, 1, 2, 3, 5, 10, 30]), "count": rng.choice([1, 1, 1, 5, 40])}

    def make_power(self) -> dict:
        return {"op": "power", "seed": self.rng.randrange(1 << 30)}


def make_plan(seed: int, with_faults: bool = False, for_update: bool = False) -> Plan:
    return Maker(seed, with_faults, for_update).make()


def sql_of(op: dict) -> str:
    """The operation as it is printed; SQL where it is SQL."""
    kind = op["op"]
    if kind in ("insert", "update", "delete"):
        return model.write_sql(op)
    if kind in ("create table", "create index", "drop table", "drop index", "add column"):
        return model.schema_sql(op)
    if kind == "query":
        return model.query_sql(op)
    if kind == "lock":
        return f"select * from {op['table']} where {model.predicate_sql(op['where'])} for update"
    if kind == "begin":
        return ("begin " + (f"isolation level {op['level']}" if op["level"] else op["mode"])).strip()
    if kind in ("savepoint", "release", "rollback to"):
        return f"{kind} {op['name']}"
    return {"checkpoint": "pragma wal_checkpoint", "absorb": "pragma hnsw_absorb = sync",
            "integrity": "pragma integrity_check"}.get(kind) or f"{kind} {describe(op)}".strip()


def describe(op: dict) -> Any:
    return " ".join(f"{k}={v}" for k, v in op.items() if k not in ("op", "then"))
