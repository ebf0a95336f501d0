"""RowTree against a dict: every operation, any storage class, commits, rollbacks, savepoints, leaks and damage."""

import random

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from support.damaged import count_errors
from support.row_trees import check, check_scan, identical
from support.trees import MACHINE, PATTERNS, TreeMachine, check_fill, erase_in_steps

from turdb._testing import btree as b

I64_MIN, I64_MAX = -(2**63), 2**63 - 1


long_text = st.integers(0, 40).flatmap(lambda n: st.sampled_from("xyz").map(lambda c: c * (n * 400)))
values = st.one_of(
    st.none(),
    st.integers(-3, 3),
    st.integers(I64_MIN, I64_MAX),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    st.binary(max_size=20),
    long_text,
    long_text.map(str.encode),
)
keys = st.one_of(st.integers(0, 60), st.integers(-(10**6), 10**6), st.sampled_from([I64_MIN, I64_MAX, 0]))
rows = st.lists(values, max_size=5)


class RowTreeMachine(TreeMachine):
    new_tree = b.RowTree
    check = staticmethod(check)

    @rule(key=keys, row=rows)
    def insert(self, key, row):
        assert self.tree.insert(key, row) == (key not in self.model)
        self.model.setdefault(key, row)

    @rule(start=st.integers(-1000, 1000), n=st.integers(1, 300), step=st.sampled_from([1, -1, 7]), row=rows)
    def insert_many(self, start, n, step, row):
        for i in range(n):
            key = start + i * step
            value = [*row, i]
            assert self.tree.insert(key, value) == (key not in self.model)
            self.model.setdefault(key, value)

    @rule(n=st.integers(1, 400), row=rows, dense=st.booleans())
    def append(self, n, row, dense):
        last = max(self.model, default=0)
        if last > 2**62:
            return
        block = [last + 1 + (i if dense else i * 3 + i % 3) for i in range(n)]
        columns = [[value] * n for value in row] + [[i if i % 5 else None for i in range(n)]]
        self.tree.append([(last + 1 if dense else block, columns)])
        for i, key in enumerate(block):
            self.model[key] = [column[i] for column in columns]

    @rule(data=st.data(), row=rows)
    def update(self, data, row):
        key = self.any_key(data, 5)
        assert self.tree.update(key, row) == (key in self.model)
        if key in self.model:
            self.model[key] = row

    @precondition(lambda self: self.model)
    @rule(data=st.data(), i=st.integers(0, 4), j=st.integers(0, 4))
    def update_from_own_page(self, data, i, j):
        key = data.draw(st.sampled_from(sorted(self.model)))
        assert self.tree.update_from_self(key, i, j)
        row = list(self.model[key])
        if i < len(row) and j < len(row):
            row[i] = row[j]
        self.model[key] = row

    @rule(data=st.data())
    def erase(self, data):
        key = self.any_key(data, 5)
        assert self.tree.erase(key) == (key in self.model)
        self.model.pop(key, None)

    @rule(low=keys, n=st.integers(1, 500))
    def erase_range(self, low, n):
        self.erase_all([k for k in sorted(self.model) if k >= low][:n])

    @rule(start=st.integers(-1000, 1000), n=st.integers(1, 60), big=st.integers(1, 4), data=st.data())
    def insert_uneven(self, start, n, big, data):
        """Rows that fill a page, rows of a few bytes and overflowed ones side by side: halves of a split are uneven."""
        sizes = data.draw(st.lists(st.sampled_from([0, 3, 3900, 5000, 40000]), min_size=1, max_size=5))
        for key in range(start, start + n):
            row = [sizes[key % len(sizes)] * "u", *["f" * 3900] * (big if key % 3 == 0 else 0)]
            assert self.tree.insert(key, row) == (key not in self.model)
            self.model.setdefault(key, row)

    @rule(start=st.integers(-1000, 1000), n=st.integers(1, 150), columns=st.integers(3, 20), recur=st.integers(0, 3), changes=st.booleans())
    def put_texts(self, start, n, columns, recur, changes):
        """Rows of many short texts, new or instead of what is there: leaves become packed, and others again where texts recur."""
        for key in range(start, start + n):
            row = [f"{c}" if recur > c % 4 else f"{key * 7919 + c:x}" for c in range(columns)]
            if key not in self.model:
                assert self.tree.insert(key, row)
            elif changes:
                assert self.tree.update(key, row)
            else:
                continue
            self.model[key] = row

    @rule(share=st.sampled_from([0.3, 1.0]), row=rows)
    def shrink_many(self, share, row):
        for key in sorted(self.model)[: int(len(self.model) * share)]:
            assert self.tree.update(key, row[:1])
            self.model[key] = row[:1]

    @rule(key=keys)
    def look_up(self, key):
        row = self.tree.find(key)
        assert (row is None) == (key not in self.model)
        if row is not None:
            assert identical(row, self.model[key])
        assert self.tree.seek(key, True) == min((k for k in self.model if k >= key), default=None)
        assert self.tree.seek(key, False) == max((k for k in self.model if k <= key), default=None)
        assert self.tree.last_key() == max(self.model, default=None)

    @rule(a=keys, z=keys, columns=st.lists(st.integers(0, 6), max_size=3), max_rows=st.sampled_from([1, 7, 100, 2048]))
    def scan(self, a, z, columns, max_rows):
        check_scan(self.tree, self.model, a, z, columns, [None, 7, "gone"][: len(columns)], max_rows)

    @rule()
    def walk_back(self):
        assert [k for k, _ in self.tree.walk(False)] == sorted(self.model, reverse=True)


