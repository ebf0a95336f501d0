"""The lock table against a naive model, its sets of ids against Python's, and what a lock costs."""

import copy
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from support.lock_model import DATABASE, IS, IX, KEY, NONE, ROW, TABLE, Locks, S, X, covers, is_of_table

from turdb._testing import locks as cpp

WHOLE = (DATABASE, 0, 0, 0)
TABLES = [(TABLE, 1, 0, 0), (TABLE, 2, 0, 0)]
ROWS = [(ROW, 1, i, 0) for i in (0, 1, 63, 64, 2**64 - 1)] + [(ROW, 2, 1, 0)]
KEYS = [(KEY, 1, 1, 8), (KEY, 1, 1, 9)]
OWNERS = 4
LONG = 60  # seconds: what is not there by then hangs

owners = st.integers(1, OWNERS)
parts = st.sampled_from(ROWS + KEYS)
part_modes = st.sampled_from([S, X])


class LockTables(RuleBasedStateMachine):
    """Each owner has a thread, in which it waits. One step at a time, so who waits for whom is known."""

    def __init__(self):
        super().__init__()
        self.table, self.model = cpp.LockTable(), Locks()
        self.owners = {i: self.table.owner(i) for i in range(1, OWNERS + 1)}
        self.threads = {i: ThreadPoolExecutor(1) for i in self.owners}
        self.waiting = {}
        self.waits = self.timeouts = self.deadlocks = 0

    def teardown(self):
        while self.waiting or any(map(len, self.owners.values())):  # no circle is left
            for i in self.owners:
                if i not in self.waiting:
                    self.release_everything(i)
        assert self.table.list() == []
        for thread in self.threads.values():
            thread.shutdown()

    # --- steps ---------------------------------------------------------------------------------

    def acquire(self, owner, key, mode) -> bool:
        """Whether it is held when this returns; else the owner waits, or was the victim of a deadlock."""
        was_covered = covers(self.model.held(owner, key), mode)
        if self.model.is_granted_at_once(owner, key, mode):
            self.model.grant(owner, key, mode)
            assert self.owners[owner].acquire(key, mode) == (not was_covered)
            return True
        ahead = copy.deepcopy(self.model)
        ahead.enqueue(owner, key, mode)
        choices = ahead.victims(owner)
        victims = choices.pop()
        if choices or len(victims) > 1:
            return False  # which of several circles ends first is nobody's promise
        self.model = ahead
        self.waits += 1
        self.waiting[owner] = self.threads[owner].submit(self.owners[owner].acquire, key, mode, 1000 * LONG)
        self.until_it_waits(owner)
        for victim in victims:
            self.end(victim)
        return owner not in self.waiting and self.model.held(owner, key) == mode

    def until_it_waits(self, owner):
        deadline = time.monotonic() + LONG
        while not self.waiting[owner].done() and not any(o == owner and not granted for _, o, _, granted in self.table.list()):
            assert time.monotonic() < deadline

    def end(self, victim):
        with pytest.raises(RuntimeError, match=f"Deadlock: .*transaction {victim}, the youngest, was rolled back"):
            self.waiting.pop(victim).result(LONG)
        self.deadlocks += 1
        self.came_through(self.model.leave(victim))
        self.release_everything(victim)

    def came_through(self, granted):
        for owner in granted:
            assert self.waiting.pop(owner).result(LONG) is True

    def release_everything(self, owner):
        granted = self.model.drop(owner, self.model.of(owner))
        self.owners[owner].release_all()
        self.came_through(granted)

    def intend(self, owner, key, mode) -> bool:
        """The intention that a lock of a row or key needs on its table."""
        table = (TABLE, key[1], 0, 0)
        wanted = IS if mode == S else IX
        return covers(self.model.held(owner, table), wanted) or self.acquire(owner, table, wanted)

    # --- rules ---------------------------------------------------------------------------------

    @rule(owner=owners, key=parts, mode=part_modes)
    def lock(self, owner, key, mode):
        if owner not in self.waiting and self.intend(owner, key, mode):
            self.acquire(owner, key, mode)

    @rule(owner=owners, key=st.sampled_from([WHOLE, *TABLES]), mode=st.sampled_from([IS, IX, S, X]))
    def lock_whole(self, owner, key, mode):
        if owner not in self.waiting:
            self.acquire(owner, key, mode)

    @rule(owner=owners, key=parts, mode=part_modes, waits=st.booleans())
    def lock_at_once(self, owner, key, mode, waits):
        if owner in self.waiting or not self.intend(owner, key, mode):
            return
        is_free = self.model.is_granted_at_once(owner, key, mode)
        if waits or is_free:
            assert self.owners[owner].try_acquire(key, mode) == is_free
        else:
            with pytest.raises(RuntimeError, match="Busy: database is locked"):
                self.owners[owner].acquire(key, mode)
        if is_free:
            self.model.grant(owner, key, mode)

    @rule(owner=owners, key=parts)
    def release(self, owner, key):
        if owner not in self.waiting:
            granted = self.model.drop(owner, [key])
            self.owners[owner].release(key)
            self.came_through(granted)

    @rule(owner=owners, key=st.one_of(parts, st.sampled_from([WHOLE, *TABLES])))
    def downgrade(self, owner, key):
        if owner not in self.waiting and self.model.held(owner, key) == X:
            weaker = S if is_of_table(key) else IX
            granted = self.model.weaken(owner, key, weaker)
            self.owners[owner].downgrade(key, weaker)
            self.came_through(granted)

    @rule(owner=owners, key=st.sampled_from(TABLES))
    def release_rows(self, owner, key):
        if owner not in self.waiting and self.model.held(owner, key) == X:
            granted = self.model.drop(owner, [k for k in self.model.of(owner) if is_of_table(k) and k[1] == key[1]])
            self.owners[owner].release_rows(key[1])
            self.came_through(granted)

    @rule(owner=owners)
    def release_all(self, owner):
        if owner not in self.waiting:
            self.release_everything(owner)

    # --- what is shown -------------------------------------------------------------------------

    @invariant()
    def agrees(self):
        held = {(key, owner, mode, True) for key, holders in self.model.holders.items() for owner, mode in holders.items()}
        awaited = {(key, owner, mode, False) for key, queue in self.model.queues.items() for owner, mode, _ in queue}
        listed = self.table.list()
        assert set(listed) == held | awaited and len(listed) == len(held) + len(awaited)
        stats = self.table.stats()
        assert (stats["held"], stats["waiting"]) == (len(held), len(awaited))
        assert (stats["waits"], stats["deadlocks"], stats["timeouts"]) == (self.waits, self.deadlocks, 0)
        for i, owner in self.owners.items():
            assert len(owner) == len(self.model.of(i))
            for key in (*ROWS, *KEYS, *TABLES, WHOLE):
                assert owner.held(key) == self.model.held(i, key)


