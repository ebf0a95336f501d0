"""Values too long for their leaf: pieces that share pages, what becomes of the room they leave, and damage to it."""

import random
import struct

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from support.pages import OVERFLOW_PIECES, ROW_LEAF, DataFile
from support.trees import MACHINE, TreeMachine

import turdb
from turdb._testing import btree as b

PAGE = 16384
WHOLE = PAGE - 24  # bytes of a value in a whole page
LENGTHS = st.one_of(
    st.integers(4001, 5000),
    st.integers(4001, 3 * WHOLE),
    st.sampled_from([WHOLE - 256, WHOLE - 255, WHOLE - 1, WHOLE, WHOLE + 1, WHOLE + 16_344, 2 * WHOLE, 2 * WHOLE + 1]),
)


def value_of(length, seed):
    return random.Random(seed).randbytes(length)


def fill(con, lengths, first=0):
    con.execute("begin")
    con.executemany("insert into t values (?, ?)", [(first + i, value_of(n, i)) for i, n in enumerate(lengths)])
    con.execute("commit")


def pages_in_use(con):
    con.execute("pragma wal_checkpoint")
    return con.execute("pragma page_count").fetchone()[0] - con.execute("pragma freelist_count").fetchone()[0]


def check(con):
    assert con.execute("pragma integrity_check").fetchall() == [("ok",)]


@pytest.fixture
def con(tmp_path):
    with turdb.connect(tmp_path / "t.turdb", isolation_level=None) as con:
        con.execute("pragma auto_vacuum = none")
        con.execute("pragma synchronous = off")
        con.execute("create table t (id integer primary key, v blob)")
    yield con
    con.close()


def check_tree(tree, model):
    findings, used = tree.check()
    assert findings == []
    assert used + tree.free_count() + 1 == tree.page_count()
    assert dict(tree.walk()) == model


class LongValues(TreeMachine):
    """A row tree of long values."""

    new_tree = b.RowTree
    check = staticmethod(check_tree)
    seed = 0

    def put(self, key, length):
        self.seed += 1
        row = [value_of(length, self.seed)]
        assert (self.tree.update if key in self.model else self.tree.insert)(key, row)
        self.model[key] = row

    @rule(first=st.integers(0, 40), n=st.integers(1, 30), lengths=st.lists(LENGTHS, min_size=1, max_size=3))
    def put_many(self, first, n, lengths):
        for i in range(n):
            self.put(first + i, lengths[i % len(lengths)])

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def erase(self, data):
        self.erase_all([self.any_key(data, 0)])

    @rule()
    def erase_everything(self):
        self.erase_all(list(self.model))
        assert self.tree.page_count() - self.tree.free_count() == 2  # header and root


LongValues.TestCase.settings = MACHINE
TestLongValues = LongValues.TestCase


@pytest.mark.parametrize("length", [4001, 4100, 6000, 9000, 12_000, 15_000, 17_000, 33_000, 100_000])
def test_a_value_takes_little_more_than_its_bytes(con, length):
    empty = pages_in_use(con)
    count = 4_000_000 // length
    fill(con, [length] * count)
    assert (pages_in_use(con) - empty) * PAGE < 1.03 * length * count
    check(con)


def test_room_of_deleted_values_is_used_again(con):
    lengths = [random.Random(1).randrange(4001, 20_000) for _ in range(400)]
    fill(con, lengths)
    full = pages_in_use(con)
    for turn in range(5):
        con.execute("delete from t where id % 3 = ?", (turn % 3,))
        check(con)
        fill_up = [(i, value_of(lengths[(i + turn) % 400], i)) for i in range(400) if i % 3 == turn % 3]
        con.executemany("insert into t values (?, ?)", fill_up)
    check(con)
    assert pages_in_use(con) < 1.05 * full


def test_room_is_seen_and_vacuumed(con):
    fill(con, [5000] * 600)
    query = "select max(dead_bytes) from turdb_catalog.storage where dead_bytes is not null"
    assert con.execute(query).fetchone()[0] < PAGE
    con.execute("delete from t where id % 2 = 0")
    assert con.execute(query).fetchone()[0] > 600 * 5000 * 0.4
    before = pages_in_use(con)
    con.execute("vacuum")
    assert pages_in_use(con) < 0.6 * before
    assert con.execute(query).fetchone()[0] < PAGE
    check(con)
    assert con.execute("select v from t where id = 599").fetchone()[0] == value_of(5000, 599)


def test_snapshots_keep_what_others_overwrite(con, tmp_path):
    fill(con, [5000, 7000, 9000] * 20)
    with turdb.connect(tmp_path / "t.turdb", isolation_level=None) as reader:
        reader.execute("begin")
        before = reader.execute("select id, v from t").fetchall()
        con.execute("update t set v = randomblob(length(v) + 100)")
        con.execute("delete from t where id % 2 = 0")
        fill(con, [8000] * 40, 1000)
        con.execute("pragma wal_checkpoint")
        assert reader.execute("select id, v from t").fetchall() == before
        reader.execute("rollback")
    reader.close()
    check(con)


