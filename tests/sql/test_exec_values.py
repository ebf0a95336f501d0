"""Values, text forms, arithmetic, casts and affinities against the standard library's sqlite3."""

import math
import sqlite3

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from turdb._testing import exec as ex

ORACLE = sqlite3.connect(":memory:")

integers = st.one_of(
    st.integers(-10, 10),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([2**63 - 1, -(2**63), 2**62, -1, 0, 2**53, 2**53 + 1]),
)
reals = st.one_of(
    st.floats(allow_nan=False),
    st.integers(-(2**60), 2**60).map(float),
    st.sampled_from([0.1, 1e15, 1e14, 123456789012345.0, 9.2233720368547758e18, -9.2233720368547758e18, 1e-5, 0.0001, 0.5]),
)
number_like = st.one_of(
    st.from_regex(r"[ \t]?[+-]?[0-9]{0,20}(\.[0-9]{0,5})?([eE][+-]?[0-9]{0,3})?[ x]?", fullmatch=True),
    integers.map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
)
texts = st.one_of(number_like, st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=8))
blobs = st.one_of(st.binary(max_size=6), number_like.map(str.encode))
values = st.one_of(st.none(), integers, reals, texts, blobs)


def oracle(sql, *args):
    try:
        return ORACLE.execute("SELECT " + sql, args).fetchone()[0]
    except sqlite3.OperationalError:  # text that is no UTF-8
        return None


def same(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, float) and a != b:
        # The last digit of a text's real: sqlite3 3.40 reads with long doubles.
        return math.isclose(a, b, rel_tol=1e-14)
    return a == b


@settings(max_examples=800, deadline=None)
@given(st.floats(allow_nan=False))
@example(0.1)
@example(1e100)
@example(-5e-324)
@example(1e15)
def test_reals_print_as_sqlite_prints_them(x):
    expected = oracle("CAST(? AS TEXT)", x)
    got = ex.real_to_text(x)
    assert got == expected or math.isclose(float(got), float(expected), rel_tol=1.1e-14)


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from(["+", "-", "*", "/", "%", "&", "|", "<<", ">>"]), values, values)
def test_arithmetic(op, a, b):
    assert same(ex.operate(op, a, b), oracle(f"? {op} ?", a, b))


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.none(), integers, texts), st.one_of(st.none(), integers, texts))
def test_concatenation(a, b):
    assert ex.operate("||", a, b) == oracle("? || ?", a, b)


@settings(max_examples=1500, deadline=None)
@given(values, st.sampled_from(["INTEGER", "REAL", "NUMERIC"]))
def test_casts_to_numbers(value, kind):
    assert same(ex.cast(value, kind), oracle(f"CAST(? AS {kind})", value))


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.none(), integers, texts))
def test_casts_to_text_and_blob(value):
    assert ex.cast(value, "TEXT") == oracle("CAST(? AS TEXT)", value)
    assert ex.cast(value, "BLOB") == oracle("CAST(? AS BLOB)", value)


@settings(max_examples=1000, deadline=None)
@given(values, st.sampled_from(["INTEGER", "REAL", "NUMERIC", "TEXT", "BLOB"]))
def test_affinity_of_a_column(value, kind):
    ORACLE.execute(f"CREATE TABLE IF NOT EXISTS t_{kind} (x {kind})")
    ORACLE.execute(f"DELETE FROM t_{kind}")
    ORACLE.execute(f"INSERT INTO t_{kind} VALUES (?)", (value,))
    expected = ORACLE.execute(f"SELECT x FROM t_{kind}").fetchone()[0]
    got = ex.affinity(value, kind)
    if kind == "TEXT" and isinstance(value, float):
        assert math.isclose(float(got), float(expected), rel_tol=1.1e-14)
    else:
        assert same(got, expected)


@settings(max_examples=500, deadline=None)
@given(values)
def test_truth(value):
    expected = oracle("CASE WHEN ? THEN 1 ELSE 0 END", value)
    assert ex.truth(value) == (-1 if value is None else expected)


def test_vectors_from_text_and_blobs():
    assert ex.cast("[1, 2.5,-3e0]", "VECTOR(3)") == [1.0, 2.5, -3.0]
    assert ex.cast(b"\0\0\x80?", "VECTOR(1)") == [1.0]
    for bad, why in [("[1, 2]", "2 dimensions"), ("[1,", "number"), ("1,2,3", "expected"), ("[1,2,3] x", "follows"),
                     ("[]", "no number"), ("[1,nan,3]", "NaN"), (b"abc", "blob of 3 bytes"), (5, "a vector is expected")]:
        with pytest.raises(ValueError, match=why):
            ex.cast(bad, "VECTOR(3)")
