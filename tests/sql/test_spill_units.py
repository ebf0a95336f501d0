"""What operators do when their memory is used up: blocks of rows, external sorts, kept rows, merges of index entries."""

import functools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turdb._testing import spill

texts = st.text(st.characters(codec="utf-8"), max_size=12)
values = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    texts,
    st.binary(max_size=12),
    st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=4),
)
# Columns of one class, which are stored in other ways than mixed ones.
columns = st.sampled_from([values, st.integers(-5, 5), st.one_of(st.none(), st.integers(-5, 5)), st.floats(-3, 3), texts, st.binary(max_size=3), st.none()])


@st.composite
def tables(draw, max_rows=60):
    kinds = draw(st.lists(columns, min_size=1, max_size=4))
    return len(kinds), draw(st.lists(st.tuples(*kinds), max_size=max_rows))


def exactly(rows):
    """Tells 1 from 1.0 and 0.0 from -0.0."""
    return [repr(row) for row in rows]


@given(tables())
def test_a_block_comes_back_as_it_was(table):
    width, rows = table
    assert exactly(spill.decode(spill.encode(rows, width), width)) == exactly(rows)


@given(tables(max_rows=20), st.data())
def test_a_damaged_block_is_an_error_or_other_rows(table, data):
    width, rows = table
    block = bytearray(spill.encode(rows, width))
    for _ in range(data.draw(st.integers(1, 3))):
        block[data.draw(st.integers(0, len(block) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(block)))
    for damaged in (bytes(block), bytes(block[:cut])):
        try:
            spill.decode(damaged, width)
        except (RuntimeError, UnicodeDecodeError) as error:
            assert isinstance(error, UnicodeDecodeError) or str(error).startswith("Corruption"), error


def test_bytes_that_changed_on_disk_are_found():
    with pytest.raises(RuntimeError, match="Corruption.*checksum"):
        spill.read_damaged(b"some bytes")


# --- sorting ------------------------------------------------------------------------------------
CLASS = {type(None): 0, int: 1, float: 1, str: 2, bytes: 3, list: 4}


def compare(a, b, key):
    _, descending, nulls_first, collation = key
    if a is None or b is None:
        return 0 if a is b else (-1 if (a is None) == nulls_first else 1)
    x, y = CLASS[type(a)], CLASS[type(b)]
    if x == y:
        if isinstance(a, str):
            a, b = (s.encode() for s in (a, b))
            if collation == 1:
                a, b = a.lower(), b.lower()  # bytes.lower() changes ASCII only, as NOCASE does
            if collation == 2:
                a, b = a.rstrip(b" "), b.rstrip(b" ")
        x, y = a, b
    order = (x > y) - (x < y)
    return -order if descending else order


def model_sort(rows, keys):
    def order(a, b):
        return next((o for o in (compare(a[k[0]], b[k[0]], k) for k in keys) if o), 0)

    return sorted(rows, key=functools.cmp_to_key(order))


scalars = st.sampled_from([st.one_of(st.none(), st.integers(-3, 3), st.floats(-3, 3), texts, st.binary(max_size=2)), st.integers(-3, 3),
                           st.integers(2**53 - 2, 2**53 + 2), st.floats(-3, 3), texts, st.sampled_from(["a", "A", "a ", "b", "Bb", "abcdefgh1", "abcdefgh2"])])


@st.composite
def sortings(draw):
    kinds = draw(st.lists(scalars, min_size=1, max_size=3))
    rows = draw(st.lists(st.tuples(*kinds), max_size=80))
    rows = [(*row, number) for number, row in enumerate(rows)]  # tells whether the sort is stable
    keys = draw(st.lists(st.tuples(st.integers(0, len(kinds) - 1), st.booleans(), st.booleans(), st.integers(0, 2)), min_size=1, max_size=3))
    return rows, len(kinds) + 1, keys


@given(sortings(), st.sampled_from([1, 300, 3000, 10**9]), st.integers(1, 9))
def test_sorts_as_python_does(sorting, memory, at_once):
    rows, width, keys = sorting
    got, has_spilled, _ = spill.sort(rows, width, keys, memory, at_once=at_once)
    assert exactly(got) == exactly(model_sort(rows, keys))
    assert has_spilled == bool(rows) or memory > 1


@given(sortings(), st.sampled_from([1, 10**9]), st.integers(1, 90), st.integers(1, 9))
def test_the_first_rows_alone(sorting, memory, most, at_once):
    rows, width, keys = sorting
    got, _, _ = spill.sort(rows, width, keys, memory, most, at_once)
    assert exactly(got) == exactly(model_sort(rows, keys)[:most])


@pytest.mark.parametrize("memory", [1, 40_000, 400_000])
def test_many_runs_and_passes(memory):
    generator = random.Random(7)
    rows = [(generator.randrange(500), "x" * generator.randrange(40), i) for i in range(20_000)]
    got, has_spilled, _ = spill.sort(rows, 3, [(0, False, True, 0)], memory)
    assert has_spilled
    assert got == sorted(rows, key=lambda row: row[0])


def test_most_beyond_the_rows():
    rows = [(i % 7,) for i in range(9000)]
    got, _, _ = spill.sort(rows, 1, [(0, False, True, 0)], 10**9, most=2**63 - 1)
    assert got == sorted(rows)


@pytest.mark.parametrize("fault, kind", [("io", "Io"), ("full", "DiskFull")])
def test_every_call_may_fail(fault, kind):
    rows = [(i * 37 % 101, "y" * 50) for i in range(400)]
    keys = [(0, False, True, 0)]
    _, _, calls = spill.sort(rows, 2, keys, 1, at_once=20)
    assert calls > 20
    for call in range(1, calls + 1):
        with pytest.raises(RuntimeError, match=kind):
            spill.sort(rows, 2, keys, 1, at_once=20, fail_at=call, fault=fault)


# --- kept rows and groups -----------------------------------------------------------------------
@given(tables(), st.sampled_from([1, 500, 10**9]), st.integers(1, 9), st.lists(st.tuples(st.integers(0, 70), st.integers(1, 20)), max_size=5))
def test_kept_rows_are_read_from_anywhere(table, memory, at_once, reads):
    width, rows = table
    for (first, most), read in zip(reads, spill.keep(rows, width, memory, at_once, reads)):
        assert exactly(read) == exactly(rows[first : first + len(read)])
        assert len(read) <= most and bool(read) == (first < len(rows))


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from([None, 1, 1.0, "a", "A", "a ", b"a"])), max_size=80), st.sampled_from([1, 10**9]),
       st.integers(1, 9), st.integers(0, 2))