def test_rollback_and_savepoints_give_the_room_back(con):
    empty = pages_in_use(con)
    fill(con, [5000] * 50)
    used = pages_in_use(con)
    con.execute("begin")
    con.execute("delete from t where id < 25")
    con.execute("savepoint s")
    con.execute("update t set v = randomblob(9000)")
    con.execute("rollback to s")
    assert con.execute("select count(*), sum(length(v)) from t").fetchone() == (25, 25 * 5000)
    con.execute("rollback")
    check(con)
    assert pages_in_use(con) == used
    con.execute("delete from t")
    assert pages_in_use(con) == empty


def test_keys_of_any_length(con):
    con.execute("create table k (name text primary key, n integer) without rowid")
    con.execute("create index by_v on t (v)")
    rng = random.Random(5)
    names = [f"{rng.random()}" * rng.randrange(1, 1500) for _ in range(150)]
    con.executemany("insert into k values (?, ?)", [(name, i) for i, name in enumerate(names)])
    fill(con, [rng.randrange(1900, 30_000) for _ in range(150)])
    check(con)
    for i, name in enumerate(names):
        assert con.execute("select n from k where name = ?", (name,)).fetchall() == [(i,)]
        found = con.execute("select id from t indexed by by_v where v = (select v from t where id = ?)", (i,))
        assert found.fetchall() == [(i,)]
    con.execute("delete from k where n % 2 = 0")
    con.execute("delete from t where id % 2 = 1")
    check(con)
    assert [row[0] for row in con.execute("select name from k order by name")] == sorted(names[1::2])


@pytest.mark.leaves_damage
@pytest.mark.parametrize(
    ("offset", "kind", "value"),
    [
        (16, "I", 1), (16, "I", 10**6), (24, "H", 40), (24, "H", 16384), (24, "H", 65535), (26, "H", 9), (28, "B", 0), (28, "B", 33),
        (28, "B", 255), (29, "B", 0), (29, "B", 9), (32, "H", 0), (32, "H", 16380), (34, "H", 0), (34, "H", 4), (34, "H", 65535),
        (36, "H", 33),
    ],
)  # fmt: skip
def test_damage_is_told(con, tmp_path, offset, kind, value):
    fill(con, [5000] * 40)
    con.close()
    file = DataFile(tmp_path / "t.turdb" / "root" / "t.tbd")
    file.put(file.of_kind(OVERFLOW_PIECES)[1], offset, kind, value)
    file.save()
    with turdb.connect(tmp_path / "t.turdb", isolation_level=None) as con:
        assert con.execute("pragma integrity_check").fetchall() != [("ok",)]
        try:
            assert con.execute("select id, v from t").fetchall() == [(i, value_of(5000, i)) for i in range(40)]
        except turdb.DatabaseError as error:
            assert "page" in str(error)
        for sql in ("update t set v = randomblob(4500)", "delete from t where id > 0"):
            try:
                con.execute(sql)
            except turdb.DatabaseError as error:
                assert "page" in str(error)
    con.close()


@pytest.mark.leaves_damage
def test_pieces_in_a_circle(con, tmp_path):
    """One byte each and a length of 4 GiB: the links of the chain were listed without end."""
    fill(con, [5000] * 40)
    con.close()
    file = DataFile(tmp_path / "t.turdb" / "root" / "t.tbd")
    page = file.of_kind(OVERFLOW_PIECES)[1]
    reference, length = struct.pack("<I", 2**31 + 32 * page + 1), struct.pack("<I", 5000)
    leaf = next(leaf for leaf in file.of_kind(ROW_LEAF) if reference in file.pages[leaf])
    at = file.pages[leaf].index(reference)
    length_at = file.pages[leaf].index(length, at - 4)
    assert abs(length_at - at) == 4
    file.put(leaf, length_at, "I", 2**32 - 1)
    file.put(page, 32 + 4 * 1 + 2, "H", 4 + 1)
    offset = file.u16(page, 32 + 4 * 1)
    file.pages[page][offset : offset + 4] = reference
    file.save()
    with turdb.connect(tmp_path / "t.turdb", isolation_level=None) as con:
        findings = con.execute("pragma integrity_check").fetchall()
        assert any(f"page {page} does not fit its overflow chain" in line for (line,) in findings)
        errors = []
        for rowid in range(40):
            try:
                con.execute("delete from t where id = ?", (rowid,))
            except turdb.DatabaseError as error:
                errors.append(str(error))
        assert any("does not fit its overflow chain" in error for error in errors)
    con.close()


@pytest.mark.leaves_damage
def test_a_leaf_that_denies_its_long_values(con, tmp_path):
    """A batch of such a leaf gave out the reference as if it were the address of the bytes."""
    fill(con, [5000] * 40)
    con.close()
    file = DataFile(tmp_path / "t.turdb" / "root" / "t.tbd")
    for leaf in file.of_kind(ROW_LEAF):
        file.put(leaf, 40 + 3, "B", file.pages[leaf][40 + 3] & ~2)
    file.save()
    with turdb.connect(tmp_path / "t.turdb", isolation_level=None) as con:
        assert con.execute("select id, v from t").fetchall() == [(i, value_of(5000, i)) for i in range(40)]
        con.execute("update t set id = id + 1000")
        assert con.execute("select id, v from t").fetchall() == [(i + 1000, value_of(5000, i)) for i in range(40)]
    con.close()
