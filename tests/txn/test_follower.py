"""A store that reads beside one that writes: what it sees, what the writer may do meanwhile, and loss of power.

The two stores stand for two processes: they share nothing but the file system and turdb.readers.
"""

import random

import pytest

from turdb._testing import txn as t

UA = t.USER_AREA_OFFSET
KB = 1024


@pytest.fixture(params=["posix", "fault"])
def place(request, tmp_path):
    return (t.posix_env(), str(tmp_path / "db")) if request.param == "posix" else (t.fault_env(), "db")


def put(store, data, file=1, page=0, synchronous=2):
    txn = store.begin()
    txn.start_writing()
    txn.write(file, page, UA, data)
    txn.commit(synchronous)
    return txn.snapshot_lsn


def create(store, path, pages=1, data=b"new!"):
    txn = store.begin()
    txn.start_writing()
    file, chosen = txn.create_file(path)
    for _ in range(pages):
        txn.write(file, txn.allocate(file), UA, data)
    txn.commit()
    return file, chosen


def drop(store, file):
    txn = store.begin()
    txn.start_writing()
    txn.drop_file(file)
    txn.commit()


def get(store_or_txn, n=4, file=1, page=0):
    txn = store_or_txn.begin() if hasattr(store_or_txn, "begin") else store_or_txn
    return txn.view(file).page(page)[UA : UA + n]


def open_both(place, **options):
    writer = t.Store(*place, **options)
    put(writer, b"0000")
    return writer, t.Store(*place, read_only=True)


@pytest.mark.parametrize("synchronous", [0, 1, 2])
def test_every_commit_is_seen_once_it_returned(place, synchronous):
    writer, reader = open_both(place, segment_bytes=4 * KB)
    for i in range(100):
        put(writer, b"%04d" % i, synchronous=synchronous)
        assert get(reader) == b"%04d" % i
        assert reader.last_commit_lsn == writer.last_commit_lsn


def test_a_snapshot_stays_as_it_is(place):
    writer, reader = open_both(place)
    old = reader.begin()
    view = old.view(1)
    for i in range(1, 5):
        put(writer, b"%04d" % i)
        assert get(reader) == b"%04d" % i
        assert writer.checkpoint() is True  # the old snapshot is from before the file was on the disk: it has all its pages in memory
        assert get(old) == view.page(0)[UA : UA + 4] == b"0000"
    version = old.file_version(1)
    old.refresh()
    assert old.file_version(1) > version
    assert get(old) == b"0004"
    assert view.page(0)[UA : UA + 4] == b"0000"


def test_a_checkpoint_writes_what_no_other_process_reads_behind(place):
    writer, reader = open_both(place)
    assert writer.checkpoint() is True  # nobody has a snapshot
    old = reader.begin()
    assert writer.stats()["reading_processes"] == 1
    lsn = put(writer, b"1111")
    stats = writer.stats()
    assert 0 < stats["oldest_reader_lsn"] < lsn and stats["oldest_reader_pid"] > 0
    assert writer.checkpoint() is False
    put(writer, b"2222")
    newer = reader.begin()
    put(writer, b"3333")
    assert writer.checkpoint() is False
    del old
    # The state kept at the first attempt is written although a newer snapshot is in the way of the newest one.
    before = writer.stats()
    assert writer.checkpoint() is False
    assert writer.stats()["checkpoints"] == before["checkpoints"] + 1
    assert get(newer) == b"2222"
    del newer
    assert writer.checkpoint() is True
    assert writer.stats()["wal_bytes"] == 0
    assert get(reader) == b"3333"
    assert reader.begin().view(1).is_flat  # what the files show now needs no memory


def test_idle_reader_holds_nothing_back_and_comes_back(place):
    writer, reader = open_both(place, segment_bytes=4 * KB)
    file, _ = create(writer, "root/t.tbd", pages=3)
    for round_ in range(5):
        for i in range(round_ * 10):
            put(writer, b"%d%03d" % (round_, i), file=file, page=1 + i % 3)
        if round_ % 2:
            assert writer.checkpoint() is True
        for page in range(4):
            assert reader.begin().view(file).page(page) == writer.begin().view(file).page(page)


