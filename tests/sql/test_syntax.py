"""The SQL lexer, parser and printer: every construct of SQLite's dialect and turdb's own additions.

The model is the sqlite3 module: what it accepts is accepted, what it refuses for its syntax is refused (but for
the additions named in ``is_addition``), operators bind as they do there, columns get the names they get there.
"""

import contextlib
import random
import re
import sqlite3
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turdb._testing import syntax

STATEMENTS = [
    line
    for line in (Path(__file__).parent / "syntax_statements.sql").read_text().splitlines()
    if line and not line.startswith("--")
]
TOKEN = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|\[[^\]]*\]|`[^`]*`|\w+|->>|->|\|\||<<|>>|<=|>=|<>|!=|==|[^\s\w]")


def printed(sql):
    return syntax.parse(sql)["sql"].decode()


def refused(sql):
    """The error's first line, without its kind; fails the test when the statement parses."""
    with pytest.raises(RuntimeError) as caught:
        syntax.parse(sql)
    return str(caught.value).split("\n")[0].removeprefix("Syntax: ")


# --- every construct ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sql", STATEMENTS)
def test_prints_what_parses_to_the_same(sql):
    once = printed(sql)
    assert printed(once) == once


@pytest.mark.parametrize(
    ("sql", "canonical"),
    [
        ("select a+b*c from t", "SELECT a + b * c FROM t"),
        ("select (a+b)*c, a-(b-c), (a-b)-c", "SELECT (a + b) * c, a - (b - c), a - b - c"),
        ("select not a=b, (not a)=b", "SELECT NOT a = b, (NOT a) = b"),
        ("select - -1, -(-a), ~-+a", "SELECT - -1, - -a, ~ -+a"),
        ("select a==b, a!=b, a is not null, a notnull", "SELECT a = b, a <> b, a IS NOT NULL, a IS NOT NULL"),
        ("select a is distinct from b, a is not distinct from b", "SELECT a IS NOT b, a IS b"),
        ("select a between 1 and 2 and c", "SELECT a BETWEEN 1 AND 2 AND c"),
        ("select a collate nocase || b", "SELECT a COLLATE nocase || b"),
        ("select * from a, b join c on 1 left join d using(x)", "SELECT * FROM a, b JOIN c ON 1 LEFT JOIN d USING (x)"),
        ("select * from a left natural outer join b", "SELECT * FROM a NATURAL LEFT JOIN b"),
        ("select * from a join (b, c) as d", "SELECT * FROM a JOIN (b, c) AS d"),
        ("select 1 limit 2, 3", "SELECT 1 LIMIT 3 OFFSET 2"),
        ("select * from t for update", "SELECT * FROM t FOR UPDATE"),
        ("select * from t limit 1 for share of t, \"b c\" nowait", 'SELECT * FROM t LIMIT 1 FOR SHARE OF t, "b c" NOWAIT'),
        ("select 1 for from t for for update skip locked", "SELECT 1 AS \"for\" FROM t AS \"for\" FOR UPDATE SKIP LOCKED"),
        ("select * from a, b for update of a for share of b", "SELECT * FROM a, b FOR UPDATE OF a FOR SHARE OF b"),
        ("select share, skip locked, nowait of from t for", "SELECT share, skip AS locked, nowait AS \"of\" FROM t AS \"for\""),
        ("select \"a\", [a b], `select`, 'x'", 'SELECT "a", "a b", "select", \'x\''),
        ("select x'0aFF', 'it''s', 0x10, 1e3", "SELECT X'0AFF', 'it''s', 16, 1e3"),
        ("insert into t default values", "INSERT INTO t DEFAULT VALUES"),
        ("replace into t values(1)", "INSERT OR REPLACE INTO t VALUES (1)"),
        ("update t set a=1 where b order by c limit 2", "UPDATE t SET a = 1 WHERE b ORDER BY c LIMIT 2"),
        ("delete from t returning a as x", "DELETE FROM t RETURNING a AS x"),
        ("create table t(a vector( 384 ), b unsigned big int)", "CREATE TABLE t (a vector( 384 ), b unsigned big int)"),
        ("create schema if not exists s", "CREATE SCHEMA IF NOT EXISTS s"),
        ("drop schema if exists s cascade", "DROP SCHEMA IF EXISTS s CASCADE"),
        ("begin concurrent", "BEGIN CONCURRENT"),
        ("begin isolation level snapshot", "BEGIN TRANSACTION ISOLATION LEVEL SNAPSHOT"),
        (
            "begin immediate transaction isolation level read committed",
            "BEGIN IMMEDIATE TRANSACTION ISOLATION LEVEL READ COMMITTED",
        ),
        (
            "begin transaction isolation level read uncommitted",
            "BEGIN TRANSACTION ISOLATION LEVEL READ UNCOMMITTED",
        ),
        ("begin transaction isolation level serializable", "BEGIN TRANSACTION ISOLATION LEVEL SERIALIZABLE"),
        ("begin transaction isolation level repeatable read", "BEGIN TRANSACTION ISOLATION LEVEL SNAPSHOT"),
        ("explain analyze select 1", "EXPLAIN ANALYZE SELECT 1"),
        ("explain analyze t", "EXPLAIN ANALYZE t"),
        ("pragma cache_size=-2000", "PRAGMA cache_size = -2000"),
        ("pragma hnsw_absorb=sync", "PRAGMA hnsw_absorb = 'sync'"),
        ("select max(a order by b desc) from t", "SELECT max(a ORDER BY b DESC) FROM t"),
        (
            "select count(*) over w from t window w as (order by a)",
            "SELECT count(*) OVER w FROM t WINDOW w AS (ORDER BY a)",
        ),
    ],
)
def test_canonical_form(sql, canonical):
    assert printed(sql) == canonical
    assert printed(canonical) == canonical


def test_vector_index_and_operators():
    options = "m=16, ef_construction=200, quantization='sq8', threshold=-0.5, kind=fast"
    assert printed(f"create index i on t using hnsw (e vector_cosine_ops) with ({options}) where e is not null") == (
        "CREATE INDEX i ON t USING hnsw (e vector_cosine_ops) WITH (m = 16, ef_construction = 200,"
        " quantization = 'sq8', threshold = -0.5, kind = 'fast') WHERE e IS NOT NULL"
    )
    nearest = "SELECT * FROM t WHERE a = 1 ORDER BY e <=> ? LIMIT 10"
    assert printed(nearest.lower()) == nearest
    # tighter than a comparison, looser than a sum, as in PostgreSQL
    tree = syntax.parse_expression("a <-> b + 1 < c <#> d and e <+> f <~> g > 0")["parenthesized"].decode()
    assert tree == "(((a <-> (b + 1)) < (c <#> d)) AND (((e <+> f) <~> g) > 0))"
    assert printed("select a<-1, a<+1, a<~1, a<=1") == "SELECT a < -1, a < +1, a < ~1, a <= 1"


def test_names_that_are_keywords():
    assert printed("select end, key, offset from temp.abort as desc") == (
        'SELECT "end", "key", "offset" FROM "temp"."abort" AS "desc"'
    )
    assert printed("select replace(a, 1, 2), like(a, b), left.x from left") == (
        'SELECT "replace"(a, 1, 2), "like"(a, b), "left".x FROM "left"'
    )
    assert printed("select 1 over from t window") == 'SELECT 1 AS "over" FROM t AS "window"'
    assert printed("select max(a) filter, b window, c over from t").endswith('AS "over" FROM t')
    assert refused("select a from order") == 'near "order": syntax error at line 1, column 15'


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", ("integer", 1)),
        ("9223372036854775807", ("integer", 2**63 - 1)),
        ("9223372036854775808", ("real", 2.0**63)),
        ("-9223372036854775808", ("integer", -(2**63))),
        ("- 09223372036854775808", ("integer", -(2**63))),
        ("0xffffffffffffffff", ("integer", -1)),
        ("0X7f", ("integer", 127)),
        ("1_000", ("integer", 1000)),
        ("1_0.2_5", ("real", 10.25)),
        (".5", ("real", 0.5)),
        ("5.", ("real", 5.0)),
        ("1e-3", ("real", 0.001)),
        ("1e999", ("real", float("inf"))),
        ("1e-999", ("real", 0.0)),
        ("123456789012345678901234567890", ("real", 123456789012345678901234567890.0)),
        ("'it''s'", ("text", "it's")),
        ("''", ("text", "")),
        ("x''", ("blob", b"")),
        ("X'00fF'", ("blob", b"\x00\xff")),
        ("null", ("null", None)),
        ("TRUE", ("other", "TRUE")),
        ("'grüße 🎈'", ("text", "grüße 🎈")),
    ],
)
def test_literals(text, value):
    assert syntax.literal(text) == value


def test_type_names():
    types = syntax.column_types(
        "create table t(a, b INT, c VARCHAR ( 10 ), d DECIMAL(10,-5), e 'Native Character' (7), f [x y] z,"
        " g int generated always as (1), h float(1.5), i generated)"
    )
    assert types == [
        ("", "", []),
        ("INT", "INT", []),
        ("VARCHAR ( 10 )", "VARCHAR", ["10"]),
        ("DECIMAL(10,-5)", "DECIMAL", ["10", "-5"]),
        ("'Native Character' (7)", "Native Character", ["7"]),
        ("[x y] z", "x y z", []),
        ("int", "int", []),
        ("float(1.5)", "float", ["1.5!"]),
        ("generated", "generated", []),
    ]


def test_texts_for_the_catalog():
    texts = syntax.constraint_texts(
        "create table t(a default (1 + 2 /* x */), b default -5, c default abc, d check ( a>0 ), e as (a||'x') stored,"
        " check (b <> c))"
    )
    assert texts == [
        ("a", 5, "1 + 2"),
        ("b", 5, "-5"),
        ("c", 5, "abc"),
        ("d", 4, "a>0"),
        ("e", 8, "a||'x'"),
        ("", 4, "b <> c"),
    ]
    assert syntax.view_text("create view v(a) as select  1 -- one\n ;") == "select  1"


def test_column_names_are_those_of_sqlite():
    con = sqlite3.connect(":memory:")
    for sql in (
        "select 1 /* x */, 2 -- y\n",
        " select 1+ 1 -- z\n",
        "select ( 1 ) , (2)",
        "select 1 /*x*/ from (select 1)",
        "select  'it''s', \"no_such\", x'00' ;",
        "select 1 as a, 2 b, 3 'c d', 4 [e], max ( 1,2 )",
        "select cast( 1 as\n text), case when 1 then 2 end , -1, - 1",
    ):
        assert syntax.column_texts(sql) == [d[0] for d in con.execute(sql).description]


# --- statements in a row ------------------------------------------------------------------------------------


def test_one_statement_at_a_time():
    script = (
        "-- start\n;; select 1; insert into t values (';');\n"
        "create temp trigger x after delete on t begin select case when 1 then 2 end; delete from t; end; "
        "explain create trigger y insert on t begin select 1; end;\n"
        "/* c */ select 2 -- no semicolon"
    )
    kinds, rest = [], script
    while rest:
        parsed = syntax.parse(rest)
        assert parsed["text"].decode() == rest[: parsed["consumed"]]
        offset, length = parsed["pos"]
        if not rest[offset + length :].startswith(" --"):
            assert rest[offset + length] == ";"
        kinds.append(printed(rest).split()[0])
        rest = rest[parsed["consumed"] :]
    assert kinds == ["SELECT", "INSERT", "CREATE", "EXPLAIN", "SELECT"]


@pytest.mark.parametrize("blank", ["", "  \n", ";", " ;; ", "-- x", "/* open", "\ufeff", "/**/;--"])
def test_blank_text(blank):
    parsed = syntax.parse(blank)
    assert parsed["kind"] is None
    assert parsed["consumed"] == len(blank.encode())


def test_complete_as_in_sqlite():
    parts = ["create", "trigger", "temp", "explain", "query", "end", "end", ";", ";", ";", "select", "'a;b'", "'a", '"',
             "[", "]", "`", " ", "\n", "-- c;\n", "/* ; */", "/*", "*/", "--", "é", "@", "!", ".5", "$a("]  # fmt: skip
    rng = random.Random(3)
    for _ in range(20000):
        text = "".join(rng.choice(parts) + rng.choice(["", " "]) for _ in range(rng.randrange(12)))
        assert syntax.is_complete(text) == sqlite3.complete_statement(text), text


def test_parameters_are_numbered_as_in_sqlite():
    parsed = syntax.parse("select ?, ?5, :a, @a, $a, :a, ?, ?2, $x::y(z)")
    assert parsed["parameter_count"] == 10
    assert parsed["parameter_names"] == ["", "?2", "", "", "?5", ":a", "@a", "$a", "", "$x::y(z)"]
    many = "select 1 where x in (" + ", ".join(f":a{i % 20000}" for i in range(25000)) + ")"
    assert syntax.parse(many)["parameter_count"] == 20000
    assert refused("select ?32767").startswith("variable number must be between ?1 and ?32766")
    assert refused("select ?0").startswith("variable number must be between")
    assert refused("select ?32766, ?").startswith("too many SQL variables")


# --- errors and limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("select * FORM t", 'near "FORM": syntax error at line 1, column 10; did you mean FROM?'),
        ("select a FORM t", 'near "t": syntax error at line 1, column 15; did you mean FROM?'),
        ("selct 1", 'near "selct": syntax error at line 1, column 1; did you mean SELECT?'),
        ("select 1 from t\n wehre a=1", 'near "a": syntax error at line 2, column 8; did you mean WHERE?'),
        ("select 'é', )", 'near ")": syntax error at line 1, column 13'),
        ("select 1 +", "incomplete input at line 1, column 11"),
        ("create table t(a,", "incomplete input at line 1, column 18"),
        ("select 1 +;", 'near ";": syntax error at line 1, column 11'),
        ("select 'abc", 'unrecognized token: "\'abc" (its quote is never closed) at line 1, column 8'),
        ("select 12ab", 'unrecognized token: "12ab" at line 1, column 8'),
        ("select x'1'", "unrecognized token: \"x'1'\" at line 1, column 8"),
        ("select !a", 'unrecognized token: "!" at line 1, column 8'),
        ("select 0x11111111111111111", "hex literal too big: 0x11111111111111111 at line 1, column 8"),
        (
            "select 1 order by 1 union select 2",
            "ORDER BY clause should come after UNION not before at line 1, column 21",
        ),
        ("select 1 limit 1 except select 2", "LIMIT clause should come after EXCEPT not before at line 1, column 18"),
        ("values (1), (2, 3)", "all VALUES must have the same number of terms at line 1, column 13"),
        ("select * from a inner outer join b", "unknown join type: inner outer at line 1, column 17"),
        (
            "select * from a natural join b on 1",
            "a NATURAL join may not have an ON or USING clause at line 1, column 32",
        ),
        ("create table t(a) rowid", "unknown table option: rowid at line 1, column 19"),
    ],
)
def test_errors(sql, error):
    assert refused(sql) == error


