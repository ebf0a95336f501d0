"""Pages that a tree names twice: rows and entries lead back to where a scan has been, and it must end with an error.

Scans of long values begin anew now and then, at the key they are at, to give memory back; what leads back made them go round for
ever.
"""

import pytest
from support.pages import KEY_INTERIOR, KEY_LEAF, ROW_INTERIOR, DataFile

import turdb

pytestmark = pytest.mark.leaves_damage

N = 6000  # several batches, several leaves
CHILDREN = 24 + 8 * ((16384 - 24 - 4) // 12)  # of an interior page of rows


def make(path, table):
    with turdb.connect(path, isolation_level=None) as con:
        con.execute("PRAGMA synchronous = off")
        con.execute(table)
        con.execute("BEGIN")
        con.executemany("INSERT INTO t VALUES (?, ?)", [(i, bytes(4100)) for i in range(N)])
        con.execute("COMMIT")
    con.close()
    return DataFile(f"{path}/root/t.tbd")


def rows_lead_back(path):
    file = make(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)")
    (root,) = file.of_kind(ROW_INTERIOR)
    last = CHILDREN + 4 * file.u16(root, 16)
    file.put(root, last, "I", file.u32(root, CHILDREN))
    file.save()


def rows_lead_on(path):
    file = make(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)")
    (root,) = file.of_kind(ROW_INTERIOR)
    file.put(root, CHILDREN, "I", file.u32(root, CHILDREN + 4 * file.u16(root, 16)))
    file.save()


def keys_name_a_leaf_twice(path):
    file = make(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB) WITHOUT ROWID")
    (root,) = file.of_kind(KEY_INTERIOR)
    first = file.u32(root, 28)
    heap = file.u16(root, 20)
    names = {leaf: bytes(file.pages[root]).find(leaf.to_bytes(4, "little"), heap) for leaf in file.of_kind(KEY_LEAF)}
    behind = {leaf: at for leaf, at in names.items() if leaf != first and at > 0}
    leaf = max(behind, key=lambda leaf: file.pages[leaf][32:36][::-1])  # the highest keys, by the head of the first
    file.put(root, names[leaf], "I", first)
    file.put(root, 28, "I", leaf)
    file.save()


@pytest.mark.parametrize("order", ["ASC", "DESC"])
@pytest.mark.parametrize("damage", [rows_lead_back, rows_lead_on, keys_name_a_leaf_twice])
def test_a_scan_ends(tmp_path, damage, order):
    damage(tmp_path / "db")
    with turdb.connect(tmp_path / "db", isolation_level=None) as con:
        try:
            rows = con.execute(f"SELECT id, v FROM t ORDER BY id {order}").fetchall()
            assert len(rows) <= 2 * N
        except turdb.DatabaseError as error:
            assert "is not where its order asks for it" in str(error)
        assert con.execute("PRAGMA integrity_check").fetchall() != [("ok",)]
    con.close()


@pytest.mark.parametrize(("damage", "order"), [(rows_lead_back, "ASC"), (rows_lead_on, "DESC")])
def test_it_is_told(tmp_path, damage, order):
    damage(tmp_path / "db")
    with turdb.connect(tmp_path / "db", isolation_level=None) as con:
        with pytest.raises(turdb.DatabaseError, match="is not where its order asks for it"):
            con.execute(f"SELECT id, v FROM t ORDER BY id {order}").fetchall()
        with pytest.raises(turdb.DatabaseError):
            con.execute("CREATE INDEX i ON t (v)")
    con.close()
