"""Runs and replays simulated histories: ``python -m tests.sim --seed 7``.

A failing history is made short, printed as SQL and saved as JSON; ``--replay FILE`` plays it again. Exit status 1 when one
failed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from typing import Optional

from .plan import Plan, make_plan
from .shrink import play, play_apart, shrink


def report(plan: Plan, arguments: argparse.Namespace) -> None:
    small = plan if arguments.no_shrink else shrink(plan, lambda p: play_apart(p, arguments.database))
    path = os.path.join(arguments.save or tempfile.gettempdir(), f"turdb-sim-{plan.seed}.json")
    small.save(path)
    print(f"--- {len(small.steps)} of {len(plan.steps)} steps are left; saved as {path}")
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            print("FAILED:", play(small, arguments.database, lambda line: print(line, flush=True)))
            sys.stdout.flush()
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1, help="the (first) seed")
    parser.add_argument("--count", type=int, default=1, help="how many seeds, one after another")
    parser.add_argument("--minutes", type=float, help="go on with further seeds for so long")
    parser.add_argument("--faults", action="store_true", help="inject power loss, I/O errors, full disks, short writes")
    parser.add_argument("--database", choices=["faults", "folder"], default="faults",
                        help="faults: in memory (default); folder: files, through turdb.connect()")
    parser.add_argument("--for-update", action="store_true", help="with SELECT ... FOR UPDATE")
    parser.add_argument("--replay", metavar="FILE", help="play a saved history and print it")
    parser.add_argument("--save", metavar="FOLDER", help="where failing histories are saved")
    parser.add_argument("--no-shrink", action="store_true")
    arguments = parser.parse_args()
    if arguments.replay:
        failure = play(Plan.load(arguments.replay), arguments.database, print)
        print(f"FAILED: {failure}" if failure else "passed")
        return int(failure is not None)
    until: Optional[float] = time.monotonic() + 60 * arguments.minutes if arguments.minutes else None
    n_failed, seed = 0, arguments.seed
    while seed < arguments.seed + arguments.count or (until is not None and time.monotonic() < until):
        plan = make_plan(seed, arguments.faults, arguments.for_update)
        failure = play_apart(plan, arguments.database)
        if failure is not None:
            n_failed += 1
            print(f"seed {seed}: {failure}")
            report(plan, arguments)
        seed += 1
    print(f"{seed - arguments.seed} histories, {n_failed} failed")
    return int(n_failed > 0)


if __name__ == "__main__":
    sys.exit(main())
