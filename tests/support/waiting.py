"""Waiting for what another thread or process does."""

import time


def wait_until(condition, seconds=60):
    """For what the background does: a limit, not a measurement."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the background has not done it"
        time.sleep(0.02)
