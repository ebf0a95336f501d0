"""Cut the power at every call that changes the disk: after reopening, the commits are there, whole, and nothing else.

A commit that returned must be there (FULL); the one under way when the power went may be there or not, but whole.
"""

import random

import pytest

from turdb._testing import txn as t

KB = 1024
ARRAY = 4000, 6000  # the bytes of a page that are written and compared


class Workload:
    """Deterministic commits over three files, one of which comes and goes; the model is a dict per commit."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.model = {}  # path -> {page: its bytes in ARRAY}
        self.files = {}  # path -> file id
        self.commits = 0

    def step(self, store):
        """One transaction; returns the model after it, or None when it was rolled back."""
        rng = self.rng
        txn = store.begin()
        txn.start_writing()
        model = {path: dict(pages) for path, pages in self.model.items()}
        files = dict(self.files)
        if len(files) < 2 or rng.random() < 0.15:
            file, path = txn.create_file(f"root/t{rng.randrange(3)}.tbd")
            files[path], model[path] = file, {}
        elif len(files) > 2 and rng.random() < 0.3:
            path = rng.choice(sorted(files))
            txn.drop_file(files.pop(path))
            del model[path]
        for path in sorted(files):
            for _ in range(rng.randrange(0, 4)):
                self.change(txn, files[path], model[path])
        txn.write(1, 0, t.USER_AREA_OFFSET, (self.commits + 1).to_bytes(8, "little"))
        return txn, model, files

    def change(self, txn, file, pages):
        rng = self.rng
        kind = rng.random()
        if kind < 0.35 or not pages:
            page = txn.allocate(file)
            pages[page] = rng.randbytes(ARRAY[1] - ARRAY[0])
            txn.write(file, page, ARRAY[0], pages[page])
        elif kind < 0.75:
            page = rng.choice(sorted(pages))
            pages[page] = self.edited(pages[page])
            txn.write(file, page, ARRAY[0], pages[page])
        elif kind < 0.85:
            page = rng.choice(sorted(pages))
            del pages[page]
            txn.free(file, page)
        else:
            data = bytearray(rng.randbytes(t.PAGE_BYTES * 2))
            first = txn.extend_direct(file, data)
            for i in range(2):
                pages[first + i] = bytes(data[i * t.PAGE_BYTES :][slice(*ARRAY)])

    def edited(self, array):
        """Some bytes changed, put in or taken out."""
        rng = self.rng
        at, width = rng.randrange(len(array) - 8), rng.choice((1, 2, 4, 8))
        new = rng.randbytes(width)
        edits = (
            array[:at] + new + array[at + width :],
            array[:at] + new + array[at:-width],
            array[:at] + array[at + width :] + new,
        )
        return rng.choice(edits)

    def accept(self, model, files):
        self.model, self.files = model, files
        self.commits += 1


def state_of(store, model, files):
    """Whether the store shows exactly this model."""
    txn = store.begin()
    for path, pages in model.items():
        try:
            view = txn.view(files[path])
        except RuntimeError:
            return False
        if view.path != path:
            return False
        for page, content in pages.items():
            if page >= view.page_count or view.page(page)[slice(*ARRAY)] != content:
                return False
    return True


def commit_number(store):
    at = t.USER_AREA_OFFSET
    return int.from_bytes(store.begin().view(1).page(0)[at : at + 8], "little")


def run_until_failure(env, seed, n_steps, options, synchronous=2):
    """Runs the workload; returns [(model, files) after each commit], and how many returned."""
    work = Workload(seed)
    states = [({}, {})]
    acknowledged = 0
    store = None
    try:
        store = t.Store(env, "db", **options)
        for i in range(n_steps):
            txn, model, files = work.step(store)
            states.append((model, files))
            txn.commit(synchronous)
            acknowledged += 1
            work.accept(model, files)
            if i % 7 == 6:
                store.checkpoint()
        store.close()
    except RuntimeError as error:
        assert "power is off" in str(error) or "read-only until" in str(error), error
    if store is not None:
        store.drop()
    return states, acknowledged


OPTIONS = dict(checkpoint_bytes=48 * KB, segment_bytes=32 * KB)
SHORT_SEGMENTS = dict(checkpoint_bytes=4 * KB, segment_bytes=300)


def check_after(env, states, acknowledged, at_least=None):
    """Opens the store and compares; goes on working, closes, and compares again."""
    store = t.Store(env, "db", **OPTIONS)
    n = commit_number(store)
    assert n >= (acknowledged if at_least is None else at_least), "a commit that returned is lost"
    assert n < len(states)
    model, files = states[n]
    assert state_of(store, model, files)
    expected = {path.split("/")[1] for path in model}
    txn = store.begin()
    txn.start_writing()  # and work goes on
    txn.write(1, 0, t.USER_AREA_OFFSET + 100, b"alive")
    txn.commit()
    assert state_of(store, model, files)
    store.close()
    assert set(env.list("db/root")) <= expected
    again = t.Store(env, "db", **OPTIONS)
    assert again.stats()["recovered_commits"] == 0
    assert state_of(again, model, files)
    for file in files.values():
        again.begin().view(file)
    again.close()


def count_calls(seed, n_steps, options=OPTIONS):
    env = t.fault_env()
    states, acknowledged = run_until_failure(env, seed, n_steps, options)
    assert acknowledged == n_steps
    check_after(env, states, acknowledged)
    return env.calls()


@pytest.mark.parametrize("options", [OPTIONS, SHORT_SEGMENTS], ids=["long", "short"])
@pytest.mark.parametrize("seed", range(3))
def test_power_loss_at_every_call(seed, options):
    n_steps = 24
    n_calls = count_calls(seed, n_steps, options)
    for call in range(1, n_calls + 1):
        env = t.fault_env()
        env.fail_at(call, t.POWER_LOSS)
        states, acknowledged = run_until_failure(env, seed, n_steps, options)
        env.restart(seed * 1000003 + call)
        check_after(env, states, acknowledged)


@pytest.mark.parametrize("options", [OPTIONS, SHORT_SEGMENTS], ids=["long", "short"])
@pytest.mark.parametrize("seed", range(2))
def test_normal_commits_lose_only_the_newest(seed, options):
    n_steps = 24
    n_calls = count_calls(seed, n_steps, options)
    for call in range(1, n_calls + 1, 2):
        env = t.fault_env()
        env.fail_at(call, t.POWER_LOSS)
        states, _ = run_until_failure(env, seed, n_steps, options, synchronous=1)
        env.restart(call)
        check_after(env, states, 0)


@pytest.mark.parametrize("seed", range(3))
def test_recovery_can_be_interrupted(seed):
    """Power goes again at every call of the reopening itself."""
    n_steps = 24
    n_calls = count_calls(seed, n_steps)
    rng = random.Random(seed)
    for first in sorted(rng.sample(range(1, n_calls), 12)):
        for second in range(1, 40, 2):
            env = t.fault_env()
            env.fail_at(first, t.POWER_LOSS)
            states, acknowledged = run_until_failure(env, seed, n_steps, OPTIONS)
            env.restart(first)
            env.fail_at(env.calls() + second, t.POWER_LOSS)
            try:
                store = t.Store(env, "db", **OPTIONS)
                store.close()
            except RuntimeError as error:
                assert "power is off" in str(error) or "read-only until" in str(error)
            store = None
            env.cut_power()
            env.restart(second)
            check_after(env, states, acknowledged)


@pytest.mark.parametrize("seed", range(2))
def test_power_loss_after_the_process_was_killed(seed):
    """What a killed process had written unsynced is recovered, and relied on from then on."""
    n_calls = count_calls(seed, 24, SHORT_SEGMENTS)
    for call in range(20, n_calls, 2):
        env = t.fault_env()
        env.fail_at(call, t.POWER_LOSS)
        states, acknowledged = run_until_failure(env, seed, 24, SHORT_SEGMENTS, synchronous=1)
        env.kill_process()
        store = t.Store(env, "db", **OPTIONS)
        n = commit_number(store)
        assert n >= acknowledged  # NORMAL survives the death of the process
        file_version = store.begin()
        env.cut_power()
        del file_version
        store.drop()
        env.restart(call)
        check_after(env, states, n)


@pytest.mark.parametrize("fault", [t.IO_ERROR, t.DISK_FULL], ids=["io", "full"])
@pytest.mark.parametrize("seed", range(2))
def test_one_failing_call(seed, fault):
    """A call fails and the machine stays up: the commit that met it is gone or whole, the others are there."""
    n_steps = 24
    n_calls = count_calls(seed, n_steps, SHORT_SEGMENTS)
    for call in range(1, n_calls + 1):
        env = t.fault_env()
        env.fail_at(call, fault)
        work, states, store = Workload(seed), [({}, {})], None
        for i in range(n_steps):
            try:
                if store is None:
                    store = t.Store(env, "db", **SHORT_SEGMENTS)
                txn, model, files = work.step(store)
            except RuntimeError as error:
                assert "injected" in str(error) or "read-only until" in str(error), error
                txn = None
                if store is not None and store.is_read_only:
                    break
                continue
            try:
                txn.commit(2)
            except RuntimeError as error:
                assert "injected" in str(error) or "read-only until" in str(error), error
                if store.is_read_only:
                    states.append((model, files))  # on disk or not: nobody knows
                    break
                continue
            states.append((model, files))
            work.accept(model, files)
            assert state_of(store, model, files)
            if i % 7 == 6:
                try:
                    store.checkpoint()
                except RuntimeError as error:
                    assert "injected" in str(error) or "read-only until" in str(error), error
        txn = None
        if store is not None:
            try:
                store.close()
            except RuntimeError as error:
                assert "injected" in str(error)
            store.drop()
        env.fail_at(0, fault, 0)
        check_after(env, states, work.commits)


@pytest.mark.parametrize("fault", [t.IO_ERROR, t.DISK_FULL, t.SHORT_WRITE], ids=["io", "full", "short"])
@pytest.mark.parametrize("restart", range(3))
def test_power_loss_after_a_checkpoint_failed(fault, restart):
    """A checkpoint fails at each of its calls, a second one succeeds (or is refused): what that one promises does not rest on
    what the first has left undone, such as the sync of a directory with a new file."""
    call = 0
    while True:
        call += 1
        env = t.fault_env()
        work, states = Workload(restart), [({}, {})]
        store = t.Store(env, "db", checkpoint_bytes=1 << 30)
        for _ in range(6):
            txn, model, files = work.step(store)
            txn.commit()
            work.accept(model, files)
            states.append((model, files))
        before = env.calls()
        env.fail_at(before + call, fault)
        try:
            store.checkpoint()
        except RuntimeError as error:
            assert "injected" in str(error) or "read-only until" in str(error), error
        if env.calls() < before + call:
            break
        try:
            store.checkpoint()
        except RuntimeError as error:
            assert "read-only until" in str(error), error
        env.cut_power()
        store.drop()
        env.restart(1000 * restart + call)
        check_after(env, states, work.commits)
    assert call > 10
