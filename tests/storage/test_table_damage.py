"""Damaged bytes behind intact checksums: reads, searches, checks and writes give errors, never a crash."""

import random

import numpy as np
import pytest

from turdb._testing import table

ROWS = 600


def make():
    db = table.Database()
    txn = db.begin()
    table.create_table(txn, "t", [("a", "INTEGER"), ("b", "TEXT"), ("e", "VECTOR(16)")])
    table.create_index(txn, "t", "i", [(1, True, 1), (0, False, 0)])
    table.create_index(txn, "t", "u", [(0, False, 0)], unique=True)
    table.create_index(txn, "t", "h", [(2, False, 0)], metric="l2")
    vectors = np.random.default_rng(0).standard_normal((ROWS, 16)).astype(np.float32)
    texts = [f"Text {i % 50}" * (1 + 300 * (i % 97 == 0)) for i in range(ROWS)]
    table.append(txn, "t", ROWS, None, [list(range(ROWS)), texts, vectors])
    table.build_index(txn, "t", "h")
    txn.commit()
    return db


def use(txn, dice):
    """Every way to read the table, then a few to write it; what fails must fail as damage."""
    query = np.ones(16, dtype=np.float32)
    row = [dice.randrange(10**6) + ROWS, "new", query]

    def write():
        writer = table.Writer(txn, "t")
        writer.try_insert(writer.next_rowid(), row)
        for rowid in range(1, ROWS, 37):
            writer.delete(rowid)

    ways = [
        lambda: table.scan(txn, "t", [0, 1, 2]),
        lambda: table.scan(txn, "t", [1, 2], descending=True, batch=50),
        lambda: table.scan_index(txn, "t", "i", [table.ROWID, 1, 0]),
        lambda: table.scan_index(txn, "t", "u", [1, 2], lower=100, upper=400, descending=True),
        lambda: [table.look_up(txn, "t", [0, 1, 2], rowid) for rowid in range(1, ROWS, 7)],
        lambda: table.search(txn, "t", 2, "l2", query, 10),
        lambda: table.search(txn, "t", 2, "l2", query, 10, index="h"),
        lambda: table.search(txn, "t", 2, "l2", query, 10, index="h", slots=range(0, ROWS, 3)),
        lambda: table.count(txn, "t"),
        lambda: table.check(txn, "t"),
        write,
    ]
    for way in ways:
        try:
            way()
        except RuntimeError as error:
            assert str(error).startswith(("Corruption: ", "NewerFormat: ", "Internal: ")), error
        except UnicodeDecodeError:
            pass  # damaged text is text still


@pytest.mark.parametrize("seed", range(40))
def test_damage_never_crashes(seed):
    dice = random.Random(seed)
    db = make()
    for _ in range(6):
        txn = db.begin()
        files = sorted(table.files(txn, "t").items())
        for _ in range(dice.randrange(1, 4)):
            _, (file, pages) = dice.choice(files)
            page = dice.randrange(1, min(pages, 40))
            offset = dice.choice([dice.randrange(16, 128), dice.randrange(4, 16384)])
            table.damage(txn, file, page, offset, dice.randrange(256))
        use(txn, dice)
        txn.rollback()
        del txn
