"""Queries and writes through the executor, against the standard library's sqlite3 on the same data."""

import math
import random
import sqlite3

import pytest

import turdb

SCHEMA = """
CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b TEXT, c REAL, d);
CREATE TABLE u (id INTEGER PRIMARY KEY, t_id INTEGER, e TEXT COLLATE NOCASE, f REAL);
CREATE INDEX u_t ON u (t_id);
"""


def rows_of(seed):
    r = random.Random(seed)
    maybe = lambda v: None if r.random() < 0.12 else v  # noqa: E731
    t = [(i, maybe(r.randint(-5, 5)), maybe(r.choice(["x", "y", "Z", "10", "9", "abc", ""])), maybe(r.choice([0.5, 1.0, -2.25, 3.5, 1e3])),
          r.choice([None, 1, 1.0, "1", "one", b"\x01", 2**40, -7])) for i in range(1, 201)]
    u = [(i, maybe(r.randint(1, 220)), maybe(r.choice(["x", "X", "y", "abc", "ABC"])), maybe(r.randint(-9, 9) / 4)) for i in range(1, 301)]
    return t, u


@pytest.fixture(scope="module")
def pair():
    connections = []
    for module in (turdb, sqlite3):
        con = module.connect(":memory:")
        for statement in SCHEMA.split(";"):
            if statement.strip():
                con.execute(statement)
        t, u = rows_of(7)
        con.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", t)
        con.executemany("INSERT INTO u VALUES (?, ?, ?, ?)", u)
        con.commit()
        connections.append(con)
    return connections


def normal(value):
    return round(value, 9) if isinstance(value, float) and math.isfinite(value) else value


def key(row):
    return [(0, 0) if v is None else (1, float(v)) if isinstance(v, (int, float)) else (2, v) if isinstance(v, str) else (3, v.hex()) for v in row]


def check(pair, sql, args=(), ordered=False):
    ours, theirs = (([tuple(map(normal, row)) for row in con.execute(sql, args)]) for con in pair)
    ours, theirs = list(ours), list(theirs)
    if not ordered:
        ours, theirs = sorted(ours, key=key), sorted(theirs, key=key)
    assert [list(map(type, r)) for r in ours] == [list(map(type, r)) for r in theirs], sql
    assert ours == theirs, sql


EXPRESSIONS = [
    "a + c", "a * 3 - 7", "a / 2", "a % 3", "-a", "~a", "a << 2", "a >> 1", "a | 5", "a & 6", "a || b", "b || c", "a = c", "a = b", "b = 10",
    "d = 1", "d = '1'", "d < 'b'", "a < c", "a <= 2.0", "a IS c", "a IS NOT NULL", "b IS NULL", "NOT a", "a AND c", "a OR b", "a BETWEEN 1 AND 3",
    "b BETWEEN 'a' AND 'y'", "a IN (1, 2, 3)", "a IN (1, NULL)", "a NOT IN (1, NULL)", "b IN ('x', '10')", "d IN (1, 'one')", "b IN (10, 9)",
    "CASE WHEN a > 0 THEN 'p' WHEN a < 0 THEN 'n' END", "CASE a WHEN 1 THEN b WHEN 2 THEN c ELSE d END", "coalesce(a, c, 'none')",
    "ifnull(b, a)", "nullif(a, 1)", "iif(a > 1, 'yes', 'no')", "CAST(b AS INTEGER)", "CAST(c AS INTEGER)", "CAST(a AS TEXT)", "CAST(d AS REAL)",
    "typeof(d)", "length(b)", "upper(b)", "substr(b, 1, 2)", "abs(a)", "round(c)", "max(a, c)", "min(a, 2)", "b LIKE '%a%'", "b GLOB '[a-x]*'",
    "b = 'X' COLLATE NOCASE", "a + b", "b * 2", "d + 1", "a = 1 OR a = 2 OR c > 1", "a > 0 AND c > 0 AND b > 'a'", "(SELECT max(f) FROM u)",
    "(SELECT count(*) FROM u WHERE u.t_id = t.id)", "EXISTS (SELECT 1 FROM u WHERE u.t_id = t.id)", "id IN (SELECT t_id FROM u)",
    "a NOT IN (SELECT t_id FROM u)", "a IN (SELECT f FROM u WHERE f > 0)", "(a, id) IN (SELECT f, t_id FROM u)", "c / 0", "a / 0", "a % 0",
    "9223372036854775807 + a", "a * 9223372036854775807", "CASE WHEN a THEN 1 / a ELSE 0 END", "hex(d)", "quote(b)", "a -> 1 IS NULL AND 0",
]