RowTreeMachine.TestCase.settings = MACHINE
TestRowTree = RowTreeMachine.TestCase


def test_ascending_inserts_leave_full_leaves():
    tree = b.RowTree()
    n = 20000
    for i in range(n):
        tree.insert(i, [i, i * 0.5, f"name {i}", None, i % 7])
    check(tree, {i: [i, i * 0.5, f"name {i}", None, i % 7] for i in range(n)})
    # 4 + 8 + 2 + ~11 + 1 bytes a row and a tenth for slack
    assert tree.page_count() * 16384 / n < 29


@pytest.mark.parametrize("order", ["ascending", "descending", "random"])
def test_many_rows_in_then_out(order):
    rng = random.Random(7)
    tree = b.RowTree()
    model = {k: [k, str(k) * (k % 9), rng.random() if k % 3 else None] for k in range(-6000, 6000, 2)}
    keys = sorted(model, reverse=order == "descending")
    if order == "random":
        rng.shuffle(keys)
    for key in keys:
        assert tree.insert(key, model[key])
        assert not tree.insert(key, [])
    check(tree, model)
    erase_in_steps(tree, model, "random", check)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_erased_pages_join_and_share(pattern):
    tree = b.RowTree()
    model = {k: [k * 3, "text %d" % (k % 50), k / 7 if k % 5 else None, "unique %d" % k] for k in range(20000)}
    tree.append([(0, [list(c) for c in zip(*model.values())])])
    tree.commit()
    pages = tree.page_count()
    erase_in_steps(tree, model, pattern, check)
    for k in range(20000):  # the freed pages are used again: the file does not grow
        assert tree.insert(k, [k, "again", None, "t" * 20])
    assert tree.page_count() <= 1.5 * pages


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_tree_of_three_levels_becomes_lower(pattern):
    """One or two rows a leaf, so that interior pages are joined, share and go; rows with chains among them."""
    tree = b.RowTree()
    model = {k: ["a" * 3990, "b" * 3990, "c" * (9000 if k % 500 == 0 else 3000)] for k in range(3200)}
    for key, row in model.items():
        tree.insert(key, row)
    assert tree.check()[1] > 3000
    erase_in_steps(tree, model, pattern, check)


def test_leaves_that_gave_rows_away_are_joined_with_thin_neighbours():
    """Of four full leaves the third thins out, and finds no room; the second loses a third of its rows; then the first thins
    out until it takes rows from the second, which would fit half a page with the third."""
    tree, model, rng = b.RowTree(), {}, random.Random(1)
    begins = []  # of leaves, numbers of rows
    while len(begins) < 5:
        key = 3 * len(model)
        model[key] = [rng.randbytes(90).hex()]
        tree.insert(key, model[key])
        if tree.check()[1] > len(begins) + (len(begins) > 1):  # with the root above them
            begins.append(len(model) - 1)
    keys = sorted(model)
    leaves = [keys[first:end] for first, end in zip(begins, begins[1:])]
    for leaf, share in ((2, 0.9), (1, 0.33), (0, 0.95)):
        n = int(len(leaves[leaf]) * share)
        for key in leaves[leaf][2 : 2 + n]:  # not those at its edge: they stand for a range that goes
            assert tree.erase(key)
            del model[key]
            check(tree, model)


