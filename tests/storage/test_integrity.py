"""PRAGMA integrity_check and quick_check: a sound database is ok, and each kind of damage is found and named."""

import re

import numpy as np
import pytest
from support.pages import HNSW_NODES, KEY_LEAF, PAGE_BYTES, ROW_INTERIOR, ROW_LEAF, VECTOR_DATA, DataFile

import turdb
from turdb._testing import txn as store

pytestmark = pytest.mark.leaves_damage

DIM = 16
N = 4000


@pytest.fixture
def path(tmp_path):
    """A table with an index, vectors and a graph, all with some deleted; closed, so that the files have everything."""
    path = str(tmp_path / "db")
    con = turdb.connect(path)
    con.execute("PRAGMA auto_vacuum = NONE")
    con.execute(f"CREATE TABLE t(id INTEGER PRIMARY KEY, x INTEGER, pad BLOB, e VECTOR({DIM}))")
    con.execute("CREATE INDEX i ON t(x, pad)")
    con.execute("CREATE INDEX part ON t(x + 1) WHERE x % 2 = 0")
    vectors = np.random.default_rng(1).normal(size=(N, DIM)).astype(np.float32)
    pads = np.random.default_rng(2)
    con.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", [(i, i + 40000, pads.bytes(200), vectors[i]) for i in range(N)])
    con.execute("INSERT INTO t VALUES (?, ?, ?, NULL)", (N, 99999, b"long" * 20000))
    con.execute("CREATE INDEX h ON t USING hnsw (e vector_l2_ops)")
    con.execute("DELETE FROM t WHERE id BETWEEN 1000 AND 2000")
    con.commit()
    assert con.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    con.close()
    return path


def files(path):
    return {kind: DataFile(f"{path}/root/{name}") for kind, name in
            {"rows": "t.tbd", "index": "t.i.idx", "vectors": "t.e.vec", "graph": "t.h.hnsw"}.items()}


def findings(path, pragma="integrity_check"):
    con = turdb.connect(path, read_only=True)
    try:
        return [line for (line,) in con.execute(f"PRAGMA {pragma}")]
    finally:
        con.close()


def test_sound(path):
    assert findings(path) == ["ok"]
    assert findings(path, "quick_check") == ["ok"]
    assert findings(path, "integrity_check(t)") == ["ok"]
    assert findings(path, "integrity_check(5)") == ["ok"]
    for file in files(path).values():  # the tool itself does no harm
        file.save()
    assert findings(path) == ["ok"]


# --- pages -----------------------------------------------------------------------------------------------------------


def lose_free_list(f):
    assert f["rows"].free_trunk != 0
    f["rows"].put(0, 36, "I", 0)
    f["rows"].put(0, 40, "I", 0)


def wrong_free_count(f):
    f["rows"].put(0, 40, "I", f["rows"].u32(0, 40) + 1)


def free_page_twice(f):
    rows, trunk = f["rows"], f["rows"].free_trunk
    assert rows.u32(trunk, 20) >= 2
    rows.put(trunk, 28, "I", rows.u32(trunk, 24))


def used_page_in_free_list(f):
    rows = f["rows"]
    rows.put(rows.free_trunk, 24, "I", rows.of_kind(ROW_LEAF)[0])


def free_list_out_of_range(f):
    rows = f["rows"]
    rows.put(rows.free_trunk, 24, "I", len(rows.pages) + 5)


def free_list_in_a_circle(f):
    rows = f["rows"]
    rows.put(rows.free_trunk, 16, "I", rows.free_trunk)


def free_list_overfull(f):
    f["rows"].put(f["rows"].free_trunk, 20, "I", 5000)


def trunk_of_another_kind(f):
    f["rows"].pages[f["rows"].free_trunk][4] = 0


