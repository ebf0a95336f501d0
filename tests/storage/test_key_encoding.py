"""The key encoding: its byte order is SQLite's order of values, and it decodes."""

import math
import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turdb._testing import record as r

BINARY, NOCASE, RTRIM = 0, 1, 2

EDGES = [0, 1, -1, 127, 128, -128, -129, 255, 256, 2**31, -(2**31), 2**53 - 1, 2**53, 2**53 + 1, 2**62, 2**63 - 1, -(2**63)]
integers = st.one_of(
    st.sampled_from(EDGES),
    st.integers(-(2**63), 2**63 - 1),
    st.builds(lambda e, d: max(-(2**63), min(2**63 - 1, e + d)), st.sampled_from(EDGES), st.integers(-3, 3)),
)
reals = st.one_of(
    st.floats(allow_nan=False),
    st.sampled_from([0.0, -0.0, 0.5, -0.5, math.inf, -math.inf, 2.0**63, -(2.0**63), 2.0**53, 5e-324, -5e-324]),
    integers.map(float),
    integers.map(lambda i: math.nextafter(float(i), math.inf)),
    integers.map(lambda i: math.nextafter(float(i), -math.inf)),
)
texts = st.one_of(st.text(max_size=12), st.text(alphabet="aAbB \x00\x01\x02", max_size=6))
blobs = st.one_of(st.binary(max_size=12), st.text(alphabet="\x00\x01\x02\xff", max_size=5).map(lambda s: s.encode("latin1")))
values = st.one_of(st.none(), integers, reals, texts, blobs)


def sign(x):
    return (x > 0) - (x < 0)


def same(a, b):
    """Equal, or the integer that an integral real of the same value decodes to."""
    return a == b and (type(a) is type(b) or (isinstance(b, float) and isinstance(a, int)))


@settings(max_examples=1500, deadline=None, derandomize=True)
@given(values, values, st.sampled_from([BINARY, NOCASE, RTRIM]), st.booleans())
def test_byte_order_is_the_order_of_values(a, b, collation, descending):
    ka = r.encode_key([a], [(collation, descending)])
    kb = r.encode_key([b], [(collation, descending)])
    expected = r.compare(a, b, collation) * (-1 if descending else 1)
    assert sign((ka > kb) - (ka < kb)) == expected
    if ka != kb:  # no encoding is the beginning of another, so columns concatenate
        assert not ka.startswith(kb) and not kb.startswith(ka)


@settings(max_examples=600, deadline=None, derandomize=True)
@given(st.lists(st.tuples(values, st.booleans()), max_size=4))
def test_round_trip(row):
    columns = [(BINARY, descending) for _, descending in row]
    key = r.encode_key([value for value, _ in row], columns)
    decoded, rest = r.decode_key(key + b"tail", columns)
    assert rest == b"tail"
    for got, (value, _) in zip(decoded, row):
        assert same(got, value), (got, value)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(texts)
def test_folded_text_comes_back_folded(text):
    key = r.encode_key([text], [(NOCASE, False)])
    folded = "".join(c.lower() if "A" <= c <= "Z" else c for c in text)
    assert r.decode_key(key, [(NOCASE, False)])[0] == [folded]
    key = r.encode_key([text], [(RTRIM, False)])
    assert r.decode_key(key, [(RTRIM, False)])[0] == [text.rstrip(" ")]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(values, max_size=40), st.booleans())
def test_order_agrees_with_sqlite(column, descending):
    # SQLite cuts text with NUL in some interfaces; -0.0 and 0 are equal: both are left out of the comparison.
    column = [v for v in column if not (isinstance(v, str) and "\x00" in v)]
    con = sqlite3.connect(":memory:")
    con.execute("create table t(n integer primary key, v)")
    con.executemany("insert into t values (?, ?)", list(enumerate(column)))
    order = "desc" if descending else "asc"
    expected = [n for (n,) in con.execute(f"select n from t order by v {order}, n")]
    mine = sorted(range(len(column)), key=lambda n: (r.encode_key([column[n]], [(BINARY, descending)]), n))
    assert mine == expected


@settings(max_examples=500, deadline=None, derandomize=True)
@given(integers, integers)
def test_row_ids(a, b):
    ka, kb = r.encode_rowid(a), r.encode_rowid(b)
    assert len(ka) <= 9
    assert (ka < kb) == (a < b) and (ka == kb) == (a == b)
    assert r.decode_rowid(ka) == a


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.binary(max_size=6), st.binary(max_size=6))
def test_after_prefix_is_above_all_that_begin_with_it(prefix, rest):
    after = r.after_prefix(prefix)
    if after:
        assert after > prefix + rest
        assert not after.startswith(prefix) or prefix == b""
    else:
        assert set(prefix) <= {0xFF}


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.binary(max_size=20), st.booleans())
def test_damaged_keys_are_told_not_followed(key, descending):
    try:
        r.decode_key(key, [(BINARY, descending)] * 3)
    except RuntimeError as error:
        assert str(error).startswith("Corruption: an index key is damaged")


def test_examples_of_the_format_page():
    assert r.encode_key([None], [(BINARY, False)]) == b"\x08"
    assert r.encode_key([0], [(BINARY, False)]) == b"\x30"
    assert r.encode_key([1], [(BINARY, False)]) == b"\x31\x02"
    assert r.encode_key([-1], [(BINARY, False)]) == b"\x2e\xfe"
    assert r.encode_key([1000], [(BINARY, False)]) == b"\x32\x07\xd0"
    assert r.encode_key([0.5], [(BINARY, False)]) == b"\x31\x01\xbf\xe0\x00\x00\x00\x00\x00\x00"
    assert r.encode_key(["ab"], [(BINARY, False)]) == b"\x80ab\x00"
    assert r.encode_key([b"\x00\x01"], [(BINARY, False)]) == b"\x90\x01\x01\x01\x02\x00"
    assert r.encode_key(["ab"], [(BINARY, True)]) == b"\x7f\x9e\x9d\xff"


def test_unknown_type_is_an_error():
    with pytest.raises(RuntimeError, match="Corruption"):
        r.decode_key(b"\x77abc", [(BINARY, False)])