def test_errors_show_the_place():
    with pytest.raises(RuntimeError) as caught:
        syntax.parse("select 1,\n\tgrün ,, 2\nfrom t")
    assert str(caught.value).split("\n")[1:] == ["   grün ,, 2", "         ^"]
    with pytest.raises(RuntimeError) as caught:
        syntax.parse("select " + "a, " * 200 + ", b")
    excerpt, caret = str(caught.value).split("\n")[1:]
    assert len(excerpt) < 80
    assert excerpt[caret.index("^")] == ","


def test_an_upsert_after_a_join_is_explained():
    assert "write WHERE true before ON CONFLICT" in refused("insert into t select * from u on conflict do nothing")


@pytest.mark.parametrize(
    "sql",
    [
        "select " + "(" * 100000,
        "select " + "(" * 1001 + "1" + ")" * 1001,
        "select " + "-+" * 50000 + "1",
        "select " + "not " * 50000 + "1",
        "select " + "1+" * 1000 + "1",
        "select " + "(select " * 5000 + "1" + ")" * 5000,
        "select * from " + "(" * 5000 + "t",
        "select * from " + "t join " * 5000 + "t",
        "select " + "case when " * 5000,
        "select " + "f(" * 5000,
        "with x as (" * 5000,
        "select 1 in " + "(select 1 in " * 5000,
        "select " + "a or b and c = d < e & f + g * h || (not " * 5000,
    ],
)
def test_depth_is_bounded_on_a_small_stack(sql):
    caught = []

    def parse():
        try:
            syntax.parse(sql)
        except RuntimeError as error:
            caught.append(str(error))

    threading.stack_size(4 << 20)
    try:
        thread = threading.Thread(target=parse)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(0)
    assert "maximum depth 1000" in caught[0]


