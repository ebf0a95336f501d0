"""Column-wise against slotted row leaves over the same rows, and the whole row tree beside sqlite3.

    cmake -S . -B build -G Ninja -DTURDB_TESTING=ON && ninja -C build testing_leaf_layout
    PYTHONPATH=python python benchmarks/leaf_layout/run.py [--rows N] [--smoke]

Prints nanoseconds an operation (medians of three runs; scans: a value) and bytes a row. The decision these figures led
to is docs/decisions/0002-leaf-layout.md.
"""

import argparse
import os
import random
import sqlite3
import statistics
import tempfile
import time

from turdb._testing import leaf_layout


def sqlite_figures(n):
    rng = random.Random(42)
    rows = [
        (i, 1000000 + i, rng.randrange(100), rng.randrange(100000) / 7, f"customer name {rng.randrange(100000)}",
         f"category-{rng.randrange(30)}", rng.randrange(5000) if rng.randrange(4) else None)
        for i in range(n)
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "t.db")
        con = sqlite3.connect(path)
        con.execute("create table t(k integer primary key, a, b, c, d, e, f)")
        start = time.perf_counter_ns()
        con.executemany("insert into t values (?,?,?,?,?,?,?)", rows)
        con.commit()
        insert = (time.perf_counter_ns() - start) / n
        figures = {"append": insert, "bytes a row, appended": os.path.getsize(path) / n}
        for name, sql in (("scan int", "sum(a)"), ("scan real", "sum(c)"), ("scan text", "sum(length(d))")):
            con.execute(f"select {sql} from t").fetchone()
            start = time.perf_counter_ns()
            con.execute(f"select {sql} from t").fetchone()
            figures[name] = (time.perf_counter_ns() - start) / n
        return figures


def median_of(measure, n, rounds, runs):
    results = [measure(n, rounds) for _ in range(runs)]
    return {key: statistics.median(r[key] for r in results) for key in results[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--smoke", action="store_true", help="few rows, one run: only that it works")
    options = parser.parse_args()
    n, rounds, runs = (5_000, 1, 1) if options.smoke else (options.rows, 5, 3)
    columns = median_of(leaf_layout.measure_columns, n, rounds, runs)
    slotted = median_of(leaf_layout.measure_slotted, n, rounds, runs)
    tree = median_of(leaf_layout.measure_tree, n, rounds, runs)
    sqlite = sqlite_figures(n)
    print(f"{n} rows of 6 columns; ns an operation, or bytes")
    print(f"{'':28}{'columns':>10}{'slotted':>10}{'ratio':>8}{'tree':>10}{'sqlite3*':>10}")
    for key in list(columns) + [k for k in tree if k not in columns]:
        a, b, t, s = (figures.get(key) for figures in (columns, slotted, tree, sqlite))
        ratio = f"{b / a:8.2f}" if a and b else " " * 8
        cells = [f"{v:10.2f}" if v is not None else " " * 10 for v in (a, b)]
        rest = [f"{v:10.2f}" if v is not None else " " * 10 for v in (t, s)]
        print(f"{key:28}{''.join(cells)}{ratio}{''.join(rest)}")
    print("* through Python and SQL: for the sizes; its times include the interpreter's")


if __name__ == "__main__":
    main()
