"""KeyTree against a dict of bytes: every operation, long keys and payloads, commits, savepoints, leaks and damage."""

import bisect
import random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from turdb._testing import btree as b


def check(tree, model):
    findings, used = tree.check()
    assert findings == []
    assert used + tree.free_count() + 1 == tree.page_count()
    assert tree.count() == len(model)
    assert tree.walk() == sorted(model.items())


short = st.one_of(st.binary(max_size=6), st.text(alphabet="ab\x00\xff", max_size=6).map(lambda s: s.encode("latin1")))
long_bytes = st.builds(
    lambda n, tail: b"p" * n + tail, st.sampled_from([5, 100, 1999, 2000, 2001, 3000, 9000, 40000]), short
)
keys = st.one_of(short, st.integers(0, 10**6).map(lambda i: b"key%07d" % i), long_bytes)
payloads = st.one_of(st.just(b""), st.binary(max_size=30), long_bytes)


class KeyTreeMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.tree = b.KeyTree()
        self.model = {}
        self.committed = {}
        self.savepoints = []

    @rule(key=keys, payload=payloads)
    def insert(self, key, payload):
        assert self.tree.insert(key, payload) == (key not in self.model)
        self.model.setdefault(key, payload)

    @rule(prefix=short, start=st.integers(0, 10**4), n=st.integers(1, 400), step=st.sampled_from([1, -1, 13]), payload=payloads)
    def insert_many(self, prefix, start, n, step, payload):
        if len(payload) > 3000:
            n = min(n, 20)
        for i in range(n):
            key = prefix + b"%06d" % (start + 5200 + i * step)
            assert self.tree.insert(key, payload) == (key not in self.model)
            self.model.setdefault(key, payload)

    @rule(entries=st.dictionaries(keys, payloads, max_size=20), n=st.integers(0, 500))
    def append(self, entries, n):
        last = max(self.model, default=b"")
        if len(last) > 50000:
            return
        fresh = {last + b"\x01" + key: payload for key, payload in entries.items()}
        fresh.update({last + b"\x02%04d" % i: b"n" * (i % 20) for i in range(n)})
        self.tree.append(sorted(fresh.items()))
        self.model.update(fresh)

    @rule(data=st.data(), payload=payloads)
    def update(self, data, payload):
        key = data.draw(st.sampled_from(sorted(self.model))) if self.model else b"none"
        assert self.tree.update(key, payload) == (key in self.model)
        if key in self.model:
            self.model[key] = payload

    @rule(data=st.data())
    def erase(self, data):
        key = data.draw(st.sampled_from(sorted(self.model))) if self.model else b"none"
        assert self.tree.erase(key) == (key in self.model)
        self.model.pop(key, None)

    @rule(low=keys, n=st.integers(1, 600))
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
        found = self.tree.find(key)
        assert found == ((key, self.model[key]) if key in self.model else None)
        ordered = sorted(self.model)
        at = bisect.bisect_left(ordered, key)
        assert self.tree.seek(key, True) == (ordered[at] if at < len(ordered) else None)
        at = bisect.bisect_right(ordered, key)
        assert self.tree.seek(key, False) == (ordered[at - 1] if at > 0 else None)

    @rule()
    def walk_back(self):
        assert self.tree.walk(False) == sorted(self.model.items(), reverse=True)

    @invariant()
    def sound(self):
        check(self.tree, self.model)


KeyTreeMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
TestKeyTree = KeyTreeMachine.TestCase


@pytest.mark.parametrize("order", ["ascending", "descending", "random"])
def test_many_keys_in_then_out(order):
    rng = random.Random(11)
    tree = b.KeyTree()
    model = {b"common prefix %06d" % (k * 7): b"%d" % k for k in range(12000)}
    keys = sorted(model, reverse=order == "descending")
    if order == "random":
        rng.shuffle(keys)
    for key in keys:
        assert tree.insert(key, model[key])
        assert not tree.insert(key, b"")
    check(tree, model)
    if order == "ascending":
        assert tree.page_count() * 16384 / len(model) < 38  # 20 + 5 + 2 + 6 bytes an entry: full leaves
    assert 0.5 * len(model) < tree.estimate() < 2 * len(model)
    rng.shuffle(keys)
    for i, key in enumerate(keys):
        assert tree.erase(key)
        del model[key]
        if i % 3000 == 0:
            check(tree, model)
    check(tree, {})
    assert tree.check()[1] == 1


def test_big_load_goes_to_the_file_directly_and_is_found_again():
    tree = b.KeyTree()
    entries = [(b"%010d" % i, b"v%d" % (i % 100)) for i in range(120000)]
    tree.append(entries[:70000])
    tree.commit()
    tree.append(entries[70000:])
    tree.checkpoint()
    assert tree.count() == len(entries)
    assert tree.check()[0] == []
    assert tree.walk() == entries
    assert tree.find(b"%010d" % 99999) == (b"%010d" % 99999, b"v99")


def test_keys_of_a_mebibyte_with_the_same_beginning():
    tree = b.KeyTree()
    model = {b"k" * (2**20 - 2) + b"%02d" % i: b"p" * i for i in range(30)}
    for key, payload in model.items():
        assert tree.insert(key, payload)
    check(tree, model)
    with pytest.raises(RuntimeError, match="TooBig"):
        tree.insert(b"k" * (2**20 + 1), b"")
    for key in list(model):
        assert tree.erase(key)
    check(tree, {})


def test_keys_in_a_damaged_tree_are_errors_not_crashes():
    rng = random.Random(5)
    tree = b.KeyTree()
    for i in range(3000):
        tree.insert(b"prefix%05d" % (i * 3), b"payload" * (i % 4))
    for i in range(12):
        tree.insert(b"q" * 3000 + b"%d" % i, b"z" * 5000)
    tree.commit()
    pages = tree.page_count()
    errors = 0
    for _ in range(1200):
        for _ in range(rng.choice([1, 1, 4])):
            offset = rng.choice([rng.randrange(4, 80), rng.randrange(16384), rng.randrange(16, 44)])
            tree.poke(rng.randrange(1, pages), offset, rng.randrange(256))
        for call in (
            lambda: tree.find(b"prefix%05d" % rng.randrange(9000)),
            lambda: tree.find(b"q" * 3000 + b"5"),
            lambda: tree.walk(),
            lambda: tree.walk(False),
            lambda: tree.check(),
            lambda: tree.count(),
            lambda: tree.estimate(),
            lambda: tree.insert(b"prefix%05d" % rng.randrange(9000), b"new"),
            lambda: tree.update(b"prefix%05d" % (3 * rng.randrange(3000)), b"changed" * 9),
            lambda: tree.erase(b"prefix%05d" % (3 * rng.randrange(3000))),
            lambda: tree.append([(b"zz", b"")]),
        ):
            try:
                call()
            except RuntimeError as error:
                assert str(error).startswith(("Corruption", "Internal")), error
                errors += 1
        tree.rollback()
    assert errors > 100
