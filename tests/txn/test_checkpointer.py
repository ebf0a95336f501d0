"""The checkpoint thread: woken by the log, by memory, by time; its errors are kept and tried again; nobody is held up."""

import os
import time

import pytest
from support.waiting import wait_until

import turdb
from turdb._testing import txn as t

UA = t.USER_AREA_OFFSET
KB, MB = 1 << 10, 1 << 20
PAGE = t.PAGE_BYTES


def put(store, data, synchronous=1):
    txn = store.begin()
    txn.start_writing()
    txn.write(1, 0, UA, data)
    txn.commit(synchronous)


def fill(store, file, value, pages):
    txn = store.begin()
    txn.start_writing()
    for page in pages:
        txn.write(file, page, 100, bytes([value]) * 2000)
    txn.commit(1)


def make_file(store, n):
    txn = store.begin()
    txn.start_writing()
    file, _ = txn.create_file("root/t.tbd")
    txn.extend_zeroed(file, n)
    txn.commit(1)
    return file


def test_the_log_wakes_it(tmp_path):
    store = t.Store(t.posix_env(), str(tmp_path / "db"), background=True, checkpoint_bytes=64 * KB)
    file = make_file(store, 40)
    for value in range(1, 30):
        fill(store, file, value, range(1, 21))
    wait_until(lambda: store.stats()["checkpoints_for_log"] > 0)
    wait_until(lambda: store.stats()["wal_bytes"] < 8 * 64 * KB)
    assert store.stats()["last_checkpoint_error"] == ""
    store.close()
    store = t.Store(t.posix_env(), str(tmp_path / "db"))
    assert store.stats()["recovered_commits"] == 0
    assert store.begin().view(file).page(20)[100:2100] == bytes([29]) * 2000


def test_page_versions_wake_it_though_the_log_is_short(tmp_path):
    store = t.Store(t.posix_env(), str(tmp_path / "db"), background=True, page_cache_bytes=2 * MB)
    txn = store.begin()
    txn.start_writing()
    file, _ = txn.create_file("root/t.tbd")
    txn.extend_direct(file, bytearray(400 * PAGE))
    txn.commit(1)
    for page in range(1, 401):  # a page version of 16 KiB for 8 bytes of log
        txn = store.begin()
        txn.start_writing()
        txn.write(file, page, 100, b"x" * 8)
        txn.commit(1)
    txn.drop()  # it has the last commit as its snapshot
    wait_until(lambda: store.stats()["checkpoints_for_memory"] > 0)
    assert store.stats()["wal_bytes_written"] < MB
    wait_until(lambda: store.stats()["committed_bytes"] <= 2 * MB)
    store.close()


def test_time_wakes_it_once_something_is_committed(tmp_path):
    store = t.Store(t.posix_env(), str(tmp_path / "db"), background=True, checkpoint_interval_ms=100)
    wait_until(lambda: store.stats()["checkpoints_for_time"] == 1)  # the catalog's creation
    time.sleep(0.3)
    assert store.stats()["checkpoints_for_time"] == 1  # nothing new, nothing to do
    put(store, b"abcd")
    wait_until(lambda: store.stats()["checkpoints_for_time"] == 2)
    assert store.stats()["wal_bytes"] == 0
    store.close()


def test_without_the_thread_the_commit_checkpoints():
    store = t.Store(t.fault_env(), "db", background=False, checkpoint_bytes=1, checkpoint_interval_ms=1)
    before = store.stats()["checkpoints"]
    put(store, b"abcd")
    assert store.stats()["checkpoints"] == before + 1


@pytest.mark.parametrize("fault", [t.DISK_FULL, t.IO_ERROR])
def test_an_error_is_kept_shown_and_tried_again(fault):
    env = t.fault_env()
    store = t.Store(env, "db", background=True, checkpoint_interval_ms=300)
    wait_until(lambda: store.stats()["checkpoints_for_time"] == 1)
    put(store, b"abcd", 2)  # synced, so that the checkpoint begins with writing
    env.fail_at(env.calls() + 1, fault, 1 << 40)
    wait_until(lambda: store.stats()["last_checkpoint_error"] != "")
    assert "injected" in store.stats()["last_checkpoint_error"]
    assert not store.is_read_only
    assert store.stats()["checkpoints_for_time"] == 1
    env.fail_at(1 << 60, fault)
    wait_until(lambda: store.stats()["last_checkpoint_error"] == "")  # by itself
    assert store.stats()["checkpoints_for_time"] == 2 and store.stats()["wal_bytes"] == 0
    put(store, b"efgh", 2)
    store.close()
    store = t.Store(env, "db")
    assert store.begin().view(1).page(0)[UA : UA + 4] == b"efgh"


