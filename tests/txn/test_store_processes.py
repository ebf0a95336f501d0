"""Stores in several processes, one of which writes, and long snapshots: killed, stopped, checked page by page.

The short form runs for some seconds; TURDB_PROCESSES_SECONDS=600 runs the long one.
"""

import os
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from support import store_processes
from support.crowd import let_them_loose
from support.role import Side

SECONDS = float(os.environ.get("TURDB_PROCESSES_SECONDS", "8"))
SEED = int(os.environ.get("TURDB_SEED", "20261126"))


def test_snapshots_are_held_while_everything_changes_and_somebody_dies(tmp_path):
    path = str(tmp_path / "db")
    store_processes.create(path)
    counts = let_them_loose(store_processes.__file__, path, random.Random(SEED), SECONDS)
    assert any(checks > 0 for checks, _ in counts)
    acknowledged = Side(path).acknowledged()
    assert acknowledged > 0
    store = store_processes.open_store(path)
    n, files = store_processes.check(store.begin())
    assert n >= max(acknowledged, *(seen for _, seen in counts))
    assert not [name for name in os.listdir(path + "/wal") if name.startswith("old.")]
    assert len(os.listdir(path + "/root")) == len(files)
    store.close()
