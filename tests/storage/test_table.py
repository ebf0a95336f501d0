"""Tables without SQL: rows, rowids, indexes, ranges, bulk append; every history against a Python dict."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turdb._testing import table

BINARY, NOCASE, RTRIM = 0, 1, 2
MAX = 2**63 - 1


def rank(cell, collation=BINARY):
    """A sort key with SQLite's order between storage classes."""
    if cell is None:
        return (0, 0)
    if isinstance(cell, (int, float)):
        return (1, cell)
    if isinstance(cell, str):
        if collation == NOCASE:
            cell = "".join(c.lower() if c.isascii() else c for c in cell)
        if collation == RTRIM:
            cell = cell.rstrip(" ")
        return (2, cell.encode())
    return (3, cell)


def same(a, b):
    """Equal with equal types: 1 and 1.0 are different cells."""
    return len(a) == len(b) and all(x == y and type(x) is type(y) for x, y in zip(a, b))


@pytest.fixture
def txn():
    return table.Database().begin()


# --- rowids -----------------------------------------------------------------------------------------


def test_rowids_follow_the_largest(txn):
    table.create_table(txn, "t", [("a", "")])
    writer = table.Writer(txn, "t")
    assert writer.next_rowid() == 1
    assert writer.try_insert(-5, [0]) is None
    assert writer.next_rowid() == -4
    assert writer.try_insert(10, [0]) is None
    assert writer.next_rowid() == 11
    assert writer.delete(10)
    assert writer.next_rowid() == -4
    assert writer.try_insert(MAX, [0]) is None
    assert 0 < writer.next_rowid() < MAX


def test_autoincrement_never_goes_back_and_rolls_back(txn):
    table.create_table(txn, "t", [("id", "INTEGER"), ("a", "")], rowid_alias=0, autoincrement=True)
    writer = table.Writer(txn, "t")
    assert writer.next_rowid() == 1
    assert writer.try_insert(41, [None, 0]) is None
    assert writer.delete(41)
    assert writer.next_rowid() == 42
    assert table.sequence(txn, "t") == 41
    savepoint = txn.savepoint()
    assert writer.try_insert(100, [None, 0]) is None
    assert table.sequence(txn, "t") == 100
    txn.rollback_to(savepoint)
    assert table.sequence(txn, "t") == 41
    writer = table.Writer(txn, "t")
    assert writer.try_insert(MAX, [None, 0]) is None
    with pytest.raises(RuntimeError, match="DiskFull: table 't' has no rowid left"):
        writer.next_rowid()


def test_the_alias_shows_the_rowid(txn):
    table.create_table(txn, "t", [("a", ""), ("id", "INTEGER")], rowid_alias=1)
    table.create_index(txn, "t", "by_id", [(1, True, BINARY)])
    writer = table.Writer(txn, "t")
    for rowid in (3, 1, 2):
        assert writer.try_insert(rowid, [rowid * 10, None]) is None
    assert table.scan(txn, "t", [1, 0, table.ROWID]) == [(1, 10, 1), (2, 20, 2), (3, 30, 3)]
    assert table.look_up(txn, "t", [1], 2) == (2,)
    assert table.scan_index(txn, "t", "by_id", [1, 0]) == [(3, 30), (2, 20), (1, 10)]
    writer.update(2, 7, [20, None], [False, True])
    assert table.scan_index(txn, "t", "by_id", [1]) == [(7,), (3,), (1,)]
    assert table.check(txn, "t") == []


# --- constraints ---------------------------------------------------------------------------------------


def test_conflicts_and_their_messages(txn):
    table.create_table(txn, "t", [("id", "INTEGER"), ("a", ""), ("b", "")], rowid_alias=0)
    table.create_index(txn, "t", "u", [(1, False, BINARY), (2, False, NOCASE)], unique=True)
    table.create_table(txn, "plain", [("a", "")])
    writer = table.Writer(txn, "t")
    assert writer.try_insert(1, [None, 1, "x"]) is None
    assert writer.try_insert(1, [None, 2, "y"]) == (None, 1, b"")
    assert writer.try_insert(2, [None, 1.0, "X"]) == ("u", 1, b"")
    assert writer.try_insert(2, [None, None, "X"]) is None
    assert writer.try_insert(3, [None, None, "X"]) is None  # NULLs are distinct
    assert writer.find_conflict(9, [None, 1, "x"]) == ("u", 1, b"")
    assert writer.find_conflict(9, [None, 1, "x"], replacing=1) is None
    assert writer.find_conflict(3, [None, 5, "x"]) == (None, 3, b"")
    assert writer.error_of("u") == "UNIQUE constraint failed: t.a, t.b"
    assert writer.error_of("") == "UNIQUE constraint failed: t.id"
    assert table.Writer(txn, "plain").error_of("") == "UNIQUE constraint failed: plain.rowid"
    assert table.count(txn, "t") == 3
    assert table.check(txn, "t") == []


