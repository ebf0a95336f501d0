"""Statements whose texts differ in their literals alone share a plan. What they do must be what each does by itself."""

import random
import sqlite3

import pytest

import turdb
from turdb._testing import engine

SHAPES = [
    ("UPDATE t SET a = 5 WHERE id = 7", "UPDATE t SET a = ? WHERE id = ?", [5, 7]),
    ("update t set a=5,b='x' where id==7;", "update t set a=?,b=? where id==?;", [5, "x", 7]),
    ("UPDATE t SET a = -5 WHERE id = - 7 -- why", "UPDATE t SET a = -? WHERE id = - ? -- why", [5, 7]),
    ("UPDATE t SET a = 'it''s', b = '''' WHERE c = ''", "UPDATE t SET a = ?, b = ? WHERE c = ?", ["it's", "'", ""]),
    ("UPDATE t SET a = 1.5e3, b = .5 WHERE c = 1.", "UPDATE t SET a = ?, b = ? WHERE c = ?", [1500.0, 0.5, 1.0]),
    ("UPDATE t SET a = a + 1, b = 5 * 2 WHERE id = 7", "UPDATE t SET a = a + 1, b = 5 * 2 WHERE id = ?", [7]),
    ("UPDATE t SET a = 9223372036854775807 WHERE id = 1", "UPDATE t SET a = ? WHERE id = ?", [2**63 - 1, 1]),
    ("UPDATE t SET a = 1 WHERE id = 7 RETURNING a = 1", "UPDATE t SET a = ? WHERE id = ? RETURNING a = 1", [1, 7]),
    ("DELETE FROM t WHERE a = 'x' AND (b = 2 OR c = 3)", "DELETE FROM t WHERE a = ? AND (b = ? OR c = ?)", ["x", 2, 3]),
    ("DELETE FROM t WHERE id = 5 LIMIT 1", "DELETE FROM t WHERE id = ? LIMIT 1", [5]),
    ("INSERT INTO t VALUES (1, 'x', -2.5, NULL, x'00')", "INSERT INTO t VALUES (?, ?, -?, NULL, x'00')", [1, "x", 2.5]),
    ("REPLACE INTO t(a, b) VALUES (1, 2), (3, 1 + 1)", "REPLACE INTO t(a, b) VALUES (?, ?), (?, 1 + 1)", [1, 2, 3]),
    ("INSERT INTO t VALUES (abs(-1), 2) ON CONFLICT (a) WHERE b = 1 DO UPDATE SET b = 3",
     "INSERT INTO t VALUES (abs(-1), ?) ON CONFLICT (a) WHERE b = 1 DO UPDATE SET b = 3", [2]),
    ("SELECT 1, a = 2, 'x' FROM t WHERE id = 3 ORDER BY 1, a = 4 LIMIT 5",
     "SELECT 1, a = 2, 'x' FROM t WHERE id = ? ORDER BY 1, a = 4 LIMIT 5", [3]),
    ("SELECT * FROM t JOIN u ON t.a = 1 WHERE u.b = 'y' AND a > 3", "SELECT * FROM t JOIN u ON t.a = 1 WHERE u.b = ? AND a > 3", ["y"]),
    ("SELECT count(*) FROM t WHERE a = 1 GROUP BY b = 2 HAVING count(*) = 3",
     "SELECT count(*) FROM t WHERE a = ? GROUP BY b = 2 HAVING count(*) = 3", [1]),
    ("SELECT a FROM t WHERE id = 1 FOR UPDATE", "SELECT a FROM t WHERE id = ? FOR UPDATE", [1]),
]
NONE = [
    "SELECT 1", "SELECT a = 1 FROM t", "SELECT * FROM t WHERE a > 1", "SELECT * FROM t WHERE a IN (1, 2)", "SELECT * FROM t ORDER BY 1",
    "UPDATE t SET a = ? WHERE id = 7", "SELECT * FROM t WHERE a = (SELECT 1) AND b = 2", "WITH x AS (VALUES (1)) DELETE FROM t WHERE a = 1",
    "INSERT INTO t SELECT 1 WHERE 1 = 1", "INSERT INTO t DEFAULT VALUES", "CREATE TABLE t(a DEFAULT 1)", "PRAGMA user_version = 5",
    "EXPLAIN SELECT * FROM t WHERE a = 1", "UPDATE t SET a = 9223372036854775808 WHERE id = 1", "UPDATE t SET a = 0x10 WHERE id = 1_000",
    "UPDATE t SET a = 1 WHERE id = 1; SELECT 2", "UPDATE t SET a = 'open", "", ";", "UPDATE t SET a = 5 COLLATE NOCASE", "BEGIN",
    "SELECT CASE WHEN a = 1 THEN 2 END FROM t WHERE b = c", "INSERT INTO t VALUES (" + ", ".join("1" * 65) + ")",
]


