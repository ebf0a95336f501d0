"""Old snapshots of other processes: they show what they showed, and neither the log nor the writer's memory grows for them.

The stores stand for processes: they share nothing but the file system and turdb.readers.
"""

import gc
import itertools
import random

import pytest
from support.filled_files import PAGE, begin, fill, make_file, read, write

from turdb._testing import txn as t

KB, MB = 1 << 10, 1 << 20


@pytest.fixture(params=["posix", "fault"])
def place(request, tmp_path):
    return (t.posix_env(), str(tmp_path / "db")) if request.param == "posix" else (t.fault_env(), "db")


SMALL = {"checkpoint_bytes": 32 * KB, "segment_bytes": 64 * KB}
TINY = {"checkpoint_bytes": 4 * KB, "segment_bytes": 64 * KB}


@pytest.mark.parametrize("has_view", [True, False])
def test_a_held_snapshot_bounds_log_and_memory(place, has_view):
    writer = t.Store(*place, **SMALL)
    file = make_file(writer, 40)
    assert writer.checkpoint() is True
    reader, fresh = (t.Store(*place, read_only=True) for _ in range(2))
    old = reader.begin()
    early = old.view(file) if has_view else None  # else the file is opened only after it was replaced
    for round_ in range(2, 60):
        fill(writer, file, 1000 * round_, range(1, 41))
        writer.checkpoint()
        assert read(fresh.begin().view(file)) == read(writer.begin().view(file)) == [1000 * round_] * 40
        stats = writer.stats()
        assert stats["wal_bytes"] <= 41 * PAGE  # a quarter of the file is reached, and then some rounds
        assert stats["committed_bytes"] <= 3 * 41 * PAGE  # of the newest state, and of one that waits to be written
    stats = writer.stats()
    assert stats["files_replaced"] == stats["replaced_files"] == 1  # once
    assert 40 * PAGE < stats["replaced_file_bytes"] <= 44 * PAGE
    assert read(old.view(file)) == [1000] * 40
    if early is not None:
        assert read(early) == [1000] * 40
    del early, old
    gc.collect()
    fill(writer, file, 77, [1])
    assert writer.checkpoint() is True
    assert writer.stats()["replaced_files"] == writer.stats()["replaced_file_bytes"] == writer.stats()["wal_bytes"] == 0
    assert not [name for name in place[0].list(place[1] + "/wal") if name.startswith("old.")]
    assert read(reader.begin().view(file))[0] == read(fresh.begin().view(file))[0] == 77


@pytest.mark.parametrize("seed", range(6))
def test_many_snapshots_of_several_processes(place, seed):
    """Each sees its own state, whatever is replaced, dropped, created, held and let go meanwhile."""
    rng = random.Random(seed)
    writer = t.Store(*place, page_cache_bytes=rng.choice([64 * KB, MB]), **TINY)
    files = {make_file(writer, rng.randrange(1, 8), f"root/{i}.tbd"): None for i in range(4)}
    readers = [t.Store(*place, read_only=True) for _ in range(3)]
    held = []

    def content(txn):
        return {file: read(txn.view(file)) for file in files}

    for step in range(250):
        action = rng.random()
        file = rng.choice(list(files))
        if action < 0.5:
            pages = writer.begin().view(file).page_count
            fill(writer, file, 1000 * step, rng.sample(range(1, pages), rng.randrange(1, pages)))
        elif action < 0.55:
            txn = begin(writer)
            txn.drop_file(file)
            txn.commit(1)
            del files[file]
            files[make_file(writer, rng.randrange(1, 8), f"root/{rng.randrange(3)}.tbd")] = None
        elif action < 0.57:
            txn = begin(writer)
            first = txn.extend_zeroed(file, rng.randrange(1, 4))
            write(txn, file, step * 1000, range(first, txn.view(file).page_count))
            txn.commit(1)
        elif action < 0.6:
            txn = begin(writer)
            first = txn.extend_direct(file, bytearray(PAGE * rng.randrange(1, 20)))
            if rng.random() < 0.5:
                txn.write(file, first, 64, bytes(512))
            txn.commit(1) if rng.random() < 0.8 else txn.rollback()
        elif action < 0.75:
            writer.checkpoint()
        elif action < 0.9 or not held:
            store = rng.choice([*readers, writer])
            txn = store.begin()
            held.append((txn, content(writer.begin()), dict(files), store))
            if rng.random() < 0.5:
                assert content(txn) == held[-1][1]
        elif action < 0.97:
            held.pop(rng.randrange(len(held)))
        else:
            i = rng.randrange(len(readers))
            held = [each for each in held if each[3] is not readers[i]]
            readers[i].close()
            readers[i] = t.Store(*place, read_only=True)
        for txn, expected, known, _ in rng.sample(held, min(3, len(held))):
            assert {file: read(txn.view(file)) for file in known} == expected
    for txn, expected, known, _ in held:
        assert {file: read(txn.view(file)) for file in known} == expected
    assert writer.stats()["files_replaced"] > 0
    assert content(readers[0].begin()) == content(writer.begin())
    held.clear()
    del txn
    gc.collect()
    for _ in range(3):
        fill(writer, next(iter(files)), 5, [1])
        writer.checkpoint()
    assert writer.stats()["replaced_files"] == 0


