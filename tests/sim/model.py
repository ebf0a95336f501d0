"""What a database is to the simulator: tables of rows, predicates, statements and what they do to a state.

A State is a dict of table name -> Table and never changes once made; a statement gives a new one. Written from SQL's rules
and not from the engine's sources. Statements and predicates are JSON values, so that histories can be saved and cut down.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Optional

Row = tuple
Key = tuple
State = dict


@dataclass(frozen=True)
class Index:
    name: str
    columns: tuple  # column names, or ("mod", column, m)
    unique: bool = False
    where: Optional[list] = None  # a predicate
    kind: str = "btree"

    def sql(self, table: str) -> str:
        if self.kind == "hnsw":
            return (f"create index {self.name} on {table} using hnsw ({self.columns[0]} vector_l2_ops) "
                    "with (m=6, ef_construction=40)")
        terms = ", ".join(c if isinstance(c, str) else f"{c[1]} % {c[2]}" for c in self.columns)
        where = f" where {predicate_sql(self.where)}" if self.where else ""
        return f"create {'unique ' if self.unique else ''}index {self.name} on {table} ({terms}){where}"

    def key_of(self, table: Table, row: Row) -> Optional[tuple]:
        """The key of a row in a unique index, or None when it cannot collide."""
        if self.where and not holds(self.where, table, row):
            return None
        values = tuple(row[table.columns.index(c)] for c in self.columns)
        return None if None in values else values


@dataclass(frozen=True)
class Table:
    name: str
    columns: tuple
    types: tuple
    key: tuple  # names of the columns of the primary key
    without_rowid: bool = False
    indexes: tuple = ()
    rows: dict = field(default_factory=dict)  # key -> row

    def sql(self) -> str:
        if self.without_rowid:
            columns = ", ".join(f"{c} {t}" for c, t in zip(self.columns, self.types))
            return f"create table {self.name} ({columns}, primary key ({', '.join(self.key)})) without rowid"
        columns = ", ".join(f"{c} {t}{' primary key' if c in self.key else ''}" for c, t in zip(self.columns, self.types))
        return f"create table {self.name} ({columns})"

    def key_of(self, row: Row) -> Key:
        return tuple(row[self.columns.index(c)] for c in self.key)

    def unique_keys(self, row: Row) -> list:
        return [(i.name, i.key_of(self, row)) for i in self.indexes if i.unique and i.key_of(self, row) is not None]

    @property
    def shape(self) -> tuple:
        return (self.columns, self.types, self.key, self.without_rowid)


# --- literals and predicates ---------------------------------------------------------------------


def literal(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, (list, tuple)):
        return "'[" + ",".join(f"{v:g}" for v in value) + "]'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


def predicate_sql(p: list) -> str:
    kind = p[0]
    if kind == "all":
        return "1"
    if kind in ("=", ">="):
        return f"{p[1]} {kind} {literal(p[2])}"
    if kind == "between":
        return f"{p[1]} between {literal(p[2])} and {literal(p[3])}"
    if kind == "in":
        return f"{p[1]} in ({', '.join(map(literal, p[2]))})"
    if kind == "mod":
        return f"{p[1]} % {p[2]} = {p[3]}"
    if kind == "null":
        return f"{p[1]} is null"
    return f"({predicate_sql(p[1])} {kind} {predicate_sql(p[2])})"  # and, or


def holds(p: list, table: Table, row: Row) -> bool:
    kind = p[0]
    if kind == "all":
        return True
    if kind == "and":
        return holds(p[1], table, row) and holds(p[2], table, row)
    if kind == "or":
        return holds(p[1], table, row) or holds(p[2], table, row)
    value = row[table.columns.index(p[1])]
    if kind == "null":
        return value is None
    if value is None:
        return False
    if kind == "=":
        return value == p[2]
    if kind == ">=":
        return value >= p[2]
    if kind == "between":
        return p[2] <= value <= p[3]
    if kind == "in":
        return value in p[2]
    assert kind == "mod", kind
    return value % p[2] == p[3]


def matching(table: Table, p: list) -> list:
    return [row for row in table.rows.values() if holds(p, table, row)]


# --- statements ----------------------------------------------------------------------------------


@dataclass
class Effect:
    """What a statement does to a state; `error` is the kind of error that it must end with ("" for none)."""

    changes: list = field(default_factory=list)  # ("row", table, key, row or None) and ("schema", op), in order
    touched: set = field(default_factory=set)  # rows and unique keys that it changes
    seen: set = field(default_factory=set)  # more that it may lock: rows that stood in its way
    count: int = 0
    error: str = ""


def apply_change(state: State, change: tuple) -> State:
    if change[0] == "schema":
        return apply_schema(state, change[1])
    _, name, key, row = change
    table = state[name]
    rows = dict(table.rows)
    if row is None:
        rows.pop(key, None)
    else:
        rows[key] = row + (None,) * (len(table.columns) - len(row))
    return {**state, name: replace(table, rows=rows)}


def apply_changes(state: State, changes: list) -> State:
    """As apply_change for each, but copies a table once."""
    copied: dict = {}
    out = dict(state)
    for change in changes:
        if change[0] == "schema":
            out = apply_schema(out, change[1])
            copied.clear()
            continue
        _, name, key, row = change
        if name not in copied:
            copied[name] = dict(out[name].rows)
            out[name] = replace(out[name], rows=copied[name])
        if row is None:
            copied[name].pop(key, None)
        else:
            copied[name][key] = row + (None,) * (len(out[name].columns) - len(row))
    return out


class Working:
    """A table while a statement changes it, with its unique keys at hand."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.rows = dict(table.rows)
        self.effect = Effect()
        self.unique: dict = {}
        for row in self.rows.values():
            for entry in table.unique_keys(row):
                self.unique[entry] = table.key_of(row)

    def conflicts(self, row: Row) -> list:
        """Keys of the rows that a new row would collide with."""
        found = [self.table.key_of(row)] if self.table.key_of(row) in self.rows else []
        found += [self.unique[e] for e in self.table.unique_keys(row) if e in self.unique]
        return list(dict.fromkeys(found))

    def tokens(self, row: Row) -> set:
        return {("row", self.table.name, self.table.key_of(row))} | {("key", *e) for e in self.table.unique_keys(row)}

    def delete(self, key: Key) -> None:
        row = self.rows.pop(key)
        for entry in self.table.unique_keys(row):
            self.unique.pop(entry, None)
        self.effect.touched |= self.tokens(row)
        self.effect.changes.append(("row", self.table.name, key, None))

    def insert(self, row: Row) -> None:
        key = self.table.key_of(row)
        self.effect.touched |= self.tokens(row)
        self.rows[key] = row
        for entry in self.table.unique_keys(row):
            self.unique[entry] = key
        self.effect.changes.append(("row", self.table.name, key, row))
        self.effect.count += 1


