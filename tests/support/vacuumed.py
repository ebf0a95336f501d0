"""A database with dead space in files of every kind, and what is to be the same before and after it is given back."""

import os

import numpy as np
import pytest

import turdb


def disk_bytes(path):
    return sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(path) for name in names)


def data_bytes(con):
    return con.execute("SELECT sum(bytes) FROM turdb_catalog.storage").fetchone()[0]


def content(con):
    """Every row of every table by every column and index, as one comparable value."""
    out = {}
    tables = con.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
    for name, sql in tables:
        rows = con.execute(f'SELECT * FROM "{name}"').fetchall()
        out[name] = (sql, [tuple(bytes(v) if isinstance(v, np.ndarray) else v for v in row) for row in rows])
    return out


def check(con):
    assert con.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert con.execute("PRAGMA quick_check").fetchall() == [("ok",)]


@pytest.fixture(name="path")
def database_path(tmp_path):
    return str(tmp_path / "db.turdb")


def open_quiet(path, **options):
    """A connection to a database whose background does nothing by itself."""
    con = turdb.connect(path, **options)
    con.execute("PRAGMA auto_vacuum = NONE")
    con.execute("PRAGMA hnsw_absorb = off")
    return con


class Stop:
    """A progress handler that stops the statement after some calls."""

    def __init__(self, calls):
        self.left = calls

    def __call__(self):
        self.left -= 1
        return self.left < 0


def fill(con, n=3000, dim=16, seed=1):
    rng = np.random.default_rng(seed)
    con.executescript(f"""
        CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT UNIQUE, amount REAL, note BLOB, e VECTOR({dim}), f VECTOR(3));
        CREATE INDEX t_amount ON t(amount DESC, name COLLATE NOCASE);
        CREATE INDEX t_some ON t(lower(name)) WHERE id % 2 = 0;
        CREATE TABLE w(k TEXT, j INTEGER, e VECTOR({dim}), b BLOB, PRIMARY KEY (k, j)) WITHOUT ROWID;
        CREATE INDEX w_b ON w(b);
        CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT, x);
        CREATE TABLE keyless(x, y);
        CREATE TABLE empty(x, e VECTOR(4));
        CREATE VIEW v AS SELECT id, name FROM t WHERE id < 100;
        CREATE SCHEMA s;
        CREATE TABLE s.t(x UNIQUE);
    """)
    vectors = rng.normal(size=(n, dim)).astype(np.float32)
    con.executemany(
        "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)",
        [(i, f"Name {i * 7919 % n}", i / 7, b"n" * (i % 50 if i % 100 else 40000), vectors[i],
          None if i % 3 else [i, 1, 2]) for i in range(n)],
    )
    con.execute("CREATE INDEX t_e ON t USING hnsw (e vector_l2_ops)")
    con.execute("CREATE INDEX t_f ON t USING hnsw (f vector_cosine_ops)")
    con.executemany(
        "INSERT INTO w VALUES (?, ?, ?, ?)",
        [(f"k{i % 97}", i, vectors[i % n] if i % 5 else None, bytes([i % 251]) * (i % 300 if i % 50 else 30000)) for i in range(1000)],
    )
    con.executemany("INSERT INTO a(x) VALUES (?)", [(i,) for i in range(500)])
    con.executemany("INSERT INTO keyless VALUES (?, ?)", [(i, None if i % 2 else "y" * i) for i in range(500)])
    con.executemany("INSERT INTO s.t VALUES (?)", [(i,) for i in range(500)])
    con.execute("ALTER TABLE keyless ADD COLUMN z TEXT DEFAULT 'since'")
    con.commit()
    return vectors


def thin_out(con):
    con.executescript("""
        DELETE FROM t WHERE id % 4 <> 0;
        DELETE FROM w WHERE j % 3 = 0;
        DELETE FROM a WHERE id > 100;
        DELETE FROM keyless WHERE x % 7 = 0;
        DELETE FROM s.t WHERE x % 2 = 0;
        UPDATE t SET e = e, amount = -amount WHERE id % 8 = 0;
    """)
    con.commit()
