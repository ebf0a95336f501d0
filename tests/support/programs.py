"""Python programs in processes of their own, for tests of what a process leaves behind or uses."""

import os
import subprocess
import sys
import textwrap

PRELUDE = """
import os, signal, sys, time
import numpy as np
import turdb

path = sys.argv[1]

def anonymous():  # bytes of memory that no file backs
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon"))

class Watch:  # the most anonymous memory while it is open, over what there was before
    def __enter__(self):
        import threading
        self.first = self.most = anonymous()
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        while not self.ended.wait(0.002):
            self.most = max(self.most, anonymous())

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        self.grown = max(self.most, anonymous()) - self.first
"""


def start(code, *arguments):
    """Begins a program whose `path` is the first argument."""
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(p for p in sys.path if p))
    return subprocess.Popen([sys.executable, "-c", PRELUDE + textwrap.dedent(code), *map(str, arguments)], env=environment,
                            text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.PIPE)


def run(code, *arguments, returncode=0):
    """Runs a program to its end; returns what it printed."""
    process = start(code, *arguments)
    out, error = process.communicate(timeout=300)
    assert process.returncode == returncode, error
    return out
