"""Shared by all tests: one profile of hypothesis, so that a failure in CI is found again everywhere; other worlds to run in.

TURDB_TEST_PAGE_CACHE_BYTES gives every database that a test opens without a cache size of its own that many bytes.
"""

import functools
import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "turdb",
    deadline=None,  # no timings are asserted
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "turdb"))

PAGE_CACHE_BYTES = int(os.environ.get("TURDB_TEST_PAGE_CACHE_BYTES", "0"))


def use_page_cache(n_bytes: int) -> None:
    import turdb
    from turdb._testing import txn

    for opening in (turdb.connect, turdb.Connection.__init__):
        opening.__kwdefaults__["page_cache_size"] = n_bytes
    txn.Store = functools.partial(txn.Store, page_cache_bytes=n_bytes)


if PAGE_CACHE_BYTES > 0:
    use_page_cache(PAGE_CACHE_BYTES)
