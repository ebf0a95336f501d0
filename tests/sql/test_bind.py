"""The binder: what it accepts and refuses is what SQLite accepts and refuses, and plans have the shapes promised."""

import re
import sqlite3
from pathlib import Path

import pytest

from turdb._testing import bind

SCHEMA = [
    "create table t(a integer primary key,b text collate nocase,c real,d)",
    "create table u(a int,b text,e)",
    "create index ti on t(b)",
    "create view v as select a,b from t",
    "create table p(x int, y text, z)",
    "create table q(x integer, y real, z text collate nocase)",
    "create table r(x, z blob)",
    "create view vv as select x+1 as k, y from p",
    "create table w(a int, b text, c, primary key(a,b)) without rowid",
    "create table g(a int, b int generated always as (a+1) virtual, c int as (b*2) stored)",
    "create table k(a integer primary key, b int unique, c text, unique(b,c))",
    "create unique index k1 on k(lower(c))",
    "create unique index k2 on k(c) where b>0",
    "create table tf(true int)",
]
VECTORS = ["create table items(id integer primary key, name text, e vector(3), constraint named check (length(name) > 0))"]

# Where turdb differs on purpose, or SQLite 3.40 shows a quirk of its own.
DIFFERENT = {
    "select rowid from v": "a view has no rowid",
    "select rowid from (select x from p)": "a subquery has no rowid",
    "select rowid from (select a from k)": "a subquery has no rowid",
    "select a collate foo from t": "an unknown collation is reported even where it compares nothing",
    "select group_concat(a order by b) from t": "ORDER BY in aggregates, as in later SQLite",
    "select cast(a as vector) from t": "VECTOR needs its dimension",
    "select * from generate_series(1,3)": "built in",
    "select * from (p join q using(x)) as j": "columns of an aliased join are named once",
    "select p.x from (p join q using(x)) as j": "an alias hides what it stands for",
    "select sum(x) over w from p window w as (w)": "a window cannot be its own base",
}
# The same error in other words.
REWORDED = {
    "select row_number() over () x from t where x>1",
    "select sum(a) over (order by b) s from k where s>1",
    "select * from t join t",
    "select * from p a, q a",
    "with recursive c(n) as (select 1 union all select n+1 from c where n < (select max(n) from c)) select * from c",
}


def statements():
    lines = Path(__file__).with_name("bind_statements.txt").read_text().splitlines()[1:]
    return [(line.split("\t") + [None])[:2] for line in lines]


@pytest.fixture(scope="module")
def schema():
    return bind.Schema(SCHEMA + VECTORS)


def error_of(schema, sql):
    try:
        schema.bind(sql)
    except RuntimeError as error:
        return str(error)
    return None


def test_statements_are_accepted_and_refused_as_by_sqlite(schema):
    wrong = []
    for sql, expected in statements():
        if sql in DIFFERENT:
            continue
        got = error_of(schema, sql)
        if (expected is None) != (got is None) or (expected is not None and sql not in REWORDED and expected.lower() not in got.lower()):
            wrong.append((sql, expected, got))
    assert not wrong


def test_the_frozen_expectations_are_those_of_sqlite():
    if sqlite3.sqlite_version_info[:2] != (3, 40):
        pytest.skip("the expectations are SQLite 3.40's")
    con = sqlite3.connect(":memory:")
    for sql in SCHEMA:
        con.execute(sql)
    for sql, expected in statements():
        parameters = [None] * (sql.count("?") + len(re.findall(r"[:@]\w", sql)))
        try:
            con.execute("explain " + sql, parameters)
            got = None
        except sqlite3.Error as error:
            got = str(error)
        assert got == expected, sql


