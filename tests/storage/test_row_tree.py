"""RowTree against a dict: every operation, any storage class, commits, rollbacks, savepoints, leaks and damage."""

import random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from turdb._testing import btree as b

I64_MIN, I64_MAX = -(2**63), 2**63 - 1


def identical(a, b):
    """Same values and same storage classes: 1 and 1.0 differ."""
    return len(a) == len(b) and all(type(x) is type(y) and x == y for x, y in zip(a, b))


def check(tree, model):
    findings, used = tree.check()
    assert findings == []
    assert used + tree.free_count() + 1 == tree.page_count()
    assert tree.count() == len(model)
    walked = tree.walk()
    assert [k for k, _ in walked] == sorted(model)
    for key, row in walked:
        assert identical(row, model[key]), (key, row, model[key])


def check_scan(tree, model, first, last, columns, defaults, max_rows):
    keys, got, _ = tree.scan(first, last, columns, defaults, max_rows)
    expected = [k for k in sorted(model) if first <= k <= last]
    assert keys == expected
    for j, column in enumerate(columns):
        want = [model[k][column] if column < len(model[k]) else defaults[j] for k in expected]
        assert identical(got[j], want)


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


class RowTreeMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.tree = b.RowTree()
        self.model = {}
        self.committed = {}
        self.savepoints = []

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
        key = data.draw(st.sampled_from(sorted(self.model))) if self.model else 5
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
        key = data.draw(st.sampled_from(sorted(self.model))) if self.model else 5
        assert self.tree.erase(key) == (key in self.model)
        self.model.pop(key, None)

    @rule(low=keys, n=st.integers(1, 500))
    def erase_range(self, low, n):
        for key in [k for k in sorted(self.model) if k >= low][:n]:
            assert self.tree.erase(key)
            del self.model[key]

    @rule()
    def clear(self):
        self.tree.clear()
        self.model = {}

    @rule()
    def commit(self):
        self.tree.commit()
        self.committed = dict(self.model)
        self.savepoints = []

    @rule()
    def checkpoint(self):
        self.tree.checkpoint()
        self.committed = dict(self.model)
        self.savepoints = []

    @rule()
    def rollback(self):
        self.tree.rollback()
        self.model = dict(self.committed)
        self.savepoints = []

    @rule()
    def savepoint(self):
        self.savepoints.append((self.tree.savepoint(), dict(self.model)))

    @precondition(lambda self: self.savepoints)
    @rule(data=st.data())
    def rollback_to(self, data):
        i = data.draw(st.integers(0, len(self.savepoints) - 1))
        depth, model = self.savepoints[i]
        self.tree.rollback_to(depth)
        self.model = dict(model)
        self.savepoints = self.savepoints[: i + 1]

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

    @invariant()
    def sound(self):
        check(self.tree, self.model)


RowTreeMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
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
    rng.shuffle(keys)
    for i, key in enumerate(keys):
        assert tree.erase(key)
        del model[key]
        if i % 1500 == 0:
            check(tree, model)
    check(tree, {})
    assert tree.check()[1] == 1  # only the root is left; all else is on the free list


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
        for call in (
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
        ):
            try:
                call()
            except RuntimeError as error:
                # A file that lies about its own pages may also break our expectations of it.
                assert str(error).startswith(("Corruption", "Internal")), error
                errors += 1
            except UnicodeDecodeError:
                pass
        tree.rollback()
    assert errors > 100
