"""Shared by all tests: one profile of hypothesis, so that a failure in CI is found again everywhere; the leak check; other
worlds to run in.

TURDB_TEST_PAGE_CACHE_BYTES gives every database that a test opens without a cache size of its own that many bytes.
"""

import functools
import os

import pytest
from hypothesis import HealthCheck, settings
from support import sanitizer
from support.leaks import Watch

import turdb

LEAK_CHECKED = {"storage", "txn", "sql", "vector"}  # folders

settings.register_profile(
    "turdb",
    deadline=None,  # no timings are asserted
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "turdb"))


def pytest_configure(config):
    config.addinivalue_line("markers", "leaves_damage: the test's databases are damaged or locked at its end: no leak check")


@pytest.fixture(autouse=True)
def no_leaks(request, monkeypatch):
    """After a test that passed: its databases, with everything dropped, must be as small as an empty one."""
    if request.path.parent.name not in LEAK_CHECKED or request.node.get_closest_marker("leaves_damage"):
        yield
        return
    watch = Watch()
    monkeypatch.setattr(turdb, "connect", watch)
    failed_before = request.session.testsfailed
    yield
    monkeypatch.setattr(turdb, "connect", watch.connect)
    if request.session.testsfailed == failed_before:
        watch.check()


@pytest.fixture(autouse=True)
def no_reports():
    """Under a sanitizer: no process of the test may have been reported."""
    before = sanitizer.reports()
    yield
    sanitizer.fail_on_new(before)


PAGE_CACHE_BYTES = int(os.environ.get("TURDB_TEST_PAGE_CACHE_BYTES", "0"))


def use_page_cache(n_bytes: int) -> None:
    from turdb._testing import txn

    for opening in (turdb.connect, turdb.Connection.__init__):
        opening.__kwdefaults__["page_cache_size"] = n_bytes
    txn.Store = functools.partial(txn.Store, page_cache_bytes=n_bytes)


if PAGE_CACHE_BYTES > 0:
    use_page_cache(PAGE_CACHE_BYTES)
