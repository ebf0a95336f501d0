"""Page deltas: apply(delta(a, b), a) is b, whatever changed, and damaged deltas never pass the end of anything."""

from hypothesis import given, settings
from hypothesis import strategies as st

from turdb._testing import pager as p

PAGE = p.PAGE_BYTES
ZERO = bytes(PAGE)
HEADER = [*range(4), *range(8, 16)]  # checksum and LSN: not logged

edits = st.lists(
    st.tuples(st.integers(0, PAGE - 1), st.binary(min_size=1, max_size=300)), max_size=12
)


def edited(page, changes):
    page = bytearray(page)
    for at, data in changes:
        page[at : at + len(data)] = data[: PAGE - at]
    return bytes(page)


def without_header(page):
    page = bytearray(page)
    for i in HEADER:
        page[i] = 0
    return bytes(page)


@settings(deadline=None, max_examples=300)
@given(edits, edits)
def test_round_trip(first, second):
    a = edited(ZERO, first)
    b = edited(a, second)
    delta = p.delta(a, b)
    assert without_header(p.apply(delta, a)) == without_header(b)
    assert without_header(p.apply(delta, p.apply(delta, a))) == without_header(b)
    changed = sum(x != y for x, y in zip(a, b))
    runs = len(second)
    assert len(delta) <= changed + 30 * runs + sum(len(d) for _, d in second) + 1
    from_zero = p.delta(None, b)
    assert without_header(p.apply(from_zero, ZERO)) == without_header(b)


def test_nothing_changed_is_one_byte():
    assert p.delta(ZERO, ZERO) == b"\0" == p.delta(None, ZERO)


def test_header_fields_are_not_logged():
    page = bytearray(ZERO)
    for i in HEADER:
        page[i] = 0xFF
    assert p.delta(ZERO, bytes(page)) == b"\0"


def test_whole_page():
    page = bytes((i * 7 + 1) % 255 + 1 for i in range(PAGE))
    delta = p.delta(ZERO, page)
    assert len(delta) <= PAGE + 4
    assert without_header(p.apply(delta, ZERO)) == without_header(page)


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=60))
def test_garbage_is_refused_or_harmless(data):
    result = p.apply(data, ZERO)
    assert result is None or len(result) == PAGE


@settings(deadline=None, max_examples=100)
@given(edits, st.data())
def test_cut_deltas_are_refused(changes, data):
    delta = p.delta(None, edited(ZERO, changes))
    cut = data.draw(st.integers(0, len(delta) - 1))
    assert p.apply(delta[:cut], ZERO) is None
