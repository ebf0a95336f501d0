"""Payloads of WITHOUT ROWID rows: their bytes as docs/format/catalog.md says, and rows that the key does not give back whole."""

import random
import struct
from contextlib import closing

import pytest
from support.key_pages import decode

import turdb

USER_AREA = 144


def payloads(path, table="t"):
    """(key, payload) of the rows of a table of one page, and the form that its file says they have."""
    data = next((path / "root").glob(f"{table}*.tbd")).read_bytes()
    (form,) = struct.unpack_from("<I", data, USER_AREA + 8)
    return form, [(cell.key, cell.rest) for cell in decode(data[16384:32768]).cells]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "db"


def fill(path, *statements):
    with closing(turdb.connect(path, isolation_level=None)) as con:
        for statement in statements:
            con.execute(statement)


def test_the_example_of_the_documentation(path):
    fill(path, "CREATE TABLE t (id TEXT PRIMARY KEY, name TEXT, n) WITHOUT ROWID", "INSERT INTO t VALUES ('a', 'bc', 70)")
    assert payloads(path) == (1, [(b"\x80a\x00", bytes.fromhex("09 62 63 40 46"))])


def test_a_key_that_does_not_give_its_columns_back(path):
    """A whole real has the key of an integer, a text under NOCASE that of another."""
    fill(
        path,
        "CREATE TABLE t (n, id TEXT COLLATE NOCASE, k REAL, PRIMARY KEY (k, id)) WITHOUT ROWID",
        "INSERT INTO t VALUES (5, 'Ab', 0.5), (6, 'Ab', 2.0)",
    )
    form, rows = payloads(path)
    assert form == 1
    assert rows[0][1] == bytes.fromhex("06 85 09 41 62 06")
    assert rows[1][1] == bytes.fromhex("06 86 09 41 62 02") + struct.pack("<d", 2.0)


def test_columns_of_the_key_alone_take_no_payload(path):
    fill(path, "CREATE TABLE t (a, b, PRIMARY KEY (b, a)) WITHOUT ROWID", "INSERT INTO t VALUES (1, 'x')")
    assert [payload for _, payload in payloads(path)[1]] == [b""]
    fill(path, "ALTER TABLE t ADD COLUMN c DEFAULT 9", "INSERT INTO t VALUES (2, 'y', NULL)")
    assert [payload for _, payload in payloads(path)[1]] == [b"", b"\x00"]
    with closing(turdb.connect(path)) as con:
        assert con.execute("SELECT * FROM t ORDER BY a").fetchall() == [(1, "x", 9), (2, "y", None)]


@pytest.mark.parametrize("collation", ["BINARY", "NOCASE"])
def test_values_of_every_kind_before_between_and_behind_key_columns(path, collation):
    rng = random.Random(collation)

    def value():
        return rng.choice([
            None, rng.randrange(-70, 70), rng.randrange(2**24), -(2**40), rng.random(), float(rng.randrange(9)),
            "t" * rng.choice([0, 1, 55, 56, 57, 58, 300]), "Grüße", rng.randbytes(rng.randrange(70)), "b" * 20_000,
        ])  # fmt: skip

    model = {}
    with closing(turdb.connect(path, isolation_level=None)) as con:
        con.execute(f"CREATE TABLE t (a, k TEXT COLLATE {collation}, b, n, c, PRIMARY KEY (n, k)) WITHOUT ROWID")
        for i in range(2000):
            key = (rng.choice([i // 7, i / 7]), f"Key {i % 50}")
            row = (value(), key[1], value(), key[0], value())
            con.execute("INSERT OR REPLACE INTO t VALUES (?, ?, ?, ?, ?)", row)
            model[key[0], key[1]] = row
        con.execute("ALTER TABLE t ADD COLUMN d DEFAULT 'then'")
        model = {key: (*row, "then") for key, row in model.items()}
        for key in rng.sample(sorted(model), 300):
            row = (*model[key][:4], value(), value())
            con.execute("UPDATE t SET c = ?, d = ? WHERE n = ? AND k = ?", (row[4], row[5], *key))
            model[key] = row
        for step in ("VACUUM", "PRAGMA wal_checkpoint"):
            found = con.execute("SELECT * FROM t").fetchall()
            assert sorted(map(repr, found)) == sorted(map(repr, model.values()))
            assert con.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            con.execute(step)