def insert_effect(table: Table, op: dict) -> Effect:
    work = Working(table)
    for values in op["rows"]:
        row = tuple(tuple(v) if isinstance(v, list) else v for v in values)
        row += (None,) * (len(table.columns) - len(row))
        conflicts = work.conflicts(row)
        if conflicts and op["or"] == "ignore":
            work.effect.seen |= work.tokens(row)
            for key in conflicts:
                work.effect.seen |= work.tokens(work.rows[key])
            continue
        if conflicts and op["or"] == "replace":
            for key in conflicts:
                work.delete(key)
        elif conflicts:
            work.effect.seen |= work.tokens(row)
            for key in conflicts:
                work.effect.seen |= work.tokens(work.rows[key])
            work.effect.error = "Constraint"
            return work.effect
        work.insert(row)
    return work.effect


def new_value(row: Row, table: Table, assignment: list) -> Any:
    column, how, operand = assignment
    old = row[table.columns.index(column)]
    if how == "add":
        return None if old is None else old + operand
    return tuple(operand) if isinstance(operand, list) else operand


def update_effect(table: Table, op: dict) -> Effect:
    """All rows at once: statements that change keys or unique columns are on one row, so order does not matter."""
    work = Working(table)
    rows = matching(table, op["where"])
    new_rows = []
    for row in rows:
        values = dict(zip(table.columns, row))
        values.update({a[0]: new_value(row, table, a) for a in op["set"]})
        new_rows.append(tuple(values.values()))
    for row in rows:
        work.delete(table.key_of(row))
    for row, new in zip(rows, new_rows):
        if table.key_of(row) == table.key_of(new):
            work.effect.changes.remove(("row", table.name, table.key_of(row), None))
        for key in work.conflicts(new):
            work.effect.seen |= work.tokens(work.rows[key])
            work.effect.error = "Constraint"
        work.insert(new)
    return work.effect


def delete_effect(table: Table, op: dict) -> Effect:
    work = Working(table)
    for row in matching(table, op["where"]):
        work.delete(table.key_of(row))
        work.effect.count += 1
    return work.effect


def write_effect(state: State, op: dict) -> Effect:
    table = state.get(op["table"])
    if table is None:
        return Effect(error="Name")
    return {"insert": insert_effect, "update": update_effect, "delete": delete_effect}[op["op"]](table, op)


def write_sql(op: dict) -> str:
    kind, table = op["op"], op["table"]
    if kind == "insert":
        rows = ", ".join("(" + ", ".join(map(literal, row)) + ")" for row in op["rows"])
        how = f" or {op['or']}" if op["or"] else ""
        return f"insert{how} into {table} ({', '.join(op['columns'])}) values {rows}"
    if kind == "delete":
        return f"delete from {table} where {predicate_sql(op['where'])}"
    sets = ", ".join(f"{c} = {c} + {v}" if how == "add" else f"{c} = {literal(v)}" for c, how, v in op["set"])
    return f"update {table} set {sets} where {predicate_sql(op['where'])}"