@pytest.mark.parametrize("expression", EXPRESSIONS[:-1])
def test_expressions(pair, expression):
    check(pair, f"SELECT id, {expression} FROM t ORDER BY id", ordered=True)
    check(pair, f"SELECT id FROM t WHERE {expression}")
    check(pair, f"SELECT count(*) FROM t WHERE NOT ({expression})")


QUERIES = [
    "SELECT count(*), count(a), sum(a), avg(c), min(b), max(c), total(a), min(d), max(d) FROM t",
    "SELECT a, count(*), sum(c), max(b) FROM t GROUP BY a",
    "SELECT b, count(DISTINCT a), sum(DISTINCT c) FROM t GROUP BY b HAVING count(*) > 3",
    "SELECT a, b, count(*) FROM t GROUP BY a, b",
    "SELECT d, count(*) FROM t GROUP BY d",
    "SELECT a % 2, group_concat(id) FROM t WHERE id < 30 GROUP BY a % 2",
    "SELECT count(*) FILTER (WHERE a > 0), sum(a) FILTER (WHERE c IS NULL) FROM t",
    "SELECT sum(a), count(*) FROM t WHERE 0",
    "SELECT a, sum(c) FROM t WHERE 0 GROUP BY a",
    "SELECT max(id), b FROM t",
    "SELECT a, min(id), b, c FROM t GROUP BY a",
    "SELECT a, b FROM t GROUP BY a",
    "SELECT DISTINCT a, b FROM t",
    "SELECT DISTINCT d FROM t",
    "SELECT DISTINCT e FROM u WHERE e IN ('y', 'abc')",
    "SELECT e, count(*) FROM u GROUP BY e",
    "SELECT t.id, u.id FROM t JOIN u ON u.t_id = t.id",
    "SELECT t.id, u.id FROM t LEFT JOIN u ON u.t_id = t.id AND u.f > 0",
    "SELECT t.id, u.id FROM t LEFT JOIN u ON u.t_id = t.id WHERE u.id IS NULL",
    "SELECT t.id, u.id FROM t RIGHT JOIN u ON u.t_id = t.id",
    "SELECT t.id, u.id FROM t FULL JOIN u ON u.t_id = t.id AND t.a > 0",
    "SELECT t.id, u.id FROM t JOIN u ON t.b = u.e",
    "SELECT t.id, u.id FROM t JOIN u ON t.c = u.f",
    "SELECT t.id, u.id FROM t, u WHERE t.a = u.id AND t.c < u.f",
    "SELECT x.id, y.id FROM t x JOIN t y ON x.a < y.a AND x.id < 20 AND y.id < 20",
    "SELECT x.id, y.id FROM t x LEFT JOIN t y ON x.a < y.c AND y.id < 5 WHERE x.id < 30",
    "SELECT count(*) FROM t, u WHERE t.id < 50",
    "SELECT a FROM t UNION SELECT t_id FROM u",
    "SELECT a FROM t UNION ALL SELECT t_id FROM u",
    "SELECT id FROM t INTERSECT SELECT t_id FROM u",
    "SELECT id FROM t EXCEPT SELECT t_id FROM u",
    "WITH w AS (SELECT a, count(*) AS n FROM t GROUP BY a) SELECT x.a, x.n, y.n FROM w x JOIN w y ON x.a = y.a + 1",
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 500) SELECT sum(n), count(*) FROM c",
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION SELECT (n * 3) % 17 FROM c) SELECT n FROM c",
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 7) SELECT n FROM c",
    "SELECT id, (SELECT e FROM u WHERE u.t_id = t.id ORDER BY u.id LIMIT 1) FROM t",
    "SELECT id FROM t WHERE a = (SELECT max(a) FROM t x WHERE x.b = t.b)",
    "SELECT * FROM (SELECT a, sum(c) AS s FROM t GROUP BY a) WHERE s > 1",
    "SELECT value FROM generate_series(1, 20, 3)" if sqlite3.sqlite_version_info >= (3, 99) else "SELECT 1",
    "VALUES (1, 'a'), (2, NULL), (NULL, 3.5)",
]


