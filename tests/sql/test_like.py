"""LIKE over columns, by the fast path for simple patterns and by the general matcher, as sqlite3 answers."""

import random
import sqlite3

import turdb

LETTERS = "aAbBcC%_ é"


def test_random_patterns():
    rng = random.Random(3)
    words = ["".join(rng.choice(LETTERS) for _ in range(rng.randrange(7))) for _ in range(3000)]
    rows = [(i, rng.choice([word, word, word, word, None, i, i / 2])) for i, word in enumerate(words)]
    ours, theirs = turdb.connect(":memory:"), sqlite3.connect(":memory:")
    for con in (ours, theirs):
        con.execute("create table t (id integer primary key, s)")
        con.executemany("insert into t values (?, ?)", rows)
    for _ in range(150):
        pattern = "".join(rng.choice(LETTERS) for _ in range(rng.randrange(4)))
        pattern = rng.choice(["", "%"]) + pattern + rng.choice(["", "%"])
        for sql, parameters in [("select id, s like ? from t", (pattern,)), (f"select count(*) from t where s not like '{pattern}'", ())]:
            assert ours.execute(sql, parameters).fetchall() == theirs.execute(sql, parameters).fetchall(), pattern
