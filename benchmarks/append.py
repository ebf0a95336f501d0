#!/usr/bin/env python3
"""A durable append of float32 vectors against numpy.save and fsync of the same array.

    python benchmarks/append.py [--rows 63666] [--dim 384] [--folder /where/to/write] [--smoke]

Both end with the data on the disk: turdb with a commit at synchronous=FULL, numpy with fsync of file and folder.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from pathlib import Path

import harness
import numpy as np

import turdb


def save(folder: Path, vectors: np.ndarray) -> None:
    with open(folder / "vectors.npy", "wb") as file:
        np.save(file, vectors)
        file.flush()
        os.fsync(file.fileno())
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=63_666)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--smoke", action="store_true")
    arguments = parser.parse_args()
    if arguments.smoke:
        arguments.rows, arguments.rounds = 2000, 1
    vectors = np.random.default_rng(1).random((arguments.rows, arguments.dim), dtype=np.float32)
    folder = Path(tempfile.mkdtemp(prefix="append-", dir=arguments.folder))
    connections: list[turdb.Connection] = []

    def fresh_table() -> None:
        while connections:
            connections.pop().close()
        shutil.rmtree(folder / "x.turdb", ignore_errors=True)
        connection = turdb.connect(folder / "x.turdb")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"CREATE TABLE t (id INTEGER PRIMARY KEY, e VECTOR({arguments.dim}))")
        connections.append(connection)

    def append() -> None:
        connections[0].append("t", {"e": vectors})
        connections[0].commit()

    def remove_file() -> None:
        (folder / "vectors.npy").unlink(missing_ok=True)

    try:
        own = harness.median_seconds(append, arguments.rounds, fresh_table)
        saved = harness.median_seconds(lambda: save(folder, vectors), arguments.rounds, remove_file)
        print(f"{arguments.rows:,} x {arguments.dim} float32 ({vectors.nbytes / 1e6:.0f} MB); {harness.describe_machine()}\n")
        harness.print_table(
            ("durable", "time", "MB/s", "x numpy"),
            [
                ("turdb append + commit", harness.readable(own), f"{vectors.nbytes / own / 1e6:.0f}", f"{own / saved:.2f}"),
                ("numpy.save + fsync", harness.readable(saved), f"{vectors.nbytes / saved / 1e6:.0f}", "1.00"),
            ],
        )
    finally:
        for connection in connections:
            connection.close()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