def test_depth_that_is_allowed():
    assert syntax.parse_expression("1" + "+1" * 999)["height"] == 1000
    syntax.parse("select " + "(" * 990 + "1" + ")" * 990)
    syntax.parse("select 1 where x in (" + ",".join(map(str, range(100000))) + ")")


def test_limits():
    assert syntax.parse("select " + ",".join("a" * 2000))["kind"] == 0
    assert refused("select " + ",".join("a" * 2001)).startswith("too many columns in result set")
    assert syntax.parse(" union ".join(["select 1"] * 500))["kind"] == 0
    assert refused(" union ".join(["select 1"] * 501)).startswith("too many terms in compound SELECT")
    assert syntax.parse("values " + ",".join(["(1)"] * 5000))["kind"] == 0
    assert refused("select f(" + ",".join("a" * 128) + ")").startswith("too many arguments on function f")
    assert refused("create table t(" + ",".join("a" * 2001) + ")").startswith("too many columns on t")


# --- against sqlite3 ----------------------------------------------------------------------------------------

SYNTAX_ERRORS = (
    "syntax error", "incomplete input", "unrecognized token", "unknown join type", "a JOIN clause is required",
    "clause should come", "all VALUES", "unknown table option", "unsupported frame", "NATURAL join may not",
)  # fmt: skip