def test_moves_within_a_page_are_made_once(place):
    """A reader that was away goes on from pages that a checkpoint wrote meanwhile, which have some of what it reads already."""
    writer, reader = open_both(place)
    file, _ = create(writer, "root/t.tbd")
    model = random.Random(1).randbytes(8000)
    assert get(reader, file=file, page=1) == b"new!"

    def shift():
        nonlocal model
        logged = writer.stats()["wal_bytes_written"]
        model = model[:100] + random.Random(len(model)).randbytes(1) + model[100:-1]
        put(writer, model, file=file, page=1)
        return writer.stats()["wal_bytes_written"] - logged

    put(writer, model, file=file, page=1)
    assert writer.checkpoint() is True
    assert get(reader, len(model), file=file, page=1) == model
    other = t.Store(*place, read_only=True)
    behind = other.begin()
    assert shift() < 1000  # so it was logged as a move
    shift()
    assert writer.checkpoint() is False  # keeps this state, to write it when it can
    shift()
    newer = other.begin()
    shift()
    before = writer.stats()["checkpoints"]
    del behind
    writer.checkpoint()
    assert writer.stats()["checkpoints"] == before + 1
    assert get(reader, len(model), file=file, page=1) == model
    shift()
    assert get(reader, len(model), file=file, page=1) == model
    del newer
    assert get(other, len(model), file=file, page=1) == model


def test_created_grown_and_dropped_files(place):
    writer, reader = open_both(place)
    env, path = place
    file, name = create(writer, "root/t.tbd")
    assert get(reader, file=file, page=1) == b"new!"
    txn = writer.begin()
    txn.start_writing()
    first = txn.extend_direct(file, bytearray(random.Random(1).randbytes(t.PAGE_BYTES * 70)))
    txn.commit()
    assert reader.begin().view(file).page(first + 69)[64:] == writer.begin().view(file).page(first + 69)[64:]
    put(writer, b"abcd", file=file, page=first + 3)  # a delta of a page that never was in the log
    assert get(reader, file=file, page=first + 3) == b"abcd"
    reader.begin().view(file).verify()
    old = reader.begin()  # has not looked at the file yet
    drop(writer, file)
    put(writer, b"5555")
    assert env.list(path + "/root") == [name.split("/")[1]]
    old.view(file).verify()
    assert get(old, file=file, page=first + 3) == b"abcd"
    with pytest.raises(RuntimeError, match="no file with id"):
        reader.begin().view(file)
    del old
    put(writer, b"6666")
    assert env.list(path + "/root") == []
    again, same = create(writer, "root/t.tbd", data=b"2nd!")
    assert same == name and again != file
    assert get(reader, file=again, page=1) == b"2nd!"


def test_failed_and_rolled_back_transactions_are_not_seen():
    env = t.fault_env()
    writer, reader = open_both((env, "db"), segment_bytes=4 * KB)
    rng = random.Random(3)
    failed = 0
    for i in range(60):
        file = None
        if i % 3 == 0:
            env.fail_at(env.calls() + 1 + rng.randrange(4), rng.choice([t.IO_ERROR, t.DISK_FULL]))
        try:
            txn = writer.begin()
            txn.start_writing()
            for _ in range(rng.randrange(1, 3)):
                txn.write(1, 0, UA, b"%04d" % i)
            file, _ = txn.create_file("root/t.tbd")
            for _ in range(3):
                txn.write(file, txn.allocate(file), 200, rng.randbytes(12000))  # more than a segment
            txn.commit(1)
            drop(writer, file)
        except RuntimeError:
            failed += 1
            if writer.is_read_only:
                break
        assert get(reader) == get(writer)
    assert failed > 0


def test_a_commit_whose_sync_failed_is_not_seen():
    env = t.fault_env()
    writer, reader = open_both((env, "db"))
    env.fail_syncs(True)
    with pytest.raises(RuntimeError, match="Io"):
        put(writer, b"1111")
    assert get(reader) == get(writer) == b"0000"
    assert get(t.Store(env, "db", read_only=True)) == b"0000"


def test_clean_close_and_further_writers(place):
    writer, reader = open_both(place)
    idle = t.Store(*place, read_only=True)
    old = reader.begin()
    put(writer, b"1111")
    writer.close()  # the log stays: a snapshot is older
    assert get(old) == b"0000"
    assert get(reader) == get(idle) == b"1111"
    for i in range(4):
        writer = t.Store(*place)
        put(writer, b"w%03d" % i)
        if i == 2:
            del old
        assert get(reader) == b"w%03d" % i
        writer.close()
        if i != 1:
            assert get(idle) == b"w%03d" % i
        assert get(t.Store(*place, read_only=True)) == b"w%03d" % i


