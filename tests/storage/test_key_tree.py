"""KeyTree against a dict of bytes: every operation, long keys and payloads, commits, savepoints, leaks and damage."""

import bisect
import random

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule
from support.damaged import count_errors
from support.key_pages import decode
from support.trees import MACHINE, PATTERNS, TreeMachine, check_fill, erase_in_steps

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


class KeyTreeMachine(TreeMachine):
    new_tree = b.KeyTree
    check = staticmethod(check)

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

    @rule(prefix=short, seed=st.integers(0, 99), n=st.integers(50, 1500), length=st.sampled_from([4, 30, 300]))
    def insert_scattered(self, prefix, seed, n, length):
        """In no order, so that full leaves share with neighbours of any fill."""
        rng = random.Random(seed)
        for _ in range(n if length < 300 else n // 8):
            key = prefix + b"%08x" % rng.getrandbits(32) + b"s" * rng.randrange(length)
            payload = b"v" * rng.choice([0, 1, 1, length // 3])
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
        key = self.any_key(data, b"none")
        assert self.tree.update(key, payload) == (key in self.model)
        if key in self.model:
            self.model[key] = payload

    @rule(data=st.data())
    def erase(self, data):
        key = self.any_key(data, b"none")
        assert self.tree.erase(key) == (key in self.model)
        self.model.pop(key, None)

    @rule(low=keys, n=st.integers(1, 600))
    def erase_range(self, low, n):
        self.erase_all([k for k in sorted(self.model) if k >= low][:n])

    @rule(prefix=short, n=st.integers(1, 60), data=st.data())
    def insert_uneven(self, prefix, n, data):
        """Cells of a quarter page, of a few bytes and overflowed ones side by side, with long separators."""
        sizes = data.draw(st.lists(st.sampled_from([0, 3, 1900, 3900, 20000]), min_size=1, max_size=5))
        longs = data.draw(st.sampled_from([0, 1900, 2100]))
        for i in range(n):
            key = prefix + b"k" * longs + b"%03d" % i
            payload = b"u" * sizes[i % len(sizes)]
            assert self.tree.insert(key, payload) == (key not in self.model)
            self.model.setdefault(key, payload)

    @rule(payload=st.sampled_from([b"", b"s"]))
    def shrink_all(self, payload):
        for key in sorted(self.model):
            assert self.tree.update(key, payload)
            self.model[key] = payload

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


KeyTreeMachine.TestCase.settings = MACHINE
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
    erase_in_steps(tree, model, "random", check)


def test_a_page_that_lost_a_large_key_is_joined_with_both_neighbours():
    tree, model = b.KeyTree(), {}
    for i in range(12):  # four a page
        model[b"%02d" % i] = b"p" * 3900
        tree.insert(b"%02d" % i, model[b"%02d" % i])
    assert tree.check()[1] == 4
    for i, size in {0: 0, 1: 0, 2: 0, 7: 2000, 9: 0, 10: 0, 11: 0}.items():
        model[b"%02d" % i] = b"p" * size
        tree.update(b"%02d" % i, model[b"%02d" % i])
        check(tree, model)
    for i in (3, 8, 4, 5):  # the outer pages become short, and the one between them as soon as it loses its second key
        tree.erase(b"%02d" % i)
        del model[b"%02d" % i]
        check(tree, model)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("shape", ["short", "long", "cut", "payloads"])
def test_erased_pages_join_and_share(shape, pattern):
    """Long and cut keys make trees of many levels, their separators come and go with chains."""
    entry = {
        "short": lambda k: (b"%06d" % k, b"p" * (k % 9)),
        "long": lambda k: (b"%04d" % k + b"l" * 1500, b""),
        "cut": lambda k: (b"c" * 2500 + b"%04d" % k, b"x" * (k % 3 * 1000)),
        "payloads": lambda k: (b"%04d" % k, b"y" * [1, 3900, 30000][k % 3]),
    }[shape]
    tree = b.KeyTree()
    model = dict(entry(k) for k in range(20000 if shape == "short" else 600))
    tree.append(sorted(model.items()))
    tree.commit()
    erase_in_steps(tree, model, pattern, check, pieces=8 if shape == "cut" else 1)


def test_shrunk_payloads_join_their_pages():
    tree = b.KeyTree()
    model = {b"%05d" % k: b"p" * 1500 for k in range(2000)}
    for key, payload in model.items():
        tree.insert(key, payload)
    before = tree.check()[1]
    for key in model:
        model[key] = b"p"
        assert tree.update(key, b"p")
    check(tree, model)
    assert tree.check()[1] < before / 20
    check_fill(tree, model, 2.5)


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
        errors += count_errors((
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
        ))
        tree.rollback()
    assert errors > 100


def test_a_full_leaf_whose_neighbour_is_itself():
    tree = b.KeyTree()
    for i in range(500):  # of two leaves
        tree.insert(b"%08x" % (i * 2654435761 % 2**32) + b"x" * 30, b"")
    tree.commit()
    root = decode(tree.page(1))
    assert (root.level, len(root.cells)) == (1, 1)
    second = int.from_bytes(root.cells[0].rest[-4:], "little")
    for at, byte in enumerate(second.to_bytes(4, "little")):
        tree.poke(1, 28 + at, byte)  # the first child
    low = root.cells[0].key
    with pytest.raises(RuntimeError, match="Corruption.*two places in the tree"):
        for i in range(400):
            tree.insert(low + b"%08x" % (i * 2654435761 % 2**32) + b"x" * 30, b"")


def test_the_check_finds_thin_neighbours():
    tree = b.KeyTree()
    payload = b"p" * 1000
    for key in range(200):
        tree.insert(b"%05d" % key, payload)
    assert tree.check()[0] == []
    for page in (2, 3, 4):  # leaves whose cells are given up behind the tree's back
        tree.poke(page, 22, 0x00)
        tree.poke(page, 23, 0x40)
    assert any("would fit half a page" in finding for finding in tree.check()[0])