def test_more_snapshots_than_there_are_words_for(place):
    """Of one process; past them it claims everything, which holds checkpoints back but is never wrong."""
    writer = t.Store(*place, **TINY)
    file = make_file(writer, 3)
    reader = t.Store(*place, read_only=True)
    held = []
    for i in range(40):
        fill(writer, file, 1000 * i, [1, 2, 3])
        held.append((reader.begin(), [1000 * i] * 3))
        writer.checkpoint()
    for txn, expected in held:
        assert read(txn.view(file)) == expected
    rng = random.Random(1)
    while held:
        held.pop(rng.randrange(len(held)))
        fill(writer, file, 7, [2])
        writer.checkpoint()
        for txn, expected in held:
            assert read(txn.view(file)) == expected
        txn = None
    assert writer.checkpoint() is True
    assert writer.stats()["wal_bytes"] == 0


def test_bulk_loads_and_replacing_exclude_each_other(place):
    """Pages written directly are in the file that is there at their commit, and old snapshots do not meet them."""
    writer = t.Store(*place, **TINY)
    file = make_file(writer, 4)
    other = make_file(writer, 30, "root/u.tbd")
    reader = t.Store(*place, read_only=True)
    old = reader.begin()
    bulk = begin(writer)
    body = bytearray(random.Random(1).randbytes(PAGE * 10))
    first = bulk.extend_direct(file, body)
    writer.checkpoint()  # what is committed waits, or is replaced, but not under the load
    bulk.commit()
    for i in range(30):
        fill(writer, other, i * 1000, range(1, 31))
        fill(writer, file, i * 1000, range(1, 5))
        writer.checkpoint()
    assert writer.stats()["files_replaced"] > 0
    for page in range(10):
        assert writer.begin().view(file).page(first + page)[64:] == body[page * PAGE + 64 : (page + 1) * PAGE]
        assert reader.begin().view(file).page(first + page)[64:] == body[page * PAGE + 64 : (page + 1) * PAGE]
    assert read(old.view(file)) == [1000] * 4
    late = begin(writer)  # begun on a state whose file is replaced before it writes
    late.view(file)
    newer = reader.begin()
    late.commit()
    assert newer.view(file).page_count == first + 10


def test_files_are_replaced_for_a_state_that_readers_loaded(place):
    """The first checkpoint of a writer is of the state it recovered, which readers know already."""
    writer = t.Store(*place, segment_bytes=64 * KB)
    file = make_file(writer, 8)
    writer.checkpoint()
    first = t.Store(*place, read_only=True)
    old = first.begin()
    for i in range(2, 30):
        fill(writer, file, 1000 * i, range(1, 9))
    if place[1] == "db":
        place[0].kill_process()
    writer.close() if place[1] != "db" else writer.drop()  # the log stays, for the snapshot
    writer = t.Store(*place, **TINY)
    second = t.Store(*place, read_only=True)
    assert read(second.begin().view(file)) == [29000] * 8
    writer.checkpoint()
    for i in range(30, 35):
        assert read(second.begin().view(file)) == read(t.Store(*place, read_only=True).begin().view(file)) == [1000 * (i - 1)] * 8
        fill(writer, file, 1000 * i, range(1, 9))
        writer.checkpoint()
    assert writer.stats()["files_replaced"] > 0
    assert read(second.begin().view(file)) == [34000] * 8
    assert read(old.view(file)) == [1000] * 8