def test_reader_before_the_first_writer(place):
    t.Store(*place).close()
    reader = t.Store(*place, read_only=True)
    empty = reader.begin().view(1).page(0)
    writer = t.Store(*place)
    assert reader.begin().view(1).page(0) == empty
    put(writer, b"1111")
    assert get(reader) == b"1111"


def test_writer_dies_and_another_recovers():
    env = t.fault_env()
    rng = random.Random(5)
    writer, reader = open_both((env, "db"), segment_bytes=16 * KB)
    files = [create(writer, f"root/{i}.tbd", pages=4)[0] for i in range(3)]
    writer.checkpoint()
    held = [(reader.begin(), b"0000")]
    for round_ in range(40):
        for _ in range(rng.randrange(1, 6)):
            put(writer, rng.randbytes(4), file=rng.choice(files), page=rng.randrange(1, 5), synchronous=1)
        put(writer, b"%04d" % round_)
        if rng.random() < 0.5:
            held.append((reader.begin(), b"%04d" % round_))
        if rng.random() < 0.5:
            held.pop(rng.randrange(len(held))) if held else None
        # It dies somewhere in a checkpoint.
        env.fail_at(env.calls() + 1 + rng.randrange(40), t.IO_ERROR, n=1000)
        try:
            writer.checkpoint()
        except RuntimeError:
            pass
        env.kill_process()
        writer.drop()
        assert get(reader) == b"%04d" % round_
        late = t.Store(env, "db", read_only=True)
        assert get(late) == b"%04d" % round_
        writer = t.Store(env, "db", segment_bytes=16 * KB)
        for txn, expected in held:
            assert get(txn) == expected
            for file in files:
                txn.view(file).verify()
        for file in files:
            for page in range(5):
                expected = writer.begin().view(file).page(page)[64:]
                assert reader.begin().view(file).page(page)[64:] == expected
                assert late.begin().view(file).page(page)[64:] == expected


@pytest.mark.parametrize("seed", range(15))
def test_power_loss_with_readers(seed):
    """What the table of readers held is garbage afterwards; readers before and after a writer are right all the same."""
    env = t.fault_env()
    rng = random.Random(seed)
    t.Store(env, "db").close()
    acknowledged, begun = 0, 0  # commits that must be there, commits that may be
    for round_ in range(6):
        if round_:
            reader = t.Store(env, "db", read_only=True)
            found = int(get(reader))
            assert acknowledged <= found <= begun
            reader.drop()
        writer = t.Store(env, "db", segment_bytes=8 * KB)
        begun = int(get(writer)) if round_ else 0
        assert round_ == 0 or begun == found
        reader = t.Store(env, "db", read_only=True)
        env.fail_at(env.calls() + 1 + rng.randrange(60), t.POWER_LOSS)
        try:
            for _ in range(30):
                synchronous = rng.choice([1, 2, 2])
                begun += 1
                put(writer, b"%04d" % begun, synchronous=synchronous)
                acknowledged = begun if synchronous == 2 else acknowledged
                assert int(get(reader)) == begun
                if rng.random() < 0.2:
                    writer.checkpoint()
        except RuntimeError:
            pass
        env.cut_power()
        reader.drop()
        writer.drop()
        env.restart(rng.randrange(1 << 30))
    assert acknowledged > 0


def test_too_many_readers_are_told(tmp_path):
    env, path = t.fault_env(), "db"
    t.Store(env, path).close()
    readers = [t.Store(env, path, read_only=True) for _ in range(252)]
    with pytest.raises(RuntimeError, match="Busy: more than 252 processes"):
        t.Store(env, path, read_only=True)
    readers.pop().drop()
    assert get(t.Store(env, path, read_only=True)) == b"\0\0\0\0"


def test_on_a_network_file_system_readers_and_writers_exclude_each_other():
    env = t.fault_env()
    env.set_on_network(True)
    writer = t.Store(env, "db")
    put(writer, b"1111")
    with pytest.raises(RuntimeError, match="Busy: .*reading beside it needs the right to write 'db/turdb.readers'"):
        t.Store(env, "db", read_only=True)
    writer.close()
    readers = [t.Store(env, "db", read_only=True) for _ in range(2)]
    with pytest.raises(RuntimeError, match="Busy"):
        t.Store(env, "db")
    for reader in readers:
        assert get(reader) == b"1111"
        reader.close()
    writer = t.Store(env, "db")
    put(writer, b"2222")
    assert writer.checkpoint() is True
