"""Leaves whose rows have many short values: those of a row lie together in a pack (docs/format/row_leaf.md)."""

import random
import sqlite3
from contextlib import closing

import pytest
from support.damaged import count_errors
from support.row_trees import check, check_scan, identical

import turdb
from turdb._testing import btree as b

ENTRY, PACKED = 6, 7


def encodings(page):
    n = int.from_bytes(page[20:22], "little")
    return [page[40 + 4 * c + 2] for c in range(n)]


def leaves(tree):
    return [page for page in map(tree.page, range(1, tree.page_count())) if page[4] == 4 and page[16:18] != b"\0\0"]


def share_packed(tree):
    pages = leaves(tree)
    return sum(PACKED in encodings(page) for page in pages) / len(pages)


def texts(key, columns, seed=0):
    return [f"{key * 7919 + c * 31 + seed:x}" for c in range(columns)]


def filled(columns, rows, seed=0):
    tree = b.RowTree()
    model = {key: texts(key, columns, seed) for key in range(rows)}
    for key, row in model.items():
        assert tree.insert(key, row)
    return tree, model


@pytest.mark.parametrize("columns", [3, 5, 16, 17, 33, 100])
def test_rows_of_many_texts_are_packed(columns):
    tree, model = filled(columns, 40_000 // columns)
    check(tree, model)
    assert share_packed(tree) > 0.5
    wanted = [0, columns - 1, columns // 2, 1, columns + 3]
    check_scan(tree, model, 10, 10**6, wanted, [None] * 4 + ["none"], 300)
    for column in range(columns):
        check_scan(tree, model, 0, 10**6, [column], [None], 2048)
    content = sum(len(text) for row in model.values() for text in row)
    if columns >= 16:  # a byte a value, a sixteenth of two for its pack
        assert 16384 * (len(leaves(tree)) - 1) < 1.08 * (content + 1.2 * columns * len(model))


def test_a_load_is_packed_from_its_first_leaf():
    tree = b.RowTree()
    model = {key: [*texts(key, 8), key] for key in range(3000)}
    columns = [list(column) for column in zip(*model.values())]
    tree.append([(0, columns)])
    check(tree, model)
    assert share_packed(tree) == 1
    assert encodings(leaves(tree)[0])[8] not in (ENTRY, PACKED)  # integers stay a column


def test_values_that_recur_stay_outside():
    tree = b.RowTree()
    model = {key: [*texts(key, 4), f"a country {key % 5}", *texts(key, 4, 5)] for key in range(3000)}
    for key, row in model.items():
        tree.insert(key, row)
    check(tree, model)
    full = [page for page in leaves(tree) if PACKED in encodings(page)]
    assert len(full) > 5
    for page in full:
        assert encodings(page) == [PACKED] * 4 + [ENTRY] + [PACKED] * 4


@pytest.mark.parametrize("row", [["k"], ["a", "b"], ["x" * 900, "y" * 900, "z" * 900]])
def test_rows_that_would_win_little_are_not_packed(row):
    tree = b.RowTree()
    model = {key: [f"{key}{value}{key * 31}" for value in row] for key in range(2000)}
    for key, value in model.items():
        tree.insert(key, value)
    check(tree, model)
    assert share_packed(tree) == 0


def test_leaves_change_as_their_rows_do():
    tree, model = filled(10, 1500)
    assert share_packed(tree) > 0.8
    for key in model:  # few values now
        model[key] = [f"the same {c} {key % 2}" for c in range(10)]
        assert tree.update(key, model[key])
    check(tree, model)
    for key in range(1500, 4500):
        model[key] = [f"the same {c} {key % 2}" for c in range(10)]
        assert tree.insert(key, model[key])
    check(tree, model)
    assert share_packed(tree) < 0.5
    for key in model:
        model[key] = texts(key, 10, 3)
        assert tree.update(key, model[key])
    check(tree, model)
    for key in range(4500, 9000):
        model[key] = texts(key, 10)
        assert tree.insert(key, model[key])
    check(tree, model)
    new = [page for page in leaves(tree) if int.from_bytes(page[24:32], "little") >= 5000]
    assert len(new) > 10 and all(PACKED in encodings(page) for page in new)


VALUES = [None, 0, -1, 2**62, 1.5, "", "a", "b" * 30, "c" * 191, "d" * 192, "e" * 3900, "f" * 5000, "g" * 40_000, b"", b"h" * 300]


@pytest.mark.parametrize("seed", range(4))
def test_changes_of_every_kind(seed):
    rng = random.Random(seed)
    columns = [4, 12, 18, 40][seed]
    tree, model = filled(columns, 6000 // columns)
    for step in range(1500):
        key = rng.choice(sorted(model)) if rng.random() < 0.8 else rng.randrange(10_000)
        action = rng.random()
        if action < 0.5 and key in model:
            row = list(model[key])
            for _ in range(rng.choice([1, 1, 3])):
                if not row:
                    break
                c = rng.randrange(len(row))
                row[c] = rng.choice(VALUES[:9]) if rng.random() < 0.9 else rng.choice(VALUES)
            model[key] = row
            assert tree.update(key, row)
        elif action < 0.6 and key in model:
            i, j = rng.randrange(columns), rng.randrange(columns)
            assert tree.update_from_self(key, i, j)
            row = list(model[key])
            if i < len(row) and j < len(row):
                row[i] = row[j]
            model[key] = row
        elif action < 0.75 and key in model:
            assert tree.erase(key)
            del model[key]
        elif key not in model:
            row = [*texts(key, columns, step), *([1] * rng.choice([0, 0, 0, 2]))][: rng.choice([columns + 2, columns + 2, 3])]
            model[key] = row
            assert tree.insert(key, row)
        if step % 100 == 0:
            check(tree, model)
    check(tree, model)
    check_scan(tree, model, 0, 10_000, [columns - 1, 0, 2], [None, 1, "x"], 500)
    for key in sorted(model):
        assert tree.erase(key)
    check(tree, {})


def test_packed_and_other_leaves_are_joined():
    tree = b.RowTree()
    model = {}
    for key in range(3000):  # by turns a leaf or two of each kind
        model[key] = texts(key, 9) if key // 400 % 2 else [f"{c}{'same' * 20}" for c in range(9)]
        tree.insert(key, model[key])
    assert 0 < share_packed(tree) < 1
    for key in random.Random(1).sample(range(3000), 2700):
        assert tree.erase(key)
        del model[key]
    check(tree, model)
    assert tree.check()[1] < 8  # pages in use


def test_a_row_found_and_its_columns_in_any_order():
    tree, model = filled(20, 500)
    for key in (0, 77, 499):
        assert identical(tree.find(key), model[key])


def test_damaged_packs_are_errors_not_crashes():
    tree, _ = filled(10, 800)
    tree.commit()
    leaf = next(i for i in range(1, tree.page_count()) if tree.page(i)[4] == 4 and PACKED in encodings(tree.page(i)))
    page = tree.page(leaf)
    slots = int.from_bytes(page[40:42], "little")
    pack = int.from_bytes(page[slots : slots + 2], "little")
    key = next(key for key, _ in tree.walk() if tree.find(key) and key >= int.from_bytes(page[24:32], "little"))
    errors = 0
    for at, value in [
        *((slots + i, value) for i in (0, 1) for value in (0, 0x3F, 0xFF)),  # where the first pack is
        *((pack + i, value) for i in range(0, 30, 2) for value in (0, 0xBF, 0xC0, 0xC2, 0xC3, 0xC7, 0xCF, 0xD8, 0xDF, 0xFF)),
        *((40 + 4 * c + i, value) for c in (0, 1, 9) for i in range(4) for value in (0, 1, 4, 7, 28, 0x3F, 0xFF)),
    ]:
        tree.poke(leaf, at, value)
        errors += count_errors((
            lambda: tree.check(),
            lambda: tree.walk(),
            lambda: tree.find(key),
            lambda: tree.scan(0, 10**6, [9, 3, 4], [None] * 3, 100),
            lambda: tree.update_from_self(key, 2, 5),
            lambda: tree.update(key, texts(1, 9)),
            lambda: tree.erase(key),
            lambda: tree.insert(10**6, texts(3, 10)),
        ))
        tree.rollback()
    assert errors > 100


@pytest.mark.parametrize("columns", [6, 20, 40])
def test_sql_changes_single_columns(tmp_path, columns):
    """Beside sqlite3: values become longer and shorter, NULL and numbers, one column or several, in a pack and out of it."""
    rng = random.Random(columns)
    names = [f"c{c}" for c in range(columns)]
    own = turdb.connect(tmp_path / "db", isolation_level=None)
    peer = sqlite3.connect(":memory:", isolation_level=None)
    with closing(own), closing(peer):
        for con in (own, peer):
            con.execute(f"CREATE TABLE t (id INTEGER PRIMARY KEY, {', '.join(names)}, n INTEGER)")
            rows = [(i, *texts(i, columns), i) for i in range(600)]
            con.executemany(f"INSERT INTO t VALUES ({', '.join('?' * (columns + 2))})", rows)
        for step in range(400):
            chosen = rng.sample([*names, "n"], rng.choice([1, 1, 2, 5]))
            # Values of other columns, too: their bytes lie in the page that changes.
            new = [rng.choice(["?", f"{rng.choice(names)} || '+'", rng.choice(names), "NULL"]) for _ in chosen]
            values = [rng.choice([None, step, 0.5, "x" * rng.randrange(60), "long" * 1100, b"blob"]) for value in new if value == "?"]
            low = rng.randrange(600)
            high = low + rng.choice([0, 0, 20])
            sql = f"UPDATE t SET {', '.join(f'{c} = {value}' for c, value in zip(chosen, new))} WHERE id BETWEEN ? AND ?"
            for con in (own, peer):
                con.execute(sql, (*values, low, high))
            if step % 40 == 0:
                assert own.execute("SELECT * FROM t").fetchall() == peer.execute("SELECT * FROM t").fetchall()
        assert own.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        own.execute("VACUUM")
        assert own.execute("SELECT * FROM t").fetchall() == peer.execute("SELECT * FROM t").fetchall()
        assert own.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