def page_used_twice(f):
    rows = f["rows"]
    root = rows.of_kind(ROW_INTERIOR)[0]
    children = 24 + 8 * ((PAGE_BYTES - 28) // 12)
    rows.put(root, children + 4, "I", rows.u32(root, children))


def keys_out_of_order(f):
    rows = f["rows"]
    leaf = rows.of_kind(ROW_LEAF)[1]
    rows.put(leaf, 24, "q", rows.i64(leaf, 24) + 100000)


def index_page_lost(f):
    index = f["index"]
    assert index.free_trunk != 0
    index.put(0, 36, "I", 0)
    index.put(0, 40, "I", 0)


def vectors_with_free_pages(f):
    f["vectors"].put(0, 40, "I", 3)


def vector_page_of_another_kind(f):
    f["vectors"].pages[f["vectors"].of_kind(VECTOR_DATA)[-1]][4] = KEY_LEAF


def graph_page_of_another_kind(f):
    f["graph"].pages[f["graph"].of_kind(HNSW_NODES)[-1]][4] = KEY_LEAF


def graph_with_a_free_list(f):
    f["graph"].put(0, 40, "I", 1)


def node_at(graph, node):
    m, padded = graph.u16(1, 18), (DIM + 63) // 64 * 64
    stride = (padded + 24 + 8 * m + 63) // 64 * 64
    per_page = (PAGE_BYTES - 64) // stride
    return graph.of_kind(HNSW_NODES)[node // per_page], 64 + node % per_page * stride, padded


def link_out_of_range(f):
    page, at, padded = node_at(f["graph"], 5)
    f["graph"].put(page, at + padded + 24, "I", 10 ** 6)


def node_links_to_itself(f):
    page, at, padded = node_at(f["graph"], 5)
    f["graph"].put(page, at + padded + 24, "I", 5)


def wrong_deleted_count(f):
    f["graph"].put(1, 36, "I", 7)


STRUCTURE = {
    lose_free_list: "is neither used nor free",
    wrong_free_count: "free pages, there are",
    free_page_twice: "in the free list twice",
    used_page_in_free_list: "is used and in the free list",
    free_list_out_of_range: r"names page \d+ of",
    free_list_in_a_circle: "in the free list twice",
    free_list_overfull: "claims 5000 entries",
    trunk_of_another_kind: "is of kind 0",
    page_used_twice: "referred to twice",
    keys_out_of_order: "out of order",
    index_page_lost: r"t\.i\.idx.*is neither used nor free",
    vectors_with_free_pages: r"t\.e\.vec.*free pages, there are 0",
    vector_page_of_another_kind: r"t\.e\.vec.*is of kind 14",
    graph_page_of_another_kind: "is of kind 14",
    graph_with_a_free_list: r"t\.h\.hnsw.*free pages, there are 0",
    link_out_of_range: "links to node 1000000",
    node_links_to_itself: "links to itself",
    wrong_deleted_count: "deleted nodes",
}


@pytest.mark.parametrize("damage", STRUCTURE, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("pragma", ["integrity_check", "quick_check"])
def test_damaged_structure(path, damage, pragma):
    f = files(path)
    damage(f)
    for file in f.values():
        file.save()
    found = "\n".join(findings(path, pragma))
    assert re.search(STRUCTURE[damage], found), found


# --- contents --------------------------------------------------------------------------------------------------------


def changed_value(f):
    """40000 + i as 2 bytes a row... whatever the width: a byte of the column's minipage."""
    rows = f["rows"]
    leaf = rows.of_kind(ROW_LEAF)[0]
    offset = rows.u16(leaf, 40 + 4)  # column 1: x
    rows.pages[leaf][offset] ^= 1


def vector_of_another_row(f):
    f["vectors"].put(2, 16, "q", 3999)


def vector_without_a_row(f):
    f["vectors"].put(2, 16, "q", -(2 ** 63))


def not_a_number(f):
    vectors = f["vectors"]
    cap = (PAGE_BYTES - 16) // (4 * DIM + 8)
    while (16 + 8 * cap + 63) // 64 * 64 + cap * 4 * DIM > PAGE_BYTES:
        cap -= 1
    vectors.put(2, (16 + 8 * cap + 63) // 64 * 64, "f", float("nan"))


def node_not_in_the_graph(f):
    page, at, padded = node_at(f["graph"], 5)
    f["graph"].pages[page][at + padded + 19] = 0


CONTENTS = {
    changed_value: "missing from index i",
    vector_of_another_row: "belongs to row 3999",
    vector_without_a_row: "belongs to row -9223372036854775808",
    not_a_number: "not finite",
    node_not_in_the_graph: "node 5 is not in the graph",
}


@pytest.mark.parametrize("damage", CONTENTS, ids=lambda damage: damage.__name__)
def test_damaged_contents(path, damage):
    f = files(path)
    damage(f)
    for file in f.values():
        file.save()
    found = "\n".join(findings(path))
    assert CONTENTS[damage] in found, found


def test_contents_are_not_what_quick_check_looks_at(path):
    f = files(path)
    changed_value(f)
    f["rows"].save()
    assert findings(path, "quick_check") == ["ok"]
    assert findings(path) != ["ok"]


@pytest.mark.parametrize("name", ["rows", "index", "vectors", "graph"])
def test_a_flipped_bit_in_any_page(path, name):
    pages = len(files(path)[name].pages)
    free = set()
    if name == "rows":  # what a free page holds is nobody's business
        rows = files(path)[name]
        trunk = rows.free_trunk
        while trunk:
            free.update(rows.u32(trunk, 24 + 4 * i) for i in range(rows.u32(trunk, 20)))
            trunk = rows.u32(trunk, 16)
    for page in {0, 1, 2, pages // 2, pages - 1} - free:
        file = files(path)[name]
        file.pages[page][9000] ^= 4
        file.save(seal=False)
        for pragma in ("integrity_check", "quick_check"):
            found = "\n".join(findings(path, pragma))
            assert "checksum" in found and f"page {page} " in found, found
        file.pages[page][9000] ^= 4
        file.save(seal=False)
    assert findings(path) == ["ok"]


def test_a_limit_to_the_findings(path):
    f = files(path)
    lose_free_list(f)
    f["rows"].save()
    assert len(findings(path, "integrity_check(3)")) == 3
    assert 3 < len(findings(path, "integrity_check")) <= 100


def test_a_file_that_belongs_to_no_table(path):
    db = store.Store(store.posix_env(), path)
    txn = db.begin()
    txn.start_writing()
    file, _ = txn.create_file("root/lost.tbd")
    txn.allocate(file)
    txn.commit()
    del txn
    db.close()
    found = findings(path)
    assert len(found) == 1 and "root/lost.tbd" in found[0] and "belongs to no table" in found[0]


def test_partial_and_expression_indexes_are_compared(path):
    con = turdb.connect(path)
    con.create_function("twice", 1, lambda x: 2 * x, deterministic=True)
    con.execute("CREATE TABLE own(x)")
    con.execute("INSERT INTO own VALUES (1), (2)")
    con.execute("CREATE INDEX own_i ON own(twice(x))")
    con.commit()
    assert con.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    con.close()
    # Without the function the index cannot be compared, and that is said.
    assert ["own" in line for line in findings(path)] == [True]
    assert findings(path, "integrity_check(t)") == ["ok"]


def test_within_a_transaction(path):
    con = turdb.connect(path, isolation_level=None)
    con.execute("BEGIN")
    con.execute("DELETE FROM t WHERE id < 500")
    con.execute("CREATE TABLE u(x UNIQUE)")
    con.execute("INSERT INTO u VALUES (1)")
    for pragma in ("integrity_check", "quick_check"):
        assert con.execute(f"PRAGMA {pragma}").fetchall() == [("ok",)]
    con.execute("ROLLBACK")
    assert con.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    con.close()