def test_a_reader_and_a_writer_go_on_while_it_runs(tmp_path):
    store = t.Store(
        t.posix_env(), str(tmp_path / "db"), background=True, checkpoint_bytes=64 * KB, segment_bytes=64 * KB
    )
    file = make_file(store, 60)
    fill(store, file, 1, range(1, 61))
    store.checkpoint()
    old = store.begin()
    assert old.view(file).page(7)[100:104] == b"\1" * 4
    for value in range(2, 120):
        fill(store, file, value, range(1, 61))
        assert old.view(file).page(value % 60 + 1)[100:2100] == bytes([1]) * 2000
        assert store.begin().view(file).page(value % 60 + 1)[100:2100] == bytes([value]) * 2000
    stats = store.stats()
    assert stats["wal_bytes_written"] > 10 * MB
    assert stats["wal_bytes"] <= 2 * MB  # bounded, though the old snapshot is still there
    assert stats["snapshots"] >= 1 and stats["preserved_pages"] >= 50
    assert old.view(file).page(60)[100:2100] == bytes([1]) * 2000
    store.close()


def test_commits_do_not_outrun_it(tmp_path):
    store = t.Store(
        t.posix_env(), str(tmp_path / "db"), background=True, checkpoint_bytes=32 * KB, segment_bytes=32 * KB
    )
    file = make_file(store, 30)
    most = 0
    for value in range(200):
        fill(store, file, value % 250, range(1, 31))
        most = max(most, store.stats()["wal_bytes"])
    assert most <= 4 * 32 * KB + 4 * 70 * KB  # the threshold four times, and what single commits add
    store.close()


def test_a_forked_child_has_no_thread_and_ends(tmp_path):
    store = t.Store(t.posix_env(), str(tmp_path / "db"), background=True, checkpoint_interval_ms=50)
    put(store, b"abcd")
    pid = os.fork()
    if pid == 0:
        store.close()
        store.drop()
        os._exit(7)
    end = time.monotonic() + 20
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            break
        assert time.monotonic() < end, "the child hangs"
        time.sleep(0.01)
    assert os.waitstatus_to_exitcode(status) == 7
    put(store, b"efgh")
    store.close()


def test_explicit_checkpoints_by_mode(tmp_path):
    path = tmp_path / "db"
    store = t.Store(t.posix_env(), str(path), segment_bytes=32 * KB)
    file = make_file(store, 30)
    for mode in range(4):
        for value in range(5):
            fill(store, file, value, range(1, 31))
        assert store.checkpoint(mode) is True
        assert store.stats()["wal_bytes"] == 0
    assert "spare" not in os.listdir(path / "wal")  # TRUNCATE gives the disk space back
    writer = store.begin()
    writer.start_writing()
    writer.write(file, 1, 100, b"pending")
    assert store.checkpoint(0) is True  # a writer is not waited for
    writer.commit()
    store.close()


def test_a_forked_child_that_drops_its_connection_ends(tmp_path):
    con = turdb.connect(tmp_path / "db", isolation_level=None)
    con.execute("CREATE TABLE t(a)")
    con.execute("INSERT INTO t VALUES (1)")
    pid = os.fork()
    if pid == 0:
        con.close()
        del con
        os._exit(7)
    wait_until(lambda: has_ended(pid, 7))
    con.execute("INSERT INTO t VALUES (2)")
    assert con.execute("SELECT a FROM t").fetchall() == [(1,), (2,)]


def has_ended(pid, code):
    done, status = os.waitpid(pid, os.WNOHANG)
    assert not done or os.waitstatus_to_exitcode(status) == code
    return bool(done)