@pytest.mark.parametrize("seed", range(8))
def test_the_writer_dies_while_files_are_replaced(seed):
    env = t.fault_env()
    rng = random.Random(seed)
    writer = t.Store(env, "db", **TINY)
    files = [make_file(writer, 5, f"root/{i}.tbd") for i in range(3)]
    reader = t.Store(env, "db", read_only=True)
    readers, held, replaced = [reader], [], 0

    def content(store):
        txn = store.begin()
        return txn, [read(txn.view(file)) for file in files]

    for _ in range(25):
        if rng.random() < 0.5 or not held:
            held.append((reader.begin(), content(writer)[1]))
        if rng.random() < 0.3:
            held.pop(rng.randrange(len(held)))
        for _ in range(rng.randrange(4, 15)):
            fill(writer, rng.choice(files), rng.randrange(1 << 40), range(1, 6))
        env.fail_at(env.calls() + 1 + rng.randrange(60), rng.choice([t.IO_ERROR, t.DISK_FULL]), n=rng.choice([1, 1000]))
        try:
            writer.checkpoint()
        except RuntimeError:
            pass
        replaced += writer.stats()["files_replaced"]
        expected = content(writer)[1]
        env.kill_process()
        writer.drop()
        late = t.Store(env, "db", read_only=True)
        readers.append(late)
        assert content(reader)[1] == content(late)[1] == expected
        held.append((late.begin(), expected))
        if rng.random() < 0.5:
            reader = late
        writer = t.Store(env, "db", **TINY)
        assert content(writer)[1] == content(reader)[1] == expected
        for txn, values in held:
            assert [read(txn.view(file)) for file in files] == values
    assert replaced > 0
    held.clear()
    del txn
    gc.collect()
    for each in readers:
        each.drop()
    writer.close()
    t.Store(env, "db").close()
    assert not [name for name in env.list("db/wal") if name.startswith("old.")]
    assert len(env.list("db/root")) == 3


@pytest.mark.parametrize("seed", range(12))
def test_power_is_lost_while_files_are_replaced(seed):
    env = t.fault_env()
    rng = random.Random(seed)
    writer = t.Store(env, "db", **TINY)
    files = [make_file(writer, 4, f"root/{i}.tbd") for i in range(2)]
    writer.checkpoint()
    acknowledged, replaced = 1, 0  # what make_file put in
    for _ in range(8):
        reader = t.Store(env, "db", read_only=True)
        old = reader.begin()
        before = [read(old.view(file)) for file in files]
        env.fail_at(env.calls() + 1 + rng.randrange(250), t.POWER_LOSS)
        n = acknowledged
        try:
            for n in range(acknowledged + 1, acknowledged + 12):
                txn = begin(writer)
                for file in files:
                    write(txn, file, n * 1000, range(1, 5))
                txn.commit(2)
                acknowledged = n
                writer.checkpoint()
                assert [read(old.view(file)) for file in files] == before
        except RuntimeError:
            pass
        replaced += writer.stats()["files_replaced"]
        env.cut_power()
        del old
        reader.drop()
        writer.drop()
        env.restart(rng.randrange(1 << 30))
        if rng.random() < 0.5:
            late = t.Store(env, "db", read_only=True)
            late.begin().view(files[0]).verify()
            late.drop()
        writer = t.Store(env, "db", **TINY)
        values = {value for file in files for value in read(writer.begin().view(file))}
        assert len(values) == 1
        found = values.pop() // 1000
        assert found in (acknowledged, n)
        acknowledged = found
    assert replaced > 0


@pytest.mark.parametrize("seed", range(3))
def test_power_is_lost_after_the_process_that_replaced_files_died(seed):
    """It died at one of its calls; the next one writes to the files that it found, and what that promises must not rest on
    names that the dead one had not come to sync."""
    replaced = 0
    for call in itertools.count(1):
        env = t.fault_env()
        writer = t.Store(env, "db", **TINY)
        file = make_file(writer, 4)
        writer.checkpoint()
        reader = t.Store(env, "db", read_only=True)
        old = reader.begin()
        old.view(file)
        last_call = env.calls() + call
        env.fail_at(last_call, t.IO_ERROR, n=1 << 30)
        try:
            for n in range(2, 20):
                fill(writer, file, 1000 * n, range(1, 5))
        except RuntimeError as error:
            assert "injected" in str(error) or "read-only until" in str(error), error
        replaced += writer.stats()["files_replaced"]
        is_over = env.calls() < last_call
        env.kill_process()
        del old
        reader.drop()
        writer.drop()
        writer = t.Store(env, "db", **TINY)
        fill(writer, file, 9000, range(1, 5), synchronous=2)
        assert writer.checkpoint() is True
        env.cut_power()
        writer.drop()
        env.restart(1000 * seed + call)
        assert read(t.Store(env, "db").begin().view(file)) == [9000] * 4, call
        if is_over:
            break
    assert replaced > 0
