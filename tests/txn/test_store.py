"""Opening, locking, reading beside a writer, snapshots over checkpoints, failing disks, forks."""

import os
import subprocess
import sys
import threading

import pytest

from turdb._testing import txn as t

UA = t.USER_AREA_OFFSET


def put(store, data, file=1, synchronous=2):
    txn = store.begin()
    txn.start_writing()
    txn.write(file, 0, UA, data)
    txn.commit(synchronous)


def get(store_or_txn, n=4, file=1):
    txn = store_or_txn.begin() if hasattr(store_or_txn, "begin") else store_or_txn
    return txn.view(file).page(0)[UA : UA + n]


def test_clean_close_leaves_no_log(tmp_path):
    path = tmp_path / "db"
    store = t.Store(t.posix_env(), str(path))
    put(store, b"abcd")
    store.close()
    assert sorted(os.listdir(path / "wal")) in ([], ["doublewrite"])
    store = t.Store(t.posix_env(), str(path))
    assert store.stats()["recovered_commits"] == 0
    assert get(store) == b"abcd"


def test_second_writer_is_told_who_holds_the_lock(tmp_path):
    path = str(tmp_path / "db")
    store = t.Store(t.posix_env(), path)
    with pytest.raises(RuntimeError, match="Busy: .*open in this process already"):
        t.Store(t.posix_env(), path, lock_timeout_ms=10)
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            t.Store(t.posix_env(), path, lock_timeout_ms=10)
        except RuntimeError as error:
            status = 0 if f"being written by process {os.getppid()}" in str(error) else 2
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0
    store.close()
    t.Store(t.posix_env(), path).close()


def test_fork_is_refused_and_harmless(tmp_path):
    path = str(tmp_path / "db")
    store = t.Store(t.posix_env(), path)
    put(store, b"abcd")
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            store.begin().view(1)
        except RuntimeError as error:
            status = 0 if "Misuse" in str(error) and "fork()" in str(error) else 2
        finally:
            store.drop()
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0
    put(store, b"efgh")
    assert get(store) == b"efgh"
    with pytest.raises(RuntimeError, match="Busy"):
        t.Store(t.posix_env(), path, lock_timeout_ms=10)
    store.close()


def test_read_only_replays_without_writing(tmp_path):
    path = str(tmp_path / "db")
    store = t.Store(t.posix_env(), path)
    put(store, b"abcd")

    def contents():
        return {
            os.path.join(folder, name): open(os.path.join(folder, name), "rb").read()
            for folder, _, names in os.walk(path)
            for name in names
            if name != "turdb.readers"
        }

    before = contents()
    reader = t.Store(t.posix_env(), path, read_only=True)
    assert reader.is_read_only
    assert get(reader) == b"abcd"
    with pytest.raises(RuntimeError, match="ReadOnly: .*opened read-only"):
        reader.begin().start_writing()
    reader.close()
    assert contents() == before
    with pytest.raises(RuntimeError, match="no such directory"):
        t.Store(t.posix_env(), str(tmp_path / "absent"), read_only=True)
    store.close()


def test_long_reader_keeps_its_snapshot_over_checkpoints():
    store = t.Store(t.memory_env(), "db")
    put(store, b"aaaa")
    store.checkpoint()
    reader = store.begin()
    view = reader.view(1)
    put(store, b"bbbb")
    put(store, b"cccc")
    assert store.checkpoint() is False  # the reader holds the log back
    assert view.page(0)[UA : UA + 4] == b"aaaa"
    del reader  # the view alone keeps it, too
    assert store.checkpoint() is False
    assert view.page(0)[UA : UA + 4] == b"aaaa"
    del view
    assert store.checkpoint() is True
    assert store.stats()["wal_bytes"] == 0
    assert get(store) == b"cccc"
    assert store.begin().view(1).is_flat


def test_checkpoint_beside_a_writer():
    store = t.Store(t.memory_env(), "db")
    put(store, b"aaaa")
    writer = store.begin()
    writer.start_writing()
    writer.write(1, 0, UA + 4, b"more")
    assert store.checkpoint() is True
    writer.commit()
    assert get(store, 8) == b"aaaamore"
    assert store.checkpoint() is True
    assert get(store, 8) == b"aaaamore"


def test_dropped_file_lives_as_long_as_a_snapshot(tmp_path):
    path = tmp_path / "db"
    store = t.Store(t.posix_env(), str(path))
    writer = store.begin()
    writer.start_writing()
    file, _ = writer.create_file("root/a.tbd")
    writer.extend_direct(file, bytearray(b"x" * t.PAGE_BYTES))
    writer.commit()
    store.checkpoint()
    reader = store.begin()
    writer = store.begin()
    writer.start_writing()
    writer.drop_file(file)
    writer.commit()
    assert not (path / "root" / "a.tbd").exists()
    assert reader.view(file).page(1)[100:104] == b"xxxx"
    with pytest.raises(RuntimeError, match="no file with id"):
        store.begin().view(file)
    writer = store.begin()
    writer.start_writing()
    assert writer.create_file("root/a.tbd") == (file + 1, "root/a.tbd")
    writer.rollback()
    del reader
    store.close()
    store = t.Store(t.posix_env(), str(path))
    with pytest.raises(RuntimeError, match="no file with id"):
        store.begin().view(file)


