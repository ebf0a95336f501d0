"""Old snapshots: they show what they showed, for as long as they are held, and hold no checkpoint back."""

import gc
import os
import random
import threading

import pytest

from turdb._testing import txn as t

UA = t.USER_AREA_OFFSET
KB, MB = 1 << 10, 1 << 20
PAGE = t.PAGE_BYTES


def begin(store):
    txn = store.begin()
    txn.start_writing()
    return txn


def commit_values(store, file, values, synchronous=1):
    """Page i + 1 of the file gets values[i] in 64 places; a value of None leaves the page."""
    txn = begin(store)
    for i, value in enumerate(values):
        if value is not None:
            write_value(txn, file, i + 1, value)
    txn.commit(synchronous)


def write_value(txn, file, page, value):
    txn.write(file, page, 64, value.to_bytes(8, "little") * 64)
    txn.write(file, page, PAGE - 8, value.to_bytes(8, "little"))


def read_value(view, page):
    body = view.page(page)
    assert body[64 : 64 + 512] == body[64:72] * 64 and body[PAGE - 8 :] == body[64:72]
    return int.from_bytes(body[64:72], "little")


def read_values(view):
    return [read_value(view, page) for page in range(1, view.page_count)]


def make_file(store, n, name="root/t.tbd"):
    txn = begin(store)
    file, _ = txn.create_file(name)
    txn.extend_zeroed(file, n)
    txn.commit(1)
    commit_values(store, file, [0] * n)
    return file


@pytest.fixture(params=["posix", "fault"])
def env_and_path(request, tmp_path):
    if request.param == "posix":
        return t.posix_env(), str(tmp_path / "db")
    return t.fault_env(), "db"


@pytest.mark.parametrize("has_view", [True, False])
def test_a_held_snapshot_holds_no_checkpoint_back(env_and_path, has_view):
    env, path = env_and_path
    store = t.Store(env, path, segment_bytes=256 * KB)
    file = make_file(store, 40)
    store.checkpoint()
    reader = store.begin()
    early = reader.view(file) if has_view else None  # else the reader looks only after the pages were overwritten
    for round_ in range(1, 31):
        commit_values(store, file, [round_] * 40)
        assert store.checkpoint() is True
        assert store.stats()["wal_bytes"] == 0
        assert read_values(store.begin().view(file)) == [round_] * 40
    stats = store.stats()
    assert stats["snapshots"] >= 1 and stats["oldest_snapshot_log_bytes"] > 0 and stats["oldest_snapshot_seconds"] > 0
    assert 40 <= stats["preserved_pages"] <= 45  # once, however often they were overwritten
    assert read_values(reader.view(file)) == [0] * 40
    if early is not None:
        assert read_values(early) == [0] * 40
    store.close()
    del early
    reader.drop()
    gc.collect()
    assert store.stats()["preserved_pages"] == 0
    assert store.stats()["preserved_file_bytes"] == 0


def test_a_view_outlives_its_store(tmp_path):
    store = t.Store(t.posix_env(), str(tmp_path / "db"))
    file = make_file(store, 10)
    store.checkpoint()
    view = store.begin().view(file)
    commit_values(store, file, [1] * 10)
    store.checkpoint()
    store.close()
    store.drop()
    assert read_values(view) == [0] * 10