@pytest.mark.parametrize(
    "sql, kind, place, hint",
    [
        ("select naem from items", "Name", "line 1, column 8", "did you mean name?"),
        ("select 1,\n  i.naem from items i", "Name", "line 2, column 3", "did you mean name?"),
        ("select item.name from items", "Name", "line 1, column 8", "did you mean items.name?"),
        ("select * from itms", "Name", "line 1, column 15", "did you mean items?"),
        ("select legnth(name) from items", "Name", "line 1, column 8", "did you mean length?"),
        ("insert into items(naem) values (1)", "Name", "line 1, column 19", "did you mean name?"),
        ("update items set naem = 1", "Name", "line 1, column 18", "did you mean name?"),
        ("select x from p, q", "Name", "line 1, column 8", "put the table's name before it"),
    ],
)
def test_errors_tell_place_and_hint(schema, sql, kind, place, hint):
    error = error_of(schema, sql)
    assert error.startswith(kind + ": ")
    assert place in error and hint in error and error.rstrip().endswith("^")


def plan(schema, sql):
    """The tree without the numbers of column ids."""
    return re.sub(r"#\d+", "", schema.bind(sql)["plan"])


def test_only_mentioned_columns_are_read(schema):
    assert "Get items -> []" in plan(schema, "select count(*) from items")
    assert "Get items -> [name, id]" in plan(schema, "select name from items where rowid = 1")
    # Vectors that no expression reads stay where they are.
    assert "Get items -> [id, name]" in plan(schema, "update items set name = 'x'")
    assert "Get items -> [id, name]" in plan(schema, "delete from items returning id")
    assert "Get items -> [id, name, e]" in plan(schema, "delete from items returning e")
    assert "Get items -> [id]" in plan(schema, "delete from items where id = 3")
    assert "e" in re.search(r"Get items -> \[(.*)\]", plan(schema, "select * from items order by e <-> ?"))[1].split(", ")


def test_vector_operators_are_functions(schema):
    for operator, name in {"<->": "l2", "<=>": "cosine", "<#>": "inner_product", "<+>": "l1", "<~>": "hamming"}.items():
        text = plan(schema, f"select id from items order by e {operator} ? limit 3")
        assert f"vector_distance_{name}(e, ?1)" in text
        assert text.index("Limit 3") < text.index("Sort") < text.index("vector_distance")


def test_subqueries_know_their_outer_columns(schema):
    text = plan(schema, "select 1 from p where exists(select 1 from q where q.y=p.y and exists(select 1 from r where r.z=p.z and r.x=q.x))")
    assert re.findall(r"^ *subquery of (.*)$", text, re.M) == ["y, z", "z, x"]
    assert "subquery\n" in plan(schema, "select (select max(x) from q) from p")
    # A common table that depends on an outer row makes its readers depend on it.
    text = plan(schema, "select (with c as (select p.x as k) select (select k from c) + (select k+1 from c)) from p")
    assert text.count("subquery of x\n") == 3


def test_common_tables_are_inlined_or_shared(schema):
    once = plan(schema, "with c as (select x from p) select * from c where x > 1")
    assert "Cte" not in once
    twice = plan(schema, "with c as (select x from p) select * from c a, c b")
    assert twice.count("CteRef c 0") == 2 and twice.startswith("Cte c 0")
    assert plan(schema, "with c as materialized (select x from p) select * from c").startswith("Cte c")
    assert "Cte" not in plan(schema, "with c as not materialized (select x from p) select * from c a, c b")
    recursive = plan(schema, "with recursive c(n) as (select 1 union all select n+1 from c where n<9) select n from c")
    assert "RecursiveCte 0 -> [n]" in recursive and "CteRef c 0 -> [n]" in recursive


def test_column_ids_are_produced_once(schema):
    for sql, error in statements():
        if error is not None or sql in DIFFERENT:
            continue
        text = schema.bind(sql)["plan"]
        produced = []
        for line in text.splitlines():
            if re.match(r" *(Get|Project|Aggregate|Values|Function|\w*RecursiveCte|CteRef|Union|Intersect|Except)", line):
                produced += re.findall(r"#(\d+)", line.rpartition("-> [")[2])
        assert len(produced) == len(set(produced)), (sql, text)


