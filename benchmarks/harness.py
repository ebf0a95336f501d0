"""What the benchmarks share: timing with warm-up and medians, tables of ratios, peers that may be missing."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional

ROOT = Path(__file__).resolve().parent.parent
try:
    import turdb
except ImportError:  # run from a checkout without its environment
    sys.path.insert(0, str(ROOT / "python"))
    import turdb
sys.path.insert(0, str(ROOT / "examples" / "debian"))


def optional(name: str) -> Any:
    """A peer's module, or None with a note."""
    try:
        return importlib.import_module(name)
    except ImportError:
        print(f"note: no {name} here (pip install {name.replace('faiss', 'faiss-cpu')}); going on without it")
        return None


def parser_of_tables(description: str, rows: int) -> argparse.ArgumentParser:
    """The options of benchmarks that fill tables on disk and measure by name."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rows", type=int, default=rows)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help="measurements whose name (or title) contains this")
    parser.add_argument("--folder", type=Path, help="where to write")
    parser.add_argument("--smoke", action="store_true", help="small and quick, to see that it runs")
    return parser


@contextmanager
def folder_of_engines(name: str, parent: Optional[Path]) -> Iterator[tuple[Path, list]]:
    """A new folder and a list for the engines that write to it: at the end their `con` is closed and the folder removed."""
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=parent))
    engines: list[Any] = []
    try:
        yield folder, engines
    finally:
        for engine in engines:
            engine.con.close()
        shutil.rmtree(folder)


def seconds(action: Callable[[], Any]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def median_seconds(action: Callable[[], Any], runs: int = 5, prepare: Optional[Callable[[], Any]] = None, warm_up: int = 1) -> float:
    """The median time of `runs` calls after `warm_up` that do not count; `prepare` runs, untimed, before each."""
    times = []
    for run in range(runs + warm_up):
        if prepare is not None:
            prepare()
        taken = seconds(action)
        if run >= warm_up:
            times.append(taken)
    return statistics.median(times)


def in_turn(actions: dict[str, Callable[[], Any]], rounds: int = 5) -> dict[str, float]:
    """Median seconds of each action, run in turn, so that a slow moment of the machine hits all of them."""
    times: dict[str, list[float]] = {name: [] for name in actions}
    for action in actions.values():
        action()
    for _ in range(rounds):
        for name, action in actions.items():
            times[name].append(seconds(action))
    return {name: statistics.median(values) for name, values in times.items()}


def readable(value: float) -> str:
    """A time in the unit that suits it."""
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if value * factor >= 1 or unit == "µs":
            return f"{value * factor:.3g} {unit}"
    return ""


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(str(row[i])) for row in (header, *rows)) for i in range(len(header))]
    for number, row in enumerate((header, *rows)):
        print("  ".join(str(cell).ljust(width) if i == 0 else str(cell).rjust(width) for i, (cell, width) in enumerate(zip(row, widths))))
        if number == 0:
            print("  ".join("-" * width for width in widths))
    print(flush=True)


def describe_machine() -> str:
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    return f"{model}, {os.cpu_count()} CPUs, Python {platform.python_version()}, turdb {turdb.__version__}"
