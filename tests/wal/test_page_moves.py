"""Page moves: moves(a, b) followed by a delta makes b of a; a value put into a packed array or taken out costs a few bytes."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turdb._testing import pager as p

PAGE = p.PAGE_BYTES
HEADER = 16


def random_page(seed):
    return bytes(HEADER) + random.Random(seed).randbytes(PAGE - HEADER)


def made(base, page):
    """(bytes of moves and delta, what they make of the base)."""
    found = p.moves(base, page)
    if found is None:
        return p.delta(base, page), p.apply(p.delta(base, page), base)
    moves, moved = found
    assert p.move(moves, base) == moved
    delta = p.delta(moved, page)
    return moves + delta, p.apply(delta, moved)


@pytest.mark.parametrize("width", [1, 2, 4, 8])
@pytest.mark.parametrize("is_insert", [True, False])
def test_a_shifted_array_is_a_move(width, is_insert):
    base = random_page(1)
    begin, end, at = 1000, 9000, 3000
    array = base[begin:end]
    cut = at - begin
    if is_insert:
        array = array[:cut] + b"\1" * width + array[cut:-width]
    else:
        array = array[:cut] + array[cut + width :] + array[-width:]
    page = base[:begin] + array + base[end:]
    encoded, result = made(base, page)
    assert result == page
    assert len(encoded) < 64


@given(
    seed=st.integers(0, 3),
    shifts=st.lists(
        st.tuples(st.integers(HEADER, PAGE - 600), st.integers(1, 500), st.sampled_from([-8, -4, -2, -1, 1, 2, 3, 4, 8])), max_size=6
    ),
    changes=st.lists(st.tuples(st.integers(HEADER, PAGE - 40), st.binary(min_size=1, max_size=40)), max_size=6),
)
def test_whatever_changed_comes_back(seed, shifts, changes):
    base = random_page(seed)
    page = bytearray(base)
    for start, length, distance in shifts:
        source = min(max(start + distance, HEADER), PAGE - length)
        page[start : start + length] = page[source : source + length]
    for start, new in changes:
        page[start : start + len(new)] = new
    assert made(base, bytes(page))[1] == bytes(page)


@given(st.binary(max_size=60))
def test_bytes_that_are_no_moves_are_refused_or_stay_inside(moves):
    result = p.move(moves, random_page(2))
    assert result is None or (len(result) == PAGE and result[:HEADER] == bytes(HEADER))
