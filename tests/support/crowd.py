"""Processes that work on one database, killed and stopped at random moments.

A script knows the roles: ``python SCRIPT ROLE PATH SEED`` runs until PATH/../stop exists and ends with 0 when all was well.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ENVIRONMENT = dict(os.environ, PYTHONPATH=os.pathsep.join(p for p in sys.path if p))


class Crowd:
    """One writer, three readers, two that hold snapshots for long; some are killed at random and started again, some stopped."""

    ROLES = ("writer", "reader", "reader", "reader", "holder", "holder")

    def __init__(self, script, path, rng):
        self.script, self.path, self.rng = script, path, rng
        self.processes = [self.begin(role) for role in self.ROLES]
        self.killed = 0
        self.stopped = {}  # place -> when it goes on

    def begin(self, role):
        arguments = [sys.executable, self.script, role, self.path, str(self.rng.randrange(1 << 30))]
        return subprocess.Popen(arguments, env=ENVIRONMENT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def check_alive(self):
        for process in self.processes:
            assert process.poll() is None, process.communicate()[1]

    def disturb(self):
        self.check_alive()
        for i in [i for i, end in self.stopped.items() if end <= time.monotonic()]:
            self.go_on(i)
        i = self.rng.choice([0, 0, 1, 2, 3, 4, 5])
        if i > 0 and self.rng.random() < 0.3 and i not in self.stopped:
            self.processes[i].send_signal(signal.SIGSTOP)
            self.stopped[i] = time.monotonic() + self.rng.uniform(0.5, 8)
            return
        self.stopped.pop(i, None)
        self.processes[i].kill()
        self.processes[i].communicate()
        self.killed += 1
        self.processes[i] = self.begin(self.ROLES[i])

    def go_on(self, i):
        self.processes[i].send_signal(signal.SIGCONT)
        del self.stopped[i]

    def end(self):
        for i in list(self.stopped):
            self.go_on(i)
        Path(self.path).parent.joinpath("stop").touch()
        ended = [(each, *each.communicate(timeout=120)) for each in self.processes]
        for process, _, error in ended:
            assert process.returncode == 0, error
        return [tuple(map(int, out.split())) for _, out, _ in ended[1:]]

    def kill(self):
        for process in self.processes:
            process.kill()


def let_them_loose(script, path, rng, seconds):
    """Runs a crowd for so long; returns (checks made, newest commit seen) of each reader."""
    crowd = Crowd(script, path, rng)
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            time.sleep(rng.uniform(0.3, 1.2 if seconds < 60 else 6))  # long enough, now and then, to get something done
            crowd.disturb()
        time.sleep(1)
        counts = crowd.end()
    finally:
        crowd.kill()
    assert crowd.killed > 0
    return counts
