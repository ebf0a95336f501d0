"""Committed versions, open transactions, and which statements must or may fail: the rules of isolation as a model.

A transaction is a base version plus a list of changes; what it sees is the changes applied to the base. A statement that
would wait fails at once here (the simulator runs with timeout 0), so every failure must be explained by another open
transaction (Busy) or by a commit after the base (Conflict), and whatever would make a dirty write, a lost update or a stale
read at SERIALIZABLE must fail.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional

from . import model

ESCALATION = 1000  # row locks in a table after which a transaction may hold the whole table


@dataclass
class Version:
    state: model.State
    touched: set  # rows and unique keys changed by this commit; ("table", name) for each table; ("schema",)
    sync: int = 2  # 2: survives loss of power, 1: of the process, 0: neither


@dataclass
class Transaction:
    level: str = "snapshot"
    is_implicit: bool = False  # a statement outside BEGIN
    base: Optional[int] = None  # the version it reads; None before the first statement
    changes: list = field(default_factory=list)
    savepoints: list = field(default_factory=list)  # (name, number of changes before it)
    locks: set = field(default_factory=set)  # what it may hold: everything any statement of it tried to take
    held: set = field(default_factory=set)  # what it holds for sure: rows read FOR UPDATE
    is_immediate: bool = False
    may_exclude: bool = False  # tried a schema statement, which excludes other writers
    is_writer: bool = False  # tried a statement that writes
    whole_tables: set = field(default_factory=set)  # tables that it tried to empty, for which it locks them as a whole
    reads: list = field(default_factory=list)  # SERIALIZABLE: queries and predicates it has read

    def dirty(self) -> set:
        return {("row", c[1], c[2]) for c in self.changes if c[0] == "row"}

    def has_schema_changes(self) -> bool:
        return any(c[0] == "schema" for c in self.changes)

    def excludes(self) -> bool:
        return self.is_immediate or self.has_schema_changes()

    def may_hold_table(self, table: str) -> bool:
        return table in self.whole_tables or sum(1 for t in self.locks if t[0] == "row" and t[1] == table) > ESCALATION


@dataclass
class Expectation:
    effect: model.Effect
    must: set = field(default_factory=set)  # kinds of error, one of which it must end with
    may: set = field(default_factory=set)  # kinds of error that it may end with


def is_whole(op: dict) -> bool:
    """Whether a statement empties its table."""
    return op["op"] == "delete" and op["where"] == ["all"]


class Versions:
    """What is committed, and who is under way."""

    def __init__(self) -> None:
        self.versions = [Version({}, set())]
        self.open: dict[int, Transaction] = {}

    @property
    def newest(self) -> model.State:
        return self.versions[-1].state

    # --- transactions ----------------------------------------------------------------------------

    def transaction(self, connection: int) -> Transaction:
        return self.open.get(connection) or Transaction(is_implicit=True)

    def start(self, txn: Transaction) -> None:
        """A statement that reads or writes begins."""
        if txn.base is None or txn.level == "read committed":
            txn.base = len(self.versions) - 1

    def view(self, txn: Transaction) -> model.State:
        base = self.versions[txn.base if txn.base is not None else -1].state
        return model.apply_changes(base, txn.changes)

    def others(self, txn: Transaction) -> list:
        return [other for other in self.open.values() if other is not txn]

    def since(self, txn: Transaction) -> list:
        return self.versions[txn.base + 1 :] if txn.base is not None else []

    # --- what a statement may do -----------------------------------------------------------------

    def expect_write(self, txn: Transaction, op: dict) -> Expectation:
        expected = Expectation(model.write_effect(self.view(txn), op))
        touched, table = expected.effect.touched, op["table"]
        wanted = touched | expected.effect.seen
        empties = is_whole(op)
        for other in self.others(txn):
            if touched & (self.dirty_tokens(other) | other.held) or (touched and other.excludes()):
                expected.must.add("Busy")
            if wanted & other.locks or other.is_immediate or other.may_exclude or other.may_hold_table(table):
                expected.may.add("Busy")
            if empties and other.is_writer:
                expected.may.add("Busy")
        if empties and any(("table", table) in version.touched for version in self.since(txn)):
            expected.may.add("Conflict")
        self.expect_conflicts(txn, expected, table)
        return expected

    def dirty_tokens(self, txn: Transaction) -> set:
        """Rows and unique keys that differ from the base by uncommitted changes."""
        tokens = txn.dirty()
        view, base = self.view(txn), self.versions[txn.base or 0].state
        for _, name, key in list(tokens):
            for state in (view, base):
                if name in state and key in state[name].rows:
                    tokens.update(("key", *entry) for entry in state[name].unique_keys(state[name].rows[key]))
        return tokens

    def expect_conflicts(self, txn: Transaction, expected: Expectation, table: str) -> None:
        base, effect = self.versions[txn.base].state, expected.effect
        for version in self.since(txn):
            if (effect.touched | effect.seen) & version.touched:
                expected.may |= {"Conflict", "Constraint"}
            if ("schema",) in version.touched:
                expected.may |= {"Conflict", "Name"}
        if txn.level == "read committed" or table not in base:
            return
        if table not in self.newest or self.newest[table].shape != base[table].shape:
            if effect.touched:
                expected.must |= {"Conflict", "Name"}
            return
        if self.since(txn):
            self.expect_lost_updates(txn, expected, base[table], self.newest[table])

    def expect_lost_updates(self, txn: Transaction, expected: Expectation, base: model.Table, newest: model.Table) -> None:
        dirty = txn.dirty()
        for token in expected.effect.touched:
            if token[0] == "row" and token not in dirty:
                before, now = base.rows.get(token[2]), newest.rows.get(token[2])
                if before != now:
                    expected.must |= {"Conflict"} if before is not None else {"Conflict", "Constraint"}
        owners = {entry: key for key, row in newest.rows.items() for entry in newest.unique_keys(row)}
        before_owners = {entry: key for key, row in base.rows.items() for entry in base.unique_keys(row)}
        for token in expected.effect.touched:
            owner = owners.get(token[1:]) if token[0] == "key" else None
            if owner is not None and ("row", newest.name, owner) not in dirty and before_owners.get(token[1:]) != owner:
                expected.must |= {"Conflict", "Constraint"}

    def expect_exclusive(self, txn: Transaction, effect: model.Effect, is_schema: bool) -> Expectation:
        """BEGIN IMMEDIATE and schema statements."""
        expected = Expectation(effect)
        for other in self.others(txn):
            if other.changes or other.is_immediate or other.held:
                expected.must.add("Busy")
            if other.is_writer or other.may_exclude or other.locks:
                expected.may.add("Busy")
        if is_schema and self.since(txn):
            expected.may |= {"Conflict", "Name", "Constraint"}
        return expected

    def expect_lock(self, txn: Transaction, op: dict) -> Expectation:
        """SELECT ... FOR UPDATE: as a write of the rows it gives."""
        table = self.view(txn).get(op["table"])
        effect = model.Effect(error="" if table else "Name")
        if table:
            rows = model.matching(table, op["where"])
            effect.touched = {("row", table.name, table.key_of(row)) for row in rows}
        expected = Expectation(effect)
        for other in self.others(txn):
            if effect.touched & (other.dirty() | other.held) or (effect.touched and other.excludes()):
                expected.must.add("Busy")
            if effect.touched & other.locks or other.is_immediate or other.may_exclude or other.may_hold_table(op["table"]):
                expected.may.add("Busy")
        self.expect_conflicts(txn, expected, op["table"])
        return expected

    def expect_commit(self, txn: Transaction) -> Expectation:
        expected = Expectation(model.Effect(changes=txn.changes))
        if txn.level != "serializable" or not self.since(txn):
            return expected
        base = self.versions[txn.base].state
        changed_tables = {t[1] for v in self.since(txn) for t in v.touched if t[0] == "table"}
        has_schema = any(("schema",) in v.touched for v in self.since(txn))
        for op in txn.reads:
            if op["table"] in changed_tables or op.get("other") in changed_tables or has_schema:
                if txn.is_writer:
                    expected.may.add("Conflict")
                if txn.changes and model.query_result(base, op) != model.query_result(self.newest, op):
                    expected.must.add("Conflict")
        return expected

    # --- what happened ---------------------------------------------------------------------------

    def tried(self, txn: Transaction, effect: model.Effect, op: dict, is_schema: bool = False) -> None:
        txn.is_writer = True
        if is_whole(op):
            txn.whole_tables.add(op["table"])
        txn.may_exclude |= is_schema
        txn.locks |= effect.touched | effect.seen

    def committed(self, txn: Transaction, sync: int) -> bool:
        """Makes a version of it unless it changed nothing."""
        if not txn.changes:
            return False
        after = self.after(txn)
        # A commit that wrote what was there already has nothing to make durable, nor does it what came before it.
        self.versions.append(Version(after, self.tokens_of(txn), 0 if after == self.newest else sync))
        return True

    def after(self, txn: Transaction) -> model.State:
        return model.apply_changes(self.newest, txn.changes)

    def tokens_of(self, txn: Transaction) -> set:
        tokens = self.dirty_tokens(txn) | {("table", c[1]) for c in txn.changes if c[0] == "row"}
        if txn.has_schema_changes():
            tokens |= {("schema",)} | {("table", name) for name in self.view(txn)}
            tokens |= {("table", name) for name in self.newest}
        return tokens

    def recovered(self, index: int, state: Any = None) -> None:
        """After a crash: version `index` (or `state` on top of all) is what there is."""
        base = self.versions[index].state if state is None else state
        self.versions = [Version(base, set())]
        self.open = {}

    def least_recovered(self, sync: int) -> int:
        """The newest version that cannot be lost by a failure that commits of level `sync` survive."""
        return max([i for i, v in enumerate(self.versions) if v.sync >= sync], default=0)