class World:
    """Random commits, checkpoints and snapshots against lists of values; several files, each growing in every way."""

    def __init__(self, env, path, seed):
        self.rng = random.Random(seed)
        self.env, self.path = env, path
        self.store = t.Store(env, path, segment_bytes=64 * KB, page_cache_bytes=self.rng.choice([0, MB, 64 * MB]))
        self.files = [make_file(self.store, 12, f"root/f{i}.tbd") for i in range(3)]
        self.model = {file: [0] * 12 for file in self.files}
        self.readers = []  # (transaction, views by file, model)
        self.next_value = 1

    def write(self):
        rng = self.rng
        txn = begin(self.store)
        model = {file: list(values) for file, values in self.model.items()}
        for file in rng.sample(self.files, rng.randrange(1, 3)):
            for _ in range(rng.randrange(1, 6)):
                self.next_value += 1
                page = rng.randrange(1, len(model[file]) + 1)
                write_value(txn, file, page, self.next_value)
                model[file][page - 1] = self.next_value
            if rng.random() < 0.2:
                pages = bytearray(2 * PAGE)
                first = txn.extend_direct(file, pages)
                assert first == len(model[file]) + 1
                model[file] += [0, 0]
            elif rng.random() < 0.2:
                txn.allocate(file)
                model[file].append(0)
            if rng.random() < 0.1:
                self.store.checkpoint()  # while the transaction writes
            assert read_values(txn.view(file)) == model[file]
        if rng.random() < 0.15:
            txn.rollback()
        else:
            txn.commit(1)
            self.model = model

    def open_reader(self):
        txn = self.store.begin()
        views = {file: txn.view(file) for file in self.files if self.rng.random() < 0.4}
        self.readers.append((txn, views, self.model))

    def check_readers(self):
        for txn, views, model in self.readers:
            for file in self.files:
                if self.rng.random() < 0.3:
                    assert read_values(txn.view(file)) == model[file]
                if file in views:
                    assert read_values(views[file]) == model[file]

    def close_reader(self):
        if self.readers:
            self.readers.pop(self.rng.randrange(len(self.readers)))

    def check_newest(self):
        txn = self.store.begin()
        for file in self.files:
            assert read_values(txn.view(file)) == self.model[file]

    def run(self, steps):
        for _ in range(steps):
            kind = self.rng.random()
            if kind < 0.45:
                self.write()
            elif kind < 0.65:
                assert self.store.checkpoint() is True
            elif kind < 0.8:
                self.open_reader()
            elif kind < 0.9:
                self.close_reader()
            else:
                self.check_readers()
                self.check_newest()
        self.check_readers()


@pytest.mark.parametrize("seed", range(12))
def test_snapshots_of_every_age(env_and_path, seed):
    env, path = env_and_path
    world = World(env, path, seed)
    world.run(150)
    world.readers.clear()
    gc.collect()
    world.store.checkpoint()
    assert world.store.stats()["preserved_pages"] == 0
    world.check_newest()
    world.store.close()
    world.store = t.Store(env, path)
    world.check_newest()


@pytest.mark.parametrize("fault", [t.IO_ERROR, t.DISK_FULL])
def test_a_checkpoint_that_fails_anywhere_disturbs_no_snapshot(fault):
    at = 1
    while True:
        env = t.fault_env()
        store = t.Store(env, "db")
        file = make_file(store, 12)
        store.checkpoint()
        first = store.begin()
        commit_values(store, file, [1] * 6)
        store.checkpoint()
        second = store.begin()
        commit_values(store, file, [None] * 3 + [2] * 6)
        before = env.calls()
        env.fail_at(before + at, fault)
        failed = False
        try:
            store.checkpoint()
        except RuntimeError:
            failed = True
        was_hit = env.calls() >= before + at
        env.fail_at(1 << 60, fault)
        newest = [1] * 3 + [2] * 6 + [0] * 3
        assert read_values(first.view(file)) == [0] * 12
        assert read_values(second.view(file)) == [1] * 6 + [0] * 6
        assert read_values(store.begin().view(file)) == newest
        if failed:
            assert store.stats()["last_checkpoint_error"] != ""
        if not store.is_read_only:  # a sync that failed ends writing until the store is opened anew
            commit_values(store, file, [3] * 12)
            newest = [3] * 12
            store.checkpoint()
            assert store.stats()["last_checkpoint_error"] == ""
            assert read_values(first.view(file)) == [0] * 12
            assert read_values(second.view(file)) == [1] * 6 + [0] * 6
        store.drop()
        first.drop()
        second.drop()
        env.kill_process()
        store = t.Store(env, "db")
        assert read_values(store.begin().view(file)) == newest
        if not was_hit:
            break
        at += 1
    assert at > 10