TestLockTables = LockTables.TestCase
TestLockTables.settings = settings(deadline=None, max_examples=80, stateful_step_count=50)


# --- order of requests -------------------------------------------------------------------------------------------------------


def waits(table, owner_id):
    return any(owner == owner_id and not is_granted for _, owner, _, is_granted in table.list())


@pytest.fixture
def crew():
    """A lock table, three owners that intend to write table 1, and a thread of each."""
    table = cpp.LockTable()
    crowd = [table.owner(i) for i in (1, 2, 3)]
    for owner in crowd:
        owner.acquire((TABLE, 1, 0, 0), IX)
    threads = [ThreadPoolExecutor(1) for _ in crowd]

    def ask(i, key, mode, timeout_ms=1000 * LONG):
        future = threads[i].submit(crowd[i].acquire, key, mode, timeout_ms)
        while not future.done() and not waits(table, i + 1):
            pass
        return future

    yield table, crowd, ask
    for thread in threads:
        thread.shutdown()


def test_nobody_passes_who_waits_for_the_same_row_but_neighbours_are_free(crew):
    table, (first, second, third), ask = crew
    row, neighbour = (ROW, 1, 5, 0), (ROW, 1, 6, 0)
    first.acquire(row, S)
    waiter = ask(1, row, X)
    assert waits(table, 2)
    assert not third.try_acquire(row, S)  # compatible with the holder, but somebody was here before
    assert third.try_acquire(neighbour, X)
    first.release(row)
    assert waiter.result(LONG) is True
    assert second.held(row) == X and first.held(row) == NONE


