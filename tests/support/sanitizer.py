"""Whether the tests run under a sanitizer (scripts/sanitize), and what it has reported.

Reports go to files of their own, so that those of other processes that a test starts, forks or kills are seen, too.
"""

import os
from pathlib import Path

import pytest

NAME = os.environ.get("TURDB_SANITIZER", "")  # "address", "thread"; "" usually
REPORTS = os.environ.get("TURDB_SANITIZER_REPORTS", "")

measures_memory = pytest.mark.skipif(NAME != "", reason="a sanitizer's own memory is larger than what the test measures")
# Their own locks are not released in a child when another thread holds them at fork().
forks_among_threads = pytest.mark.skipif(NAME != "", reason="sanitizers cannot fork while other threads run")


def reports() -> set[Path]:
    return set(Path(REPORTS).iterdir()) if REPORTS else set()


def fail_on_new(before: set[Path]) -> None:
    """A report that is new fails the test that is running."""
    new = sorted(reports() - before)
    if new:
        pytest.fail("\n".join(path.read_text(errors="replace") for path in new), pytrace=False)
