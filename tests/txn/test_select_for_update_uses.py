"""SELECT .. FOR UPDATE as workers use it that empty a queue, and as a statement among others: what it cannot lock, what it shows."""

import contextlib
import re
import threading
from collections import Counter
from pathlib import Path

import pytest
from support.row_locks import ENOUGH, Background, connector, locked, refused, table_path  # noqa: F401

import turdb

# --- queues ---------------------------------------------------------------------------------------------------

JOBS, WORKERS = 120, 4
TAKE_AND_DELETE = """
    begin; select id from jobs where state = 0 order by id limit 1 for update skip locked; delete from jobs where id = ?"""
TAKE_AND_MARK = """
    begin; select id from jobs where state = 0 order by priority, id limit 2 for update skip locked;
    update jobs set state = 1 where id = ?"""


def drain(con, statements, taken, errors):
    begin, take, finish = (part.strip() for part in statements.split(";"))
    try:
        while True:
            con.execute(begin)
            jobs = con.execute(take).fetchall()
            for job in jobs:
                con.execute(finish, job)
            con.execute("commit")
            taken += [job[0] for job in jobs]
            if not jobs:
                return
    except turdb.Error as error:
        errors.append(error)


@pytest.mark.parametrize("kind", ["", "without rowid"])
@pytest.mark.parametrize("statements", [TAKE_AND_DELETE, TAKE_AND_MARK], ids=["delete", "mark"])
def test_workers_get_each_job_once(connect, kind, statements):
    setup = connect()
    setup.execute(f"create table jobs (id integer primary key, priority integer, state integer) {kind}")
    setup.execute("create index by_priority on jobs (state, priority)")
    setup.execute("insert into jobs select value, value % 7, 0 from generate_series(1, ?)", (JOBS,))
    taken, errors = [], []
    workers = [
        threading.Thread(target=drain, args=(connect(timeout=0), statements, taken, errors)) for _ in range(WORKERS)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(ENOUGH)
    assert errors == []  # a timeout of 0: nobody waited
    assert Counter(taken) == Counter(range(1, JOBS + 1))
    assert setup.execute("select count(*) from jobs where state = 0").fetchone() == (0,)
    assert setup.execute("pragma integrity_check").fetchone() == ("ok",)


def test_jobs_taken_by_one_statement(connect):
    setup = connect()
    setup.execute("create table jobs (id integer primary key, owner integer)")
    setup.execute("insert into jobs select value, null from generate_series(1, ?)", (JOBS,))
    take = """update jobs set owner = ? where id = (
                  select id from jobs where owner is null order by id limit 1 for update skip locked) returning id"""
    taken, errors = [], []

    def work(con, number):
        try:
            while rows := con.execute(take, (number,)).fetchall():
                taken.extend(rows)
        except turdb.Error as error:
            errors.append(error)

    workers = [threading.Thread(target=work, args=(connect(), number)) for number in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(ENOUGH)
    assert errors == []
    assert Counter(taken) == Counter((job,) for job in range(1, JOBS + 1))
    assert setup.execute("select count(*) from jobs where owner is null").fetchone() == (0,)


# --- the statement among others -------------------------------------------------------------------------------


def test_opens_a_transaction_as_a_write_does(connect):
    con, other = connect(isolation_level="DEFERRED"), connect()
    con.execute("select * from t where id = 5")
    assert not con.in_transaction
    con.execute("select * from t where id = 5 for update")
    assert con.in_transaction
    assert locked(other) == {5: "X"}
    con.commit()
    assert locked(other) == {}


def test_outside_a_transaction_locks_are_gone_with_the_statement(connect):
    con, other = connect(), connect()
    con.execute("update t set v = v")
    before = con.execute("select changes(), total_changes(), last_insert_rowid()").fetchone()
    cursor = con.execute("select id from t for update")
    assert locked(other) == {}
    assert len(cursor.fetchall()) == 10
    assert con.execute("select changes(), total_changes(), last_insert_rowid()").fetchone() == before


def test_needs_a_database_that_may_be_written(path, connect):
    con = connect()
    con.execute("pragma query_only = on")
    assert "readonly" in str(refused(con, "select * from t for share"))
    con.close()
    with contextlib.closing(turdb.connect(path, read_only=True, isolation_level=None)) as reader:
        error = refused(reader, "select * from t for update")
        assert isinstance(error, turdb.OperationalError) and "readonly" in str(error)
        assert reader.execute("select count(*) from t").fetchone() == (10,)


@pytest.mark.parametrize(
    ("sql", "kind", "message"),
    [
        ("select distinct v from t for update", turdb.NotSupportedError, "FOR UPDATE is not allowed with DISTINCT"),
        ("select v from t group by v for share", turdb.NotSupportedError, "FOR SHARE is not allowed with GROUP BY"),
        ("select sum(v) from t for update", turdb.NotSupportedError, "not allowed with aggregate functions"),
        ("select rank() over () from t for update", turdb.NotSupportedError, "not allowed with window functions"),
        ("select 1 from t union select 2 for update", turdb.NotSupportedError, "UNION, INTERSECT or EXCEPT"),
        ("select * from big for update", turdb.NotSupportedError, "cannot be applied to big, which is a view"),
        ("with c as (select 1) select * from c for update", turdb.NotSupportedError, "which is a view or a WITH query"),
        ("select * from (select * from t) s for update of s", turdb.NotSupportedError, "s, which is a subquery"),
        ("select * from t, (select 1) s for update", turdb.NotSupportedError, "name the tables to lock with OF"),
        ("select * from generate_series(1, 2) g for update of g", turdb.NotSupportedError, "which is a function"),
        ("select * from sqlite_schema for update", turdb.NotSupportedError, "cannot be applied to sqlite_schema"),
        ("select * from t left join u on u.id = t.id for update", turdb.NotSupportedError, "nullable side"),
        ("select * from t right join u on u.id = t.id for update of t", turdb.NotSupportedError, "nullable side"),
        ("select * from t for update of x", turdb.ProgrammingError, "no such table: x in the FROM clause"),
        ("select * from t as x for update of t", turdb.ProgrammingError, "no such table: t in the FROM clause"),
        ("select * from t for update skip", turdb.ProgrammingError, "incomplete input"),
        ("select * from t for update wait", turdb.ProgrammingError, "syntax error"),
        ("select * from t for nothing", turdb.ProgrammingError, "syntax error"),
        ("create view w as select * from t for update", turdb.ProgrammingError, "not allowed in a view"),
        (
            "with recursive r as (select 1 as a union all select v from t, r for update) select * from r",
            turdb.NotSupportedError,
            "not allowed",
        ),
    ],
)
def test_what_cannot_be_locked(connect, sql, kind, message):
    con = connect()
    error = refused(con, sql)
    assert isinstance(error, kind) and message in str(error)
    assert locked(con) == {}


def test_not_where_rows_are_only_read(connect):
    con = connect()
    con.execute("create table e (id integer primary key, x vector(2))")
    con.execute("insert into e values (1, '[1, 2]')")
    with pytest.raises(turdb.ProgrammingError, match="cannot be locked here"):
        con.knn("e", "x", [[1.0, 2.0]], 1, where="id in (select id from t for update)")
    with pytest.raises(turdb.ProgrammingError, match="EXPLAIN ANALYZE"):
        con.execute("explain analyze select * from t for update")


def test_the_words_stay_names(connect):
    con = connect()
    con.execute('create table "for" (for, share, nowait, skip, locked, "of", "update")')
    con.execute("insert into for (for, share, nowait, skip, locked, of) values (1, 2, 3, 4, 5, 6)")
    row = con.execute("select for, share, nowait, skip, locked, of from for").fetchone()
    assert row == (1, 2, 3, 4, 5, 6)
    assert con.execute("select 1 for, 2 share, 3 as nowait, 4 skip, 5 locked").description[0][0] == "for"
    assert con.execute("select for.for for from for for where for = 1 for update of for nowait").fetchall() == [(1,)]
    assert con.execute("select skip.share from for skip where locked for share skip locked").fetchall() == [(2,)]
    assert con.execute("with share as (select 7 of) select of from share").fetchall() == [(7,)]


def test_is_no_statement_for_executemany(connect):
    con = connect()
    with pytest.raises(turdb.ProgrammingError, match="executemany"):
        con.executemany("select * from t where id = ? for update", [(1,), (2,)])


def test_explain_shows_it(connect):
    con = connect()
    con.execute("create index by_v on t (v)")
    sql = "select id from t join k on b = id order by t.v limit 1 for update of t skip locked for share of k"
    plan = "\n".join(row[0] for row in con.execute(f"explain {sql}"))
    assert "LOCK ROWS t FOR UPDATE SKIP LOCKED, k FOR SHARE" in plan
    assert plan.index("LIMIT") < plan.index("LOCK ROWS") < plan.index("SORT" if "SORT" in plan else "JOIN")
    assert any("LOCK ROWS" in row[3] for row in con.execute(f"explain query plan {sql}"))
    # A queue reads its index in order: it must not sort the table for one row.
    first = "\n".join(
        row[0] for row in con.execute("explain select * from t order by v limit 1 for update skip locked")
    )
    assert "by_v" in first and "SORT" not in first
    assert locked(con) == {}


def test_lock_list(connect):
    con, other, observer = connect(), connect(), connect()
    con.execute("begin")
    con.execute("insert into u values (100, 1, 'held')")
    con.execute("select * from t where id = 7 for share")
    Background(other, "select * from t where id = 7 for update").await_waiting(observer)
    rows = observer.execute("select * from pragma_lock_list")
    assert [column[0] for column in rows.description] == ["transaction_id", "kind", "name", "row_id", "mode", "granted"]
    listed = rows.fetchall()
    assert observer.execute("pragma lock_list").fetchall() == listed
    first, second = sorted({row[0] for row in listed})
    assert [row[1:] for row in listed if row[0] == first and row[1] != "key"] == [
        ("database", None, None, "IX", 1),
        ("table", "t", None, "IS", 1),
        ("table", "u", None, "IX", 1),
        ("row", "t", 7, "S", 1),
        ("row", "u", 100, "X", 1),
    ]
    assert [row[1:] for row in listed if row[0] == second] == [
        ("database", None, None, "IX", 1),
        ("table", "t", None, "IX", 1),
        ("row", "t", 7, "X", 0),
    ]
    key = [row[1:] for row in listed if row[1] == "key"]
    index = observer.execute("select name from pragma_index_list('u')").fetchone()[0]
    assert [(kind, name, mode) for kind, name, _, mode, _ in key] == [("key", index, "X")]
    con.execute("rollback")


def test_the_documented_example_runs(capsys):
    page = (Path(__file__).parents[2] / "docs" / "transactions.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(compile(example, "docs/transactions.md", "exec"), {})
    assert capsys.readouterr().out.strip() == "[(1, 30), (2, 70)]"
