"""Connections for the tests of the Python interface."""

import sqlite3

import pytest

import turdb


@pytest.fixture(params=[sqlite3, turdb], ids=["sqlite3", "turdb"])
def module(request):
    """Both modules: what a test asserts with this fixture holds for programs written for either."""
    return request.param


@pytest.fixture
def both(module):
    """A private in-memory connection of either module."""
    connection = module.connect(":memory:")
    yield connection
    connection.close()


@pytest.fixture
def con():
    """A private in-memory connection of turdb."""
    connection = turdb.connect(":memory:")
    yield connection
    connection.close()


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "test.turdb")
