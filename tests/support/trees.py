"""What the tests of both kinds of trees share: the transaction around them, large erases, and how full pages must stay."""

import random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

PATTERNS = ["front", "back", "alternate", "random", "range"]
MACHINE = settings(
    max_examples=60, stateful_step_count=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def victims(keys, pattern, share, seed=0):
    """`share` of the sorted keys in the order in which the pattern erases them."""
    n = int(len(keys) * share)
    rng = random.Random(seed)
    if pattern == "front":
        return keys[:n]
    if pattern == "back":
        return keys[::-1][:n]
    if pattern == "range":
        start = rng.randrange(len(keys) - n + 1)
        return keys[start : start + n]
    if pattern == "alternate":  # every second one, then every second one of the rest, ...
        chosen, rest = [], keys
        while len(chosen) < n:
            chosen += rest[::2]
            rest = rest[1::2]
        return chosen[:n]
    return rng.sample(keys, n)


class TreeMachine(RuleBasedStateMachine):
    """A tree and its model, a dict. Subclasses set `new_tree` and `check` (staticmethods)."""

    new_tree = check = None

    def __init__(self):
        super().__init__()
        self.tree = self.new_tree()
        self.model = {}
        self.committed = {}
        self.savepoints = []

    def any_key(self, data, missing):
        return data.draw(st.sampled_from(sorted(self.model))) if self.model else missing

    def erase_all(self, keys):
        for key in keys:
            assert self.tree.erase(key)
            del self.model[key]

    @rule(pattern=st.sampled_from(PATTERNS), share=st.sampled_from([0.1, 0.5, 0.9, 1.0]), seed=st.integers(0, 9))
    def erase_many(self, pattern, share, seed):
        self.erase_all(victims(sorted(self.model), pattern, share, seed))

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

    @invariant()
    def sound(self):
        self.check(self.tree, self.model)


def check_fill(tree, model, times):
    """The tree uses at most so many times the pages that the same rows take when they are put in by ascending keys."""
    fresh = type(tree)()
    for key in sorted(model):
        fresh.insert(key, model[key])
    used, floor = tree.check()[1], fresh.check()[1]
    assert used <= times * floor + 2, (used, floor)


def erase_in_steps(tree, model, pattern, check, seed=0, pieces=1):
    """Erases everything by the pattern and checks the tree and how full it is on the way; at last only the root is left.

    `pieces`: of long values that share a page, which stays as long as there is one of them.
    """
    keys = victims(sorted(model), pattern, 1.0, seed)
    step = max(1, len(keys) // 12)
    times = 2.5 if pattern in ("random", "alternate") else 1.2  # ranges leave all but their edges as it was
    for i, key in enumerate(keys):
        assert tree.erase(key)
        del model[key]
        if i % step == 0:
            check(tree, model)
            check_fill(tree, model, times * pieces)
    check(tree, {})
    assert tree.check()[1] == 1  # only the root is left; all else is on the free list