@pytest.mark.parametrize("sql", QUERIES)
def test_queries(pair, sql):
    check(pair, sql)


ORDERED = [
    "SELECT id FROM t ORDER BY a, id", "SELECT id FROM t ORDER BY a DESC, b, id", "SELECT id FROM t ORDER BY b COLLATE NOCASE, id DESC",
    "SELECT id FROM t ORDER BY d, id", "SELECT id FROM t ORDER BY d DESC, id", "SELECT id FROM t ORDER BY c NULLS LAST, id",
    "SELECT id FROM t ORDER BY a DESC NULLS FIRST, id LIMIT 10", "SELECT id FROM t ORDER BY c * a, id LIMIT 7 OFFSET 3",
    "SELECT id FROM t ORDER BY b, id LIMIT 5 OFFSET 195", "SELECT id FROM t ORDER BY id LIMIT 0", "SELECT id FROM t ORDER BY id LIMIT -1 OFFSET 198",
    "SELECT id FROM t WHERE id > 190.5 ORDER BY id", "SELECT id FROM t WHERE id >= '197' ORDER BY id", "SELECT id FROM t WHERE id < 'x' ORDER BY id LIMIT 3",
    "SELECT id FROM t WHERE id IN (5, 3, '4', 3, 900, NULL) ORDER BY id", "SELECT id FROM t WHERE id = 7.0",
    "WITH RECURSIVE c(n, d) AS (SELECT 1, 0 UNION ALL SELECT n * 2 + x, d + 1 FROM c, (SELECT 0 AS x UNION ALL SELECT 1) WHERE d < 3"
    " ORDER BY 2 DESC, 1) SELECT n, d FROM c",
]


@pytest.mark.parametrize("sql", ORDERED)
def test_order(pair, sql):
    check(pair, sql, ordered=True)


FRAMES = ["", "ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING", "ROWS UNBOUNDED PRECEDING", "ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING",
          "ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING", "RANGE BETWEEN 1 PRECEDING AND 2 FOLLOWING", "GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
          "ROWS BETWEEN 3 PRECEDING AND 2 PRECEDING", "RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING", "GROUPS BETWEEN 2 FOLLOWING AND 3 FOLLOWING",
          "ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING EXCLUDE CURRENT ROW", "GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE GROUP",
          "RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE TIES"]
CALLS = ["sum(id)", "avg(c)", "count(*)", "min(c)", "max(id)", "group_concat(id)", "first_value(id)", "last_value(id)", "nth_value(id, 2)",
         "sum(c) FILTER (WHERE id % 2)"]


@pytest.mark.parametrize("frame", FRAMES)
def test_window_frames(pair, frame):
    for call in CALLS:
        order = "a" if "RANGE" in frame or "GROUPS" in frame else "a, id"
        stable = "a" if order == "a" else None
        if stable and call.split("(")[0] in ("group_concat", "first_value", "last_value", "nth_value"):
            order = "id"  # the order among peers is nobody's promise
        check(pair, f"SELECT id, {call} OVER (PARTITION BY b ORDER BY {order} {frame}) FROM t WHERE id < 90")


@pytest.mark.parametrize("call", ["row_number()", "rank()", "dense_rank()", "percent_rank()", "cume_dist()", "ntile(4)", "lag(c)", "lead(c, 2, -1)", "lag(id, abs(a))"])
def test_window_ranks(pair, call):
    order = "a, id" if call.split("(")[0] in ("row_number", "ntile", "lag", "lead") else "a"
    check(pair, f"SELECT id, {call} OVER (PARTITION BY b ORDER BY {order}) FROM t")
    check(pair, f"SELECT id, {call} OVER (ORDER BY {order} DESC) FROM t")


