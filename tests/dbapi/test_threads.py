"""The interpreter lock is free while the engine works, and Ctrl-C reaches a long statement."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

import turdb

LONG = "with recursive n(i) as (select begun() union all select i+1 from n where i < 30000000) select count(*) from n"


def test_other_threads_run_during_a_query():
    """Another thread gets its turn while the statement runs, early enough to stop it: with the lock held all through, the
    statement would come to its end."""
    con = turdb.connect(":memory:", check_same_thread=False)
    begun = threading.Event()
    con.create_function("begun", 0, lambda: begun.set() or 1)
    outcome = []

    def query():
        try:
            outcome.append(con.execute(LONG).fetchall())
        except turdb.OperationalError as error:
            outcome.append(error.sqlite_errorname)

    thread = threading.Thread(target=query)
    thread.start()
    assert begun.wait(60)
    con.interrupt()
    thread.join()
    assert outcome == ["SQLITE_INTERRUPT"]
    con.close()


def test_two_connections_at_once(path):
    writer = turdb.connect(path, isolation_level=None)
    writer.execute("create table t(a)")
    failures = []

    def read():
        con = turdb.connect(path)
        last = -1
        for _ in range(200):
            count = con.execute("select count(*) from t").fetchone()[0]
            if count < last:
                failures.append((last, count))
            last = count
        con.close()

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for i in range(200):
        writer.execute("insert into t values(?)", (i,))
    for thread in threads:
        thread.join()
    assert failures == []
    writer.close()


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_stops_a_statement():
    script = (
        "import signal, turdb\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # it may be ignored where the tests run
        "con = turdb.connect(':memory:')\n"
        "try:\n"
        "    print('ready', flush=True)\n"
        "    con.execute('with recursive n(i) as (select 1 union all select i+1 from n) select count(*) from n').fetchall()\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted', con.execute('select 1').fetchone())\n"
    )
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.3)  # well into the statement
    for _ in range(100):
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=0.2)
            break
        except subprocess.TimeoutExpired:
            continue
    else:
        process.kill()
    assert process.stdout.read() == "interrupted (1,)\n"
    process.stdout.close()


def test_a_shared_cursor_fails_instead_of_crashing():
    con = turdb.connect(":memory:", check_same_thread=False)
    cursor = con.cursor()
    unexpected = []

    def use():
        for i in range(300):
            try:
                cursor.execute("select ?, ?", (i, "x"))
                cursor.fetchall()
            except turdb.ProgrammingError:
                pass
            except Exception as error:
                unexpected.append(error)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert unexpected == []
    con.close()