def test_a_wait_that_times_out_lets_those_behind_it_through(crew):
    table, (first, _, third), ask = crew
    row = (ROW, 1, 5, 0)
    first.acquire(row, S)
    leaves = ask(1, row, X, 300)
    behind = ask(2, row, S)
    with pytest.raises(RuntimeError, match="Busy: .*row 5 of table 't' is not free, transaction 1 holds it"):
        leaves.result(LONG)
    assert behind.result(LONG) is True
    assert third.held(row) == S and table.stats()["timeouts"] == 1


def test_rowids_are_given_out_once_beside_others(crew):
    _, (first, second, third), _ = crew
    assert [first.reserve_rowid(1, 10), second.reserve_rowid(1, 10), third.reserve_rowid(1, 5)] == [10, 11, 12]
    third.note_rowid(1, 20)
    assert first.reserve_rowid(1, 10) == 21


# --- memory ------------------------------------------------------------------------------------------------------------------


def locked(n, stride, beside):
    """Bytes a lock, counted by the table itself."""
    table = cpp.LockTable()
    other, owner = table.owner(1), table.owner(2)
    if beside:
        other.acquire((TABLE, 1, 0, 0), IX)
        other.acquire((ROW, 1, 2**40, 0), X)
    owner.acquire((TABLE, 1, 0, 0), IX)
    before = table.stats()["bytes"]
    owner.lock_rows(1, 0, n, stride)
    assert len(owner) == n + 1
    return (table.stats()["bytes"] - before) / n


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside another"])
@pytest.mark.parametrize(("stride", "most"), [(1, 0.7), (3, 2), (64, 21), (1_000_003, 21)])
def test_bytes_of_a_row_lock(stride, most, beside):
    assert locked(200_000, stride, beside) <= most


def test_a_lock_given_back_costs_nothing():
    table = cpp.LockTable()
    owner = table.owner(1)
    owner.acquire((TABLE, 1, 0, 0), IX)
    owner.lock_rows(1, 0, 100_000)
    owner.release_rows(1)
    assert table.stats()["bytes"] < 1000 and len(owner) == 1
    owner.release_all()
    assert table.stats()["bytes"] == 0


# --- the sets ----------------------------------------------------------------------------------------------------------------

ids = st.one_of(st.integers(0, 200), st.integers(2**63 - 70, 2**63 + 70), st.sampled_from([2**64 - 1, 2**64 - 64, 2**64 - 65]))


class IdSets(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.set, self.model = cpp.IdSet(), set()

    @rule(i=ids)
    def insert(self, i):
        assert self.set.insert(i) == (i not in self.model)
        self.model.add(i)

    @rule(first=ids, n=st.integers(1, 150))
    def insert_neighbours(self, first, n):
        for i in range(first, min(first + n, 2**64)):
            self.insert(i)

    @rule(i=ids)
    def erase(self, i):
        assert self.set.erase(i) == (i in self.model)
        self.model.discard(i)

    @rule(data=st.data())
    def erase_one_that_is_there(self, data):
        if self.model:
            self.erase(data.draw(st.sampled_from(sorted(self.model))))

    @rule()
    def clear(self):
        self.set.clear()
        self.model.clear()

    @invariant()
    def agrees(self):
        items = self.set.items()
        assert set(items) == self.model and len(items) == len(self.set) == len(self.model)
        for i in (0, 1, 63, 64, 128, 2**63, 2**64 - 1):
            assert (i in self.set) == (i in self.model)


TestIdSets = IdSets.TestCase
TestIdSets.settings = settings(deadline=None, max_examples=80, stateful_step_count=40)