@pytest.fixture(scope="module")
def sqlite():
    con = sqlite3.connect(":memory:", isolation_level=None)
    con.executescript(
        "create table t(a unique,b,c,d,e); create table u(a,b,c,d,e); create index ta on t(a);"
        "create view vv as select * from t"
    )
    return con


def sqlite_accepts(con, sql):
    """Whether sqlite3 takes the syntax of ``sql``; None when it stopped for another reason first."""
    try:
        con.execute("explain " + sql).close()
    except (sqlite3.Error, sqlite3.Warning) as error:
        message = str(error)
        if any(part in message for part in SYNTAX_ERRORS):
            return False
        return True if "bindings" in message else None
    return True


def is_addition(sql):
    """Syntax that turdb takes and an SQLite of 3.40 does not (later ones take some of it)."""
    return (
        re.search(r"\b(right|left|full|cross|inner|outer|natural|indexed)\b", sql) is not None  # as names of anything
        or re.search(r"\b(raise|current_\w+|cast)\b", sql) is not None  # RAISE(.., expr), current_time.*
        or re.search(r"\b(over|window) (over|filter|window)\b", sql) is not None
        or re.search(r"\((?:[^()]*) order by", sql) is not None  # max(a ORDER BY b)
        or ("returning" in sql and re.search(r"\b(order|limit)\b", sql) is not None)
        or ("trigger" in sql and re.search(r" as |with |default values|returning|indexed", sql) is not None)
        or sql.startswith(("begin", "explain", "analyze", "vacuum", "create index", "create unique index", "pragma"))
        or re.search(r"\b(values|union|except|intersect)\b", sql) is not None  # of two widths: the binder's error
        or re.search(r"order by|limit", sql) is not None  # of UPDATE and DELETE
        or re.search(r"\bfor (update|share)\b", sql) is not None
    )


