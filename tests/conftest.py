"""Shared by all tests: one profile of hypothesis, so that a failure in CI is found again everywhere."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "turdb",
    deadline=None,  # no timings are asserted
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "turdb"))
