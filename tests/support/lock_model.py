"""What the lock table promises, told naively: every lock and every request is an entry of a dict or a list."""

from __future__ import annotations

import itertools

DATABASE, TABLE, ROW, KEY = range(4)
NONE, IS, IX, S, X = range(5)
COMPATIBLE = {(IS, IS), (IS, IX), (IS, S), (IX, IX), (S, S)}

Key = tuple  # (kind, table, id, index)


def are_compatible(a: int, b: int) -> bool:
    return (a, b) in COMPATIBLE or (b, a) in COMPATIBLE


def covers(held: int, wanted: int) -> bool:
    return held in (wanted, X) or wanted == NONE or (wanted == IS and held != NONE)


def union(a: int, b: int) -> int:
    return a if covers(a, b) else b if covers(b, a) else X


def is_of_table(key: Key) -> bool:
    return key[0] in (ROW, KEY)


class Locks:
    def __init__(self) -> None:
        self.holders: dict = {}  # key: {owner: mode}
        self.queues: dict = {}  # key: [(owner, mode, is_upgrade)]

    def held(self, owner: int, key: Key) -> int:
        return self.holders.get(key, {}).get(owner, NONE)

    def of(self, owner: int) -> list:
        return [key for key, holders in self.holders.items() if owner in holders]

    def awaited(self, owner: int):
        """What it waits for: (key, mode), or None."""
        return next(((key, mode) for key, queue in self.queues.items() for o, mode, _ in queue if o == owner), None)

    def is_free(self, owner: int, key: Key, mode: int) -> bool:
        return all(o == owner or are_compatible(held, mode) for o, held in self.holders.get(key, {}).items())

    def is_granted_at_once(self, owner: int, key: Key, mode: int) -> bool:
        held = self.held(owner, key)
        passes_nobody = held != NONE or not self.queues.get(key)
        return covers(held, mode) or (passes_nobody and self.is_free(owner, key, union(held, mode)))

    def grant(self, owner: int, key: Key, mode: int) -> None:
        self.holders.setdefault(key, {})[owner] = union(self.held(owner, key), mode)

    def enqueue(self, owner: int, key: Key, mode: int) -> None:
        held = self.held(owner, key)
        queue = self.queues.setdefault(key, [])
        at = sum(is_upgrade for *_, is_upgrade in queue) if held != NONE else len(queue)
        queue.insert(at, (owner, union(held, mode), held != NONE))

    def leave(self, owner: int) -> list:
        """The wait of the owner ends without a lock. Returns who is granted what that held up, as the others below."""
        key, _ = self.awaited(owner)
        self.queues[key] = [request for request in self.queues[key] if request[0] != owner]
        return self._grant_waiters(key)

    def drop(self, owner: int, keys: list) -> list:
        for key in keys:
            self.holders.get(key, {}).pop(owner, None)
        return [granted for key in keys for granted in self._grant_waiters(key)]

    def weaken(self, owner: int, key: Key, mode: int) -> list:
        self.holders[key][owner] = mode
        return self._grant_waiters(key)

    def _grant_waiters(self, key: Key) -> list:
        granted = []
        while self.queues.get(key) and self.is_free(self.queues[key][0][0], key, self.queues[key][0][1]):
            owner, mode, _ = self.queues[key].pop(0)
            self.grant(owner, key, mode)
            granted.append(owner)
        return granted

    # --- waits ---------------------------------------------------------------------------------

    def blockers(self, owner: int) -> set:
        waiting = self.awaited(owner)
        if waiting is None:
            return set()
        key, mode = waiting
        before = itertools.takewhile(lambda request: request[0] != owner, self.queues[key])
        holders = {o for o, held in self.holders.get(key, {}).items() if o != owner and not are_compatible(held, mode)}
        return holders | {o for o, *_ in before}

    def cycles(self, owner: int, without: frozenset, path: tuple = ()) -> list:
        """The simple circles of waits through the owner that none of `without` is in."""
        path = (*path, owner)
        found = []
        for blocker in self.blockers(owner):
            if blocker == path[0]:
                found.append(path)
            elif blocker not in path and blocker not in without:
                found += self.cycles(blocker, without, path)
        return found

    def victims(self, owner: int, chosen: frozenset = frozenset()) -> set:
        """Which sets of transactions may be ended because the owner begins to wait: one, unless circles overlap."""
        cycles = [] if owner in chosen else self.cycles(owner, chosen)
        if not cycles:
            return {chosen}
        return set().union(*(self.victims(owner, chosen | {max(cycle)}) for cycle in cycles))
