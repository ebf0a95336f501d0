"""What the frozen databases hold: the statements that fill them, and beside each the same change of plain Python lists.

The lists are written into the archive as expected.json, so a later change of this file does not change what an archive that
exists is compared with.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

SCHEMA = """
create table kinds (id integer primary key, i integer, r real, t text, b blob, any_value, n numeric default 7);
create table docs (id integer primary key autoincrement, title text not null unique, body text, year integer check (year > 0),
    e vector(16), wide vector(5000));
create index docs_year on docs (year desc, title collate nocase);
create index docs_lower on docs (lower(title)) where year >= 2000;
create index docs_l2 on docs using hnsw (e vector_l2_ops) with (m = 6, ef_construction = 40);
create index docs_wide on docs using hnsw (wide vector_cosine_ops);
create table keyed (part text collate nocase, n integer, payload blob, e vector(4), primary key (part, n)) without rowid;
create table coded (name text, code text, amount, n real, primary key (code, n)) without rowid;
create table notes (doc integer references docs(id) on delete cascade, note text, up text generated always as (upper(note)) stored);
create index notes_doc on notes (doc);
create table empty (a, b unique);
create table people (id integer primary key, name text, street text, city text, country text, phone text, born integer, note text);
create view recent as select id, title from docs where year >= 2010;
create schema other;
create table other.docs (x integer primary key, y);
"""

ORDER = {"kinds": "id", "docs": "id", "keyed": "part, n", "coded": "code, n", "notes": "doc, note", "empty": "a", "people": "id",
         "other.docs": "x"}
N_DOCS = 300


def vector(dim: int, *seed: int) -> np.ndarray:
    """Small whole numbers: they compress."""
    return np.random.default_rng([dim, *seed]).integers(-8, 8, dim).astype(np.float32)


KINDS = [
    [1, 0, 0.0, "", b"", None, 7],
    [2, 2**63 - 1, 1e308, "Grüße, 世界 🌍", bytes(range(256)), "text", "word"],
    [3, -(2**63), -1e-308, "nul\0 inside", b"\0", 5, 1.5],
    [-4, -1, float("inf"), "t" * 100_000, b"b" * 70_000, 2.5, 10**6],
    [2**62, 255, 0.1, "it's \"quoted\"", b"\xff\xfe", b"blob", None],
    [6, None, None, None, None, None, None],
]


def doc(i: int, version: int = 0) -> list:
    return [i, f"Title {i}", f"body {i} version {version} " + "x" * (i * 131 % 3000), 1990 + i % 30,
            None if i % 11 == 0 else vector(16, i, version), vector(5000, i) if i % 80 == 0 else None]


def person(i: int, version: int = 0) -> list:
    """Many short texts: such rows are packed."""
    return [i, f"name {i * 7919}", f"street {i * 31 % 997}", f"city {i % 50}", "country" if i % 3 else None, f"+{i * 104729}",
            1900 + i % 100, f"note {version}" if version else None]


class Content:
    """The lists: table -> rows by key. Every method changes the database as well."""

    def __init__(self, con: Any) -> None:
        self.con = con
        self.tables: dict = {name: {} for name in ORDER}

    def put(self, table: str, key: Any, row: list) -> None:
        stored = row[:2] if table == "notes" else row
        names = " (doc, note)" if table == "notes" else ""
        self.con.execute(f"insert or replace into {table}{names} values ({', '.join('?' * len(stored))})", stored)
        self.tables[table][key] = row

    def put_doc(self, i: int, version: int = 0) -> None:
        self.put("docs", i, doc(i, version))

    def put_coded(self, i: int, *more: Any) -> None:
        """Short and long texts and numbers of every size; every third key is not given back by its encoding (a whole real)."""
        amount = [i, -i, i * 10**6, i / 7, None, bytes([i % 256]) * (i % 90)][i % 6]
        n = i / 2 if i % 3 else float(i)
        self.put("coded", (f"code {i % 50:02}", n), ["n" * (i % 80), f"code {i % 50:02}", amount, n, *more])

    def update_doc(self, i: int, version: int) -> None:
        row = doc(i, version)
        self.con.execute("update docs set body = ?, e = ? where id = ?", (row[2], row[4], i))
        self.tables["docs"][i] = row

    def delete_doc(self, i: int) -> None:
        self.con.execute("delete from docs where id = ?", (i,))
        del self.tables["docs"][i]

    def transaction(self, change: Any) -> None:
        self.con.execute("begin")
        change()
        self.con.execute("commit")

    def first_part(self) -> None:
        for row in KINDS:
            self.put("kinds", row[0], list(row))
        for i in range(1, N_DOCS + 1):
            self.put_doc(i)
        for i in range(300):
            part, n = f"part {i % 7}", i
            self.put("keyed", (part, n), [part, n, bytes([i % 256]) * (i * 97 % 2000), vector(4, i) if i % 2 else None])
        for i in range(400):
            self.put_coded(i)
        for i in range(0, 200, 4):
            self.put("notes", i, [i + 1, f"note {i}", f"NOTE {i}"])
        for i in range(600):
            self.put("people", i, person(i))
        for i in range(20):
            self.put("other.docs", i, [i, f"y{i}"])

    def second_part(self) -> None:
        """Changed, replaced and deleted rows, so that there are free pages, dead vector slots, dead nodes, and a tail."""
        for i in range(3, N_DOCS, 5):
            self.update_doc(i, 1)
        for i in range(7, N_DOCS, 9):
            if i in self.tables["docs"] and i % 4 != 1:  # those have notes
                self.delete_doc(i)
        for i in range(0, 600, 7):
            self.put("people", i, [i, *person(i + 1, i)[1:]])
        for i in range(N_DOCS + 1, N_DOCS + 60):
            self.put_doc(i)
        self.con.execute("delete from keyed where part = 'PART 3'")
        self.tables["keyed"] = {key: row for key, row in self.tables["keyed"].items() if key[0] != "part 3"}

    def new_column(self) -> None:
        self.con.execute("alter table other.docs add column z default 'since then'")
        for row in self.tables["other.docs"].values():
            row.append("since then")
        self.con.execute("alter table coded add column more default 12")
        for row in self.tables["coded"].values():
            row.append(12)
        for i in range(380, 420):
            self.put_coded(i, "more" * (i % 4))

    def new_table(self) -> None:
        """A file that comes after the last checkpoint, loaded in bulk."""
        self.con.execute("create table late (id integer primary key, x text, e vector(16))")
        rows = [[i, f"late {i}", vector(16, i, 99)] for i in range(1500)]
        self.con.append("late", {"id": np.arange(1500), "x": [row[1] for row in rows], "e": np.stack([row[2] for row in rows])})
        self.con.execute("create index late_x on late (x)")
        self.tables["late"] = {row[0]: row for row in rows}

    def expected(self) -> dict:
        order = {**ORDER, "late": "id"}
        return {
            "tables": {name: {"order": order[name], "rows": [[encode(v) for v in rows[key]] for key in sorted(rows)]}
                       for name, rows in self.tables.items()},
            "vectors": [["docs", "id", "e", "l2", 4], ["docs", "id", "wide", "cosine", 5]],  # key column, place of the vector
            "recent": sorted([row[0], row[1]] for row in self.tables["docs"].values() if row[3] >= 2010),
        }


def encode(value: Any) -> Any:
    """As JSON: what JSON has no word for becomes an object."""
    if isinstance(value, bytes):
        return {"blob": value.hex()}
    if isinstance(value, np.ndarray):
        return {"vector": value.astype("<f4").tobytes().hex()}
    if isinstance(value, float):
        return {"real": value.hex()}
    return value


def decode(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, text),) = value.items()
    if kind == "real":
        return float.fromhex(text)
    data = bytes.fromhex(text)
    return np.frombuffer(data, "<f4") if kind == "vector" else data


def to_json(expected: dict) -> str:
    return json.dumps(expected, ensure_ascii=True)