def test_accepts_and_refuses_what_sqlite_does(sqlite):
    stock = [TOKEN.findall(sql) for sql in STATEMENTS]
    pool = sorted({token for tokens in stock for token in tokens})
    rng = random.Random(11)
    compared = 0
    for _ in range(30000):
        tokens = list(rng.choice(stock))
        at = rng.randrange(len(tokens))
        change = rng.randrange(4)
        if change == 0:
            del tokens[at]
        elif change == 1:
            tokens[at] = rng.choice(pool)
        elif change == 2:
            tokens.insert(at, rng.choice(pool))
        else:
            other = rng.choice(stock)
            begin = rng.randrange(len(other))
            tokens[at:at] = other[begin : begin + rng.randrange(1, 6)]
        sql = " ".join(tokens)
        theirs = sqlite_accepts(sqlite, sql) if sql and ";" not in sql else None
        if theirs is None:
            continue
        compared += 1
        error = syntax.errors_of(["explain " + sql])[0]
        if theirs:
            assert error == "", sql
        elif not is_addition(sql) and sqlite3.sqlite_version_info >= (3, 40):
            assert error != "", sql
    assert compared > 10000


ATOMS = ["1", "0", "2", "7", "null", "'a'", "'2'", "1.5", "-1", "- 3", "+2", "~5", "not 1", "not 0", "not null",
         "x'31'"]  # fmt: skip