def test_a_leaf_that_lost_a_large_row_is_joined_with_both_neighbours():
    tree, model = b.RowTree(), {}
    for key in range(1, 15):  # a row of 11.7 KB for each leaf, and short ones
        model[key] = ["f" * 3900 if key % 3 == 0 else "s"] * 3
        tree.insert(key, model[key])
    assert tree.check()[1] == 5
    for key in (6, 12, 9):
        tree.erase(key)
        del model[key]
        check(tree, model)


def test_losing_a_few_rows_does_not_blow_a_full_tree_up():
    """The keys of a dense leaf need no bytes until one in the middle goes; a full leaf is then overfull."""
    tree = b.RowTree()
    model = {k: [k * 3, "unique %d" % k] for k in range(30000)}
    tree.append([(0, [list(c) for c in zip(*model.values())])])
    before = tree.check()[1]
    for key in range(300, 30000, 777):
        assert tree.erase(key)
        del model[key]
    check(tree, model)
    assert tree.check()[1] < 1.6 * before


def test_shrunk_rows_join_their_pages():
    tree = b.RowTree()
    model = {k: [k, "%d" % k * 300] for k in range(2000)}
    for key, row in model.items():
        tree.insert(key, row)
    before = tree.check()[1]
    for key in model:
        model[key] = [key, "t"]
        assert tree.update(key, model[key])
    check(tree, model)
    assert tree.check()[1] < before / 20
    check_fill(tree, model, 2.5)


def test_an_append_only_tree_with_erases_at_its_end_stays_full():
    tree = b.RowTree()
    model = {}
    for key in range(20000):
        model[key] = [key, "row %d" % key]
        tree.insert(key, model[key])
        if key % 3 == 0:
            tree.erase(key)
            del model[key]
    check(tree, model)
    check_fill(tree, model, 1.3)


def test_wide_rows_become_records():
    tree = b.RowTree()
    model = {}
    for key in range(40):
        columns = [300, 2000, 3][key % 3]
        model[key] = [f"{key}-{i}-" + "t" * 30 if i % 2 else i for i in range(columns)]
        assert tree.insert(key, model[key])
    check(tree, model)
    check_scan(tree, model, 0, 100, [0, 1, 299, 1999], [None, None, 5, "d"], 2048)
    for key in range(0, 40, 4):
        model[key] = [key]
        assert tree.update(key, model[key])
        model[key + 1] = ["w" * 20] * 1900
        assert tree.update(key + 1, model[key + 1])
    check(tree, model)
    for key in list(model):
        assert tree.erase(key)
    check(tree, {})


def test_integers_where_all_reals_became_null():
    """The page's minipage of reals holds NULLs only when its column is laid out as integers."""
    tree = b.RowTree()
    model = {key: ["k", key + 0.5] for key in range(0, 200, 2)}
    for key, row in model.items():
        tree.insert(key, row)
    for key in model:
        model[key] = ["k", None]
        assert tree.update(key, model[key])
    for key in range(1, 200, 2):
        model[key] = ["k", 1000 + key]
        assert tree.insert(key, model[key])
    check(tree, model)


def test_thousand_integer_columns_stay_columns():
    tree = b.RowTree()
    model = {key: [key * i for i in range(1000)] for key in range(30)}
    for key, row in model.items():
        tree.insert(key, row)
    check(tree, model)
    assert set(tree.scan(0, 50, [3, 999], [None, None], 2048)[2]) == {1}  # typed as int64


