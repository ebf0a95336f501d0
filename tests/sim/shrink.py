"""Makes a failing history short: drops connections, then steps in ever smaller groups, while it still fails.

Each try runs in a child process, so that histories which crash or hang the engine can be shrunk as well.
"""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from typing import Callable, Optional

from .drivers import DATABASES
from .plan import Plan
from .run import Failure, Run

HANG_SECONDS = 120


def play(plan: Plan, database: str, log: Optional[Callable] = None) -> Optional[str]:
    """Plays the history in this process; what went wrong, or None."""
    try:
        Run(plan, DATABASES[database](), log).play()
    except Failure as failure:
        return str(failure)
    return None


def play_apart(plan: Plan, database: str) -> Optional[str]:
    """As play(), in a child process: a crash or a hang is a failure, too."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reading)
            signal.alarm(HANG_SECONDS)
            failure = play(plan, database)
            os.write(writing, (failure or "").encode()[:60000])
            status = 0
        except BaseException as error:
            os.write(writing, f"{type(error).__name__}: {error}".encode()[:60000])
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read().decode(errors="replace")
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name
        return f"the process hung for {HANG_SECONDS} s" if name == "SIGALRM" else f"the process died of {name}"
    return text or (None if status == 0 else "the process failed")


SORTS = ["succeeded, but", "failed with Conflict", "failed with Busy", "failed with Corruption", "failed with Internal",
         "failed with", "rows changed instead", "gave ", "neighbour", "distances", "after reopening", "cannot connect",
         "integrity_check", "are left after", "ended the transaction", "died of", "hung"]


def sort_of(failure: Optional[str]) -> Optional[str]:
    """What kind of failure it is, so that shrinking does not wander to another."""
    return None if failure is None else next((sort for sort in SORTS if sort in failure), "other")


def shrink(plan: Plan, fails: Callable[[Plan], Optional[str]], most_tries: int = 1500) -> Plan:
    tries = 0
    wanted = sort_of(fails(plan))

    def still_fails(candidate: Plan) -> bool:
        nonlocal tries
        tries += 1
        return tries <= most_tries and sort_of(fails(candidate)) == wanted

    for connection in range(plan.connections):
        without = replace(plan, steps=[s for s in plan.steps if s[0] != connection])
        if len(without.steps) < len(plan.steps) and still_fails(without):
            plan = without
    size = max(1, len(plan.steps) // 2)
    while True:
        at, has_shrunk = 0, False
        while at < len(plan.steps):
            candidate = replace(plan, steps=plan.steps[:at] + plan.steps[at + size :])
            if still_fails(candidate):
                plan, has_shrunk = candidate, True
            else:
                at += size
        if size == 1 and not has_shrunk:
            break
        size = max(1, size // 2)
        if tries > most_tries:
            break
    return shrink_rows(plan, still_fails)


def shrink_rows(plan: Plan, still_fails: Callable[[Plan], bool]) -> Plan:
    """Inserts of many rows with fewer of them."""
    for number, (connection, op) in enumerate(plan.steps):
        while op["op"] == "insert" and len(op["rows"]) > 1:
            fewer = {**op, "rows": op["rows"][: len(op["rows"]) // 2]}
            steps = [*plan.steps[:number], [connection, fewer], *plan.steps[number + 1 :]]
            if not still_fails(replace(plan, steps=steps)):
                break
            plan, op = replace(plan, steps=steps), fewer
    return plan
