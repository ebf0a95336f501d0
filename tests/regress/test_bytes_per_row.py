"""Rows take no more bytes on disk than in sqlite3: loaded, after changes of every kind, and after VACUUM."""

import random
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

import turdb

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from oltp_space import SCHEMAS, churn

ROWS = 50_000  # some ten pages that every database has are small beside them


def connect(engine, folder):
    if engine == "turdb":
        con = turdb.connect(folder / "turdb", isolation_level=None)
        con.execute("PRAGMA auto_vacuum = NONE")
    else:
        con = sqlite3.connect(folder / "sqlite3", isolation_level=None)
    con.execute("PRAGMA synchronous = OFF")
    return closing(con)


def disk_bytes(path):
    return sum(file.stat().st_size for file in [path, *path.rglob("*")] if file.is_file())


@pytest.mark.parametrize("shape", SCHEMAS)
def test_bytes_on_disk(tmp_path, shape):
    schema = SCHEMAS[shape]
    rng = random.Random(3)
    count = int(ROWS * schema.share)
    rows = [schema.row(i, rng) for i in range(count)]
    taken = {"turdb": [], "sqlite3": []}
    content = []
    for engine, states in taken.items():
        with connect(engine, tmp_path) as con:
            for sql in schema.create:
                con.execute(sql)
            con.execute("BEGIN")
            con.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(rows[0]))})", rows)
            con.execute("COMMIT")
        states.append(disk_bytes(tmp_path / engine))
        with connect(engine, tmp_path) as con:
            churn(con, schema, count, 5)
        states.append(disk_bytes(tmp_path / engine))
        with connect(engine, tmp_path) as con:
            con.execute("VACUUM")
            content.append(con.execute("SELECT * FROM t ORDER BY id").fetchall())
        states.append(disk_bytes(tmp_path / engine))
    assert content[0] == content[1]
    for own, peer in zip(taken["turdb"], taken["sqlite3"]):
        assert own <= peer, taken


BY_KEY = ["uuid key, without rowid", "uuid index", "blob key, without rowid", "long blob key, without rowid", "long blob index"]


@pytest.mark.parametrize("way", ["small transactions", "index afterwards"])
@pytest.mark.parametrize("shape", BY_KEY)
def test_bytes_on_disk_of_random_keys(tmp_path, shape, way):
    schema = SCHEMAS[shape]
    if way == "index afterwards" and len(schema.create) < 2:
        pytest.skip("no index")
    rng = random.Random(4)
    rows = [schema.row(i, rng) for i in range(int(ROWS * schema.share))]
    step = 500 if way == "small transactions" else len(rows)
    insert = f"INSERT INTO t VALUES ({', '.join('?' * len(rows[0]))})"
    taken = {}
    for engine in ("turdb", "sqlite3"):
        with connect(engine, tmp_path) as con:
            before = schema.create if way == "small transactions" else schema.create[:1]
            for sql in before:
                con.execute(sql)
            for start in range(0, len(rows), step):
                con.execute("BEGIN")
                con.executemany(insert, rows[start : start + step])
                con.execute("COMMIT")
            for sql in schema.create[len(before) :]:
                con.execute(sql)
        taken[engine] = disk_bytes(tmp_path / engine)
    assert taken["turdb"] <= taken["sqlite3"], taken


def test_a_row_lost_here_and_there_does_not_blow_a_loaded_table_up(tmp_path):
    """The keys of a leaf take no bytes while none is missing; leaves that lose a row have to get room for them, not be split."""
    with connect("turdb", tmp_path) as con:
        con.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, size INTEGER)")
        con.execute("BEGIN")
        con.executemany("INSERT INTO t VALUES (?, ?, ?)", [(i, f"name {i * 7919}", i) for i in range(60_000)])
        con.execute("COMMIT")
    loaded = disk_bytes(tmp_path / "turdb")
    with connect("turdb", tmp_path) as con:
        rng = random.Random(1)
        for i in rng.sample(range(60_000), 1000):
            con.execute("DELETE FROM t WHERE id = ?", (i,))
        assert con.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert disk_bytes(tmp_path / "turdb") < 1.2 * loaded