def test_aggregates_of_outer_queries_move_out(schema):
    text = plan(schema, "select (select max(p.x) from q) from p group by y")
    assert re.search(r"^  Aggregate by \(y\) of max\(x\)", text, re.M)
    text = plan(schema, "select x, sum(y)+1 as s, z from p group by x having s>1 order by s desc, z limit 5")
    assert "Aggregate by (x) of sum(y), bare(z)" in text
    assert "Sort s DESC, z" in text


def test_distinct_with_other_order_takes_first_rows(schema):
    text = plan(schema, "select distinct x from p order by y+1")
    assert "Aggregate by (x) of bare(y+1)" in text


@pytest.mark.parametrize(
    "expression, affinity, collation",
    [
        ("p.x = '1'", "NUMERIC", 0),
        ("'1' = p.x", "NUMERIC", 0),
        ("p.y = 1", "TEXT", 0),
        ("p.y = p.x", "NUMERIC", 0),
        ("p.z = p.x", "NUMERIC", 0),
        ("p.z = p.y", "NONE", 0),
        ("p.z = 1", "NONE", 0),
        ("p.x + 1 = '2'", "NONE", 0),
        ("+p.x = '1'", "NONE", 0),
        ("cast('1' as text) = 1", "TEXT", 0),
        ("cast('1' as int) = '1'", "NUMERIC", 0),
        ("(select x from q) = '1'", "NUMERIC", 0),
        ("q.z = 'a'", "TEXT", 1),
        ("'a' = q.z", "TEXT", 1),
        ("p.y = q.z", "NONE", 0),
        ("q.z = p.y", "NONE", 1),
        ("q.z = 'a' collate binary", "TEXT", 0),
        ("p.y = 'a' collate nocase", "TEXT", 1),
        ("+q.z = 'a'", "NONE", 1),
        ("q.z || '' = 'a'", "NONE", 0),
        ("'a' || 'b' collate nocase = 'AB'", "NONE", 1),
        ("max(q.z, 'a') = 'A'", "NONE", 0),
        ("p.x in ('1', '2')", "NUMERIC", 0),
        ("q.z in ('a')", "TEXT", 1),
        ("'1' in (p.x)", "NONE", 0),
        ("p.x in (select y from p)", "NUMERIC", 0),
        ("p.y in (select z from q)", "NONE", 0),
    ],
)
def test_affinity_and_collation_of_comparisons(schema, expression, affinity, collation):
    assert schema.comparison(f"select {expression} from p, q") == (affinity, collation)


def test_result_columns_have_names_and_types(schema):
    columns = schema.bind("select *, x+1, y as k, rowid, \"x\" from p")["columns"]
    assert [name for name, _, _ in columns] == ["x", "y", "z", "x+1", "k", "rowid", "x"]
    assert [declared for _, declared, _ in columns] == ["int", "text", "", "", "text", "INTEGER", "int"]
    assert [c[0] for c in schema.bind("select * from (select x, x, x+1 from p)")["columns"]] == ["x", "x:1", "x+1"]
    assert [c[0] for c in schema.bind("select * from p join q using (x)")["columns"]] == ["x", "y", "z", "y", "z"]
    assert schema.bind("select k from vv")["columns"] == [("k", "", "NONE")]
    assert schema.bind("insert into p values (?,?,:a) returning y")["parameters"] == 3


def test_updates_from_a_join_change_a_row_once(schema):
    text = plan(schema, "update p set x=q.y from q where p.x=q.x")
    assert "Aggregate by (rowid) of bare(x), bare(y), bare(z), bare(new value)" in text


def test_nesting_does_not_exhaust_the_stack(schema):
    deep = "select 1"
    for _ in range(300):
        deep = f"select * from ({deep})"
    assert "Syntax" in error_of(schema, deep)
    between = "random()"
    for _ in range(40):
        between = f"({between} between 1 and 2)"
    assert "too complex" in error_of(schema, "select " + between)
    assert error_of(schema, "select " + " and ".join(["x between y and z"] * 500) + " from p") is None