def test_close_with_open_snapshots():
    env = t.fault_env()
    store = t.Store(env, "db")
    put(store, b"aaaa")
    reader = store.begin()
    view = reader.view(1)
    put(store, b"bbbb")
    store.close()
    assert view.page(0)[UA : UA + 4] == b"aaaa"
    with pytest.raises(RuntimeError, match="Misuse: .*is closed"):
        reader.view(1)
    with pytest.raises(RuntimeError, match="Misuse: .*is closed"):
        store.begin().start_writing()
    store.drop()
    del reader
    assert get(t.Store(env, "db")) == b"bbbb"
    assert view.page(0)[UA : UA + 4] == b"aaaa"


def test_failed_sync_makes_the_store_read_only():
    env = t.fault_env()
    store = t.Store(env, "db")
    put(store, b"aaaa")
    env.fail_syncs(True)
    with pytest.raises(RuntimeError, match="cannot sync"):
        put(store, b"bbbb")
    env.fail_syncs(False)
    with pytest.raises(RuntimeError, match="ReadOnly: .*read-only until it is reopened: cannot sync"):
        put(store, b"cccc")
    assert store.is_read_only
    assert get(store) == b"aaaa"
    store.close()
    store = t.Store(env, "db")
    assert get(store) in (b"aaaa", b"bbbb")
    put(store, b"dddd")
    assert get(store) == b"dddd"


def test_full_disk_rolls_back_and_work_goes_on():
    env = t.fault_env()
    store = t.Store(env, "db")
    put(store, b"aaaa")
    env.fail_at(env.calls() + 1, t.DISK_FULL, 1)  # the write of the log: what was begun is taken back
    with pytest.raises(RuntimeError, match="DiskFull"):
        put(store, b"bbbb")
    assert get(store) == b"aaaa"
    put(store, b"dddd")
    env.fail_at(env.calls() + 1, t.DISK_FULL, 1_000_000)
    with pytest.raises(RuntimeError, match="DiskFull"):
        put(store, b"bbbb")
    # A full disk that fails a sync, too, leaves nobody knowing what is on it.
    with pytest.raises(RuntimeError, match="DiskFull|ReadOnly"):
        put(store, b"bbbb")
    assert get(store) == b"dddd"
    env.fail_at(0, t.DISK_FULL, 0)
    store.close()
    store = t.Store(env, "db")
    put(store, b"cccc")
    assert get(store) == b"cccc"
    store.close()
    assert get(t.Store(env, "db")) == b"cccc"


def test_concurrent_committers_share_syncs_and_lose_nothing(tmp_path):
    path = str(tmp_path / "db")
    store = t.Store(t.posix_env(), path, checkpoint_bytes=20_000)
    n_threads, n_commits = 6, 40
    setup = store.begin()
    setup.start_writing()
    setup.create_file("root/a.tbd")
    setup.extend_zeroed(2, n_threads)
    setup.commit()
    failures = []

    def work(thread):
        try:
            for i in range(1, n_commits + 1):
                txn = store.begin()
                txn.start_writing(60_000)
                before = int.from_bytes(txn.view(1).page(0)[UA : UA + 4], "little")
                txn.write(1, 0, UA, (before + 1).to_bytes(4, "little"))
                txn.write(2, 1 + thread, 100, i.to_bytes(4, "little"))
                txn.commit(2 if i % 4 else 1)
                view = store.begin().view(2)  # one's own commit is seen at once
                assert int.from_bytes(view.page(1 + thread)[100:104], "little") == i
        except BaseException as error:
            failures.append(error)

    def read():
        last = 0
        while not done.is_set():
            txn = store.begin()
            total = int.from_bytes(get(txn), "little")
            view = txn.view(2)
            parts = [int.from_bytes(view.page(1 + i)[100:104], "little") for i in range(n_threads)]
            if sum(parts) != total or total < last:
                failures.append(AssertionError((parts, total, last)))
            last = total

    done = threading.Event()
    readers = [threading.Thread(target=read) for _ in range(2)]
    writers = [threading.Thread(target=work, args=(i,)) for i in range(n_threads)]
    for thread in readers + writers:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in readers:
        thread.join()
    assert not failures, failures[0]
    total = n_threads * n_commits
    stats = store.stats()
    assert stats["syncs"] < total
    store.drop()
    store = t.Store(t.posix_env(), path)
    assert int.from_bytes(get(store), "little") == total


def test_no_permission(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may do everything")
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(RuntimeError, match="ReadOnly: .*Permission denied"):
        t.Store(t.posix_env(), str(folder / "db"))


def test_store_survives_interpreter_exit_without_close(tmp_path):
    code = (
        "from turdb._testing import txn as t\n"
        f"store = t.Store(t.posix_env(), {str(tmp_path / 'db')!r})\n"
        "w = store.begin(); w.start_writing(); w.write(1, 0, t.USER_AREA_OFFSET, b'abcd'); w.commit()\n"
        "r = store.begin()\n"
    )
    env = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    subprocess.run([sys.executable, "-c", code], check=True, env=env)
    assert get(t.Store(t.posix_env(), str(tmp_path / "db"))) == b"abcd"
