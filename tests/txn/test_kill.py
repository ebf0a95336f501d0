"""kill -9 at any moment of a load: what was committed is there, whole, and nothing else.

The short form runs in CI; TURDB_KILLS=2000 runs the long one. Each round kills the loader at a random moment, opens the
database in this process, compares every row, index and vector with the model, and lets the loader go on from there.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import turdb

sys.path.insert(0, str(Path(__file__).parents[1]))
from support import load

KILLS = int(os.environ.get("TURDB_KILLS", "25"))
SEED = int(os.environ.get("TURDB_SEED", "20261121"))


def run_and_kill(path, first, delay, in_schema):
    """Runs the loader, kills it `delay` seconds after its first commit, or after that of the schema if it makes one and
    `in_schema` is true; returns the last commit that it acknowledged."""
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(p for p in sys.path if p))
    process = subprocess.Popen([sys.executable, load.__file__, path, str(first)], stdout=subprocess.PIPE, text=True,
                               env=environment)
    line = process.stdout.readline()
    if line == "schema\n" and not in_schema:
        line = process.stdout.readline()
    assert line, "the loader ended before its first commit"
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    lines = [line, *process.stdout.read().splitlines()]
    assert process.wait() == -signal.SIGKILL
    numbers = [int(each) for each in lines if each.strip().isdigit()]
    return numbers[-1] if numbers else first - 1


def rows_of(con):
    return {rowid: (body, kind, e) for rowid, body, kind, e in con.execute("select id, body, kind, e from docs")}


def matches(rows, model):
    return rows.keys() == model.rows.keys() and all(
        rows[i][0] == load.text(i, version) and rows[i][1] == i % 5 and np.array_equal(rows[i][2], load.vector(i, version))
        for i, version in model.rows.items())


def check(path, acknowledged):
    """The state is that after `acknowledged` or the one commit that may have been under way; returns how many are in."""
    con = turdb.connect(path)
    rows = rows_of(con)
    model = load.Model()
    for number in range(acknowledged + 1):
        model.apply(number)
    committed = acknowledged + 1
    if not matches(rows, model):
        model.apply(committed)
        committed += 1
        assert matches(rows, model), f"after {acknowledged} acknowledged commits the rows are those of no commit"
    assert con.execute("pragma integrity_check").fetchall() == [("ok",)]
    by_index = con.execute("select count(*), count(body) from docs where kind = 3 and body >= ''").fetchone()
    expected = sum(1 for i in model.rows if i % 5 == 3)
    assert by_index == (expected, expected)
    check_neighbours(con, model)
    con.close()
    return committed


def check_neighbours(con, model):
    if not model.rows:
        return
    ids = np.array(sorted(model.rows))
    vectors = np.stack([load.vector(int(i), model.rows[int(i)]) for i in ids])
    query = vectors[len(ids) // 2]
    nearest = set(ids[np.argsort(1 - vectors @ query, kind="stable")[:10]].tolist())
    found = {row[0] for row in con.execute("select id from docs order by e <=> ? limit 10", (query,))}
    assert len(found) == len(nearest)
    assert len(found & nearest) >= 0.8 * len(nearest)


@pytest.mark.parametrize("part", range(2))
def test_kill_9_during_a_load(tmp_path, part):
    rng = random.Random(SEED + part)
    path = str(tmp_path / "killed.turdb")
    committed = 0
    for _ in range(max(1, KILLS // 2)):
        acknowledged = run_and_kill(path, committed, rng.uniform(0, 0.12), rng.random() < 0.5)
        committed = check(path, acknowledged)
    assert committed > 0