def test_a_unique_index_over_duplicates_is_refused(txn):
    table.create_table(txn, "t", [("a", ""), ("b", "")])
    writer = table.Writer(txn, "t")
    for i in range(1000):
        assert writer.try_insert(i, [i % 999, i]) is None
    table.create_index(txn, "t", "u", [(0, False, BINARY)], unique=True)
    with pytest.raises(RuntimeError, match="Constraint: UNIQUE constraint failed: t.a"):
        table.build_index(txn, "t", "u")


def test_append_into_a_unique_index_finds_conflicts(txn):
    table.create_table(txn, "t", [("a", "")])
    table.create_index(txn, "t", "u", [(0, False, BINARY)], unique=True)
    table.append(txn, "t", 3, None, [[5, 6, 7]])
    savepoint = txn.savepoint()
    for values in ([6, 8], [9, 9]):
        with pytest.raises(RuntimeError, match="Constraint: UNIQUE constraint failed: t.a"):
            table.append(txn, "t", 2, None, [values])
        txn.rollback_to(savepoint)
    with pytest.raises(RuntimeError, match="Constraint: UNIQUE constraint failed: t.rowid"):
        table.append(txn, "t", 2, [3, 4], [[10, 11]])
    txn.rollback_to(savepoint)
    assert table.scan(txn, "t", [table.ROWID, 0]) == [(1, 5), (2, 6), (3, 7)]
    assert table.check(txn, "t") == []


# --- scans ----------------------------------------------------------------------------------------------


CELLS = st.one_of(
    st.none(),
    st.integers(-3, 3),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([0.5, -0.5, 2.0, -3.0, 1e300, float("inf"), float("-inf")]),
    st.text(alphabet="abAB \0ü", max_size=4),
    st.binary(max_size=4),
    st.sampled_from(["x" * 3000, b"\0" * 9000, "long" * 6000]),
)


