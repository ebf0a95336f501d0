"""Shared by the tests of what users of other databases suffered from."""

import pytest


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "db.turdb")
