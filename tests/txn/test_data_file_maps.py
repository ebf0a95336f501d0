"""Maps of a data file: those of old readers show what they showed, new ones the file; against lists of values."""

import random

import pytest

from turdb._testing import pager


@pytest.mark.parametrize("seed", range(8))
def test_maps_of_every_age_against_lists(tmp_path, seed):
    """A reader is a map, the values it is to show and the LSN of its state; a checkpoint preserves for some, then writes."""
    rng = random.Random(seed)
    data = pager.DataFile(str(tmp_path))
    values = [rng.randrange(1 << 40) for _ in range(64)]
    for page, value in enumerate(values):
        data.write(page, value)
    lsn = 1
    readers = []
    for _ in range(200):
        kind = rng.random()
        if kind < 0.35:
            readers.append((data.map(len(values)), list(values), lsn))
        elif kind < 0.5 and readers:
            readers.pop(rng.randrange(len(readers)))
        elif kind < 0.6 and readers:  # a longer map that shows the same
            mapping, shown, at = rng.choice(readers)
            longer = data.lengthened(mapping, mapping.pages + 1)
            assert longer.pages > mapping.pages
            if longer.pages <= 1 << 16:
                readers.append((longer, list(shown), at))
        elif kind < 0.9:
            lsn += 1
            changed = sorted(rng.sample(range(len(values)), rng.randrange(1, 12)))
            if readers:
                limit = max(len(shown) for _, shown, _ in readers)
                data.preserve(changed, max(at for _, _, at in readers), limit, lsn)
            for page in changed:
                values[page] = rng.randrange(1 << 40)
                data.write(page, values[page])
        else:
            values.append(rng.randrange(1 << 40))
            data.write(len(values) - 1, values[-1])
        for mapping, shown, _ in readers:
            assert [mapping.value(page) for page in range(len(shown))] == shown
        newest = data.map(len(values))
        assert [newest.value(page) for page in range(len(values))] == values
        del newest
    mapping = None
    longer = None
    readers.clear()
    assert data.n_preserved == data.n_ranges == 0


def test_maps_that_no_old_state_reads_through_are_left_alone(tmp_path):
    data = pager.DataFile(str(tmp_path))
    for page in range(8):
        data.write(page, page)
    old = data.map(8)
    data.preserve([1, 2], 1, 8, 2)
    assert data.n_preserved == 2
    newer = data.map(8)  # only states from 2 on read through it
    data.write(1, 100)
    data.preserve([1, 3], 1, 8, 5)
    assert data.n_preserved == 3  # page 3 in the old map, nothing in the newer one
    assert [old.value(page) for page in range(4)] == [0, 1, 2, 3]
    assert newer.value(1) == 100


def test_a_large_file_is_preserved_in_blocks(tmp_path):
    """So that a map is cut into few pieces: each needs a place in the operating system's table."""
    data = pager.DataFile(str(tmp_path))
    n = 8192
    for page in range(n):
        data.write(page, page)
    old = data.map(n)
    data.preserve(list(range(0, n, 7)), 1, n, 2)
    assert data.n_ranges <= 4096
    for page in range(0, n, 7):
        data.write(page, 0)
    assert all(old.value(page) == page for page in range(n))
    assert data.n_preserved <= n
