"""Databases that were written by earlier builds open, hold what they held, and go on.

Elsewhere an upgrade of the library made files unreadable, or crashed on them. The archives beside this file are
never made anew for a format version that has been released; ``make.py`` makes those of a new one.
"""

import json
import struct
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

import turdb

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from contents import decode  # noqa: E402

ARCHIVES = sorted(HERE.glob("format*/*.tar.gz"))


@pytest.fixture(params=ARCHIVES, ids=lambda path: f"{path.parent.name}-{path.name.partition('.')[0]}")
def frozen(request, tmp_path):
    """Path of a copy, and what is in it: table -> (order, rows), and the rest of expected.json."""
    with tarfile.open(request.param) as archive:
        archive.extractall(tmp_path, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    expected = json.loads((tmp_path / "expected.json").read_text())
    for table in expected["tables"].values():
        table["rows"] = [tuple(decode(value) for value in row) for row in table["rows"]]
    return str(tmp_path / "db"), expected


def comparable(rows):
    return [tuple(("vector", value.tobytes()) if isinstance(value, np.ndarray) else (type(value), value) for value in row) for row in rows]


def check_rows(con, expected):
    for name, table in expected["tables"].items():
        rows = con.execute(f"select * from {name} order by {table['order']}").fetchall()
        assert comparable(rows) == comparable(table["rows"]), name
    tables = {f"{schema}.{name}".replace("root.", "").replace("main.", "") for schema, name in
              con.execute("select schema, name from pragma_table_list where type = 'table'") if not name.startswith("sqlite_")}
    assert tables == set(expected["tables"])


def check_indexes(con, expected):
    assert con.execute("pragma integrity_check").fetchall() == [("ok",)]
    docs = expected["tables"]["docs"]["rows"]
    assert [list(row) for row in con.execute("select * from recent order by id")] == expected["recent"]
    found = con.execute("select id from docs indexed by docs_lower where lower(title) = 'title 21' and year >= 2000").fetchall()
    assert found == [(row[0],) for row in docs if row[1] == "Title 21" and row[3] >= 2000]
    by_year = con.execute("select id from docs indexed by docs_year where year = 1995 order by id").fetchall()
    assert by_year == [(row[0],) for row in docs if row[3] == 1995]


def check_neighbours(con, expected):
    for table, key, column, metric, place in expected["vectors"]:
        rows = [row for row in expected["tables"][table]["rows"] if row[place] is not None]
        vectors = np.stack([row[place] for row in rows]).astype(np.float64)
        query = vectors[len(rows) // 2] + 0.05
        if metric == "l2":
            distances = np.linalg.norm(vectors - query, axis=1)
        else:
            distances = 1 - vectors @ query / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)
        nearest = [rows[i][0] for i in np.argsort(distances)[:10]]
        operator = {"l2": "<->", "cosine": "<=>"}[metric]
        found = con.execute(f"select {key}, {column} {operator} ? d from {table} order by d limit 10", (query,)).fetchall()
        assert len(found) == len(nearest) and len({row[0] for row in found} & set(nearest)) >= 0.9 * len(nearest)
        assert found[0][0] == nearest[0]
        np.testing.assert_allclose(found[0][1], distances.min(), rtol=1e-3, atol=1e-5)


def test_everything_is_read(frozen):
    path, expected = frozen
    con = turdb.connect(path, isolation_level=None)
    check_rows(con, expected)
    check_indexes(con, expected)
    check_neighbours(con, expected)
    con.close()


def test_everything_is_read_without_writing(frozen):
    path, expected = frozen
    con = turdb.connect(path, read_only=True, isolation_level=None)
    check_rows(con, expected)
    check_indexes(con, expected)
    check_neighbours(con, expected)
    con.close()


def with_changed_keyed(rows):
    """Of the WITHOUT ROWID table, as test_it_goes_on changes it."""
    changed = [row[:2] + (b"\x02\x03",) + row[3:] if row[:2] == ("part 1", 8) else row for row in rows]
    return [*changed, ("zz", 77, b"\x01", None)]


def check_keyed(con, expected):
    """Rows that earlier builds wrote and rows of this one stand in one file."""
    found = con.execute("select * from keyed order by part, n").fetchall()
    assert comparable(found) == comparable(with_changed_keyed(expected["tables"]["keyed"]["rows"]))
    assert con.execute("pragma integrity_check(keyed)").fetchall() == [("ok",)]


def test_it_goes_on(frozen):
    """Written to, vacuumed and opened again: what was there is there, and what is new."""
    path, expected = frozen
    con = turdb.connect(path, isolation_level=None)
    con.execute("update docs set body = 'changed' where id % 10 = 2")
    con.execute("delete from docs where id = 5")
    con.execute("insert into docs (title, year, e) values ('new', 2030, ?)", ([9.0] * 16,))
    new_id = con.execute("select id from docs where title = 'new'").fetchone()[0]
    assert new_id > max(row[0] for row in expected["tables"]["docs"]["rows"])
    with pytest.raises(turdb.IntegrityError, match="UNIQUE"):
        con.execute("insert into docs (title, year) values ('Title 1', 2030)")
    with pytest.raises(turdb.IntegrityError, match="CHECK"):
        con.execute("insert into docs (title, year) values ('newer', 0)")
    con.execute("insert into keyed (part, n, payload) values ('zz', 77, x'01')")
    con.execute("update keyed set payload = x'0203' where part = 'part 1' and n = 8")
    check_keyed(con, expected)
    con.execute("vacuum")
    con.execute("pragma hnsw_absorb = sync")
    check_keyed(con, expected)
    con.close()

    docs = expected["tables"]["docs"]
    docs["rows"] = [row[:2] + ("changed",) + row[3:] if row[0] % 10 == 2 else row for row in docs["rows"] if row[0] != 5]
    docs["rows"].append((new_id, "new", None, 2030, np.full(16, 9, np.float32), None))
    keyed = expected["tables"]["keyed"]
    keyed["rows"] = with_changed_keyed(keyed["rows"])
    notes = expected["tables"]["notes"]
    expected["recent"].append([new_id, "new"])
    expected["recent"] = [row for row in expected["recent"] if row[0] != 5]
    con = turdb.connect(path, isolation_level=None)
    if con.execute("pragma foreign_keys").fetchone() == (1,):
        notes["rows"] = [row for row in notes["rows"] if row[0] != 5]
    check_rows(con, expected)
    check_indexes(con, expected)
    check_neighbours(con, expected)
    con.close()


def meta(path):
    return Path(path) / "turdb.meta"


def test_the_format_that_is_written_is_among_them(tmp_path):
    turdb.connect(tmp_path / "db").close()
    (version,) = struct.unpack_from("<I", meta(tmp_path / "db").read_bytes(), 8)
    names = {path.name for path in ARCHIVES if path.parent.name == f"format{version}"}
    assert names >= {"closed.tar.gz", "killed.tar.gz", "checkpoint.tar.gz"}, "run tests/compat/make.py"


@pytest.mark.parametrize("read_only", [False, True])
def test_a_newer_format_is_refused_by_name(frozen, read_only):
    path, expected = frozen
    before = meta(path).read_bytes()
    meta(path).write_bytes(before[:8] + struct.pack("<I", 999) + before[12:])
    with pytest.raises(turdb.DatabaseError, match=r"turdb\.meta' was written by a newer turdb \(format 999, this one knows \d+\)"):
        turdb.connect(path, read_only=read_only)
    meta(path).write_bytes(before)  # and nothing was touched
    con = turdb.connect(path, isolation_level=None)
    check_rows(con, expected)
    con.close()
