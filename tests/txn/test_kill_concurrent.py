"""kill -9 while several threads write: of each thread all that was acknowledged is there, whole, and nothing else.

The short form runs in CI; TURDB_KILLS=4000 runs the long one. See support/writers.py for the load.
"""

import os
import random
import signal
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

import turdb

sys.path.insert(0, str(Path(__file__).parents[1]))
from support import writers

KILLS = int(os.environ.get("TURDB_KILLS", "24"))
SEED = int(os.environ.get("TURDB_SEED", "20261126"))
THREADS = 3


def run_and_kill(path, models, synchronous, level, delay):
    """Runs the writers in a child and kills it `delay` seconds after its first commit; returns the acknowledged numbers."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reading)
            writers.run_writers(path, models, writing, synchronous, level)
        except BaseException as error:
            os.write(writing, f"failed: {error!r}\n".encode())
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        text = pipe.read(1)
        time.sleep(delay)
        os.kill(pid, signal.SIGKILL)
        while chunk := pipe.read(1 << 16):
            text += chunk
    _, status = os.waitpid(pid, 0)
    lines = text.decode().splitlines()
    assert not [line for line in lines if line.startswith("failed")], lines
    assert os.WIFSIGNALED(status), "the child ended by itself"
    acknowledged = {m.w: m.done for m in models}
    for line in lines:
        w, number = map(int, line.split())
        assert number == acknowledged[w] + 1
        acknowledged[w] = number
    return acknowledged


def check(path, models, acknowledged):
    """Opens the database; each thread's rows are those after its last acknowledged commit or the one under way."""
    con = turdb.connect(path, isolation_level=None)
    docs, keyed = defaultdict(dict), defaultdict(dict)
    for row, w, body, u, e in con.execute("select id, w, body, u, e from docs"):
        docs[w][row] = (body, u, e)
    for w, k, body in con.execute("select w, k, body from keyed"):
        keyed[w][k] = body
    progress = dict(con.execute("select w, n from progress"))
    found = [model.copy() for model in models]
    for model in found:
        done, least = progress.get(model.w, 0), acknowledged[model.w]
        assert least <= done <= least + 1, f"thread {model.w}: {least} commits were acknowledged and {done} are there"
        while model.done < done:
            model.apply()
        assert model.matches(docs[model.w], keyed[model.w]), f"the rows of thread {model.w} are not those after commit {done}"
    assert con.execute("pragma integrity_check").fetchall() == [("ok",)]
    assert con.execute("select n from counter").fetchone() == (sum(m.done for m in found),)
    has_index = con.execute("select count(*) from sqlite_master where name = 'extra'").fetchone()[0] == 1
    assert has_index == found[0].has_index
    check_neighbours(con, docs)
    con.close()
    return found


def check_neighbours(con, docs):
    rows = {row: e for of_thread in docs.values() for row, (_, _, e) in of_thread.items()}
    if not rows:
        return
    query = np.full(writers.DIM, 0.25, np.float32)
    nearest = sorted(rows, key=lambda row: float(np.sum((rows[row] - query) ** 2)))[:10]
    found = [row for (row,) in con.execute("select id from docs order by e <-> ? limit 10", (query,))]
    assert len(found) == len(nearest) and set(found) <= rows.keys()
    assert len(set(found) & set(nearest)) >= 0.8 * len(nearest)


@pytest.mark.parametrize("synchronous", ["full", "normal", "off"])
def test_kill_9_among_writers(tmp_path, synchronous):
    rng = random.Random(f"{SEED} {synchronous}")
    path = str(tmp_path / "killed.turdb")
    con = turdb.connect(path, isolation_level=None)
    for statement in writers.SCHEMA:
        con.execute(statement)
    con.close()
    models = [writers.Model(w) for w in range(THREADS)]
    for _ in range(max(1, KILLS // 3)):
        level = rng.choice(["snapshot", "read committed", "serializable"])
        acknowledged = run_and_kill(path, models, synchronous, level, rng.random() * 0.15)
        models = check(path, models, acknowledged)
    assert all(m.done > 0 for m in models)