def test_equal_keys_come_together(rows, memory, at_once, collation):
    answer = spill.group(rows, 2, [collation], memory, at_once)
    assert sorted(number for (_, _, number), _ in answer) == list(range(len(rows)))
    groups = []
    for (payload, key, number), is_start in answer:
        assert exactly([(payload, key)]) == exactly([rows[number]])
        if is_start:
            groups.append([])
        groups[-1].append((key, number))
    for group in groups:
        assert all(compare(a, group[0][0], (0, False, True, collation)) == 0 for a, _ in group)
        assert [n for _, n in group] == sorted(n for _, n in group)
    firsts = [group[0][0] for group in groups]
    assert all(compare(a, b, (0, False, True, collation)) for i, a in enumerate(firsts) for b in firsts[:i])


# --- sets and queues ----------------------------------------------------------------------------
keys = st.tuples(st.integers(0, 9), st.sampled_from([None, 1, 1.0, "a", "A", "a ", b"a"]))


@given(st.lists(keys, max_size=80), st.lists(keys, max_size=30), st.sampled_from([1, 3000, 10**9]), st.integers(1, 9), st.integers(0, 2))
def test_sets_know_what_they_have(rows, asked, memory, at_once, collation):
    def is_among(row, others):
        return any(row[0] == o[0] and compare(row[1], o[1], (0, False, True, collation)) == 0 for o in others)

    is_new, is_there, everything, _ = spill.ask_set(rows, asked, 2, [0, collation], memory, at_once)
    assert is_new == [not is_among(row, rows[:i]) for i, row in enumerate(rows)]
    assert is_there == [is_among(row, rows) for row in asked]
    assert exactly(sorted(everything, key=repr)) == exactly(sorted((row for row, new in zip(rows, is_new) if new), key=repr))