def test_errors_of_evaluation(pair):
    for sql, why in [("SELECT sum(9223372036854775807 + 0 * id) FROM t", "integer overflow"), ("SELECT abs(-9223372036854775807 - 1)", "integer overflow"),
                     ("SELECT id FROM t LIMIT 'x'", "datatype mismatch"), ("SELECT json('{')", "malformed JSON"),
                     ("SELECT ntile(0) OVER () FROM t", "argument of ntile must be a positive integer")]:
        with pytest.raises(turdb.Error, match=why):
            pair[0].execute(sql).fetchall()


WRITES = """
CREATE TABLE w (id INTEGER PRIMARY KEY, k TEXT UNIQUE, n INTEGER NOT NULL DEFAULT 5, s TEXT AS (k || '-' || n) STORED, CHECK (n < 1000))
INSERT INTO w (k) VALUES ('a'), ('b'), ('c')
INSERT INTO w (id, k, n) VALUES (10, 'd', '12'), (NULL, 'e', 7.0)
INSERT INTO w (k, n) VALUES ('a', 1)
INSERT OR IGNORE INTO w (k, n) VALUES ('a', 1), ('f', 2), ('g', NULL), ('h', 5000)
INSERT OR REPLACE INTO w (id, k, n) VALUES (1, 'b', 3)
INSERT OR REPLACE INTO w (k, n) VALUES ('z', NULL)
INSERT INTO w (k, n) VALUES ('c', 4) ON CONFLICT (k) DO UPDATE SET n = n + excluded.n WHERE n < 100 RETURNING id, k, n, s
INSERT INTO w (k, n) VALUES ('c', 4) ON CONFLICT DO NOTHING RETURNING id
INSERT INTO w (id, k) VALUES ('x', 'q')
INSERT INTO w (k, n) VALUES ('r', 1000)
INSERT INTO w (k, n) VALUES ('n', NULL)
UPDATE w SET n = n + 1
UPDATE w SET k = 'd' WHERE k = 'e'
UPDATE OR IGNORE w SET k = 'd' WHERE k IN ('e', 'f')
UPDATE OR REPLACE w SET k = 'd' WHERE k = 'f' RETURNING id, k, s
UPDATE w SET id = id + 100 WHERE id > 3 RETURNING id
UPDATE w SET n = (SELECT max(n) FROM w) WHERE id = 1
UPDATE w SET id = 'x' WHERE id = 1
INSERT INTO w (k, n) SELECT k || k, n FROM w
INSERT OR FAIL INTO w (k, n) VALUES ('fail1', 1), ('d', 2), ('fail2', 3)
DELETE FROM w WHERE n > 8 RETURNING k, n
DELETE FROM w WHERE id IN (SELECT id FROM w ORDER BY id LIMIT 1)
CREATE TABLE wr (a TEXT, b INTEGER, c, PRIMARY KEY (a, b)) WITHOUT ROWID
INSERT INTO wr VALUES ('x', 1, 'one'), ('x', 2, 'two'), ('y', 1, 'three')
INSERT INTO wr VALUES ('x', 2, 'again')
INSERT OR REPLACE INTO wr VALUES ('x', 2, 'again')
UPDATE wr SET b = b + 1 WHERE a = 'y' RETURNING a, b, c
UPDATE wr SET c = c || '!' WHERE b = 2
DELETE FROM wr WHERE a = 'x' AND b = 1
DELETE FROM wr
DELETE FROM w
"""


def test_writes_step_by_step():
    ours, theirs = turdb.connect(":memory:"), sqlite3.connect(":memory:")
    for sql in WRITES.strip().splitlines():
        results = []
        for con, module in ((ours, turdb), (theirs, sqlite3)):
            try:
                cursor = con.execute(sql)
                results.append((sorted(cursor.fetchall()), cursor.rowcount if "RETURNING" not in sql else None))
            except module.Error as error:
                results.append((type(error).__name__, str(error).split(" (")[0]))
        assert results[0] == results[1], sql
        for table in ("w", "wr"):
            if table == "w" or "wr" in sql:
                assert [tuple(r) for r in ours.execute(f"SELECT * FROM {table} ORDER BY 1, 2")] == theirs.execute(
                    f"SELECT * FROM {table} ORDER BY 1, 2").fetchall(), sql
        assert ours.total_changes == theirs.total_changes, sql
