"""The roles of processes that share a store, below SQL: one that writes, ones that take snapshots and keep them.

``python store_processes.py ROLE PATH SEED`` runs until killed or until PATH/../stop exists. Page 0 of the catalog's file says which
files there are and which number each of their pages holds; all of it changes in one commit, so every snapshot can be checked
whole. The writer minds that neither its log nor its page versions grow beyond what the data are large.
"""

import gc
import random
import struct
import time

from support.filled_files import PAGE, filled, write
from support.role import Side, play
from turdb._testing import txn as t

UA = t.USER_AREA_OFFSET
KB = 1 << 10
FILES = 4
LAYOUT = struct.Struct("<Q" + "IQ" * FILES)  # commit number; of each file its id and the number in its pages
OPTIONS = {"checkpoint_bytes": 16 * KB, "segment_bytes": 64 * KB}


def heading(txn):
    n, *rest = LAYOUT.unpack(txn.view(1).page(0)[UA : UA + LAYOUT.size])
    return n, list(zip(rest[::2], rest[1::2], strict=True))


def check(txn):
    """Every page of every file holds what the heading says; returns the heading."""
    n, files = heading(txn)
    for file, number in files:
        view = txn.view(file)
        for page in range(1, view.page_count):
            body = view.page(page)
            expected = (number + page).to_bytes(8, "little")
            assert body[64:576] == expected * 64 and body[PAGE - 8 :] == expected, f"page {page} of file {file} at {n}"
    return n, files


def fill(txn, file, number):
    write(txn, file, number, range(1, txn.view(file).page_count))


def open_store(path, **options):
    return t.Store(t.posix_env(), path, lock_timeout_ms=30000, **options)


def write_heading(txn, n, files):
    txn.write(1, 0, UA, LAYOUT.pack(n, *(x for each in files for x in each)))


def make_file(txn, i, pages, number):
    file, _ = txn.create_file(f"root/{i}.tbd")
    txn.extend_zeroed(file, pages)
    fill(txn, file, number)
    return file, number


def create(path):
    store = open_store(path)
    txn = store.begin()
    txn.start_writing()
    write_heading(txn, 1, [make_file(txn, i, 3 + 6 * i, 1000) for i in range(FILES)])
    txn.commit(2)
    store.close()


class Writer:
    def __init__(self, path, seed):
        self.side, self.rng = Side(path), random.Random(seed)
        self.store = open_store(path, background=True, **OPTIONS)

    def run(self):
        while not self.side.is_stopped():
            self.side.acknowledge(self.transaction())
            if self.rng.random() < 0.05:
                self.store.checkpoint()
            if self.rng.random() < 0.05:
                self.check_bounds()
        self.store.close()

    def check_bounds(self):
        stats, view = self.store.stats(), self.store.begin()
        data = sum(view.view(file).page_count * PAGE for file, _ in heading(view)[1])
        # With what is written while a reader is stopped in the moment of loading, which holds everything back for seconds.
        assert stats["wal_bytes"] <= data + (48 << 20), stats
        assert stats["committed_bytes"] <= 4 * data + (48 << 20), stats

    def transaction(self):
        rng = self.rng
        txn = self.store.begin()
        txn.start_writing()
        n, files = heading(txn)
        n += 1
        for i in rng.sample(range(FILES), rng.randrange(1, FILES + 1)):
            file, number = files[i]
            kind = rng.random()
            if kind < 0.02:
                txn.drop_file(file)
                files[i] = make_file(txn, i, rng.randrange(1, 30), n * 1000)
                continue
            if kind < 0.05 and txn.view(file).page_count < 60:
                self.extend(txn, file, number)
            if kind > 0.95 and txn.view(file).page_count < 60:
                txn.extend_zeroed(file, rng.randrange(1, 8))
            fill(txn, file, n * 1000)
            files[i] = file, n * 1000
        write_heading(txn, n, files)
        if rng.random() < 0.05:
            txn.rollback()
            return n - 1
        txn.commit(rng.choice([0, 1, 1, 2]))
        return n

    def extend(self, txn, file, number):
        txn.extend_direct(file, filled(number, txn.view(file).page_count, self.rng.randrange(1, 8)))


class Reader:
    def __init__(self, path, seed):
        self.side, self.rng, self.path = Side(path), random.Random(seed), path
        self.seen = self.checks = 0
        self.store = open_store(path, read_only=True)

    def snapshot(self):
        acknowledged = self.side.acknowledged()
        txn = self.store.begin()
        n, _ = heading(txn)
        assert n >= max(acknowledged, self.seen), f"sees commit {n}, after {acknowledged} and {self.seen}"
        self.seen = n
        return txn

    def run(self):
        while not self.side.is_stopped():
            txn = self.snapshot()
            assert check(txn)[0] == self.seen
            self.checks += 1
            del txn
            if self.rng.random() < 0.02:
                self.store.close()
                self.store = open_store(self.path, read_only=True)
            time.sleep(self.rng.random() * 0.01)
        self.store.close()
        print(self.checks, self.seen)


class Holder(Reader):
    """Holds up to a number of snapshots, each for up to some seconds; looks at some files only at the end."""

    def run(self):
        held = []
        while not self.side.is_stopped():
            if len(held) < 5 and self.rng.random() < 0.5:
                txn = self.snapshot()
                content = check(txn) if self.rng.random() < 0.5 else None
                held.append((time.monotonic() + self.rng.expovariate(0.5), txn, self.seen, content))
            for end, txn, n, content in held:
                now = heading(txn) if self.rng.random() < 0.5 and end > time.monotonic() else check(txn)
                assert now[0] == n and content in (None, now), "a held snapshot has changed"
                self.checks += 1
            held = [each for each in held if each[0] > time.monotonic()]
            txn = None
            gc.collect()
            time.sleep(self.rng.random() * 0.05)
        del held
        gc.collect()
        self.store.close()
        print(self.checks, self.seen)


if __name__ == "__main__":
    play(writer=Writer, reader=Reader, holder=Holder)
