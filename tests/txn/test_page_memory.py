"""The cache size bounds memory: page versions past it spill to a nameless file, in every way a transaction can go on or fail."""

import os
import random
import subprocess
import sys
import textwrap

import pytest
from support.sanitizer import measures_memory

from turdb._testing import txn as t

UA = t.USER_AREA_OFFSET
MB = 1 << 20
PAGE = t.PAGE_BYTES


def begin(store):
    txn = store.begin()
    txn.start_writing()
    return txn


def make_file(store, n):
    """A file of n more pages; page i begins its body with i."""
    txn = begin(store)
    file, _ = txn.create_file("root/t.tbd")
    txn.extend_direct(file, bytearray(b"".join(stamp(i + 1, 0) + bytes(PAGE - 80) for i in range(n))))
    txn.commit()
    return file


def stamp(page, value):
    return bytes(16) + page.to_bytes(8, "little") * 4 + value.to_bytes(8, "little") * 4


def set_page(txn, file, page, value):
    txn.write(file, page, 48, value.to_bytes(8, "little") * 4)


def value_of(view, page):
    body = view.page(page)
    assert body[16:48] == page.to_bytes(8, "little") * 4
    return int.from_bytes(body[48:56], "little")


def values(view):
    return [value_of(view, page) for page in range(1, view.page_count)]


def test_a_transaction_many_times_the_cache_commits(tmp_path):
    path = str(tmp_path / "db")
    store = t.Store(t.posix_env(), path, page_cache_bytes=MB)
    file = make_file(store, 1500)
    txn = begin(store)
    pages = list(range(1, 1501))
    random.Random(1).shuffle(pages)
    for page in pages:
        set_page(txn, file, page, page + 7)
    stats = store.stats()
    assert stats["cache_bytes"] <= stats["cache_limit_bytes"] == MB
    assert stats["spilled_bytes"] >= 1400 * PAGE
    assert stats["spill_file_bytes"] >= stats["spilled_bytes"]
    assert values(txn.view(file)) == [page + 7 for page in range(1, 1501)]
    txn.commit()
    txn.drop()
    assert values(store.begin().view(file)) == [page + 7 for page in range(1, 1501)]
    store.checkpoint()
    stats = store.stats()
    assert stats["spilled_bytes"] == stats["committed_bytes"] == 0
    assert stats["spill_file_bytes"] <= 4 * MB  # a little is kept for the next time
    store.close()
    assert os.listdir(os.path.join(path, "wal")) == []
    store = t.Store(t.posix_env(), path)
    assert values(store.begin().view(file)) == [page + 7 for page in range(1, 1501)]


def test_savepoints_and_rollback_of_spilled_pages(tmp_path):
    store = t.Store(t.posix_env(), str(tmp_path / "db"), page_cache_bytes=0)
    file = make_file(store, 200)
    rng = random.Random(2)
    model = {page: 0 for page in range(1, 201)}
    for _ in range(6):
        txn = begin(store)
        private, saved = dict(model), []
        for _ in range(400):
            kind = rng.random()
            if kind < 0.9:
                page = rng.randrange(1, 201)
                private[page] = rng.randrange(1 << 40)
                set_page(txn, file, page, private[page])
            elif kind < 0.95 or not saved:
                saved.append((txn.savepoint(), dict(private)))
            else:
                depth, private = saved[-1][0], dict(saved[-1][1])
                txn.rollback_to(depth)
        assert values(txn.view(file)) == [private[page] for page in range(1, 201)]
        if rng.random() < 0.5:
            txn.commit()
            model = private
        else:
            txn.rollback()
        assert values(store.begin().view(file)) == [model[page] for page in range(1, 201)]
        if rng.random() < 0.5:
            store.checkpoint()
    txn.drop()
    store.checkpoint()
    assert store.stats()["spilled_bytes"] == 0


def test_recovery_of_more_than_the_cache_spills(tmp_path):
    path, copy = str(tmp_path / "db"), str(tmp_path / "copy")
    store = t.Store(t.posix_env(), path, checkpoint_bytes=1 << 40, page_cache_bytes=1 << 40)
    file = make_file(store, 500)
    for start in range(1, 501, 50):
        txn = begin(store)
        for page in range(start, start + 50):
            set_page(txn, file, page, page * 3)
        txn.commit()
    subprocess.run(["cp", "-r", path, copy], check=True)
    store.close()
    for read_only in (True, False):
        store = t.Store(t.posix_env(), copy, read_only=read_only, page_cache_bytes=MB)
        stats = store.stats()
        assert stats["recovered_commits"] > 10
        assert stats["cache_bytes"] <= MB and stats["spilled_bytes"] >= 400 * PAGE
        assert values(store.begin().view(file)) == [page * 3 for page in range(1, 501)]
        store.close()