@given(
    st.lists(st.tuples(CELLS, CELLS), max_size=40),
    st.lists(st.tuples(st.booleans(), st.sampled_from([BINARY, NOCASE, RTRIM])), min_size=2, max_size=2),
    st.booleans(),
    CELLS,
    CELLS,
    st.integers(0, 63),
    st.integers(1, 50),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_index_ranges_match_a_sorted_list(rows, shape, unique, lower, upper, flags, batch):
    txn = table.Database().begin()
    table.create_table(txn, "t", [("a", ""), ("b", ""), ("c", "")])
    (desc_a, coll_a), (desc_b, coll_b) = shape
    table.create_index(txn, "t", "i", [(0, desc_a, coll_a), (1, desc_b, coll_b)], unique=unique)
    writer = table.Writer(txn, "t")
    model = []
    for a, b in rows:
        rowid = len(model) + 1
        conflict = writer.try_insert(rowid, [a, b, rowid])
        taken = [r for r, x, y in model if rank(x, coll_a) == rank(a, coll_a) and rank(y, coll_b) == rank(b, coll_b)]
        if unique and a is not None and b is not None and taken:
            assert conflict == ("i", taken[0], b"")
        else:
            assert conflict is None
            model.append((rowid, a, b))
    # Stable sorts from the last column to the first are the index's order, DESC and rowid included.
    order = sorted(model, key=lambda row: rank(row[2], coll_b), reverse=False)
    if desc_b:
        order = sorted(sorted(model), key=lambda row: rank(row[2], coll_b), reverse=True)
        order = [r for key in _runs(order, lambda row: rank(row[2], coll_b)) for r in sorted(key)]
    order = _by(order, lambda row: rank(row[1], coll_a), desc_a)
    has_lower, has_upper, lower_in, upper_in, nulls, descending = (bool(flags >> i & 1) for i in range(6))
    has_lower &= lower is not None
    has_upper &= upper is not None

    def inside(row):
        key = rank(row[1], coll_a)
        if has_lower and (key < rank(lower, coll_a) or (key == rank(lower, coll_a) and not lower_in)):
            return False
        if has_upper and (key > rank(upper, coll_a) or (key == rank(upper, coll_a) and not upper_in)):
            return False
        return not (has_upper and not has_lower and row[1] is None and not nulls)

    expected = [row for row in order if inside(row)]
    if descending:
        expected.reverse()
    bounds = dict(
        lower=lower if has_lower else None,
        upper=upper if has_upper else None,
        lower_inclusive=lower_in,
        upper_inclusive=upper_in,
        includes_null=nulls,
        descending=descending,
        batch=batch,
    )
    got = table.scan_index(txn, "t", "i", [table.ROWID, 0, 1], **bounds)
    assert [row[0] for row in got] == [row[0] for row in expected]
    assert all(same(x, y) for x, y in zip(got, expected))
    looked_up = table.scan_index(txn, "t", "i", [2, 1, 0], **bounds)
    assert all(same(x, (y[0], y[2], y[1])) for x, y in zip(looked_up, expected))
    if lower is not None:
        matching = [row[0] for row in order if rank(row[1], coll_a) == rank(lower, coll_a)]
        assert [row[0] for row in table.scan_index(txn, "t", "i", [table.ROWID], prefix=[lower])] == matching
    assert table.check(txn, "t") == []


def _runs(rows, key):
    run = []
    for row in rows:
        if run and key(run[-1]) != key(row):
            yield run
            run = []
        run.append(row)
    if run:
        yield run


def _by(rows, key, descending):
    """Sorted by key, equal ones in the order they have."""
    groups = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return [row for k in sorted(groups, reverse=descending) for row in groups[k]]


def test_covering(txn):
    table.create_table(txn, "t", [("a", ""), ("b", ""), ("id", "")], rowid_alias=2)
    table.create_index(txn, "t", "i", [(0, False, NOCASE)])
    assert table.is_covering(txn, "t", "i", [0, table.ROWID, 2])
    assert not table.is_covering(txn, "t", "i", [0, 1])


@given(st.integers(0, 3000), st.integers(1, 2500), st.integers(-10, 3010), st.integers(-10, 3010), st.booleans())
@settings(max_examples=40, deadline=None, derandomize=True)
def test_row_ranges_match_a_list(rows, batch, first, last, descending):
    txn = table.Database().begin()
    table.create_table(txn, "t", [("a", ""), ("b", "")])
    table.append(txn, "t", rows, None, [list(range(rows)), [str(i) * (i % 7) for i in range(rows)]])
    expected = [(i + 1, str(i) * (i % 7), i) for i in range(rows) if first <= i + 1 <= last]
    if descending:
        expected.reverse()
    got = table.scan(txn, "t", [table.ROWID, 1, 0], first=first, last=last, descending=descending, batch=batch)
    assert got == expected
    assert table.count(txn, "t") == rows


def test_long_values_and_many_batches(txn):
    table.create_table(txn, "t", [("a", ""), ("b", "")])
    table.create_index(txn, "t", "i", [(1, False, BINARY)])
    values = [("%05d" % i) * (400 + i) for i in range(300)]
    table.append(txn, "t", 300, None, [list(range(300)), values])
    assert table.scan(txn, "t", [1], batch=7) == [(v,) for v in values]
    assert table.scan(txn, "t", [1], batch=7, descending=True) == [(v,) for v in reversed(values)]
    assert table.scan_index(txn, "t", "i", [1, 0], batch=11) == [(v, i) for i, v in enumerate(values)]
    assert table.check(txn, "t") == []


def test_an_added_column_shows_its_default_in_old_rows(txn):
    table.create_table(txn, "t", [("a", "")])
    table.append(txn, "t", 2, None, [[1, 2]])
    table.add_column(txn, "t", "b", "TEXT", "old")
    table.add_column(txn, "t", "e", "VECTOR(2)", None)
    writer = table.Writer(txn, "t")
    assert writer.try_insert(3, [3, None, None]) is None
    writer.update(1, 1, [10, "old", None], [True, False, False])
    assert table.scan(txn, "t", [0, 1, 2]) == [(10, "old", None), (2, "old", None), (3, None, None)]
    assert table.scan(txn, "t", [1], descending=True) == [(None,), ("old",), ("old",)]
    assert table.look_up(txn, "t", [1, 0], 2) == ("old", 2)
    table.create_index(txn, "t", "i", [(1, False, BINARY)])
    table.build_index(txn, "t", "i")
    assert table.scan_index(txn, "t", "i", [1, 0]) == [(None, 3), ("old", 10), ("old", 2)]
    assert table.Writer(txn, "t").delete(2)
    assert table.check(txn, "t") == []


def test_readers_do_not_see_later_writes(txn):
    table.create_table(txn, "t", [("a", "")])
    table.create_index(txn, "t", "i", [(0, False, BINARY)], where="even")
    table.append(txn, "t", 5, None, [[1, 2, 3, 4, 4]])
    assert table.scan_index(txn, "t", "i", [0]) == [(2,), (4,), (4,)]
    table.Writer(txn, "t").update(1, 1, [6], [True])
    assert table.scan_index(txn, "t", "i", [0]) == [(2,), (4,), (4,), (6,)]
    assert table.check(txn, "t") == []


# --- histories --------------------------------------------------------------------------------------------

SMALL = st.one_of(st.none(), st.integers(0, 12), st.sampled_from([0.5, 2.0, "a", "A", "b" * 5000]))
STEP = st.one_of(
    st.tuples(st.just("insert"), st.integers(1, 30), SMALL, SMALL),
    st.tuples(st.just("update"), st.integers(1, 30), st.integers(1, 30), SMALL, SMALL, st.booleans()),
    st.tuples(st.just("delete"), st.integers(1, 30)),
    st.tuples(st.just("append"), st.integers(1, 300), st.integers(0, 2**32)),
    st.tuples(st.sampled_from(["savepoint", "rollback_to", "commit", "rollback", "reopen", "clear", "rebuild"])),
)


class Model:
    """The rows as a dict by rowid (or by key), and what the unique index forbids."""

    def __init__(self, without_rowid):
        self.without_rowid = without_rowid
        self.rows = {}

    def name(self, rowid, row):
        return (rank(row[0]), rank(row[1], NOCASE)) if self.without_rowid else rowid

    def conflicts(self, name, row, old=None):
        if name in self.rows and name != old:
            return True
        return row[2] is not None and any(n != old and rank(r[2]) == rank(row[2]) for n, r in self.rows.items())


@pytest.mark.parametrize("without_rowid", [False, True])
@given(st.lists(STEP, max_size=40))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_random_histories_match_a_dict(without_rowid, steps):
    db = table.Database()
    txn = db.begin()
    primary_key = [0, 1] if without_rowid else []
    columns = [("a", ""), ("b", "", NOCASE), ("c", "")]
    table.create_table(txn, "t", columns, primary_key=primary_key, without_rowid=without_rowid)
    table.create_index(txn, "t", "u", [(2, False, BINARY)], unique=True)
    table.create_index(txn, "t", "b", [(1, True, NOCASE), (0, False, BINARY)])
    table.create_index(txn, "t", "even", [(2, False, BINARY)], where="even")
    txn.commit()
    del txn
    txn = db.begin()
    writer = table.Writer(txn, "t")
    model = Model(without_rowid)
    committed, saved, keys = {}, [], {}

    def ref(name):
        return keys[name] if without_rowid else name

    for step in steps:
        op, *args = step
        if op == "insert":
            rowid, a, c = args
            row = (a if a is not None else 0, str(rowid), c) if without_rowid else (a, str(rowid), c)
            name = model.name(rowid, row)
            conflict = writer.try_insert(rowid, row)
            assert (conflict is not None) == model.conflicts(name, row)
            if conflict is None:
                model.rows[name] = row
        elif op == "update" and model.rows:
            old = sorted(model.rows, key=repr)[args[0] % len(model.rows)]
            new_rowid = args[1] if args[4] and not without_rowid else old
            before = model.rows[old]
            row = (args[2] if args[2] is not None else 0, before[1], args[3])
            name = model.name(new_rowid, row)
            found = writer.find_conflict(new_rowid if not without_rowid else 0, row, ref(old))
            assert (found is not None) == model.conflicts(name, row, old)
            if found is None:
                changed = [not same((x,), (y,)) for x, y in zip(before, row)]
                writer.update(ref(old), new_rowid if not without_rowid else 0, row, changed)
                del model.rows[old]
                model.rows[name] = row
        elif op == "delete" and model.rows:
            old = sorted(model.rows, key=repr)[args[0] % len(model.rows)]
            assert writer.delete(ref(old))
            del model.rows[old]
        elif op == "append":
            count, seed = args
            dice = random.Random(seed)
            base = 1000 + len(model.rows) * 1000
            rows = [(dice.randrange(10**9), "n%d" % i, base + seed + i) for i in range(count)]
            rowid = writer.next_rowid()
            names = [model.name(rowid + i, row) for i, row in enumerate(rows)]
            if not any(model.conflicts(n, r) for n, r in zip(names, rows)) and len(set(names)) == count:
                table.append(txn, "t", count, None, [list(c) for c in zip(*rows)])
                model.rows.update(zip(names, rows))
                writer = table.Writer(txn, "t")
        elif op == "clear":
            writer.delete_all()
            model.rows = {}
        elif op == "rebuild":
            for index in ("u", "b", "even"):
                table.build_index(txn, "t", index)
        elif op == "savepoint":
            saved.append((txn.savepoint(), dict(model.rows)))
        elif op == "rollback_to" and saved:
            txn.rollback_to(saved[-1][0])
            model.rows = dict(saved[-1][1])
            writer = table.Writer(txn, "t")
        elif op in ("commit", "rollback", "reopen"):
            if op == "rollback":
                txn.rollback()
                model.rows = dict(committed)
            else:
                txn.commit()
                committed = dict(model.rows)
            saved = []
            del writer, txn
            if op == "reopen":
                db.reopen()
            txn = db.begin()
            writer = table.Writer(txn, "t")
        if without_rowid:
            got = table.scan(txn, "t", [table.KEY, 0, 1, 2])
            keys = {model.name(None, row[1:]): row[0] for row in got}
            expected = [model.rows[name] for name in sorted(model.rows)]
            assert [row[0] for row in got] == sorted(row[0] for row in got)
        else:
            got = table.scan(txn, "t", [table.ROWID, 0, 1, 2])
            assert [row[0] for row in got] == sorted(model.rows)
            expected = [model.rows[name] for name in sorted(model.rows)]
        assert len(got) == len(expected)
        assert all(same(x[1:], y) for x, y in zip(got, expected))
        assert table.check(txn, "t") == []
    for name, row in model.rows.items():
        assert same(table.look_up(txn, "t", [0, 1, 2], ref(name)), row)
    even = sorted(r[2] for r in model.rows.values() if isinstance(r[0], int) and r[0] % 2 == 0 and isinstance(r[2], int))
    held = [row[0] for row in table.scan_index(txn, "t", "even", [2]) if isinstance(row[0], int)]
    assert held == even


def test_insert_and_append_make_the_same_table():
    dice = random.Random(7)
    rows = [(dice.randrange(1000), "name %d" % dice.randrange(50), dice.random()) for _ in range(3000)]
    states = []
    for way in ("insert", "append", "append in two", "append with rowids"):
        txn = table.Database().begin()
        table.create_table(txn, "t", [("a", "INTEGER"), ("b", "TEXT"), ("c", "REAL")])
        table.create_index(txn, "t", "i", [(1, False, BINARY), (0, True, BINARY)])
        table.create_index(txn, "t", "even", [(2, False, BINARY)], where="even")
        columns = [list(column) for column in zip(*rows)]
        if way == "insert":
            writer = table.Writer(txn, "t")
            for row in rows:
                assert writer.try_insert(writer.next_rowid(), row) is None
        elif way == "append":
            table.append(txn, "t", 3000, None, columns)
        elif way == "append in two":
            table.append(txn, "t", 1234, None, [c[:1234] for c in columns])
            table.append(txn, "t", 1766, None, [c[1234:] for c in columns])
        else:
            order = list(range(3000))
            dice.shuffle(order)
            table.append(txn, "t", 3000, [i + 1 for i in order], [[c[i] for i in order] for c in columns])
        assert table.check(txn, "t") == []
        states.append(
            (
                table.scan(txn, "t", [table.ROWID, 0, 1, 2]),
                table.scan_index(txn, "t", "i", [table.ROWID, 0, 1]),
                table.scan_index(txn, "t", "even", [table.ROWID, 2]),
            )
        )
    assert all(state == states[0] for state in states)


def test_check_finds_an_index_that_was_not_built(txn):
    table.create_table(txn, "t", [("a", "")])
    table.append(txn, "t", 3, None, [[1, 2, 3]])
    table.create_index(txn, "t", "i", [(0, False, BINARY)])
    findings = table.check(txn, "t")
    assert findings[0] == "row 1 missing from index i"
    assert findings[-1] == "wrong # of entries in index i: 0, not 3"
    table.build_index(txn, "t", "i")
    assert table.check(txn, "t") == []
