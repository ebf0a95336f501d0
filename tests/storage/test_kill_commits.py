"""SIGKILL a committing process at random moments, many times: every acknowledged commit is there, whole, nothing else.

The short form runs in CI; TURDB_KILLS=2000 runs the long one.
"""

import os
import random
import signal
import time

import pytest

from turdb._testing import txn as t

UA = t.USER_AREA_OFFSET
OPTIONS = dict(checkpoint_bytes=30_000, segment_bytes=20_000, lock_timeout_ms=2000)
KILLS = int(os.environ.get("TURDB_KILLS", "80"))


def number(data):
    return int.from_bytes(data, "little")


def counter(txn):
    return number(txn.view(1).page(0)[UA : UA + 8])


def direct_page(n):
    return bytearray(n.to_bytes(8, "little") * (t.PAGE_BYTES // 8))


def commit(store, n, synchronous):
    """Commit n: the counter, a page of A, a page of B, every fifth time two new direct pages, every ninth a file."""
    txn = store.begin()
    txn.start_writing()
    if n == 1:
        assert [txn.create_file(f"root/{name}.tbd")[0] for name in "abc"] == [2, 3, 4]
        txn.extend_zeroed(2, 20)
        txn.extend_zeroed(3, 7)
    txn.write(1, 0, UA, n.to_bytes(8, "little"))
    txn.write(2, 1 + n % 20, 1000, n.to_bytes(8, "little") * 50)
    txn.write(3, 1 + n % 7, 9000, n.to_bytes(8, "little") * 4)
    if n % 5 == 0:
        txn.extend_direct(4, direct_page(n) * 2)
    if n % 9 == 0:
        txn.create_file("root/temporary.tbd")
    txn.commit(synchronous)


def verify(store):
    txn = store.begin()
    try:
        n = counter(txn)
    except RuntimeError:
        n = 0
    if n == 0:
        return 0
    a, b, c = (txn.view(f) for f in (2, 3, 4))
    for view, modulus, offset, times in ((a, 20, 1000, 50), (b, 7, 9000, 4)):
        for residue in range(modulus):
            newest = n - (n - residue) % modulus
            expected = newest.to_bytes(8, "little") * times if newest > 0 else bytes(8 * times)
            assert view.page(1 + residue)[offset : offset + 8 * times] == expected
    assert c.page_count == 1 + 2 * (n // 5)
    for i in range(max(0, n // 5 - 20), n // 5):
        for page in (1 + 2 * i, 2 + 2 * i):
            assert c.page(page)[16:] == bytes(direct_page(5 * (i + 1)))[16:]
    return n


def child(path, pipe, synchronous):
    store = t.Store(t.posix_env(), path, **OPTIONS)
    n = verify(store)
    while True:
        n += 1
        commit(store, n, synchronous)
        os.write(pipe, n.to_bytes(8, "little"))


@pytest.mark.parametrize("synchronous", [1, 2], ids=["normal", "full"])
def test_kill_at_random_moments(tmp_path, synchronous):
    path = str(tmp_path / "db")
    rng = random.Random(synchronous)
    acknowledged = under_way = 0  # each child may leave one commit that it could not acknowledge any more
    for _ in range(max(1, KILLS // 2)):
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                os.close(reading)
                child(path, writing, synchronous)
            finally:
                os._exit(status)
        os.close(writing)
        time.sleep(rng.random() * 0.06)
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        assert os.WIFSIGNALED(status), "the child failed by itself"
        with os.fdopen(reading, "rb") as acks:
            data = acks.read()
        under_way += 1
        if data:
            acknowledged, under_way = number(data[-8:]), 1
        if rng.random() < 0.3:
            store = t.Store(t.posix_env(), path, **OPTIONS)
            n = verify(store)
            assert acknowledged <= n <= acknowledged + under_way
            acknowledged, under_way = n, 0
            if rng.random() < 0.5:
                store.close()
            del store
    store = t.Store(t.posix_env(), path, **OPTIONS)
    assert acknowledged <= verify(store) <= acknowledged + under_way
    assert acknowledged > 0