OPERATORS = ["or", "and", "=", "==", "<>", "!=", "is", "is not", "<", "<=", ">", ">=", "&", "|", "<<", ">>", "+", "-",
             "*", "/", "%", "||", "like", "not like", "glob", "not glob"]  # fmt: skip


@st.composite
def expressions(draw):
    text = draw(st.sampled_from(ATOMS))
    for _ in range(draw(st.integers(1, 6))):
        atom = draw(st.sampled_from(ATOMS))
        text += " " + draw(
            st.one_of(
                st.sampled_from(OPERATORS).map(lambda op, atom=atom: f"{op} {atom}"),
                st.sampled_from(
                    ["isnull", "notnull", "not null", "is not null", "in (1,2)", "not in (1,2)", "collate nocase",
                     f"between {atom} and 2", f"not between 1 and {atom}", f"like {atom} escape 'x'"]
                ),
            )
        )  # fmt: skip
        if draw(st.integers(0, 5)) == 0:
            text = f"({text})"
    return text


@settings(max_examples=1500, derandomize=True, deadline=None)
@given(expressions())
def test_operators_bind_as_in_sqlite(text):
    con = sqlite3.connect(":memory:")

    def value(sql):
        try:
            return con.execute("select " + sql).fetchone()
        except sqlite3.OperationalError as error:
            assert "syntax error" not in str(error)
            return "error"

    tree = syntax.parse_expression(text)
    assert value(tree["parenthesized"].decode()) == value(text)
    assert value(tree["sql"].decode()) == value(text)
    con.close()


# --- nothing crashes it -------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    sorted({token for sql in STATEMENTS for token in TOKEN.findall(sql)})
    + ["<->", "<=>", "<#>", "<+>", "<~>", "?1", ":x", "--", "/*", "'", '"', "[", ";", "0x", "1e", "é", "\0"]
)


@settings(max_examples=1500, derandomize=True, deadline=None)
@given(st.lists(WORDS, max_size=40), st.sampled_from(["", " "]))
def test_token_soup(words, gap):
    sql = gap.join(words)
    if syntax.errors_of([sql])[0] == "":
        parsed = syntax.parse(sql)
        if parsed["kind"] is not None:
            once = parsed["sql"].decode()
            assert printed(once) == once
    syntax.is_complete(sql)


@settings(max_examples=500, derandomize=True, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes(raw):
    for sql in (raw, b"select " + raw, b"create table t(" + raw):
        with contextlib.suppress(RuntimeError, UnicodeDecodeError):  # the bytes come back in the message
            syntax.parse(sql)
        syntax.is_complete(sql)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.text(max_size=20))
def test_names_are_quoted_to_be_read_back(name):
    quoted = syntax.quote_name(name)
    if "\0" in name:
        return
    parsed = syntax.parse(f"select 1 as {quoted}")
    assert syntax.column_texts(f"select 1 as {quoted}") == [name]
    assert parsed["kind"] == 0
