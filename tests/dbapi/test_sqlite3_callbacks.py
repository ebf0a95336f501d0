"""What programs written for sqlite3 rely on where it calls them back: functions, aggregates, collations, handlers, traces."""

import threading

import pytest

import turdb


def test_functions(both):
    both.create_function("plus", 2, lambda a, b: a + b)
    both.create_function("count_args", -1, lambda *args: len(args), deterministic=True)
    both.create_function("kind", 1, lambda value: type(value).__name__)
    assert both.execute("select plus(1, 2), plus(1.5, 2), plus('a', 'b')").fetchone() == (3, 3.5, "ab")
    assert both.execute("select count_args(), count_args(1, 2, 3)").fetchone() == (0, 3)
    row = both.execute("select kind(1), kind(1.5), kind('x'), kind(x'00'), kind(null)").fetchone()
    assert row == ("int", "float", "str", "bytes", "NoneType")


@pytest.mark.parametrize("value", [None, 5, 1.5, "text", b"bytes", "ä\0"])
def test_function_results(both, value):
    both.create_function("give", 0, lambda: value)
    assert both.execute("select give()").fetchone() == (value,)


def test_function_errors(module, both):
    both.create_function("fail", 1, lambda value: 1 / 0)
    both.create_function("wrong", 0, lambda: object())
    with pytest.raises(module.OperationalError):
        both.execute("select fail(1)").fetchall()
    with pytest.raises(module.OperationalError):
        both.execute("select wrong()").fetchall()
    with pytest.raises(module.OperationalError):
        both.execute("select fail(1, 2)")
    both.create_function("fail", 1, None)
    with pytest.raises(module.OperationalError):
        both.execute("select fail(1)")


def test_function_error_has_its_cause(con):
    con.create_function("fail", 0, lambda: 1 / 0)
    with pytest.raises(turdb.OperationalError) as caught:
        con.execute("select fail()").fetchall()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_function_may_query_another_connection(both, module):
    other = module.connect(":memory:")
    both.create_function("other", 0, lambda: other.execute("select 41 + 1").fetchone()[0])
    assert both.execute("select other()").fetchone() == (42,)
    other.close()


class Joined:
    def __init__(self):
        self.parts = []

    def step(self, *values):
        self.parts.append("-".join(map(str, values)))

    def inverse(self, *values):
        self.parts.remove("-".join(map(str, values)))

    def value(self):
        return ",".join(self.parts)

    finalize = value


def test_aggregates(both):
    both.create_aggregate("joined", 1, Joined)
    both.execute("create table t(g, a)")
    both.executemany("insert into t values(?, ?)", [(1, "a"), (1, "b"), (2, "c")])
    assert both.execute("select joined(a) from t where g = 1").fetchone() == ("a,b",)
    assert both.execute("select g, joined(a) from t group by g order by g").fetchall() == [(1, "a,b"), (2, "c")]


def test_window_functions(both):
    if not hasattr(both, "create_window_function"):
        pytest.skip("sqlite3 of Python before 3.11")
    both.create_window_function("joined", 1, Joined)
    both.execute("create table t(a)")
    both.executemany("insert into t values(?)", [("a",), ("b",), ("c",), ("d",)])
    rows = both.execute("select joined(a) over (order by a rows between 1 preceding and current row) from t").fetchall()
    assert rows == [("a",), ("a,b",), ("b,c",), ("c,d",)]


@pytest.mark.parametrize("method", ["__init__", "step", "finalize"])
def test_aggregate_errors(module, both, method):
    broken = type("Broken", (Joined,), {method: lambda self, *args: 1 / 0})
    both.create_aggregate("broken", 1, broken)
    with pytest.raises(module.OperationalError):
        both.execute("select broken(1)").fetchall()


def test_collation(both):
    both.create_collation("backwards", lambda a, b: (a < b) - (a > b))
    rows = both.execute("select x from (select 'a' as x union select 'b' union select 'c') order by x collate backwards")
    assert rows.fetchall() == [("c",), ("b",), ("a",)]


def test_collation_that_is_unknown(module, both):
    with pytest.raises(module.OperationalError):
        both.execute("select 'a' order by 1 collate nope").fetchall()


LONG = "with recursive n(i) as (select 1 union all select i+1 from n where i < 3000000) select sum(i) from n"


def test_progress_handler_interrupts(module, both):
    calls = []
    both.set_progress_handler(lambda: calls.append(1) or len(calls) > 2, 100)
    with pytest.raises(module.OperationalError):
        both.execute(LONG).fetchall()
    both.set_progress_handler(None, 100)
    assert both.execute("select 1").fetchone() == (1,)


def test_trace_callback(both):
    seen = []
    both.set_trace_callback(seen.append)
    both.execute("create table t(a)")
    both.execute("insert into t values(1)")
    both.set_trace_callback(None)
    both.execute("select 5")
    assert any("create table t" in text for text in seen) and any("insert into t" in text for text in seen)
    assert not any("select 5" in text for text in seen)


def test_interrupt_from_another_thread(module):
    con = module.connect(":memory:", check_same_thread=False)
    endless = "with recursive n(i) as (select 1 union all select i+1 from n) select count(*) from n"
    stop = threading.Event()

    def interrupt():
        while not stop.wait(0.05):
            con.interrupt()

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(module.OperationalError):
            con.execute(endless).fetchall()
    finally:
        stop.set()
        thread.join()
    assert con.execute("select 1").fetchone() == (1,)
    con.close()
