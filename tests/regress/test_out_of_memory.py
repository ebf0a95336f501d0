"""Memory that runs out, in a process that may not have more address space than it has: an error, and never the end of the interpreter.

What a statement did not finish is taken back, and once there is memory again everything goes on.
"""

import os

import pytest
from support import programs
from support.sanitizer import measures_memory

pytestmark = [pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs /proc"), measures_memory]

PROGRAM = """
    import faulthandler, resource, threading
    faulthandler.enable()
    con = turdb.connect(path, isolation_level=None)
    con.execute("create table t (id integer primary key, a text, e vector(64))")
    con.execute("create index t_a on t (a)")
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(8000, 64)).astype(np.float32)
    con.append("t", {{"id": np.arange(8000), "a": [f"text {{i * 7919 % 8000}}" for i in range(8000)], "e": vectors}})
    con.execute("create table log (n integer)")
    con.execute("insert into log values (0)")
    big, wide, many = "q" * (64 << 20), ["z" * 300] * 20000, rng.normal(size=(2000, 64)).astype(np.float32)
    before = con.execute("select count(*), sum(id), sum(length(a)) from t").fetchone()
    said = []

    def attempt(work):
        try:
            work()
            said.append("done")
        except MemoryError as error:
            assert not isinstance(error, turdb.Error) or error.sqlite_errorname == "SQLITE_NOMEM", error
            said.append("refused")

    def size():
        return int([line for line in open("/proc/self/status") if line.startswith("VmSize")][0].split()[1]) * 1024

    resource.setrlimit(resource.RLIMIT_AS, (size() + ({allowance} << 10), resource.RLIM_INFINITY))
    {body}
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert con.execute("pragma integrity_check").fetchall() == [("ok",)]
    con.execute("insert into log values (99)")
    after = con.execute("select count(*), sum(id), sum(length(a)) from t").fetchone()
    con.close()
    con = turdb.connect(path)
    assert con.execute("pragma integrity_check").fetchall() == [("ok",)]
    assert con.execute("select count(*), sum(id), sum(length(a)) from t").fetchone() == after
    con.close()
    print(" ".join(said))
"""
LIFT = "resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))"
READS = {
    "sort": 'attempt(lambda: con.execute("select a, e from t order by a desc, id").fetchall())',
    "join": 'attempt(lambda: con.execute("select x.a, group_concat(y.a) from t x join t y on x.id / 4 = y.id / 4 group by 1 order by 2").fetchall())',
    "text": 'attempt(lambda: con.execute("select group_concat(a || hex(zeroblob(4000))) from t").fetchall())',
    "knn": 'attempt(lambda: con.knn("t", "e", many, 100))',
    "parameter": 'attempt(lambda: con.execute("select length(?)", (big,)).fetchone())',
    "blob": 'attempt(lambda: con.execute("select zeroblob(200000000)").fetchone())',
}
WRITES = {
    "update": 'attempt(lambda: con.execute("update t set a = a || ?", ("y" * 400,)))',
    "append": 'attempt(lambda: con.append("t", {"a": wide}))',
    "executemany": 'attempt(lambda: con.executemany("insert into t(a) values (?)", ((text,) for text in wide)))',
    "value": 'attempt(lambda: con.execute("insert into t(a) values (?)", (big,)))',
    "index": 'attempt(lambda: con.execute("create index t_e on t using hnsw (e vector_l2_ops)"))',
    "delete": 'attempt(lambda: con.execute("delete from t where id % 3 > 0"))',
    "vacuum": 'attempt(lambda: con.execute("vacuum"))',
}
ALLOWED = [0, 3000, 24000]  # KiB


@pytest.mark.parametrize("allowance", ALLOWED)
@pytest.mark.parametrize("kind", READS)
def test_reads(path, kind, allowance):
    body = f"for _ in range(2): {READS[kind]}"
    out = programs.run(PROGRAM.format(allowance=allowance, body=body), path)
    assert set(out.split()) <= {"done", "refused"}


@pytest.mark.parametrize("allowance", ALLOWED)
@pytest.mark.parametrize("kind", WRITES)
def test_writes_are_done_or_not(path, kind, allowance):
    body = f"""{WRITES[kind]}
    {LIFT}
    now = con.execute("select count(*), sum(id), sum(length(a)) from t").fetchone()
    assert (now == before) or said == ["done"], (now, before, said)
    """
    assert programs.run(PROGRAM.format(allowance=allowance, body=body), path).split()[0] in ("done", "refused")


@pytest.mark.parametrize("allowance", ALLOWED)
@pytest.mark.parametrize("kind", [kind for kind in WRITES if kind != "vacuum"])
def test_a_transaction_is_whole_or_gone(path, kind, allowance):
    body = f"""con.execute("begin")
    con.execute("insert into log values (1)")
    {WRITES[kind]}
    {LIFT}
    if con.in_transaction:
        assert con.execute("select count(*) from log").fetchone() == (2,)
        attempt(lambda: con.execute("commit"))
    else:
        assert said == ["refused"]
    kept = con.execute("select count(*) from log").fetchone()[0] == 2
    now = con.execute("select count(*), sum(id), sum(length(a)) from t").fetchone()
    is_row_by_row = {kind == "executemany"}  # the rows before the one that failed stay, as after any other error
    assert now == before or (kept and (said[0] == "done" or is_row_by_row)), (now, before, said)
    """
    programs.run(PROGRAM.format(allowance=allowance, body=body), path)


def test_threads_that_write_at_a_time(path):
    body = """
    def work(number):
        mine = turdb.connect(path, isolation_level=None)
        for i in range(30):
            attempt(lambda: mine.execute("update t set a = a || ? where id % 4 = ?", ("w" * 100, number)))
            attempt(lambda: mine.execute("insert into t(a) values (?)", (f"new {number} {i}",)))
        mine.close()

    threads = []
    for number in range(4):
        try:
            threads.append(threading.Thread(target=work, args=(number,)))
            threads[-1].start()
        except RuntimeError:  # no room for its stack
            threads.pop()
    for thread in threads:
        thread.join()
    """
    out = programs.run(PROGRAM.format(allowance=60_000, body=body), path)
    assert set(out.split()) <= {"done", "refused"}


def test_what_python_says_of_it():
    import turdb

    assert issubclass(turdb.OutOfMemoryError, MemoryError) and issubclass(turdb.OutOfMemoryError, turdb.OperationalError)