def test_big_load_goes_to_the_file_directly_and_is_found_again():
    tree = b.RowTree()
    n = 150000
    blocks = []
    for start in range(0, n, 2048):
        stop = min(n, start + 2048)
        ids = list(range(start, stop))
        blocks.append((start, [ids, [i / 3 for i in ids], [f"s{i % 40}" for i in ids], [f"unique text {i}" for i in ids]]))
    tree.append(blocks[:40])
    tree.commit()
    tree.append(blocks[40:])
    tree.checkpoint()
    assert tree.count() == n
    assert tree.check()[0] == []
    assert tree.find(n - 1) == [n - 1, (n - 1) / 3, f"s{(n - 1) % 40}", f"unique text {n - 1}"]
    keys, (a, c), _ = tree.scan(5000, 140000, [0, 2], [None, None], 2048)
    assert keys == list(range(5000, 140001)) == a
    assert c == [f"s{i % 40}" for i in keys]
    assert 0.9 * n < tree.estimate() < 1.1 * n
    assert tree.page_count() * 16384 / n < 38  # repeated text shares its entry


def test_long_values_of_a_load_and_their_chains():
    tree = b.RowTree()
    model = {}
    texts = ["a" * (i * 3000) for i in range(30)]
    tree.append([(1, [texts, list(range(30))])])
    for i, text in enumerate(texts):
        model[i + 1] = [text, i]
    check(tree, model)
    assert tree.update(20, [texts[19], -1])  # the long text is unchanged: its chain is kept
    model[20][1] = -1
    check(tree, model)
    big = bytes(3_000_000)
    assert tree.insert(100, [big])
    model[100] = [big]
    check(tree, model)
    tree.commit()
    for key in list(model):
        tree.erase(key)
    check(tree, {})


def test_rows_in_a_damaged_tree_are_errors_not_crashes():
    rng = random.Random(3)
    tree = b.RowTree()
    model = {}
    for key in range(900):
        model[key] = [key * 1000, "t" * (key % 50), key / 7 if key % 2 else None, "L" * 5000 if key % 200 == 0 else b"x"]
        tree.insert(key, model[key])
    tree.insert(2000, ["wide" * 10] * 1500)
    for key in range(100, 200, 3):
        tree.erase(key)
    tree.commit()
    pages = tree.page_count()
    errors = 0
    for _ in range(1500):
        for _ in range(rng.choice([1, 1, 4])):
            offset = rng.choice([rng.randrange(4, 80), rng.randrange(16384), rng.randrange(16, 44)])
            tree.poke(rng.randrange(1, pages), offset, rng.randrange(256))
        errors += count_errors((
            lambda: tree.find(rng.randrange(900)),
            lambda: tree.scan(0, 3000, [0, 1, 2, 3], [None] * 4, 2048),
            lambda: tree.walk(False),
            lambda: tree.check(),
            lambda: tree.count(),
            lambda: tree.estimate(),
            lambda: tree.insert(rng.randrange(2000), [1, "new", 2.5, None]),
            lambda: tree.update(rng.randrange(900), [1, "changed" * 9, 2.5, None]),
            lambda: tree.erase(rng.randrange(900)),
            lambda: tree.append([(10**6, [[1] * 40])]),
        ))
        tree.rollback()
    assert errors > 100


def test_long_values_in_a_column_that_says_it_has_none_are_read_all_the_same():
    """Only a damaged page says so. Else the reference to a value would be taken for the value, and for a place in memory."""
    tree, model = b.RowTree(), {}
    for key, row in enumerate([["a" * 9000, "b" * 9000], ["c"]]):  # rows of one length and of several are read in two ways
        model[key] = row
        tree.insert(key, row)
        for column in range(2):
            flags = 40 + 4 * column + 3  # in the leaf's directory
            assert tree.page(1)[flags] & 2
            tree.poke(1, flags, tree.page(1)[flags] & ~2)
        check_scan(tree, model, 0, 10, [0, 1], [None] * 2, 2048)
        for column in range(2):
            flags = 40 + 4 * column + 3
            tree.poke(1, flags, tree.page(1)[flags] | 2)


def test_the_check_finds_thin_neighbours():
    tree = b.RowTree()
    for key in range(20000):
        tree.insert(key, [key])
    assert tree.check()[0] == []
    for page in (2, 3, 4):  # leaves that lose all but two rows behind the tree's back
        tree.poke(page, 16, 2)
        tree.poke(page, 17, 0)
    assert any("would fit half a page" in finding for finding in tree.check()[0])