@pytest.mark.parametrize("sql, text, values", SHAPES)
def test_literals_that_are_taken(sql, text, values):
    assert engine.statement_shape(sql) == (text, values)
    assert [type(v) for v in engine.statement_shape(sql)[1]] == [type(v) for v in values]


@pytest.mark.parametrize("sql", NONE)
def test_texts_without_a_shape(sql):
    assert engine.statement_shape(sql) is None


SCHEMA = """
    CREATE TABLE t(id INTEGER PRIMARY KEY, a INTEGER, b TEXT COLLATE NOCASE, c REAL, d, e NUMERIC, u INTEGER UNIQUE CHECK (u < 1000));
    CREATE INDEX t_a ON t(a);
    CREATE INDEX t_b ON t(b, c);
    CREATE INDEX t_x ON t(a = 3);
    CREATE TABLE w(k TEXT, j INTEGER, v, PRIMARY KEY (k, j)) WITHOUT ROWID;
    CREATE TABLE s(i INTEGER, r REAL, x TEXT) STRICT;
    INSERT INTO t SELECT value, value % 7, 'T' || (value % 5), value / 3.0, value, '1' || value, value FROM generate_series(1, 60);
"""
FORMS = [
    "UPDATE t SET a = {0} WHERE id = {1}", "UPDATE t SET b = {0}, c = {1} WHERE a = {2}", "UPDATE t SET d = {0} WHERE b = {1}",
    "UPDATE t SET e = {0}, u = {1} WHERE id = {2}", "UPDATE OR IGNORE t SET u = {0} WHERE a = {1}", "UPDATE t SET a = a + 1 WHERE c = {0} OR e = {1}",
    "UPDATE t SET a = {0} WHERE id = {1} RETURNING id, a, a = 3", "DELETE FROM t WHERE d = {0} AND b = {1}", "DELETE FROM t WHERE u = {0} OR id = {1}",
    "INSERT INTO t(a, b, c, d, e) VALUES ({0}, {1}, {2}, {3}, {0})", "INSERT INTO t(id, u) VALUES ({0}, {1})",
    "INSERT OR REPLACE INTO t(id, a, u) VALUES ({0}, {1}, {2})", "INSERT INTO w VALUES ({0}, {1}, {2}), ({1}, {0}, 'same')",
    "INSERT INTO w VALUES ({0}, {1}, {2}) ON CONFLICT (k, j) DO UPDATE SET v = 7", "INSERT INTO s VALUES ({0}, {1}, {2})",
    "UPDATE s SET i = {0} WHERE r = {1}", "DELETE FROM w WHERE k = {0} AND j = {1}",
    "SELECT id, a = 3, 1, typeof(d) FROM t WHERE a = {0} AND b = {1} ORDER BY 1", "SELECT id FROM t WHERE (a = 3) = {0} ORDER BY id LIMIT 5",
    "SELECT count(*), max(c) FROM t WHERE b = {0} GROUP BY a = 3 HAVING count(*) = 1 ORDER BY 2, 1", "SELECT * FROM w WHERE k = {0} ORDER BY k, j",
    "SELECT t.id FROM t JOIN w ON w.j = t.id AND w.k = 5 WHERE t.e = {0} ORDER BY t.id", "SELECT typeof(i), r, x FROM s WHERE x = {0} AND 1 = {1} ORDER BY r",
]


def literal(rng):
    return rng.choice([
        lambda: str(rng.randrange(8)), lambda: str(rng.randrange(70)), lambda: f"-{rng.randrange(5)}", lambda: f"+ {rng.randrange(5)}",
        lambda: f"{rng.randrange(60) / 3}", lambda: f"{rng.randrange(9)}.0", lambda: f"'T{rng.randrange(6)}'", lambda: f"'t{rng.randrange(6)}'",
        lambda: f"'{rng.randrange(70)}'", lambda: "'it''s'", lambda: "''", lambda: "NULL", lambda: "x'3132'", lambda: "4611686018427387904",
        lambda: "-9223372036854775808", lambda: "1e400", lambda: "' 12 '", lambda: "'1.50'",
    ])()


