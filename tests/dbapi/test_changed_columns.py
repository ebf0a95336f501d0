"""Statements that are kept prepared, and results that are open, while the columns they name come and go."""

import pytest

import turdb

QUERIES = [
    "SELECT * FROM t WHERE id = 5",
    "SELECT * FROM t WHERE id = 5 FOR UPDATE",
    "UPDATE t SET a = a || '' WHERE id = 5 RETURNING *",
    "INSERT INTO t (id, a) VALUES (5, 'x5') ON CONFLICT (id) DO UPDATE SET a = excluded.a RETURNING *",
    "DELETE FROM t WHERE id = 5 RETURNING *",
]
CHANGES = [
    "ALTER TABLE t ADD COLUMN d TEXT DEFAULT 'dee'",
    "ALTER TABLE t ADD COLUMN e INTEGER DEFAULT 9",
    "ALTER TABLE t DROP COLUMN b",
    "ALTER TABLE t DROP COLUMN d",
    "DROP TABLE t",
]
# After each change; the first before any.
NAMES = [["id", "a", "b"], ["id", "a", "b", "d"], ["id", "a", "b", "d", "e"], ["id", "a", "d", "e"], ["id", "a", "e"], ["id"]]
ROWS = [(5, "x5", 2.5), (5, "x5", 2.5, "dee"), (5, "x5", 2.5, "dee", 9), (5, "x5", "dee", 9), (5, "x5", 9)]


@pytest.fixture
def con(tmp_path):
    con = turdb.connect(tmp_path / "db", isolation_level=None)
    con.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b REAL)")
    con.executemany("INSERT INTO t VALUES (?, ?, ?)", [(i, f"x{i}", i / 2) for i in range(6000)])
    yield con
    con.close()


def names(cursor):
    return [column[0] for column in cursor.description]


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("is_own", [True, False], ids=["own", "other"])
def test_a_kept_statement_gives_the_columns_there_are(con, tmp_path, query, is_own):
    """Rows of RETURNING and FOR UPDATE went into as many columns as there had been before."""
    changer = con if is_own else turdb.connect(tmp_path / "db", isolation_level=None)
    for change, expected_names, row in zip(CHANGES, NAMES, ROWS):
        con.execute("BEGIN")
        cursor = con.execute(query)
        assert names(cursor) == expected_names
        assert cursor.fetchall() == [row]
        con.execute("ROLLBACK")
        changer.execute(change)
    changer.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    with pytest.raises(turdb.ProgrammingError, match="no such column|has no column") if " a" in query else pytest.raises(IndexError):
        con.execute(query).fetchall()[0]
    if not is_own:
        changer.close()


def test_many_rows_of_returning(con):
    sql = "UPDATE t SET a = a || ? WHERE id = ? RETURNING *"
    con.executemany(sql, [("y", 1), ("y", 2)])
    con.execute("ALTER TABLE t ADD COLUMN d")
    con.executemany(sql, [("z", 1), ("z", 2)])
    assert con.execute("SELECT * FROM t WHERE id IN (1, 2)").fetchall() == [(1, "x1yz", 0.5, None), (2, "x2yz", 1.0, None)]


@pytest.mark.parametrize("change", CHANGES[:1] + ["ALTER TABLE t DROP COLUMN b"])
def test_an_open_result_keeps_its_columns(con, change):
    """Another cursor runs the same statement on the new schema meanwhile."""
    sql = "SELECT * FROM t ORDER BY id"
    one, all_of, arrays = con.execute(sql), con.execute(sql), con.execute(sql)
    one.row_factory = turdb.Row
    assert one.fetchone()["b"] == 0.0
    con.execute(change)
    width = len(con.execute(sql).fetchone())
    assert width != 3
    for cursor in (one, all_of, arrays):
        assert names(cursor) == ["id", "a", "b"]
    row = one.fetchone()
    assert dict(row) == {"id": 1, "a": "x1", "b": 0.5}
    assert all_of.fetchall() == [(i, f"x{i}", i / 2) for i in range(6000)]
    columns = arrays.fetchnumpy()
    assert list(columns) == ["id", "a", "b"] and all(len(values) == 6000 for values in columns.values())


def test_converters_of_columns_that_were_added(tmp_path):
    """They were looked up for the columns of the schema before."""
    turdb.register_converter("shout", lambda text: text.decode().upper())
    con = turdb.connect(tmp_path / "db", isolation_level=None, detect_types=turdb.PARSE_DECLTYPES)
    con.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a shout)")
    con.execute("INSERT INTO t VALUES (1, 'x')")
    assert con.execute("SELECT * FROM t").fetchall() == [(1, "X")]
    for i in range(20):
        con.execute(f"ALTER TABLE t ADD COLUMN c{i} shout DEFAULT 'y'")
        assert con.execute("SELECT * FROM t").fetchall() == [(1, "X", *"Y" * (i + 1))]
    con.execute("ALTER TABLE t DROP COLUMN a")
    assert con.execute("SELECT * FROM t").fetchall() == [(1, *"Y" * 20)]
    con.close()


def test_columns_of_a_query_plan(con):
    cursor = con.execute("EXPLAIN QUERY PLAN SELECT * FROM t")
    assert names(cursor) == list(cursor.fetchnumpy()) == ["id", "parent", "notused", "detail"]


def test_a_cursor_that_failed_describes_nothing(con):
    cursor = con.execute("SELECT * FROM t")
    with pytest.raises(turdb.DatabaseError):
        cursor.execute("SELECT * FROM nowhere")
    assert cursor.description is None


def test_executemany_describes_what_returning_gave(con):
    """As in sqlite3, though its rows are thrown away."""
    cursor = con.cursor()
    cursor.executemany("UPDATE t SET a = a WHERE id = ? RETURNING *", [(1,), (2,)])
    assert names(cursor) == ["id", "a", "b"] and cursor.fetchall() == [] and cursor.rowcount == 2
    con.execute("ALTER TABLE t DROP COLUMN a")
    cursor.executemany("UPDATE t SET b = b WHERE id = ? RETURNING *", [(1,)])
    assert names(cursor) == ["id", "b"]
    cursor.executemany("UPDATE t SET b = b WHERE id = ?", [(1,)])
    assert cursor.description is None