def test_a_set_of_many_blocks():
    rows = [(i * 7919 % 30_000, "x" * (i % 90)) for i in range(40_000)]
    asked = [(i, "x" * (i % 90)) for i in range(60_000)]
    first = {row: i for i, row in reversed(list(enumerate(rows)))}
    is_new, is_there, everything, _ = spill.ask_set(rows, asked, 2, [0, 0], 100_000)
    assert is_new == [first[row] == i for i, row in enumerate(rows)]
    assert is_there == [row in first for row in asked]
    assert len(everything) == len(first)


def test_a_set_may_fail_at_every_call():
    rows = [(i * 37 % 101, "y" * 50) for i in range(300)]
    *_, calls = spill.ask_set(rows, rows, 2, [0, 0], 1, at_once=50)
    for call in range(1, calls + 1):
        with pytest.raises(RuntimeError, match="Io"):
            spill.ask_set(rows, rows, 2, [0, 0], 1, at_once=50, fail_at=call)


@given(st.data(), st.sampled_from([1, 3000, 10**9]))
def test_queues_give_what_is_first(data, memory):
    kinds = data.draw(st.lists(scalars, min_size=1, max_size=2))
    order = data.draw(st.lists(st.tuples(st.integers(0, len(kinds) - 1), st.booleans(), st.booleans(), st.integers(0, 2)), min_size=1, max_size=2))
    operations = data.draw(st.lists(st.one_of(st.integers(0, 20), st.lists(st.tuples(*kinds), max_size=20)), max_size=12))
    arrivals, waiting, want = 0, [], []
    for operation in operations:
        if isinstance(operation, int):
            waiting = model_sort(waiting, order)  # stable, and what came later stands behind
            want += waiting[:operation]
            waiting = waiting[operation:]
            continue
        for i, row in enumerate(operation):
            operation[i] = (*row, arrivals)
            arrivals += 1
        waiting += operation
    got, _ = spill.queue(operations, len(kinds) + 1, order, memory)
    assert exactly(got) == exactly(want)


def test_a_queue_of_many_runs():
    generator = random.Random(5)
    rows = [(generator.randrange(10**6), "z" * (i % 60)) for i in range(30_000)]
    operations = [step for i in range(0, 30_000, 500) for step in (rows[i : i + 500], 200)]
    waiting, want = [], []
    for i in range(0, 30_000, 500):
        waiting = sorted(waiting + rows[i : i + 500], key=lambda row: row[0])
        want += waiting[:200]
        waiting = waiting[200:]
    got, _ = spill.queue([*operations, 30_000], 2, [(0, False, True, 0)], 60_000)
    assert got == want + waiting


def test_a_queue_may_fail_at_every_call():
    operations = [[(i * 37 % 101, "y" * 50) for i in range(40)] for _ in range(12)] + [500]
    _, calls = spill.queue(operations, 2, [(0, False, True, 0)], 1)
    for call in range(1, calls + 1):
        with pytest.raises(RuntimeError, match="Io"):
            spill.queue(operations, 2, [(0, False, True, 0)], 1, fail_at=call)


# --- index entries --------------------------------------------------------------------------------
entries = st.lists(st.tuples(st.binary(max_size=6), st.binary(max_size=6), st.booleans()), max_size=12)


@given(st.lists(entries, max_size=80))
def test_runs_of_entries_become_one(runs):
    runs = [sorted(run, key=lambda entry: entry[0]) for run in runs]
    merged = spill.merge_entries(runs)
    assert merged == sorted((entry for run in runs for entry in run), key=lambda entry: entry[0])


def test_failing_merges_of_entries():
    runs = [[(bytes([i, j]) * 200, b"p", True) for j in range(200)] for i in range(3)]
    with pytest.raises(RuntimeError, match="Io"):
        spill.merge_entries(runs, fail_at=3)