# --- schema --------------------------------------------------------------------------------------


def index_of(op: dict) -> Index:
    columns = tuple(tuple(c) if isinstance(c, list) else c for c in op["columns"])
    return Index(op["name"], columns, op["unique"], op["where"], op["kind"])


def schema_sql(op: dict) -> str:
    kind = op["op"]
    if kind == "create index":
        return index_of(op).sql(op["table"])
    if kind == "drop index":
        return f"drop index {op['name']}"
    if kind == "drop table":
        return f"drop table {op['table']}"
    if kind == "create table":
        return table_of(op).sql()
    return f"alter table {op['table']} add column {op['name']} integer"  # "add column"


def table_of(op: dict) -> Table:
    return Table(op["table"], tuple(op["columns"]), tuple(op["types"]), tuple(op["key"]), op["without_rowid"])


def schema_effect(state: State, op: dict) -> Effect:
    effect = Effect(changes=[("schema", op)])
    table = state.get(op.get("table", ""))
    names = {i.name for t in state.values() for i in t.indexes}
    kind = op["op"]
    if kind == "create table":
        effect.error = "Name" if table else ""
    elif kind == "drop index":
        effect.error = "" if op["name"] in names else "Name"
    elif table is None or (kind == "create index" and op["name"] in names):
        effect.error = "Name"
    elif kind == "add column":
        effect.error = "Name" if op["name"] in table.columns else ""
    elif kind == "create index":
        index = index_of(op)
        used = {c if isinstance(c, str) else c[1] for c in index.columns} | ({index.where[1]} if index.where else set())
        if not used <= set(table.columns):
            effect.error = "Name"
        elif index.unique:
            keys = [k for row in table.rows.values() if (k := index.key_of(table, row)) is not None]
            effect.error = "Constraint" if len(set(keys)) < len(keys) else ""
    return effect


def apply_schema(state: State, op: dict) -> State:
    kind = op["op"]
    out = dict(state)
    if kind == "create table":
        out[op["table"]] = table_of(op)
    elif kind == "drop table":
        del out[op["table"]]
    elif kind == "create index":
        table = out[op["table"]]
        out[table.name] = replace(table, indexes=(*table.indexes, index_of(op)))
    elif kind == "drop index":
        for name, table in state.items():
            out[name] = replace(table, indexes=tuple(i for i in table.indexes if i.name != op["name"]))
    else:
        table = out[op["table"]]
        rows = {key: (*row, None) for key, row in table.rows.items()}
        out[table.name] = replace(table, columns=(*table.columns, op["name"]), types=(*table.types, "integer"), rows=rows)
    return out


# --- queries -------------------------------------------------------------------------------------


def query_sql(op: dict) -> str:
    where = predicate_sql(op["where"])
    kind, table = op["kind"], op["table"]
    if kind == "rows":
        return f"select * from {table} where {where}"
    if kind == "aggregate":
        return f"select count(*), sum({op['column']}), min({op['column']}), max({op['column']}) from {table} where {where}"
    if kind == "join":
        return (f"select count(*) from {table} x join {op['other']} y on x.{op['column']} = y.{op['other_column']} "
                f"where x.{where}")
    query = literal(op["vector"])
    return f"select id, e <-> {query} from {table} where {where} order by e <-> {query} limit {op['limit']}"


def distance(a: tuple, b: list) -> float:
    return sum((x - y) ** 2 for x, y in zip(a, b)) ** 0.5


def query_result(state: State, op: dict) -> Any:
    """What the query gives on a state: sorted rows; for neighbours all candidates as {id: distance}. None: no such table."""
    table = state.get(op["table"])
    if table is None or (op["kind"] == "join" and op["other"] not in state):
        return None
    rows = matching(table, op["where"])
    if op["kind"] == "rows":
        return sorted_rows(rows)
    if op["kind"] == "neighbours":
        e = table.columns.index("e")
        return {row[0]: distance(row[e], op["vector"]) for row in rows if row[e] is not None}
    at = table.columns.index(op["column"])
    values = [row[at] for row in rows if row[at] is not None]
    if op["kind"] == "aggregate":
        return [(len(rows), sum(values) if values else None, min(values, default=None), max(values, default=None))]
    other = state[op["other"]]
    at_other = other.columns.index(op["other_column"])
    return [(sum(1 for v in values for row in other.rows.values() if row[at_other] == v),)]


def sorted_rows(rows: list) -> list:
    return sorted((tuple(tuple(v) if isinstance(v, list) else v for v in row) for row in rows),
                  key=lambda row: [(v is not None, str(type(v)), v) if v is not None else (False, "", 0) for v in row])