@pytest.mark.parametrize("seed", range(4))
def test_power_lost_in_a_checkpoint_beside_old_snapshots(seed):
    at = 1
    while True:
        env = t.fault_env()
        store = t.Store(env, "db")
        file = make_file(store, 12)
        store.checkpoint()
        old = store.begin()
        commit_values(store, file, [1] * 9, 2)
        before = env.calls()
        env.fail_at(before + at, t.POWER_LOSS)
        try:
            store.checkpoint()
        except RuntimeError:
            pass
        was_hit = env.calls() >= before + at
        assert read_values(old.view(file)) == [0] * 12
        if not was_hit:
            env.cut_power()
        store.drop()
        old.drop()
        env.restart(seed * 1000 + at)
        store = t.Store(env, "db")
        assert read_values(store.begin().view(file)) == [1] * 9 + [0] * 3
        if not was_hit:
            break
        at += 1


def test_without_room_to_preserve_the_log_waits_for_the_reader():
    env = t.fault_env()
    store = t.Store(env, "db")
    file = make_file(store, 12)
    store.checkpoint()
    reader = store.begin()
    commit_values(store, file, [1] * 12, 2)
    env.fail_at(env.calls() + 1, t.DISK_FULL)  # the log is synced already: the first to come is the file for old pages
    assert store.checkpoint() is False
    assert store.stats()["wal_bytes"] > 0
    assert read_values(reader.view(file)) == [0] * 12
    assert read_values(store.begin().view(file)) == [1] * 12
    reader.drop()
    assert store.checkpoint() is True


def test_a_damaged_page_is_told_to_the_reader_that_needs_it(tmp_path):
    path = tmp_path / "db"
    store = t.Store(t.posix_env(), str(path))
    file = make_file(store, 12)
    store.close()
    data = bytearray((path / "root" / "t.tbd").read_bytes())
    data[5 * PAGE + 3000] ^= 0x55
    (path / "root" / "t.tbd").write_bytes(data)
    store = t.Store(t.posix_env(), str(path))
    reader = store.begin()
    txn = begin(store)
    free = [page for page in range(1, 13) if page != 5]
    for page in free:
        write_value(txn, file, page, 1)
    txn.commit()
    assert store.checkpoint() is True
    assert [read_value(reader.view(file), page) for page in free] == [0] * 11
    with pytest.raises(RuntimeError, match="Corruption: .*page 5 is damaged"):
        reader.view(file).page(5)


def test_a_dropped_file_stays_for_its_readers(env_and_path):
    env, path = env_and_path
    store = t.Store(env, path)
    file = make_file(store, 5)
    other = make_file(store, 5, "root/u.tbd")
    store.checkpoint()
    reader = store.begin()
    txn = begin(store)
    txn.drop_file(file)
    txn.commit()
    for round_ in range(5):
        commit_values(store, other, [round_ + 1] * 5)
        assert store.checkpoint() is True
    assert read_values(reader.view(file)) == [0] * 5
    assert read_values(reader.view(other)) == [0] * 5


def test_in_memory_an_old_snapshot_keeps_its_pages():
    store = t.Store(t.memory_env(), "db")
    file = make_file(store, 12)
    store.checkpoint()
    reader = store.begin()
    for round_ in range(20):
        commit_values(store, file, [round_ + 1] * 12)
        assert store.checkpoint() is False
    assert read_values(reader.view(file)) == [0] * 12
    assert store.stats()["committed_bytes"] <= 3 * 14 * PAGE  # the newest version of each page, not all twenty
    reader.drop()
    assert store.checkpoint() is True
    assert store.stats()["committed_bytes"] == 0


def test_readers_in_threads_see_one_state_while_pages_are_replaced_under_them(tmp_path):
    store = t.Store(t.posix_env(), str(tmp_path / "db"), segment_bytes=256 * KB)
    file = make_file(store, 30)
    store.checkpoint()
    stop = threading.Event()
    errors = []

    def read():
        try:
            while not stop.is_set():
                view = store.begin().view(file)
                seen = {value for _ in range(20) for value in read_values(view)}
                if len(seen) != 1:
                    errors.append(seen)
        except Exception as error:  # shown by the assertion below
            errors.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for round_ in range(1, 120):
        commit_values(store, file, [round_] * 30)
        store.checkpoint()
    stop.set()
    for thread in threads:
        thread.join()
    assert errors == []
    gc.collect()
    assert store.stats()["preserved_pages"] == 0
    assert os.listdir(tmp_path / "db" / "wal") != []
