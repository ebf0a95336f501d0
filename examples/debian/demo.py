#!/usr/bin/env python3
"""Ask the Debian archive by meaning: load, index, search, filter, aggregate, join, change, reopen.

    scripts/demo                          sets everything up and runs this
    python demo.py [--data FOLDER] [--database FOLDER] [--rebuild]

The database is kept; run again, the demo starts at once. Every distance is a cosine distance, every recall is measured
against an exact scan by numpy.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
with contextlib.suppress(ImportError):
    import turdb
if "turdb" not in sys.modules:  # run from a checkout without scripts/demo
    sys.path.insert(0, str(ROOT / "python"))
    import turdb
sys.path.insert(0, str(HERE))

import numpy as np  # noqa: E402
from dataset import exact_neighbours, read_columns, read_embeddings  # noqa: E402
from rich import box  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: E402
from rich.table import Table  # noqa: E402

TEN_QUESTIONS = (0, 2, 3, 4, 9, 14, 19, 29, 36, 41)
SHOWN_HITS = 3
K = 10

SCHEMA = """
CREATE TABLE packages (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, version TEXT, section TEXT, priority TEXT, architecture TEXT,
  installed_size_kib INTEGER, download_size INTEGER, maintainer TEXT, homepage TEXT, description TEXT,
  embedding VECTOR(384));
CREATE TABLE depends (package TEXT NOT NULL, target TEXT NOT NULL, kind TEXT NOT NULL, version_constraint TEXT);
"""
INDEXES = (
    "CREATE INDEX packages_by_section ON packages (section)",
    "CREATE INDEX depends_by_package ON depends (package)",
    "CREATE INDEX packages_by_meaning ON packages USING hnsw (embedding vector_cosine_ops)",
)
SEARCH = """SELECT id, name, section, installed_size_kib, description, embedding <=> :question AS distance
            FROM packages ORDER BY embedding <=> :question LIMIT 10"""
FILTERED = """SELECT id, name, section, installed_size_kib, description, embedding <=> :question AS distance
              FROM packages WHERE section = 'net' AND installed_size_kib < 2000
              ORDER BY embedding <=> :question LIMIT 10"""
SECTIONS = """SELECT section, count(*) AS packages, sum(installed_size_kib) / 1024 AS mib, max(installed_size_kib) / 1024 AS largest_mib
              FROM packages GROUP BY section ORDER BY packages DESC LIMIT 8"""
DEPENDENCIES = """
WITH hits AS (SELECT name, embedding <=> :question AS distance FROM packages ORDER BY embedding <=> :question LIMIT 5)
SELECT hits.name, target.name, target.section, target.description
FROM hits JOIN depends ON depends.package = hits.name AND depends.kind = 'depends'
          JOIN packages AS target ON target.name = depends.target
