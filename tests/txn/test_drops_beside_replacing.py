"""Files that a checkpoint is about to replace, and others that it has yet to write, are dropped, and their names taken anew.

A checkpoint copies the files that a snapshot of another process reads. Before each of its calls in turn, the snapshot ends,
another transaction drops everything, and a third makes files of the same names. No file may be lost, get the pages of
another, or be left over.
"""

import gc
import itertools

from support.filled_files import begin, filled, make_file, read, write

from turdb._testing import txn as t

OPTIONS = {"checkpoint_bytes": 4 << 10, "segment_bytes": 64 << 10}
NAMES = ["root/a.tbd", "root/b.tbd", "root/c.tbd"]
LATE = "root/late.tbd"  # not on the disk when the checkpoint begins
PAGES = 4


class Race:
    """Does `act` before the n-th call of a checkpoint that replaces files."""

    def __init__(self, env, n, act):
        self.n, self.act = n, act
        self.calls = self.copies = 0
        self.done_at = self.error = None
        env.watch(self)

    def __call__(self, operation, path):
        if self.done_at is not None or self.error is not None:
            return
        self.copies += operation == "make a second name for"
        if self.copies == 0 or (operation, path) == ("create", f"db/{LATE}"):  # made under the lock that the act would take
            return
        self.calls += 1
        if self.calls == self.n:
            self.done_at = operation
            try:
                self.act()
            except BaseException as error:  # it must not pass through the store
                self.error = error
        elif operation == "rename":
            self.copies -= 1  # the last has its place: what comes then is as in any checkpoint


class Database:
    def __init__(self):
        self.env = t.fault_env()
        self.writer = t.Store(self.env, "db", **OPTIONS)
        self.files = [make_file(self.writer, PAGES, name) for name in NAMES]
        self.writer.checkpoint()
        self.reader = t.Store(self.env, "db", read_only=True)
        snapshot = self.reader.begin()
        self.held = [snapshot, [snapshot.view(file) for file in self.files]]

    def change_until_replaced(self):
        """Commits until a checkpoint has replaced files, or has met the race."""
        for round_ in range(2, 20):
            if len(self.files) == len(NAMES):
                self.add_late_file()
            txn = begin(self.writer)
            for file in self.files:
                write(txn, file, 1000 * round_, range(1, PAGES + 1))
            txn.commit(1)
            if self.writer.stats()["files_replaced"] or not self.held:
                return

    def add_late_file(self):
        txn = begin(self.writer)
        file, _ = txn.create_file(LATE)
        txn.extend_zeroed(file, PAGES)
        txn.commit(1)
        self.files.append(file)

    def drop_and_make_anew(self):
        self.held.clear()
        txn = begin(self.writer)
        for file in self.files:
            txn.drop_file(file)
        txn.commit(2)
        self.made = {}
        for i, name in enumerate([*NAMES, LATE]):
            txn = begin(self.writer)
            file, path = txn.create_file(name)
            first = txn.extend_direct(file, filled(7000 + i, 1, PAGES))
            assert first == 1
            txn.commit(2)
            self.made[file] = path, [7000 + i] * PAGES

    def check(self, store):
        snapshot = store.begin()
        for file, (path, values) in self.made.items():
            view = snapshot.view(file)
            assert view.path == path
            view.verify()
            assert read(view) == values

    def check_everything(self):
        for store in (self.writer, self.reader):
            self.check(store)
        self.reader.drop()
        for value in (1, 2):  # the first may still have to give up what the checkpoint had kept
            txn = begin(self.writer)
            txn.write(1, 0, t.USER_AREA_OFFSET, bytes([value]))
            txn.commit(2)
            self.writer.checkpoint()
        names = sorted(path.split("/")[1] for path, _ in self.made.values())
        assert self.env.list("db/root") == names
        assert not [name for name in self.env.list("db/wal") if name.startswith("old.")]
        self.check(self.writer)
        self.writer.close()
        assert self.env.list("db/root") == names
        self.check(t.Store(self.env, "db", read_only=True))


def test_dropped_and_made_anew_at_every_call():
    met = []
    for n in itertools.count(1):
        database = Database()
        race = Race(database.env, n, database.drop_and_make_anew)
        database.change_until_replaced()
        database.env.watch(None)
        if race.error is not None:
            raise race.error
        if race.done_at is None:
            break
        gc.collect()
        database.check_everything()
        met.append(race.done_at)
    assert met.count("make a second name for") >= len(NAMES) and met.count("rename") >= len(NAMES), met