def outcome(con, sql):
    try:
        cursor = con.execute(sql)
        names = None if cursor.description is None else [column[0] for column in cursor.description]
        return "rows", names, cursor.fetchall(), cursor.rowcount
    except (sqlite3.Error, turdb.Error) as error:
        kind = "Integrity" if "IntegrityError" in [base.__name__ for base in type(error).__mro__] else "other"
        return "error", kind


@pytest.mark.parametrize("seed", range(6))
def test_many_literals_beside_sqlite3(seed):
    rng = random.Random(seed)
    own, peer = turdb.connect(":memory:", isolation_level=None), sqlite3.connect(":memory:", isolation_level=None)
    for con in (own, peer):
        schema = SCHEMA
        if con is peer:
            values = "WITH RECURSIVE g(value) AS (VALUES (1) UNION ALL SELECT value + 1 FROM g WHERE value < 60) "
            schema = SCHEMA.replace("INSERT INTO t SELECT", values + "INSERT INTO t SELECT").replace("generate_series(1, 60)", "g")
        con.executescript(schema)
    ran = 0
    for _ in range(700):
        form = rng.choice(FORMS)
        sql = form.format(*(literal(rng) for _ in range(4)))
        expected, got = outcome(peer, sql), outcome(own, sql)
        if expected[0] == "rows" and expected[1] is not None:
            expected, got = expected[:3], got[:3]
        assert got == expected, sql
        ran += expected[0] == "rows"
    assert ran > 500
    for table in "tws":
        assert own.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() == peer.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
    assert own.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_the_schema_may_change_between_them():
    con = turdb.connect(":memory:", isolation_level=None)
    con.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, a)")
    for i in range(5):
        con.execute(f"INSERT INTO t VALUES ({i}, 'x{i}')")
    con.execute("DROP TABLE t")
    with pytest.raises(turdb.OperationalError, match="no such table: t"):
        con.execute("INSERT INTO t VALUES (9, 'x9')")
    con.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, b, a TEXT)")
    with pytest.raises(turdb.OperationalError, match="3 columns"):
        con.execute("INSERT INTO t VALUES (9, 'x9')")
    for i in range(3):
        assert con.execute(f"SELECT a FROM t WHERE id = {i}").fetchall() == []
    con.execute("ALTER TABLE t RENAME COLUMN a TO c")
    with pytest.raises(turdb.OperationalError, match="no such column: a at line 1, column 8\n  SELECT a FROM t WHERE id = 7\n"):
        con.execute("SELECT a FROM t WHERE id = 7")


def test_it_has_no_parameters_of_its_own():
    con = turdb.connect(":memory:", isolation_level=None)
    con.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, a)")
    for i in range(4):
        con.execute(f"INSERT INTO t VALUES ({i}, {i})")
    with pytest.raises(turdb.ProgrammingError, match="uses 0, and there are 1 supplied"):
        con.execute("INSERT INTO t VALUES (5, 5)", (1,))
    con.executemany("UPDATE t SET a = 77 WHERE id = 3", [()] * 3)
    con.executemany("UPDATE t SET a = 78 WHERE id = 2", [(), ()])
    assert con.execute("SELECT a FROM t ORDER BY id").fetchall() == [(0,), (1,), (78,), (77,)]


def test_two_results_of_one_shape_at_a_time():
    con = turdb.connect(":memory:", isolation_level=None)
    con.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, a)")
    con.executemany("INSERT INTO t VALUES (?, ?)", [(i, i % 3) for i in range(9000)])
    cursors = [con.execute(f"SELECT id FROM t WHERE a = {i}") for i in range(3)]
    for _ in range(3000):
        assert [next(cursor)[0] % 3 for cursor in cursors] == [0, 1, 2]


def test_neighbours_by_a_filter_of_literals():
    con = turdb.connect(":memory:", isolation_level=None)
    con.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, kind TEXT, e VECTOR(2))")
    con.executemany("INSERT INTO t VALUES (?, ?, ?)", [(i, "ab"[i % 2], [float(i), 0.0]) for i in range(40)])
    con.execute("CREATE INDEX t_e ON t USING hnsw (e vector_l2_ops)")
    for i in range(10):
        rows = con.execute(f"SELECT id FROM t WHERE kind = '{'ab'[i % 2]}' ORDER BY e <-> '[{i}, 0]' LIMIT 2").fetchall()
        assert rows[0] == (i,), i
    for i in range(5):
        con.execute(f"UPDATE t SET e = '[{100 + i}, 1]' WHERE id = {i}")
    assert con.execute("SELECT id FROM t ORDER BY e <-> '[104, 1]' LIMIT 1").fetchone() == (4,)