GROUP BY hits.name, target.name ORDER BY min(hits.distance), target.name LIMIT 12"""


def make_console() -> Console:
    console = Console(highlight=False)
    return Console(highlight=False, width=min(max(console.width, 80), 120)) if console.is_terminal else Console(width=100, highlight=False)


console = make_console()


@contextlib.contextmanager
def step(title: str) -> Iterator[None]:
    """Says what is done and how long it took."""
    start = time.perf_counter()
    yield
    seconds = time.perf_counter() - start
    took = f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"
    console.print(f"[green]✓[/] {title}[dim] {'·' * max(3, console.width - len(title) - len(took) - 5)} {took}[/]")


def heading(text: str) -> None:
    console.print()
    console.rule(f"[bold]{text}[/]", align="left", style="dim")


# --- loading ----------------------------------------------------------------------------------------


@contextlib.contextmanager
def progress_bar(connection: turdb.Connection, title: str) -> Iterator[None]:
    """A bar that follows what the engine reports; nothing when the output is not a terminal."""
    columns = (TextColumn("  {task.description}"), BarColumn(None), TextColumn("{task.completed:,.0f} / {task.total:,.0f}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=1)

        def report(phase: str, done: int, total: int) -> None:
            progress.update(task, completed=done, total=max(total, 1))

        connection.set_report_handler(report)
        try:
            yield
        finally:
            connection.set_report_handler(None)


def load(connection: turdb.Connection, folder: Path) -> None:
    with step("read the files"):
        packages = read_columns(folder / "packages.tsv.gz")
        depends = read_columns(folder / "depends.tsv.gz")
        vectors = read_embeddings(folder)
    connection.executescript(SCHEMA)
    packages["id"] = list(range(1, len(vectors) + 1))
    packages["embedding"] = vectors
    depends["version_constraint"] = depends.pop("constraint")
    with step(f"append {len(vectors):,} packages with their embeddings"), progress_bar(connection, "packages"), connection:
        connection.append("packages", packages)
    with step(f"append {len(depends['package']):,} dependencies"), progress_bar(connection, "dependencies"), connection:
        connection.append("depends", depends)
    for statement in INDEXES:
        with step(statement), progress_bar(connection, "index"), connection:
            connection.execute(statement)
    with connection:
        connection.execute(f"PRAGMA user_version = {len(vectors)}")


def is_loaded(connection: turdb.Connection) -> bool:
    loaded = connection.execute("PRAGMA user_version").fetchone()[0]
    return loaded > 0 and connection.execute("SELECT count(*) FROM packages").fetchone()[0] == loaded


def open_database(path: Path, folder: Path, rebuild: bool) -> turdb.Connection:
    if rebuild:
        shutil.rmtree(path, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    with step(f"{'create' if is_new else 'open'} {path.name}"):
        connection = turdb.connect(path)
    if not is_new and not is_loaded(connection):  # an earlier run was stopped half way
        connection.close()
        return open_database(path, folder, rebuild=True)
    if is_new:
        load(connection, folder)
    return connection


# --- asking -----------------------------------------------------------------------------------------


def timed(connection: turdb.Connection, sql: str, parameters: object = ()) -> tuple[list[tuple], float]:
    """The rows, and the milliseconds that the fastest of three runs took."""
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        rows = connection.execute(sql, parameters).fetchall()
        best = min(best, time.perf_counter() - start)
    return rows, best * 1000


def recall(rows: list[tuple], truth: np.ndarray) -> float:
    return len({row[0] for row in rows} & set(truth.tolist())) / max(len(truth), 1)


def hits_table() -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=True, show_edge=False)
    table.add_column("package", no_wrap=True, max_width=26)
    table.add_column("section", no_wrap=True)
    table.add_column("KiB", justify="right", no_wrap=True)
    table.add_column("distance", justify="right", no_wrap=True)
    table.add_column("description", ratio=1, no_wrap=True, overflow="ellipsis")
    return table


def add_hits(table: Table, rows: list[tuple], shown: int = SHOWN_HITS) -> None:
    for _, name, section, size, description, distance in rows[:shown]:
        table.add_row(name, section, f"{size:,}", f"{distance:.3f}", description)


def ask(connection: turdb.Connection, title: str, sql: str, questions: list[str], queries: np.ndarray, truth: np.ndarray) -> None:
    heading(title)
    recalls = []
    for place in TEN_QUESTIONS:
        rows, milliseconds = timed(connection, sql, {"question": queries[place]})
        recalls.append(recall(rows, truth[place]))
        console.print(f"\n[bold cyan]{questions[place]}[/]  [dim]{milliseconds:.2f} ms · recall@10 {recalls[-1]:.2f}[/]")
        table = hits_table()
        add_hits(table, rows)
        console.print(table)
    everything = [recall(connection.execute(sql, {"question": query}).fetchall(), wanted) for query, wanted in zip(queries, truth)]
    console.print(f"recall@10 of these ten: [bold]{np.mean(recalls):.3f}[/], of all {len(queries)} questions: [bold]{np.mean(everything):.3f}[/]")


def show_aggregate(connection: turdb.Connection) -> None:
    heading("What is in the archive")
    rows, milliseconds = timed(connection, SECTIONS)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("section")
    for name in ("packages", "MiB installed", "largest, MiB"):
        table.add_column(name, justify="right")
    for section, *numbers in rows:
        table.add_row(section, *(f"{number:,}" for number in numbers))
    console.print(table)
    console.print(f"[dim]{milliseconds:.2f} ms[/]")


def show_join(connection: turdb.Connection, question: str, query: np.ndarray) -> None:
    heading(f"What the answers to “{question}” depend on")
    rows, milliseconds = timed(connection, DEPENDENCIES, {"question": query})
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=True, show_edge=False)
    for name in ("package", "needs", "section"):
        table.add_column(name, no_wrap=True, max_width=28)
    table.add_column("description", ratio=1, no_wrap=True, overflow="ellipsis")
    last = None
    for name, *target in rows:
        table.add_row("" if name == last else name, *target)
        last = name
    console.print(table)
    console.print(f"[dim]{milliseconds:.2f} ms[/]")


# --- changing and reopening -------------------------------------------------------------------------


def best_hits(connection: turdb.Connection, query: np.ndarray) -> list[str]:
    return [row[1] for row in connection.execute(SEARCH, {"question": query})]


def change(connection: turdb.Connection, questions: list[str], queries: np.ndarray) -> dict[str, tuple]:
    """Deletes the best answer to one question and moves another package there; returns the rows as they were."""
    place = TEN_QUESTIONS[2]
    heading(f"Delete and update: “{questions[place]}”")
    before = best_hits(connection, queries[place])
    console.print(f"before   {', '.join(before[:5])}")
    gone, moved = before[0], best_hits(connection, queries[TEN_QUESTIONS[3]])[0]
    saved = {name: connection.execute("SELECT * FROM packages WHERE name = ?", (name,)).fetchone() for name in (gone, moved)}
    with step(f"DELETE {gone}, UPDATE the embedding of {moved}, COMMIT"), connection:
        connection.execute("DELETE FROM packages WHERE name = ?", (gone,))
        connection.execute("UPDATE packages SET embedding = ? WHERE name = ?", (queries[place], moved))
    after = best_hits(connection, queries[place])
    console.print(f"after    {', '.join(after[:5])}")
    if gone in after or after[0] != moved:
        raise SystemExit("the search does not see what was changed")
    return saved


def put_back(connection: turdb.Connection, saved: dict[str, tuple]) -> None:
    with connection:
        for name, row in saved.items():
            connection.execute("DELETE FROM packages WHERE name = ?", (name,))
            connection.execute(f"INSERT INTO packages VALUES ({', '.join('?' * len(row))})", row)


def check_in_this_process(path: str, query: list[float]) -> None:
    """What the other process runs: opens the database and says what it finds, as JSON."""
    start = time.perf_counter()
    connection = turdb.connect(path, read_only=True)
    found = {
        "packages": connection.execute("SELECT count(*) FROM packages").fetchone()[0],
        "depends": connection.execute("SELECT count(*) FROM depends").fetchone()[0],
        "hits": best_hits(connection, np.array(query, np.float32)),
        "milliseconds": 0.0,
    }
    found["milliseconds"] = (time.perf_counter() - start) * 1000
    connection.close()
    print(json.dumps(found))


def reopen_elsewhere(path: Path, query: np.ndarray, expected: dict) -> None:
    heading("Reopen from another process")
    with step("start Python, open, count, search"):
        process = subprocess.run(
            [sys.executable, __file__, "--check", str(path)], input=json.dumps(query.tolist()), capture_output=True, text=True
        )
    if process.returncode != 0:
        raise SystemExit(process.stderr)
    found = json.loads(process.stdout)
    console.print(
        f"it finds {found['packages']:,} packages and {found['depends']:,} dependencies; nearest: {', '.join(found['hits'][:5])} "
        f"[dim](open and three statements: {found['milliseconds']:.1f} ms)[/]"
    )
    if {name: found[name] for name in expected} != expected:
        raise SystemExit(f"the other process does not find what was committed: {expected}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=HERE, help="folder with the data set (default: the 20,000 packages here)")
    parser.add_argument("--database", type=Path, help="where the database goes (default: build/demo)")
    parser.add_argument("--rebuild", action="store_true", help="load and index again")
    parser.add_argument("--check", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    if arguments.check:
        return check_in_this_process(arguments.check, json.load(sys.stdin))
    start = time.perf_counter()
    name = "debian" if arguments.data == HERE else f"debian-{arguments.data.resolve().name}"
    path = (arguments.database or ROOT / "build" / "demo" / f"{name}.turdb").resolve()
    heading("The Debian archive, by meaning")
    connection = open_database(path, arguments.data, arguments.rebuild)

    questions = (arguments.data / "queries.txt").read_text(encoding="utf-8").splitlines()
    queries = np.load(arguments.data / "queries.f32.npy")
    with step("exact answers by numpy, to compare with"):
        vectors = read_embeddings(arguments.data)
        rows = connection.execute("SELECT section = 'net' AND installed_size_kib < 2000 FROM packages ORDER BY id").fetchall()
        small_net = np.flatnonzero([row[0] for row in rows])
        truth = exact_neighbours(vectors, queries, K) + 1
        filtered_truth = small_net[exact_neighbours(vectors[small_net], queries, K)] + 1

    ask(connection, "Ten questions", SEARCH, questions, queries, truth)
    ask(connection, "The same, WHERE section = 'net' AND installed_size_kib < 2000", FILTERED, questions, queries, filtered_truth)
    show_aggregate(connection)
    show_join(connection, questions[TEN_QUESTIONS[5]], queries[TEN_QUESTIONS[5]])

    saved = change(connection, questions, queries)
    query = queries[TEN_QUESTIONS[2]]
    expected = {
        "packages": len(vectors) - 1,
        "depends": connection.execute("SELECT count(*) FROM depends").fetchone()[0],
        "hits": best_hits(connection, query),
    }
    connection.close()
    reopen_elsewhere(path, query, expected)
    with turdb.connect(path) as connection:
        put_back(connection, saved)
    connection.close()
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    console.print(f"\n[dim]{path}: {size / 1e6:.0f} MB; all of this took {time.perf_counter() - start:.1f} s[/]")


if __name__ == "__main__":
    main()