@pytest.mark.parametrize("fault", [t.DISK_FULL, t.IO_ERROR])
def test_a_spill_that_fails_fails_the_change_and_nothing_else(fault):
    env = t.fault_env()
    store = t.Store(env, "db", page_cache_bytes=64 * 1024)
    file = make_file(store, 300)
    txn = begin(store)
    for page in range(1, 101):
        set_page(txn, file, page, 5)
    depth = txn.savepoint()
    env.fail_at(env.calls() + 1, fault, 1000)
    changed = []
    with pytest.raises(RuntimeError, match="DiskFull|Io") as error:
        for page in range(101, 301):
            set_page(txn, file, page, 6)
            changed.append(page)
    assert "spill" in str(error.value)
    assert value_of(txn.view(file), changed[-1] + 1) == 0  # the page that failed is as it was
    txn.rollback_to(depth)
    env.fail_at(1 << 60, fault)
    for page in range(101, 301):  # there is room again
        set_page(txn, file, page, 7)
    txn.commit()
    expected = [5] * 100 + [7] * 200
    assert values(store.begin().view(file)) == expected
    txn = begin(store)
    env.fail_at(env.calls() + 1, fault, 1000)
    with pytest.raises(RuntimeError, match="DiskFull|Io"):
        for _ in range(2):
            for page in range(1, 301):
                set_page(txn, file, page, 8)
            txn.savepoint()
    txn.rollback()
    env.fail_at(1 << 60, fault)
    assert values(store.begin().view(file)) == expected
    store.close()
    store = t.Store(env, "db")
    assert values(store.begin().view(file)) == expected


def test_spilling_switched_off_uses_memory(tmp_path):
    store = t.Store(t.posix_env(), str(tmp_path / "db"), page_cache_bytes=MB)
    file = make_file(store, 200)
    store.set_spilling(False)
    txn = begin(store)
    for page in range(1, 201):
        set_page(txn, file, page, 1)
    stats = store.stats()
    assert stats["spilled_bytes"] == 0 and stats["cache_bytes"] >= 200 * PAGE
    txn.commit()


def test_a_database_in_memory_has_nothing_to_spill_to():
    store = t.Store(t.memory_env(), "db", page_cache_bytes=MB)
    file = make_file(store, 200)
    txn = begin(store)
    for page in range(1, 201):
        set_page(txn, file, page, 1)
    txn.commit()
    assert store.stats()["spilled_bytes"] == 0
    assert values(store.begin().view(file)) == [1] * 200


def test_a_forked_child_leaves_spilled_pages_alone(tmp_path):
    store = t.Store(t.posix_env(), str(tmp_path / "db"), page_cache_bytes=0)
    file = make_file(store, 300)
    txn = begin(store)
    for page in range(1, 301):
        set_page(txn, file, page, 9)
    pid = os.fork()
    if pid == 0:
        txn.drop()  # lets go of every version
        store.drop()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert values(txn.view(file)) == [9] * 300
    txn.commit()
    assert values(store.begin().view(file)) == [9] * 300
    store.close()


SCATTERED = """
import random, sys
from turdb._testing import txn as t

def anonymous():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("RssAnon"))

store = t.Store(t.posix_env(), sys.argv[1], page_cache_bytes=1 << 20)
txn = store.begin()
txn.start_writing()
file, _ = txn.create_file("root/t.tbd")
for _ in range(10):
    txn.extend_direct(file, bytearray(640 * t.PAGE_BYTES))
txn.commit()
pages = list(range(1, 6401))
random.Random(3).shuffle(pages)
before = most = anonymous()
txn = store.begin()
txn.start_writing()
for i, page in enumerate(pages):
    txn.write(file, page, 5000, page.to_bytes(8, "little"))
    if i % 64 == 0:
        most = max(most, anonymous())
most = max(most, anonymous())
txn.commit()
most = max(most, anonymous())
txn.drop()
store.checkpoint()
most = max(most, anonymous())
view = store.begin().view(file)
assert all(view.page(page)[5000:5008] == page.to_bytes(8, "little") for page in pages)
print(most - before)
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs /proc")
@measures_memory
def test_anonymous_memory_stays_within_the_cache_size(tmp_path):
    """100 MiB of scattered changes with 1 MiB of cache: what is not backed by a file stays small."""
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCATTERED), str(tmp_path / "db")],
        capture_output=True,
        text=True,
        check=True,
    )
    fixed = 8 * MB  # page tables and headers of 6,400 versions, buffers of the log and of the checkpoint
    assert int(run.stdout) <= MB + fixed


SPILLS = """
import sys, time
from turdb._testing import txn as t

store = t.Store(t.posix_env(), sys.argv[1], page_cache_bytes=0)
txn = store.begin()
txn.start_writing()
file, _ = txn.create_file("root/t.tbd")
txn.extend_zeroed(file, 500)
assert store.stats()["spilled_bytes"] >= 499 * t.PAGE_BYTES
print("spilled", flush=True)
time.sleep(60)
"""


def test_nothing_spilled_is_left_after_a_crash(tmp_path):
    path = tmp_path / "db"
    process = subprocess.Popen([sys.executable, "-c", SPILLS, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "spilled\n"
    process.kill()
    process.wait()
    assert sorted(os.listdir(path / "wal")) == ["wal.000001"] and os.listdir(path / "root") == []
    assert t.Store(t.posix_env(), str(path)).stats()["spill_file_bytes"] == 0
